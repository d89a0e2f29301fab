use std::path::Path;

use serde_json::{Value, json};

use super::{ChartInput, RenderError, render};
use crate::error::Error;
use crate::model::release::{Chart, ChartFile, RenderedRelease};

pub(super) fn chart(templates: &[(&str, &str)]) -> Chart {
    Chart {
        metadata: json!({"name": "orders", "version": "0.1.0", "appVersion": "1.0"}),
        values: json!({"port": 8080, "big": 1_000_000, "on": {"a": 1, "b": null}, "list": ["x", "y"]}),
        schema: None,
        templates: templates
            .iter()
            .map(|(name, text)| ChartFile {
                path: format!("templates/{name}"),
                bytes: text.as_bytes().to_vec(),
            })
            .collect(),
        files: vec![ChartFile {
            path: "config/a.txt".to_owned(),
            bytes: b"one\ntwo\n".to_vec(),
        }],
    }
}

pub(super) fn input(config: &Value) -> ChartInput<'_> {
    ChartInput {
        name: "orders",
        namespace: "shop",
        config,
        revision: 1,
        upgrade: false,
        kubernetes_version: "v1.34.0",
        api_versions: &[],
        folder: Path::new("services/orders/chart"),
    }
}

pub(super) fn try_render(
    templates: &[(&str, &str)],
    config: &Value,
) -> Result<RenderedRelease, RenderError> {
    let versions = ["v1".to_owned(), "apps/v1".to_owned()];
    let input = ChartInput {
        api_versions: &versions,
        ..input(config)
    };
    render(&chart(templates), &input)
}

/// What a template writes where a ConfigMap's value would stand.
fn written(template: &str) -> String {
    let text = format!("{template}\n");
    let rendered = try_render(&[("NOTES.txt", &text)], &json!({}));
    let rendered = rendered.map_err(Error::from).unwrap();
    rendered.notes.trim_end_matches('\n').to_owned()
}

pub(super) fn complaint(template: &str) -> Error {
    Error::from(try_render(&[("x.yaml", template)], &json!({})).unwrap_err())
}

#[test]
fn functions_give_what_helm_gives() {
    for (template, expected) in [
        ("{{ .Values.port }}", "8080"),
        ("{{ .Values.big }} {{ int .Values.big }}", "1e+06 1000000"),
        ("{{ .Values.missing }}|{{ .Values.missing | quote }}", "|"),
        ("{{ .Values.missing | default \"x\" | upper }}", "X"),
        (
            "{{ printf \"%s-%d-%05d-%q-%v\" \"a\" 3 7 \"b\\n\" .Values.list }}",
            "a-3-00007-\"b\\n\"-[x y]",
        ),
        ("{{ list 1 2 3 | join \",\" }}", "1,2,3"),
        (
            "{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"b\" 2 }}{{ $d.b }}{{ len $d }}",
            "22",
        ),
        (
            "{{ (merge (dict) (dict \"a\" 1) (dict \"a\" 2 \"b\" 3)) | toJson }}",
            "{\"a\":1,\"b\":3}",
        ),
        ("{{ omit (dict \"a\" 1 \"b\" 2) \"a\" | toYaml }}", "b: 2"),
        (
            "{{ ternary 1 2 true }}{{ \"x\" | eq \"x\" | ternary \"y\" \"n\" }}",
            "1y",
        ),
        (
            "{{ \"abc\" | trunc 2 }}{{ \"--a.b--\" | trimAll \"-\" }}{{ \"10Mi\" | trimSuffix \"Mi\" }}",
            "aba.b10",
        ),
        ("{{ add \"64\" 128 .Values.port }}", "8272"),
        (
            "{{ range $i, $v := .Values.list }}{{ $i }}{{ $v }}{{ end }}",
            "0x1y",
        ),
        (
            "{{ range $k, $v := dict \"b\" 2 \"a\" 1 }}{{ $k }}={{ $v }};{{ else }}none{{ end }}",
            "a=1;b=2;",
        ),
        (
            "{{ range until 4 }}{{ if eq . 2 }}{{ break }}{{ end }}{{ . }}{{ end }}",
            "01",
        ),
        (
            "{{ with .Values.none }}a{{ else with .Values.port }}{{ . }}{{ end }}",
            "8080",
        ),
        (
            "{{ (urlParse \"http://c.m:4318/x?y=1\").host }}",
            "c.m:4318",
        ),
        ("{{ regexFind \"[0-9]+$\" \"a:4318\" }}", "4318"),
        (
            "{{ .Files.Get \"config/a.txt\" | trim | nindent 2 }}",
            "\n  one\n  two",
        ),
        (
            "{{ range .Files.Lines \"config/a.txt\" }}[{{ . }}]{{ end }}",
            "[one][two]",
        ),
        (
            "{{ (.Files.Glob \"config/*\").AsConfig }}",
            "a.txt: |\n  one\n  two",
        ),
        ("{{ .Capabilities.APIVersions.Has \"apps/v1\" }}", "true"),
        (
            "{{ .Capabilities.KubeVersion.Minor }} {{ semverCompare \">=1.30-0\" .Capabilities.KubeVersion.Version }}",
            "34 true",
        ),
        (
            "{{ .Release.Name }} {{ .Release.IsInstall }} {{ .Chart.AppVersion }} {{ .Template.Name }}",
            "orders true 1.0 orders/templates/NOTES.txt",
        ),
        ("{{ tpl \"{{ .Values.port }}\" . }}", "8080"),
        (
            "{{ hasKey .Values.on \"b\" }} {{ dig \"on\" \"a\" 7 .Values }} {{ dig \"no\" \"a\" 7 .Values }}",
            "false 1 7",
        ),
        (
            "{{ \"x\" | b64enc }} {{ \"eA==\" | b64dec }} {{ sha256sum \"\" | trunc 8 }}",
            "eA== x e3b0c442",
        ),
        (
            "{{ fromYaml \"a: [1, no]\" | toJson }}",
            "{\"a\":[1,false]}",
        ),
        ("{{ mustToJson (list 1 \"<\") }}", "[1,\"\\u003c\"]"),
        (
            "{{ kindOf .Values.port }} {{ kindOf (list) }} {{ typeOf . | kindOf }}",
            "float64 slice string",
        ),
        (
            "{{ (list 3 1 2 | sortAlpha) }} {{ first (list 7 8) }} {{ has 2 (list 1 2) }}",
            "[1 2 3] 7 true",
        ),
        (
            "{{ and 1 0 2 }} {{ or 0 \"\" \"z\" }} {{ not 1 }}",
            "0 z false",
        ),
    ] {
        assert_eq!(written(template), expected, "{template}");
    }
}

