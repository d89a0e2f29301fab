//! Charts rendered without Helm against `helm template`: the same bytes.
//!
//! The manifests and hooks of every option set of every blueprint are compared as text, with
//! values of several kinds. Where Helm refuses, so does the program.

use std::fs;
use std::path::Path;

use gantline::actions::blueprints::samples::{SHAPES, combinations, render};
use gantline::actions::release::{ClusterVersion, read_chart};
use gantline::config::catalog;
use gantline::model::release::RenderedRelease;
use gantline::render::chart::{self, ChartInput};
use serde_json::Value;

use super::rendered::Rendered;
use super::tool::Tool;

/// What an environment or a user sets, each for a reason of its own.
const VALUES: [(&str, &str); 12] = [
    ("nothing", "{}"),
    (
        "a digest",
        r#"{"image": {"repository": "localhost:5000/shop/x", "tag": "src-0123456789abcdef", "digest": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "pullSecrets": ["registry"]}}"#,
    ),
    (
        "policies",
        r#"{"networkPolicy": {"enabled": true, "monitoringNamespace": "observe", "egress": [{"to": [{"ipBlock": {"cidr": "10.1.0.0/16", "except": ["10.1.2.0/24"]}}], "ports": [{"protocol": "TCP", "port": 5432}]}]}, "telemetry": {"endpoint": "https://collector.observe:4317"}}"#,
    ),
    (
        "a way in",
        r#"{"expose": {"hosts": ["shop.example", "www.shop.example"], "gateway": {"name": "public", "namespace": "gateways"}}, "networkPolicy": {"enabled": true}, "telemetry": {"endpoint": "http://collector"}}"#,
    ),
    (
        "secrets and settings that YAML would misread",
        r#"{"env": {"LOG_LEVEL": "debug", "A_FLAG": "no", "A_MODE": "0440", "A_NUMBER": "1000000", "A_TEXT": "it's: a \"quoted\" #text", "AN_EMPTY": "", "A_BOOLEAN": "true", "OTEL_SERVICE_NAME": ""}, "secrets": {"PAYMENT_KEY": {"secret": "payment", "key": "api-key"}, "MAIL": {"secret": "mail", "key": "password"}}}"#,
    ),
    (
        "labels and annotations",
        r#"{"podAnnotations": {"a/b": "yes", "note": "a long text that goes on and on and on, over the eightieth column and further still: to its end"}, "podLabels": {"team": "orders", "cost": "12345"}, "owner": "team: \"orders\" & friends"}"#,
    ),
    (
        "sizes",
        r#"{"compute": {"cpu": "2", "cpuLimit": "4", "memory": "1Gi", "temporary": "512Mi"}, "scale": {"min": 3, "max": 3, "cpu": 50}, "shutdown": {"pauseSeconds": 10, "timeoutSeconds": 45}}"#,
    ),
    (
        "one scale for another",
        r#"{"scale": {"min": 1, "max": 40}, "image": {"pullPolicy": "Always", "tag": "v1.2.3-rc.1_with.a.very.long.tail.that.no.label.of.kubernetes.would.ever.hold.."}}"#,
    ),
    (
        "nulls",
        r#"{"needs": null, "compute": {"cpuLimit": null}, "podLabels": null, "owner": null}"#,
    ),
    (
        "a null that the chart cannot do without",
        r#"{"telemetry": null}"#,
    ),
    ("what the schema refuses", r#"{"scle": {"min": 1}}"#),
    (
        "a setting that is no text",
        r#"{"env": {"A_NUMBER": 1000000}}"#,
    ),
];

/// What `helm template` prints of a release.
pub fn as_helm_prints(rendered: &RenderedRelease) -> String {
    let mut text = format!("{}\n", rendered.manifest().trim());
    for hook in &rendered.hooks {
        let object = &hook.object;
        text.push_str(&format!(
            "---\n# Source: {}\n{}\n",
            object.source, object.text
        ));
    }
    text
}

fn natively(folder: &Path, name: &str, config: &Value) -> Result<String, String> {
    let chart = read_chart(folder).expect("a chart");
    let cluster = ClusterVersion::assumed();
    let input = ChartInput {
        name,
        namespace: "shop",
        config,
        revision: 1,
        upgrade: false,
        kubernetes_version: &cluster.version,
        api_versions: &cluster.api_versions,
        folder,
    };
    chart::render(&chart, &input)
        .map(|rendered| as_helm_prints(&rendered))
        .map_err(|error| format!("{error:?}"))
}

fn helm(folder: &Path, name: &str, values: &Path) -> Tool {
    Tool::new("helm")
        .arguments(["template", name, "--namespace", "shop", "--kube-version"])
        .arguments([ClusterVersion::assumed().version.as_str(), "--values"])
        .argument(values)
        .argument(folder)
}

fn assert_equal(folder: &Path, name: &str, (label, values): (&str, &str)) {
    let file = folder.join("../values.json");
    fs::write(&file, values).expect("written");
    let config: Value = serde_json::from_str(values).expect("JSON");
    let ours = natively(folder, name, &config);
    let (ours, theirs) = match (ours, helm(folder, name, &file).outcome()) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(_), Err(_)) => return,
        (ours, theirs) => panic!("{name} with {label}: here {ours:?}, by helm {theirs:?}"),
    };
    if ours != theirs {
        let differing = ours
            .lines()
            .zip(theirs.lines())
            .enumerate()
            .find(|(_, (one, other))| one != other);
        panic!("{name} with {label} differs: {differing:?}\n--- ours\n{ours}\n--- helm\n{theirs}");
    }
}

