//! `gantline contract verify` against the real Go: a shop whose contracts hold, and each way in
//! which a provider can fail them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long one verification may take on a slow machine with no caches, in seconds.
const LONGEST: &str = "900";
/// Where orders says how its answers look on the wire.
const WIRE: &str = "services/orders/internal/httpapi/gen/api.gen.go";
const HARNESS: &str = "services/orders/internal/contracttest/provider_test.go";
const PACT: &str = "services/storefront/contracts/storefront--orders.json";

struct Shop(tempfile::TempDir);

struct Verified {
    code: i32,
    answer: Value,
    errors: String,
}

fn shop() -> Shop {
    Shop(crate::shop::copy())
}

fn gantline(folder: &Path) -> Command {
    let mut command = Command::new("timeout");
    command
        .args([LONGEST, env!("CARGO_BIN_EXE_gantline")])
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

impl Shop {
    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join("shop").join(path)
    }

    fn replace(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(path)).unwrap();
        assert!(text.contains(from), "{path} holds no {from:?}");
        fs::write(self.path(path), text.replace(from, to)).unwrap();
    }

    fn verify(&self, arguments: &[&str]) -> Verified {
        let output = gantline(&self.path("."))
            .args(["contract", "verify", "--format", "json"])
            .args(arguments)
            .output()
            .unwrap();
        Verified {
            code: output.status.code().unwrap(),
            answer: serde_json::from_slice(&output.stdout).unwrap_or_default(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Verified {
    /// The interactions with this result.
    fn having(&self, result: &str) -> Vec<&Value> {
        let pacts = self.answer["pacts"].as_array().into_iter().flatten();
        let all = pacts.flat_map(|pact| pact["interactions"].as_array().unwrap());
        all.filter(|interaction| interaction["result"] == result)
            .collect()
    }
}

#[test]
#[ignore = "needs Go"]
fn a_new_shop_keeps_its_contracts() {
    let shop = shop();
    for round in ["cold", "warm"] {
        let begun = Instant::now();
        let found = shop.verify(&[]);
        println!("{round}: {:.1} s", begun.elapsed().as_secs_f64());
        assert_eq!(found.code, 0, "{}\n{}", found.errors, found.answer);
        assert_eq!(found.answer["green"], true);
        let kinds: Vec<&Value> = found.having("holds").iter().map(|it| &it["kind"]).collect();
        assert!(kinds.len() >= 4, "{}", found.answer);
        for kind in ["http", "message"] {
            assert!(kinds.iter().any(|it| *it == kind), "{}", found.answer);
        }
    }
}

#[test]
#[ignore = "needs Go"]
fn what_vet_finds_in_a_harness_keeps_no_contract_from_being_verified() {
    let shop = shop();
    let vetted = "package contracttest_test\n\nimport \"fmt\"\n\n\
                  func init() { _ = fmt.Sprintf(\"%d\", \"text\") }\n";
    let file = shop.path("services/orders/internal/contracttest/vetted_test.go");
    fs::write(file, vetted).unwrap();
    let found = shop.verify(&[]);
    assert_eq!(found.code, 0, "{}\n{}", found.errors, found.answer);
}

#[test]
#[ignore = "needs Go"]
fn a_provider_that_renames_a_member_is_told_where() {
    let shop = shop();
    // The last one is the answer's; the first the draft's.
    let text = fs::read_to_string(shop.path(WIRE)).unwrap();
    let at = text
        .rfind("Reference Reference `json:\"reference\"`")
        .unwrap();
    let renamed = text[at..].replacen("json:\"reference\"", "json:\"ref\"", 1);
    fs::write(shop.path(WIRE), format!("{}{renamed}", &text[..at])).unwrap();
    let found = shop.verify(&["--junit", "junit.xml"]);
    assert_eq!(found.code, 1, "{}\n{}", found.errors, found.answer);
    let broken = found.having("broken");
    assert!(!broken.is_empty(), "{}", found.answer);
    for interaction in broken {
        let mismatch = &interaction["mismatches"][0];
        assert_eq!(mismatch["path"], "$.reference", "{interaction}");
        assert_eq!(mismatch["rule"], "presence", "{interaction}");
    }
    assert!(
        found.errors.contains("storefront counts on orders"),
        "{}",
        found.errors
    );
    let junit = fs::read_to_string(shop.path("junit.xml")).unwrap();
    assert!(
        junit.contains("<failure message=\"body $.reference\">"),
        "{junit}"
    );
}

#[test]
#[ignore = "needs Go"]
fn a_state_that_the_provider_does_not_know_is_told_with_those_it_knows() {
    let shop = shop();
    shop.replace(PACT, "\"no orders exist\"", "\"it rains\"");
    let found = shop.verify(&["storefront"]);
    assert_eq!(found.code, 1, "{}\n{}", found.errors, found.answer);
    let trouble = &found.having("unknown")[0]["trouble"];
    assert_eq!(trouble["kind"], "unknown-state");
    assert!(
        trouble["message"].as_str().unwrap().contains("it rains"),
        "{trouble}"
    );
    let known = trouble["details"].as_array().unwrap();
    assert!(known.iter().any(|it| it == "no orders exist"), "{trouble}");
}

/// Makes the provider's handler do this with every request.
fn let_handler(shop: &Shop, statement: &str) {
    let handler = format!(
        "served.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {{ {statement} }})\n\n\treturn served"
    );
    shop.replace(HARNESS, "return served", &handler);
    shop.replace(HARNESS, "\t\"io\"\n", "\t\"io\"\n\t\"net/http\"\n");
}

#[test]
#[ignore = "needs Go"]
fn a_provider_that_hangs_ends_aborts_or_does_not_compile_is_told() {
    let cases = [
        ("select {}", "hangs", "did not answer"),
        ("os.Exit(7)", "exited", "exit status: 7"),
        ("panic(http.ErrAbortHandler)", "garbage", "no HTTP answer"),
        ("nonsense(", "does-not-compile", "does not compile"),
    ];
    for (statement, kind, words) in cases {
        let shop = shop();
        let_handler(&shop, statement);
        let found = shop.verify(&["--timeout", "1", "--jobs", "1", "storefront"]);
        assert_eq!(
            found.code, 1,
            "{statement}: {}\n{}",
            found.errors, found.answer
        );
        let trouble = &found.having("unknown")[0]["trouble"];
        assert_eq!(trouble["kind"], kind, "{statement}: {}", found.answer);
        let message = trouble["message"].as_str().unwrap();
        assert!(message.contains(words), "{statement}: {message}");
        assert_nothing_runs(&shop);
    }
}

#[test]
#[ignore = "needs Go"]
fn a_provider_that_answers_a_gigabyte_or_resets_is_told_and_a_redirect_is_an_answer() {
    let gigabyte = "block := make([]byte, 1<<20); for range 1 << 10 { if _, err := w.Write(block); err != nil { return } }";
    let reset = "connection, _, err := http.NewResponseController(w).Hijack(); if err == nil { _ = connection.Close() }";
    let redirect = "http.Redirect(w, r, r.URL.Path, http.StatusFound)";
    let cases = [
        (gigabyte, "unknown", "larger than 8 MiB"),
        (reset, "unknown", "no HTTP answer"),
        (redirect, "broken", "302"),
    ];
    for (statement, result, words) in cases {
        let shop = shop();
        let_handler(&shop, statement);
        let found = shop.verify(&["--jobs", "1", "storefront"]);
        assert_eq!(
            found.code, 1,
            "{statement}: {}\n{}",
            found.errors, found.answer
        );
        let first = found.having(result)[0].to_string();
        assert!(first.contains(words), "{statement}: {first}");
        assert_nothing_runs(&shop);
    }
}

#[test]
#[ignore = "needs Go"]
fn a_new_shop_fits_its_documents_without_go() {
    let shop = shop();
    let check = || {
        gantline(&shop.path("."))
            .args(["contract", "check", "--format", "json"])
            .env("PATH", "/usr/bin:/bin")
            .output()
            .unwrap()
    };
    let output = check();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{answer}");
    assert_eq!(answer["tally"]["errors"], 0, "{answer}");
    assert_eq!(answer["tally"]["warnings"], 0, "{answer}");
    shop.replace(
        "services/orders/api/openapi.yaml",
        "required: [id, reference, quantity, created_at]",
        "required: [id, reference, quantity]",
    );
    let answer: Value = serde_json::from_slice(&check().stdout).unwrap();
    assert_eq!(answer["green"], true, "{answer}");
    assert_ne!(answer["tally"]["warnings"], 0, "{answer}");
}

#[test]
#[ignore = "needs Go"]
fn a_provider_without_a_harness_is_told() {
    let shop = shop();
    fs::remove_dir_all(shop.path("services/orders/internal/contracttest")).unwrap();
    let found = shop.verify(&[]);
    assert_eq!(found.code, 1, "{}\n{}", found.errors, found.answer);
    let trouble = &found.having("unknown")[0]["trouble"];
    assert_eq!(trouble["kind"], "no-harness", "{trouble}");
}

#[test]
#[ignore = "needs Go"]
fn an_interrupted_verification_leaves_nothing_running() {
    let shop = shop();
    let_handler(&shop, "select {}");
    let mut child = Command::new(env!("CARGO_BIN_EXE_gantline"))
        .args(["contract", "verify", "--timeout", "600"])
        .current_dir(shop.path("."))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while harnesses(&shop).is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(600),
            "no harness was started"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_nothing_runs(&shop);
}

/// Command lines of harnesses of this shop.
fn harnesses(shop: &Shop) -> Vec<String> {
    let folder = shop.path(".gantline/run/contracts");
    let folder = folder.to_string_lossy();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&*folder) && line.contains("-test.run"))
        .collect()
}

fn assert_nothing_runs(shop: &Shop) {
    let begun = Instant::now();
    while !harnesses(shop).is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            harnesses(shop)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
