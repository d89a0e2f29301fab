//! No blueprint and no chart makes a renderer panic or fill the memory.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::chart::{self, API_VERSIONS, ChartInput};
use super::condition::Condition;
use super::slots;
use super::template::{Template, Variables};
use crate::model::blueprint::{Blueprint, Choice, Folder, OptionDefinition, OptionValues};
use crate::model::kubernetes_yaml;
use crate::model::release::{Chart, ChartFile};

/// Texts put together out of pieces.
fn pieces(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(of.to_vec()), 0..40).prop_map(|all| all.concat())
}

const OF_TERA: &[&str] = &[
    "<{ ",
    " }>",
    "<% ",
    " %>",
    "<# ",
    " #>",
    "if ",
    "else",
    "endif",
    "for ",
    "a in ",
    "endfor",
    "set ",
    "= ",
    "service",
    ".kebab",
    "[0]",
    "| ",
    "quoted",
    "yaml(indent=",
    "99999999999",
    ")",
    "1",
    "/ ",
    "0",
    "- ",
    "\"x\"",
    "include ",
    "block x",
    "\n",
    "\u{e9}",
    "{{ }}",
    "not ",
    "~ ",
];

const OF_HELM: &[&str] = &[
    "{{ ",
    " }}",
    "{{- ",
    " -}}",
    "if ",
    "else",
    "end",
    "range ",
    "with ",
    "define \"a\"",
    "include \"a\" . ",
    "template \"a\" .",
    ".Values",
    ".port",
    ".list",
    "$x := ",
    "$x ",
    "| ",
    "quote ",
    "toYaml ",
    "nindent ",
    "99999999999 ",
    "-1 ",
    "4 ",
    "repeat ",
    "until ",
    "index ",
    "printf \"%s%d%v\" ",
    "tpl ",
    "fromYaml ",
    "div ",
    "mod ",
    "0 ",
    "substr ",
    "trunc ",
    "a: ",
    "\n",
    "/* ",
    " */",
    "\u{e9}",
    "\"",
    "`",
    "dict ",
    "list ",
    "b64dec ",
    "regexReplaceAll ",
    "\"(\" ",
];

const OF_YAML: &[&str] = &[
    "a: ",
    "- ",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "&x ",
    "*x",
    "!!str ",
    "!!binary ",
    "<<: ",
    "---\n",
    "...\n",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "#",
    "? ",
    "0o7",
    "0440",
    "1_000",
    "0x",
    "~",
    ".inf",
    "2020-01-01",
    "\u{feff}",
    "\t",
    "\u{e9}",
    "1:30",
];

const OF_SLOTS: &[&str] = &[
    "\u{e000}", "imports", "\u{e001}", "\n", "\t", "(", ")", "{", "}", "[", "]", ",", "\"a/b\"",
    "//", " ",
];

fn blueprint() -> Blueprint {
    let choices = ["none", "postgres"].map(|name| Choice {
        name: name.to_owned(),
        traits: [("kind".to_owned(), "sql".to_owned())].into(),
        ..Choice::default()
    });
    Blueprint {
        options: vec![OptionDefinition {
            name: "store".to_owned(),
            values: OptionValues::Choices(choices.to_vec()),
            ..OptionDefinition::default()
        }],
        ..Blueprint::default()
    }
}

fn render(template: &str, values: Value) {
    let file = |name: &str, text: &str| ChartFile {
        path: format!("templates/{name}"),
        bytes: text.as_bytes().to_vec(),
    };
    let chart = Chart {
        metadata: json!({"name": "x", "version": "1.0.0"}),
        values: json!({"port": 8080, "list": ["x"], "deep": {"a": null}}),
        schema: None,
        templates: vec![file("a.yaml", template), file("NOTES.txt", template)],
        files: Vec::new(),
    };
    let versions: Vec<String> = API_VERSIONS.iter().map(ToString::to_string).collect();
    let _ = chart::render(
        &chart,
        &ChartInput {
            name: "x",
            namespace: "x",
            config: &values,
            revision: 1,
            upgrade: false,
            kubernetes_version: "v1.34.0",
            api_versions: &versions,
            folder: Path::new("chart"),
        },
    );
}

/// Values of any shape.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z:\\-# \\n\"'\u{e9}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("port|list|deep|[a-c.:]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_folder_name_makes_a_condition_panic(
        name in "(base|store|peer|each|needs|kind|sql|none|any|=|\\+|\\.|\u{e9}| ){0,10}"
    ) {
        let folder = Folder {
            blueprint: "x".to_owned(),
            name,
            ..Folder::default()
        };
        let blueprint = blueprint();
        if let Ok(condition) = Condition::of(&folder, &blueprint) {
            let chosen = [("store".to_owned(), "postgres".to_owned())].into();
            let _ = condition.holds(&blueprint, &chosen);
        }
    }

    #[test]
    fn no_template_makes_a_blueprint_panic(text in pieces(OF_TERA)) {
        let context = json!({"service": {"kebab": "orders"}});
        let template = Template { name: "x.tera", text: &text };
        let variables = Variables::new(context.as_object().unwrap().clone()).unwrap();
        let _ = template.render(&variables);
    }

    #[test]
    fn no_text_makes_a_joint_panic(text in pieces(OF_SLOTS)) {
        let _ = slots::without_last_commas(&text);
        let _ = slots::fill(&text, &[("imports".to_owned(), Default::default())].into());
    }

    #[test]
    fn no_template_and_no_values_make_a_chart_panic(text in pieces(OF_HELM), values in values()) {
        render(&text, values);
    }

    #[test]
    fn values_are_written_as_yaml_that_reads_the_same(values in values()) {
        let text = chart::json_to_yaml(&values);
        // What stands behind it in a template ends its last line.
        let again = kubernetes_yaml::read(&format!("{text}\n"));
        let is_same = again.as_ref().is_ok_and(|again| is_equal(again, &values));
        prop_assert!(is_same, "{values}\n{text}\n{again:?}");
    }

    #[test]
    fn no_text_makes_the_reader_of_kubernetes_yaml_panic(text in pieces(OF_YAML)) {
        let _ = kubernetes_yaml::read(&text);
    }
}

/// Equal but for how a number is kept.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| is_equal(value, other)))
        }
        (one, other) => one == other,
    }
}