#[test]
fn null_takes_a_value_away_and_maps_merge() {
    let config = json!({"port": null, "on": {"c": 3}, "new": null});
    let rendered = try_render(&[("NOTES.txt", "{{ toJson .Values }}")], &config).unwrap();
    assert_eq!(
        rendered.notes,
        r#"{"big":1000000,"list":["x","y"],"new":null,"on":{"a":1,"c":3}}"#
    );
}

#[test]
fn objects_come_in_the_order_of_installation_and_hooks_apart() {
    let object = |kind: &str, name: &str| {
        format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n")
    };
    let hook = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: m\n  annotations:\n    helm.sh/hook: pre-install, pre-upgrade\n    helm.sh/hook-weight: \"-1\"\n";
    let all = [
        object("Zebra", "z"),
        object("Deployment", "d"),
        object("Service", "s"),
    ]
    .join("---\n");
    let rendered = try_render(
        &[
            ("all.yaml", &all),
            ("account.yaml", &object("ServiceAccount", "a")),
            ("hook.yaml", hook),
            (
                "nothing.yaml",
                "{{ if false }}x{{ end }}\n# only a comment\n",
            ),
            ("_part.tpl", "{{ define \"x\" }}y{{ end }}"),
        ],
        &json!({}),
    )
    .unwrap();
    let titles: Vec<String> = rendered
        .objects
        .iter()
        .map(|object| object.title())
        .collect();
    assert_eq!(
        titles,
        ["ServiceAccount/a", "Service/s", "Deployment/d", "Zebra/z"]
    );
    assert_eq!(rendered.hooks.len(), 1);
    assert_eq!(rendered.hooks[0].events, ["pre-install", "pre-upgrade"]);
    assert_eq!(rendered.hooks[0].weight, -1);
}

