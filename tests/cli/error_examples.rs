//! Every example in docs/errors.md is what the program prints. `UPDATE=1` writes them anew.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::docker_faults::daemon;
use super::workspace::{Run, Workspace};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors.md");
const MARK: &str = "<!-- example: ";

/// An example: its name, the arguments, and what came of them.
struct Example {
    name: &'static str,
    arguments: Vec<&'static str>,
    run: Run,
}

fn example(
    name: &'static str,
    workspace: &Workspace,
    environment: &[(&str, &str)],
    arguments: &[&'static str],
) -> Example {
    Example {
        name,
        arguments: arguments.to_vec(),
        run: workspace.gantline_with(environment, arguments),
    }
}

fn invalid() -> Vec<Example> {
    let manifest = "services/orders/service.yaml";
    let shop = Workspace::shop_with_orders;
    let check = &["generate", "--check"];
    let folder = shop().file("environments/staging.yaml/x", "");
    vec![
        example(
            "unknown-key",
            &shop().replace(manifest, "publishes", "publihses"),
            &[],
            check,
        ),
        example(
            "several",
            &shop()
                .replace(manifest, "uses:", "usse:")
                .replace(manifest, "publishes", "publihses"),
            &[],
            check,
        ),
        example(
            "tab",
            &shop().replace("gantline.yaml", "  events", "\tevents"),
            &[],
            check,
        ),
        example("folder", &folder, &[], &["render", "staging"]),
        example("unknown-service", &shop(), &[], &["generate", "order"]),
        example("no-workspace", &Workspace::empty(), &[], &["status"]),
        example(
            "missing-answer",
            &Workspace::shop(),
            &[],
            &["add", "service", "orders", "--blueprint", "go-service"],
        ),
        example(
            "json",
            &shop().replace(manifest, "publishes", "publihses"),
            &[],
            &["generate", "--check", "--format", "json"],
        ),
    ]
}

fn failed() -> Vec<Example> {
    let occupied = Workspace::shop_with_orders();
    occupied.gantline(&["generate"]).succeeds();
    let occupied = occupied
        .file(
            "environments/staging.yaml",
            "namespace: shop\nresources: {orders-db: {secret: db}, events: {secret: events}}\n",
        )
        .file("services/orders/chart/values-staging.yaml", "mine: true\n");
    let link = Workspace::shop();
    let elsewhere = link.path("elsewhere.yaml");
    fs::rename(link.path("gantline.yaml"), &elsewhere).unwrap();
    symlink("elsewhere.yaml", link.path("gantline.yaml")).unwrap();
    let killed = Workspace::shop()
        .file(".gantline/run/transaction/new-0", "x\n")
        .file(
            ".gantline/run/journal.json",
            r#"{"version":1,"steps":[{"path":"notes/x.txt","before":null,"after":"73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac"}],"folders":["notes"]}"#,
        );
    let mut after_a_kill = example("killed", &killed, &[], &["generate"]);
    after_a_kill.run.stderr = without_time(&after_a_kill.run.stderr);
    vec![
        example("occupied", &occupied, &[], &["generate", "--quiet"]),
        example(
            "link",
            &link,
            &[],
            &["add", "resource", "cache", "--type", "nats"],
        ),
        after_a_kill,
    ]
}

/// A line of progress without its time of day.
fn without_time(line: &str) -> String {
    line.split_once("Z ")
        .map_or(line, |(_, rest)| rest)
        .to_owned()
}

fn differences() -> Vec<Example> {
    let shop = Workspace::shop_with_orders();
    shop.gantline(&["generate"]).succeeds();
    let shop = shop.replace(
        "services/orders/service.yaml",
        "publishes:",
        "owner: team-orders\npublishes:",
    );
    vec![example("check", &shop, &[], &["generate", "--check"])]
}

fn missing() -> Vec<Example> {
    let up = &["up", "--detach", "--quiet"];
    let old = Workspace::shop_with_orders();
    let host = daemon(&old, Some(r#"{"Version":"1.12.6","ApiVersion":"1.24"}"#));
    let nowhere = (
        "DOCKER_HOST",
        "unix:///var/run/docker-that-is-not-there.sock",
    );
    let caller = Workspace::shop_with_orders().file(
        "services/storefront/service.yaml",
        "name: storefront\nblueprint: go-service\noptions: {entity: checkout}\n",
    );
    caller.gantline(&["generate"]).succeeds();
    let programs = tempfile::tempdir().unwrap();
    let without_go = programs.path().display().to_string();
    let newer = Workspace::shop().replace(
        "gantline.yaml",
        "version: 1\n",
        "version: 1\ngantline: \">=9\"\n",
    );
    vec![
        example(
            "docker-absent",
            &Workspace::shop_with_orders(),
            &[nowhere],
            up,
        ),
        example("docker-old", &old, &[("DOCKER_HOST", &host)], up),
        example(
            "go-absent",
            &caller,
            &[("PATH", &without_go)],
            &["add", "client", "orders", "--in", "storefront", "--quiet"],
        ),
        example("other-version", &newer, &[], &["generate"]),
    ]
}

/// Ctrl-C while a Docker that does not answer is waited for.
fn interrupted() -> Example {
    let shop = Workspace::shop_with_orders();
    let socket = shop.path("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let arguments = vec!["up", "--quiet"];
    let child = Command::new(env!("CARGO_BIN_EXE_gantline"))
        .args(&arguments)
        .current_dir(shop.path("."))
        .env("DOCKER_HOST", format!("unix://{}", socket.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let _asked = stream.read(&mut [0; 4096]).unwrap();
    kill(
        Pid::from_raw(child.id().try_into().unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    let output = child.wait_with_output().unwrap();
    Example {
        name: "ctrl-c",
        arguments,
        run: Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        },
    }
}

impl Example {
    fn block(&self) -> String {
        let socket = self
            .run
            .stderr
            .replace("[ROOT]/docker.sock", "/run/user/1000/docker.sock");
        let stderr = socket.replace("[ROOT]", "/home/me/shop");
        let printed = match self.run.code {
            0 => format!("{stderr}{}", self.run.stdout),
            _ => format!("{}{stderr}", self.run.stdout),
        };
        format!(
            "```console\n$ gantline {}\n{}\n$ echo $?\n{}\n```\n",
            self.arguments.join(" "),
            printed.trim_end(),
            self.run.code
        )
    }
}

/// The page with these examples in their places.
fn with_examples(page: &str, examples: &[Example]) -> String {
    let mut parts = page.split(MARK);
    let mut text = parts.next().unwrap().to_owned();
    let mut used = Vec::new();
    for part in parts {
        let (name, rest) = part.split_once(" -->\n").unwrap();
        let found = examples.iter().find(|example| example.name == name);
        let example = found.unwrap_or_else(|| panic!("nothing prints the example `{name}`"));
        let rest = match rest.trim_start().strip_prefix("```console\n") {
            Some(block) => block.split_once("\n```\n").unwrap().1,
            None => rest,
        };
        text += &format!("{MARK}{name} -->\n{}{rest}", example.block());
        used.push(name.to_owned());
    }
    for example in examples {
        assert!(
            used.iter().any(|name| name == example.name),
            "{} is on no page",
            example.name
        );
    }
    text
}

#[test]
fn every_example_in_the_page_about_errors_is_what_the_program_prints() {
    let mut examples = invalid();
    examples.extend(failed());
    examples.extend(differences());
    examples.extend(missing());
    examples.push(interrupted());
    let page = fs::read_to_string(Path::new(PAGE)).unwrap();
    let expected = with_examples(&page, &examples);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PAGE, &expected).unwrap();
    } else {
        snapbox::assert_data_eq!(page, expected);
    }
}

#[test]
fn a_program_gets_every_kind_with_its_exit_code_as_one_document() {
    let check: &[&'static str] = &["generate", "--check"];
    let up: &[&'static str] = &["up", "--detach"];
    let wrong = Workspace::shop_with_orders().replace("gantline.yaml", "name:", "nmae:");
    let nowhere = ("DOCKER_HOST", "unix:///nowhere/docker.sock");
    for (workspace, environment, arguments, kind, code) in [
        (wrong, ("LANG", "C"), check, "invalid", 2),
        (
            Workspace::shop_with_orders(),
            ("LANG", "C"),
            check,
            "differences",
            3,
        ),
        (Workspace::shop_with_orders(), nowhere, up, "missing", 4),
    ] {
        let run = workspace.gantline_with(
            &[environment],
            &[arguments, &["--format", "json", "--quiet"]].concat(),
        );
        assert_eq!(run.code, code, "{run}");
        let last = run.stderr.lines().last().unwrap();
        let document: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!(document["version"], 1, "{run}");
        assert_eq!(document["error"]["kind"], kind, "{run}");
    }
}

#[test]
fn without_a_terminal_an_error_has_colours_only_when_they_are_asked_for() {
    let shop = Workspace::shop_with_orders().replace(
        "services/orders/service.yaml",
        "publishes",
        "publihses",
    );
    let check = ["generate", "--check"];
    let usual = shop.gantline(&check).fails(2);
    assert!(!usual.stderr.contains('\u{1b}'), "{usual}");
    let painted = shop.gantline(&[&check[..], &["--color", "always"]].concat());
    assert!(painted.stderr.contains('\u{1b}'), "{painted}");
}
