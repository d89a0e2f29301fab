//! Values that are nearly right: each answer says what to write instead.

use snapbox::{assert_data_eq, str};

use super::workspace::Workspace;

const WEB: &str = "services/web/service.yaml";
const IMAGE: &str = "name: web\nimage: nginx:1.27\nports: {http: 8080}\nhealth: /\n";

/// The message and the next step for each last line of a manifest.
fn said_of(lines: &[&str]) -> String {
    let mut said = String::new();
    for line in lines {
        let key = line.split(':').next().unwrap_or_default();
        let kept = IMAGE.lines().filter(|kept| !kept.starts_with(key));
        let kept: Vec<&str> = kept.collect();
        let text = format!("{}\n{line}\n", kept.join("\n"));
        let workspace = Workspace::shop().file(WEB, text);
        let run = workspace.gantline(&["generate", "--dry-run"]).fails(2);
        let told = |line: &&str| line.starts_with("error:") || line.starts_with(" next:");
        let told: Vec<&str> = run.stderr.lines().filter(told).collect();
        said += &format!("{line}\n  {}\n", told.join("\n  "));
    }
    said
}

#[test]
fn a_text_in_the_place_of_a_list_is_told_as_a_list() {
    let lines = [
        "needs: orders",
        "expose: /",
        "command: nginx -g",
        "args: \"-g 'daemon off;'\"",
        "health: {exec: redis-cli ping}",
    ];
    assert_data_eq!(
        said_of(&lines),
        str![[r#"
needs: orders
  error: `needs`: expected a list, found the text `orders`
   next: Write a list: `needs: [orders]`
expose: /
  error: `expose`: expected a list, found the text `/`
   next: Write a list: `expose: [/]`
command: nginx -g
  error: `command`: expected a list, found the text `nginx -g`
   next: Write a list: `command: [nginx, -g]`
args: "-g 'daemon off;'"
  error: `args`: expected a list, found the text `-g /'daemon off;/'`
   next: Write a list: `args: [WORD, ...]`
health: {exec: redis-cli ping}
  error: `health.exec`: expected a list, found the text `redis-cli ping`
   next: Write a list: `exec: [redis-cli, ping]`

"#]]
    );
}

#[test]
fn an_amount_without_its_unit_is_told_with_it() {
    let lines = [
        "compute: {memory: 256}",
        "compute: {memory: \"256\"}",
        "compute: {memory: 256MB}",
        "compute: {memory: 1 gb}",
        "compute: {memory: lots}",
        "writable: [{path: /run, size: 64}]",
        "compute: {cpu: 2}",
    ];
    assert_data_eq!(
        said_of(&lines),
        str![[r#"
compute: {memory: 256}
  error: `compute.memory`: expected an amount of memory such as `256Mi` or `1Gi`, found the number 256
   next: Write it with its unit: `256Mi`
compute: {memory: "256"}
  error: `compute.memory`: expected an amount of memory such as `256Mi` or `1Gi`, found the text `256`
   next: Did you mean `256Mi`?
compute: {memory: 256MB}
  error: `compute.memory`: expected an amount of memory such as `256Mi` or `1Gi`, found the text `256MB`
   next: Did you mean `256Mi`?
compute: {memory: 1 gb}
  error: `compute.memory`: expected an amount of memory such as `256Mi` or `1Gi`, found the text `1 gb`
   next: Did you mean `1Gi`?
compute: {memory: lots}
  error: `compute.memory`: expected an amount of memory such as `256Mi` or `1Gi`, found the text `lots`
writable: [{path: /run, size: 64}]
  error: `writable.0.size`: expected an amount such as `64Mi` or `1Gi`, found the number 64
   next: Write it with its unit: `64Mi`
compute: {cpu: 2}
  error: `compute.cpu`: expected an amount of CPU such as `100m` (a tenth of a core) or `"2"`, found the number 2
   next: Put it in quotes: "2"

"#]]
    );
}

#[test]
fn other_words_for_truth_and_strategies_are_told_apart() {
    let lines = [
        "needs: [{service: web, wait: yes}]",
        "needs: [{service: web, wait: perhaps}]",
        "rollout: {strategy: canary}",
        "rollout: recreate",
        "rollout: 5",
    ];
    assert_data_eq!(
        said_of(&lines),
        str![[r#"
needs: [{service: web, wait: yes}]
  error: `needs.0.wait`: expected `true` or `false`, found the text `yes`
   next: Write `true`
needs: [{service: web, wait: perhaps}]
  error: `needs.0.wait`: expected `true` or `false`, found the text `perhaps`
rollout: {strategy: canary}
  error: `rollout.strategy`: expected `rolling`, found the text `canary`
rollout: recreate
  error: `rollout`: expected `rolling`, found the text `recreate`
rollout: 5
  error: `rollout`: expected `rolling` or a map, found the number 5

"#]]
    );
}

#[test]
fn a_fraction_where_none_may_be_is_one_fault() {
    assert_data_eq!(
        said_of(&["scale: {max: 2, on: {cpu: 0.7}}"]),
        str![[r#"
scale: {max: 2, on: {cpu: 0.7}}
  error: `scale.on.cpu`: expected a number without a fraction, found the number 0.7

"#]]
    );
}

#[test]
fn a_key_that_breaks_the_rule_of_its_place_is_told_the_rule() {
    let lines = [
        "env: {low-er: a}",
        "uses: {Store: orders-db}",
        "consumes: {Order_Placed: orders}",
        "expose: [{path: /, prot: x}]",
        "nmae: x",
        "colour: x",
        "ports: {http: 80}",
    ];
    assert_data_eq!(
        said_of(&lines),
        str![[r#"
env: {low-er: a}
  error: the key `low-er` cannot stand here: expected the name of an environment variable: letters, digits and underscores, not beginning with a digit
   next: Write `low_er`
uses: {Store: orders-db}
  error: the key `Store` cannot stand here: expected a word of lower-case letters, digits and underscores
   next: Write `store`
consumes: {Order_Placed: orders}
  error: the key `Order_Placed` cannot stand here: expected a name of at most 40 lower-case letters, digits and single hyphens, beginning with a letter
   next: Write `order-placed`
expose: [{path: /, prot: x}]
  error: unknown key `prot`
   next: Known here: `path`
nmae: x
  error: unknown key `nmae`
   next: Known here: `name`, `owner`, `blueprint`, `image`, `build`, `options`, `ports`, `command`, `args`, `health`, `user`, `writable`, `uses`, `needs`, `publishes`, `consumes`, `env`, `secrets`, `compute`, `scale`, `expose`, `rollout`
colour: x
  error: unknown key `colour`
   next: Known here: `name`, `owner`, `blueprint`, `image`, `build`, `options`, `ports`, `command`, `args`, `health`, `user`, `writable`, `uses`, `needs`, `publishes`, `consumes`, `env`, `secrets`, `compute`, `scale`, `expose`, `rollout`
ports: {http: 80}
  error: `ports.http`: expected a number from 1024 to 65535, found the number 80
   next: Let the program listen on another one, such as 8080: those below 1024 are for root, and nothing runs as root

"#]]
    );
}

#[test]
fn a_manifest_that_git_could_not_merge_is_said_to_be_one() {
    let marked = "<<<<<<< HEAD\nowner: one\n=======\nowner: two\n>>>>>>> theirs\n";
    let workspace = Workspace::shop().file(WEB, format!("{IMAGE}{marked}"));
    assert_data_eq!(
        workspace.gantline(&["generate", "--dry-run"]).to_string(),
        str![[r#"
exit code 2
--- stderr
error: the file holds conflict markers
 --> services/web/service.yaml:5:1
  |
5 | <<<<<<< HEAD
  | ^^^^^^^^^^^^
 next: Choose between the two sides, and remove the markers

"#]]
    );
}

#[test]
fn a_file_of_a_newer_format_asks_for_a_newer_gantline() {
    let workspace = Workspace::shop_with_orders()
        .replace("gantline.yaml", "version: 1", "version: 2")
        .replace("gantline.yaml", "module:", "modules:");
    assert_data_eq!(
        workspace.gantline(&["generate", "--dry-run"]).to_string(),
        str![[r#"
exit code 2
--- stderr
error: the file is of version 2 of its format, and this gantline knows 1
 --> gantline.yaml:1:10
  |
1 | version: 2
  |          ^
 next: Use a newer gantline, or write `version: 1`

"#]]
    );
    let workspace = workspace.replace("gantline.yaml", "version: 2", "version: 0");
    let said = workspace.gantline(&["generate"]).fails(2).stderr;
    assert!(
        said.contains("expected the number 1, found the number 0"),
        "{said}"
    );
}

#[test]
fn a_hint_that_is_followed_to_the_letter_leads_to_no_other_error() {
    let shop_with = |lines: &str| {
        let keys = lines.lines().filter_map(|line| line.split_once(':'));
        let keys: Vec<&str> = keys.map(|(key, _)| key).collect();
        let is_kept = |line: &&str| keys.iter().all(|key| !line.starts_with(key));
        let kept: Vec<&str> = IMAGE.lines().filter(is_kept).collect();
        Workspace::shop().file(WEB, format!("{}\n{lines}\n", kept.join("\n")))
    };
    for (wrong, hint, followed) in [
        (
            "health: {tcp: 8080}",
            "Write `http`, its name under `ports`",
            "health: {tcp: http}",
        ),
        (
            "health: {tcp: \"9200\"}",
            "Give the port 9200 a name under `ports`, and write that name here",
            "ports: {search: 9200}\nhealth: {tcp: search}",
        ),
        ("health: healthz", "Write `/healthz`", "health: /healthz"),
        (
            "health: {exec: true}",
            "Write a list: `exec: [\"true\"]`",
            "health: {exec: [\"true\"]}",
        ),
        (
            "health: {tcp: http, port: http}",
            "Remove `port`",
            "health: {tcp: http}",
        ),
        (
            "ports: {http: }",
            "Write `http: 8080` under `ports`",
            "ports: {http: 8080}",
        ),
        (
            "env: [MODE=a=b, LEVEL=1]",
            "Write a map: `env: {MODE: \"a=b\", LEVEL: \"1\"}`",
            "env: {MODE: \"a=b\", LEVEL: \"1\"}",
        ),
        (
            "ports: 8080",
            "Write a map: `ports: {http: 8080}`",
            "ports: {http: 8080}",
        ),
        (
            "compute: 512Mi",
            "Write a map: `compute: {memory: \"512Mi\"}`",
            "compute: {memory: \"512Mi\"}",
        ),
        (
            "ports: [8080]",
            "Write a map: `ports: {http: 8080}`",
            "ports: {http: 8080}",
        ),
        (
            "ports: {web: 8080}",
            "Write `http` instead of `web` under `ports`, or say which port: \
             `health: {path: /PATH, port: web}`",
            "ports: {web: 8080}\nhealth: {path: /PATH, port: web}",
        ),
        (
            "ports: {web: 8080}\nhealth: {tcp: web}\nexpose: [/]",
            "Call the port that answers HTTP `http`, wherever it is named, or remove the line",
            "ports: {http: 8080}\nhealth: {tcp: http}\nexpose: [/]",
        ),
        (
            "args: \"--on true @x\"",
            "Write a list: `args: [--on, \"true\", \"@x\"]`",
            "args: [--on, \"true\", \"@x\"]",
        ),
    ] {
        let run = shop_with(wrong).gantline(&["generate", "--dry-run"]);
        let told = run.fails(2).stderr;
        assert!(
            told.contains(&format!(" next: {hint}\n")),
            "{wrong}: {told}"
        );
        let run = shop_with(followed).gantline(&["generate", "--dry-run"]);
        run.succeeds();
    }
    for wrong in [
        "health: 9200",
        "health: {tcp: true}",
        "ports: {http: \"80\"}",
    ] {
        let run = shop_with(wrong).gantline(&["generate", "--dry-run"]);
        let told = run.fails(2).stderr;
        assert!(!told.contains("next:"), "{wrong}: {told}");
    }
}