#[test]
fn a_faulty_template_is_named_with_its_line() {
    for (template, line, says) in [
        ("a\n{{ fail \"no gateway\" }}", 2, "no gateway"),
        (
            "\n\n{{ required \"a port is needed\" .Values.none }}",
            3,
            "a port is needed",
        ),
        ("{{ .Values.none.deeper }}", 1, "`deeper`"),
        ("a\n{{ if }}", 2, "empty command"),
        ("{{ upper 3 }}", 1, "upper"),
        ("{{ eq .Values.port 8080 }}", 1, "cannot be compared"),
        ("{{ include \"nobody\" . }}", 1, "nobody"),
        ("{{ $missing }}", 1, "$missing"),
    ] {
        let error = complaint(template);
        let place = error
            .place()
            .unwrap_or_else(|| panic!("{template}: {error}"));
        assert_eq!(place.line, line, "{template}: {error}");
        assert!(place.file.ends_with("chart/templates/x.yaml"));
        assert!(error.message().contains(says), "{template}: {error}");
    }
}

#[test]
fn what_is_no_yaml_is_shown_with_the_line_that_was_written() {
    let error = complaint("apiVersion: v1\nkind: Pod\nmetadata: [\n");
    assert!(error.message().contains("templates/x.yaml"), "{error}");
    let error = complaint("kind: Pod\n---\na: 1\na: 2\n");
    let [one, two] = error.related() else {
        panic!("{error:?}")
    };
    assert!(one.message().contains("apiVersion"));
    assert_eq!(two.place().unwrap().line, 4);
    assert_eq!(two.place().unwrap().source_line, "a: 2");
}

#[test]
fn what_only_helm_can_do_is_said() {
    for template in [
        "{{ lookup \"v1\" \"Secret\" \"a\" \"b\" }}",
        "{{ randAlphaNum 8 }}",
    ] {
        let error = try_render(&[("x.yaml", template)], &json!({})).unwrap_err();
        assert!(
            matches!(&error, RenderError::Unsupported { .. }),
            "{error:?}"
        );
        assert_eq!(Error::from(error).kind().exit_code(), 4);
    }
}

#[test]
fn definitions_of_the_folder_crds_are_no_objects_of_the_release() {
    let definition = "kind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\nmetadata: {name: a}\n";
    let mut chart = chart(&[("b.yaml", "kind: A\napiVersion: v1\nmetadata: {name: b}\n")]);
    let mut add = |path: &str, text: &str| {
        chart.files.push(ChartFile {
            path: path.to_owned(),
            bytes: text.as_bytes().to_vec(),
        });
    };
    add(
        "crds/a.yaml",
        &format!("# {{{{ no template }}}}\n{definition}"),
    );
    add("crds/README.md", "no manifest");
    let rendered = render(&chart, &input(&json!({})))
        .map_err(Error::from)
        .unwrap();
    assert_eq!(
        rendered.definitions[0].title(),
        "CustomResourceDefinition/a"
    );
    assert_eq!(rendered.objects.len(), 1, "{:?}", rendered.objects);
    assert!(!rendered.manifest().contains("CustomResourceDefinition"));

    let output = format!(
        "---\n# Source: orders/crds/a.yaml\n{definition}\n---\n# Source: orders/charts/x/crds/a.yaml\n{definition}\n\
         ---\n# Source: orders/charts/x/templates/a.yaml\n{definition}"
    );
    let rendered = super::from_helm(&chart, &input(&json!({})), &output).unwrap();
    assert_eq!((rendered.definitions.len(), rendered.objects.len()), (2, 1));

    chart.files[1].bytes = b"kind: Secret\napiVersion: v1\nmetadata: {name: a}\n".to_vec();
    let error = Error::from(render(&chart, &input(&json!({}))).unwrap_err());
    assert!(error.message().contains("Secret/a"), "{error}");
}

#[test]
fn values_are_checked_by_the_schema() {
    let mut chart = chart(&[]);
    chart.schema = Some(
        br#"{"properties": {"port": {"type": "integer", "minimum": 1}, "list": {"maxItems": 1}}}"#
            .to_vec(),
    );
    let config = json!({"port": "many"});
    let error = Error::from(render(&chart, &input(&config)).unwrap_err());
    assert_eq!(error.related().len(), 2, "{error:?}");
    assert!(error.related()[0].message().contains("/port"));
}

#[test]
fn a_chart_for_another_kubernetes_is_refused() {
    let mut chart = chart(&[]);
    chart.metadata["kubeVersion"] = json!(">=1.30.0-0");
    let config = json!({});
    let input = ChartInput {
        kubernetes_version: "v1.28.3",
        ..input(&config)
    };
    let error = Error::from(render(&chart, &input).unwrap_err());
    assert!(error.message().contains(">=1.30.0-0"));
}