#[test]
#[ignore = "needs helm"]
fn every_chart_of_every_blueprint_is_rendered_as_helm_renders_it() {
    let mut compared = 0;
    for blueprint in catalog::blueprints(None).expect("the catalogue") {
        for (at, combination) in combinations(&blueprint).iter().enumerate() {
            let shape = &SHAPES[at % SHAPES.len()];
            let set = render(&blueprint, combination, shape).expect("rendered");
            let root = tempfile::tempdir().expect("a temporary folder");
            for (path, file) in &set.files {
                let path = root.path().join(path.as_str());
                fs::create_dir_all(path.parent().expect("a folder")).expect("made");
                fs::write(path, &file.bytes).expect("written");
            }
            for values in VALUES {
                assert_equal(&root.path().join("chart"), shape.service, values);
                compared += 1;
            }
        }
    }
    println!("{compared} releases are equal");
    assert!(compared > 50, "only {compared} releases were compared");
}

#[test]
#[ignore = "needs helm"]
fn the_shop_is_rendered_as_helm_renders_it_and_faster() {
    let shop = Rendered::shop();
    let [mut ours, mut theirs] = [std::time::Duration::ZERO; 2];
    for service in shop.services() {
        let folder = service.folder.join("chart");
        for values in VALUES {
            assert_equal(&folder, &service.name, values);
        }
        let start = std::time::Instant::now();
        natively(&folder, &service.name, &serde_json::json!({})).expect("rendered");
        ours += start.elapsed();
        let nothing = folder.join("../values.json");
        fs::write(&nothing, "{}").expect("written");
        let start = std::time::Instant::now();
        helm(&folder, &service.name, &nothing).passes();
        theirs += start.elapsed();
    }
    println!("the shop's charts: {ours:?} here, {theirs:?} by helm template");
    assert!(ours < theirs);
}

/// What our charts do not use, and users' may: compared through a chart made for it.
const TEMPLATE: &str = r#"{{- define "labels" -}}
app: {{ .Chart.Name }}
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ printf "%s-%s" .Release.Name "all" | trunc 63 | trimSuffix "-" }}
  labels: {{ include "labels" . | nindent 4 }}
data:
  yaml: |
    {{- toYaml .Values.tree | nindent 4 }}
  json: {{ toJson .Values.tree | quote }}
  pretty: {{ toPrettyJson (dict "b" 1 "a" (list 1 2.5 "x")) | quote }}
  numbers: {{ list (add 1 "2" 3.9) (sub 5 7) (mul 2 3 4) (div 7 2) (mod 7 2) (max 1 9 3) (min 4 2) (floor 2.7) (ceil 2.1) (round 2.345 2) (int "0x10") (int64 2.9) (float64 "1.5") | toJson | quote }}
  large: "{{ .Values.large }} {{ int .Values.large }} {{ .Values.small }} {{ .Values.fraction }}"
  texts: {{ list ("a b" | title) ("Ab" | untitle) (upper "x") (lower "Y") (trim "  t ") (nospace "a b c") (repeat 3 "ab") (substr 1 3 "abcd") (abbrev 5 "abcdefgh") (replace "a" "o" "banana") (cat "a" 1 true) (contains "b" "abc") (hasPrefix "a" "abc") (hasSuffix "c" "abc") (plural "one" "many" 2) (squote "x") (trimPrefix "a" "abc") (kebabcase "someLongName") (snakecase "some-name") | toJson | quote }}
  split: "{{ (split "/" "a/b/c")._1 }}-{{ join "," (splitList "." "x.y") }}-{{ (splitn ":" 2 "a:b:c")._1 }}"
  lists: {{ list (first (list 1 2)) (last (list 1 2)) (rest (list 1 2 3)) (initial (list 1 2 3)) (append (list 1) 2) (prepend (list 1) 0) (concat (list 1) (list 2)) (reverse (list 1 2)) (uniq (list 1 1 2)) (without (list 1 2) 1) (has 1 (list 1)) (compact (list 0 1 "")) (sortAlpha (list "b" "a")) (slice (list 1 2 3) 1 2) (until 3) (untilStep 1 9 3) (seq 3) | toJson | quote }}
  dicts: {{ list (hasKey (dict "a" 1) "a") (get (dict "a" 1) "b") (pick (dict "a" 1 "b" 2) "a") (omit (dict "a" 1 "b" 2) "a") (merge (dict "a" 1 "n" (dict "x" 1)) (dict "a" 2 "n" (dict "y" 2)) (dict "c" "")) (mergeOverwrite (dict "a" 1) (dict "a" 2)) (dig "a" "b" "none" (dict "a" (dict "b" 7))) (pluck "a" (dict "a" 1) (dict "a" 2)) (deepCopy (dict "z" (list 1))) | toJson | quote }}
  logic: {{ list (default "d" "") (default "d" "x") (coalesce 0 "" "c") (ternary "t" "f" true) (empty (list)) (all 1 0) (any 0 1) (eq 1 1) (ne "a" "b") (lt 1 2) (ge 2 2) (and 1 "z") (or 0 "y") (not false) | toJson | quote }}
  kinds: {{ list (kindOf .Values.large) (kindOf 1) (kindOf "x") (kindOf (list)) (kindOf (dict)) (kindIs "string" "x") (typeOf .Values.large) (typeIs "bool" true) | toJson | quote }}
  codes: {{ list (b64enc "héllo") (b64dec "aGk=") (sha256sum "x") (urlquery "a b&c") (quote "tab\t\"q\" \\ é") | toJson | quote }}
  regex: {{ list (regexMatch "^a+$" "aaa") (regexFind "[0-9]+" "a12b") (regexFindAll "[a-z]" "a1b2" -1) (regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W") (regexReplaceAllLiteral "a" "banana" "$1") (regexSplit "z+" "pizza" -1) (regexQuoteMeta "1.2[3]") | toJson | quote }}
  printf: {{ printf "%d|%5d|%-5d|%05d|%x|%s|%10s|%-10s|%q|%v|%t|%.2f|%e|%g|%%|%T|%+d|%c|%U" 42 42 42 42 255 "s" "right" "left" "quo\"te" (list 1 "a") true 3.14159 1234.5 0.5 "x" 7 65 65 | quote }}
  wrong: {{ printf "%d %s" "x" 3 | quote }} 
  print: {{ print "a" 1 2 "b" "c" true | quote }}
  urls: {{ (urlParse "https://user@host.example:8443/path?q=1#top") | toJson | quote }} 
  joined: {{ urlJoin (dict "scheme" "http" "host" "h:1" "path" "/p" "query" "a=b") }}
  semver: "{{ semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version }} {{ semverCompare "^1.2.0" "1.9.1" }} {{ (semver "1.2.3-rc.1").Prerelease }}"
  from: {{ fromYaml "a: [1, {b: no}]\nc: 0440" | toJson | quote }} 
  fromjson: {{ (fromJson "{\"a\": [1, 2]}").a | toJson | quote }}
  files: {{ .Files.Get "config/one.txt" | quote }}
  lines: '{{ range .Files.Lines "config/one.txt" }}<{{ . }}>{{ end }}'
  glob: |
    {{- (.Files.Glob "config/*.txt").AsConfig | nindent 4 }}
  secrets: |
    {{- (.Files.Glob "config/*.txt").AsSecrets | nindent 4 }}
  tpl: {{ tpl "{{ .Values.large | int }}-{{ include \"labels\" . }}" . | quote }}
  scope: "{{ $x := 1 }}{{ range $i, $e := list 1 2 3 }}{{ if eq $e 2 }}{{ continue }}{{ end }}{{ $x = add $x $e }}{{ end }}{{ $x }}"
  with: "{{ with .Values.none }}a{{ else with .Values.small }}{{ . }}{{ else }}c{{ end }}{{ range .Values.none }}{{ else }}none{{ end }}"
  missing: "{{ .Values.none }}{{ .Values.none | quote }}{{ index .Values.tree "a" }}{{ len .Values.tree }}{{ index .Values.list 1 }}"
  dictmap: "{{ dict "b" 2 "a" (dict "x" (list 1 "y")) }}"
  shared: "{{ $d := dict "a" 1 }}{{ $e := $d }}{{ $_ := set $e "b" 2 }}{{ $_ := unset $d "a" }}{{ toJson $d | b64enc }}"
  release: "{{ .Release.Name }}/{{ .Release.Namespace }}/{{ .Release.Revision }}/{{ .Release.IsInstall }}/{{ .Release.Service }}/{{ .Template.Name }}/{{ .Template.BasePath }}/{{ .Chart.Version }}"
"#;

const TREE: &str = r#"
large: 123456789
small: 0.00001
fraction: 12345.678
list: [x, "y"]
tree:
  a: yes
  b: "no"
  c: 0440
  "n": ~
  "10": ten
  "9": nine
  _x: "under_score"
  list: [1, [2, [3]], {k: v, a: [b]}, [], {}]
  text: "one\n two\n\nthree\n"
  kept: "a\n\n"
  trailing: "a \nb"
  lead: " x"
  colon: "a: b"
  hash: "a #b"
  dash: "- a"
  question: "? a"
  star: "*x"
  at: "@x"
  quote: "it's"
  double: "say \"x\""
  tilde: "~"
  date: "2024-01-31"
  sexagesimal: "12:30:45"
  version: "1.10"
  exponent: "1e3"
  under: "1_000"
  hex: "0x1f"
  unicode: "grüße \u2028 \u00a0 end"
  tab: "a\tb"
  empty: ""
  space: " "
  braces: "{a}"
  comma: ", a"
  percent: "%a"
  dashes: "---"
  long: "Lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua ut enim"
  longquoted: "Lorem: ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua"
  longdouble: "Lorem\tipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua"
  float: 1.5
  big: 1e21
  million: 1000000
  negative: -3
"#;

#[test]
#[ignore = "needs helm"]
fn functions_give_what_helm_gives() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = root.path().join("chart");
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    write(
        "Chart.yaml",
        "apiVersion: v2\nname: all\nversion: 0.1.0\nappVersion: \"1.10\"\n",
    );
    write("values.yaml", TREE);
    write("config/one.txt", "first\nsecond: x\n");
    write("config/two.txt", "2");
    // One key at a time, so that each difference is named.
    let (head, data) = TEMPLATE.split_once("\ndata:\n").expect("data");
    let mut entries: Vec<String> = Vec::new();
    for line in data.lines() {
        match entries.last_mut() {
            Some(entry) if line.starts_with("    ") => entry.push_str(&format!("{line}\n")),
            _ => entries.push(format!("{line}\n")),
        }
    }
    let nothing = root.path().join("values.json");
    fs::write(&nothing, "{}").expect("written");
    let mut differences = Vec::new();
    for entry in entries {
        write("templates/all.yaml", &format!("{head}\ndata:\n{entry}"));
        let theirs = helm(&folder, "all", &nothing).outcome();
        let ours = natively(&folder, "all", &serde_json::json!({}));
        if theirs.is_err() || ours != theirs {
            let shown = |outcome| match outcome {
                Ok(text) | Err(text) => text,
            };
            let (ours, theirs) = (shown(ours), shown(theirs));
            differences.push(format!("{entry}--- ours\n{ours}\n--- helm\n{theirs}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}
