//! One template turned into text: tera with delimiters that Go, Helm and GitHub leave alone.

mod budget;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};
use tera::{Context, Delimiters, ErrorKind, Kwargs, State, Tera};

use self::budget::Bounded;
use super::made_once::MadeOnce;
use super::names::PRINTED_WITHOUT_FORM;
use super::yaml;
use crate::error::{Error, Place, Result};

/// The widest indentation that `yaml` writes.
const WIDEST_INDENT: usize = 100;
/// How many values within values are written.
const DEEPEST_VALUE: usize = 100;
/// What to do about a template that takes or makes too much.
const GROWS: &str = "Look for a loop within a loop, and for a text that each round makes longer";

/// A template and the name under which errors show it.
#[derive(Debug, Clone, Copy)]
pub struct Template<'a> {
    /// `go-service/base/cmd/{service}/main.go.tera`.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What templates see, also in the form that the engine wants: one service renders a hundred
/// templates with the same variables.
#[derive(Debug, Clone)]
pub struct Variables {
    map: Arc<Map<String, Value>>,
    context: Arc<Context>,
}

/// A template as the engine has it.
struct Compiled {
    engine: Tera,
    /// Whether it is rendered beside a watch.
    is_watched: bool,
}

impl Variables {
    /// These variables.
    ///
    /// # Errors
    /// Never in practice: a map of JSON is what the engine takes.
    pub fn new(map: Map<String, Value>) -> Result<Self> {
        let context = Context::from_serialize(&map).map_err(|error| {
            Error::failed("the variables of templates cannot be prepared").because(error)
        })?;
        Ok(Self {
            map: Arc::new(map),
            context: Arc::new(context),
        })
    }

    /// The variables by name.
    pub fn map(&self) -> &Map<String, Value> {
        &self.map
    }

    /// The same with one more, which only templates see.
    #[must_use]
    pub fn with(&self, name: &'static str, value: &Value) -> Self {
        let mut own = self.clone();
        Arc::make_mut(&mut own.context).insert(name, value);
        own
    }
}

impl Template<'_> {
    /// The text with everything filled in.
    ///
    /// # Errors
    /// When the syntax is wrong or a variable is undefined: with the template's line. When it takes or
    /// makes more than a file may.
    pub fn render(&self, variables: &Variables) -> Result<String> {
        let compiled = self.compiled().map_err(|error| self.error(&error))?;
        let (name, context) = (self.name.to_owned(), Arc::clone(&variables.context));
        let rendered = budget::run(compiled.is_watched, move || {
            let mut output = Bounded::default();
            let rendered = compiled.engine.render_to(&name, &context, &mut output);
            rendered.map(|()| output.0)
        });
        let rendered = rendered.map_err(|cause| self.fails().since(cause).hint(GROWS))?;
        let output = rendered.map_err(|error| self.error(&error))?;
        let text = String::from_utf8(output).map_err(|error| {
            Error::invalid(format!("the template `{}` made no text", self.name)).because(error)
        })?;
        if text.contains(PRINTED_WITHOUT_FORM) {
            return Err(self.printed_without_form());
        }
        Ok(text)
    }

    /// Compiled once for all services.
    fn compiled(&self) -> tera::TeraResult<Arc<Compiled>> {
        static COMPILED: MadeOnce<Compiled> = MadeOnce::new();
        COMPILED.get((self.name, self.text.as_bytes()), || {
            let mut engine = engine()?;
            engine.add_raw_template(self.name, self.text)?;
            Ok(Compiled {
                engine,
                is_watched: !budget::is_plain(self.text),
            })
        })
    }

    fn fails(&self) -> Error {
        Error::invalid(format!("the template `{}` cannot be rendered", self.name))
    }

    fn error(&self, error: &tera::Error) -> Error {
        let failed = self.fails();
        match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
                let range = report.span().range.clone();
                let length = self.text.get(range.clone()).map_or(1, |marked| {
                    marked.lines().next().unwrap_or_default().chars().count()
                });
                failed.since(report.message()).at(Place::of_offset(
                    Path::new(self.name),
                    self.text,
                    range.start,
                    length,
                ))
            }
            ErrorKind::Io(_) => failed.since(Bounded::refusal()).hint(GROWS),
            _ => failed.because(error),
        }
    }

    fn printed_without_form(&self) -> Error {
        Error::invalid(format!(
            "the template `{}` prints a name without a form",
            self.name
        ))
        .hint("Name the form: `service.kebab`, `entity.pascal`, `peer.package`")
    }
}

fn engine() -> tera::TeraResult<Tera> {
    let mut engine = Tera::new();
    engine.set_delimiters(Delimiters {
        block_start: "<%".into(),
        block_end: "%>".into(),
        variable_start: "<{".into(),
        variable_end: "}>".into(),
        comment_start: "<#".into(),
        comment_end: "#>".into(),
    })?;
    engine.autoescape_on(Vec::<&str>::new());
    engine.register_function("range", budget::range);
    engine.register_filter("quoted", quoted);
    engine.register_filter("yaml", yaml_block);
    Ok(engine)
}

/// `"text"`: a literal of JSON, which YAML and Go read alike.
fn quoted(value: tera::Value, _: Kwargs, _: &State) -> tera::TeraResult<String> {
    Ok(json_of(&value)?.to_string())
}

/// A value in YAML's block style, to stand right after `key:`, with its lines indented by
/// `indent` spaces.
fn yaml_block(value: tera::Value, arguments: Kwargs, _: &State) -> tera::TeraResult<String> {
    let indent = arguments.get::<usize>("indent")?.unwrap_or(2);
    Ok(yaml::block(&json_of(&value)?, indent.min(WIDEST_INDENT)))
}

/// A value to be written, which is done by recursion.
fn json_of(value: &tera::Value) -> tera::TeraResult<Value> {
    if is_deeper(value, DEEPEST_VALUE) {
        let message = format!("it holds values that are more than {DEEPEST_VALUE} deep");
        return Err(tera::Error::message(message));
    }
    serde_json::to_value(value).map_err(tera::Error::message)
}

fn is_deeper(value: &tera::Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return true;
    };
    let mut items = value.as_array().into_iter().flatten();
    let mut values = value.as_map().into_iter().flat_map(|map| map.values());
    items.any(|item| is_deeper(item, below)) || values.any(|item| is_deeper(item, below))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(text: &str, context: Value) -> Result<String> {
        let Value::Object(context) = context else {
            panic!("a context is a map");
        };
        let name = "go-service/base/main.go.tera";
        Template { name, text }.render(&Variables::new(context)?)
    }

    #[test]
    fn braces_of_other_languages_pass_untouched() {
        let text = "{{ .Values.image }} ${{ github.sha }} {%x%} map[string]struct{}{} {#}";
        assert_eq!(render(text, json!({})).unwrap(), text);
        assert_eq!(
            render("a <{ name }> <# gone #>z", json!({"name": "<&>"})).unwrap(),
            "a <&> z"
        );
    }

    #[test]
    fn an_undefined_variable_is_an_error_with_its_line() {
        let error = render(
            "package main\n\nvar x = \"<{ service.kebap }>\"\n",
            json!({"service": {"kebab": "orders"}}),
        )
        .unwrap_err();
        let place = error.place().unwrap();
        assert_eq!(
            place.to_string(),
            "go-service/base/main.go.tera:3:21",
            "{error:?}"
        );
        assert_eq!(place.source_line, "var x = \"<{ service.kebap }>\"");
        let error = render("<% for x in nothing %><% endfor %>", json!({})).unwrap_err();
        assert_eq!(error.place().unwrap().line, 1);
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let error = render("a\n<{ name\n", json!({"name": "x"})).unwrap_err();
        assert!(error.place().unwrap().line >= 2, "{error:?}");
    }

    #[test]
    fn a_name_is_not_printed_without_a_form() {
        let context = json!({"service": {"kebab": "orders", "snake": "orders"}});
        let error = render("<{ service }>", context).unwrap_err();
        assert!(error.message().contains("without a form"));
    }

    #[test]
    fn a_template_cannot_make_endless_text() {
        let text = "<% set r = range(end=9999) %><% for x in r %><% for y in r %>xxxx<% endfor %><% endfor %>";
        let error = render(text, json!({})).unwrap_err();
        assert!(error.to_string().contains("MiB"), "{error}");
    }

    #[test]
    fn ranges_give_a_file_so_many_numbers_and_the_error_shows_where_they_end() {
        for text in [
            "<% for x in range(end=100000000000) %><% endfor %>",
            "\n<% for x in range(end=900) %><% for y in range(end=900) %><% endfor %><% endfor %>",
            "<% for x in range(start=9, end=-100000000000, step_by=-2) %><% endfor %>",
        ] {
            let error = render(text, json!({})).unwrap_err();
            let shown = format!("{error:?}");
            assert!(shown.contains("more than 100000 numbers"), "{shown}");
            assert!(error.place().is_some(), "{shown}");
        }
        let text = "<% for x in range(start=4, end=0, step_by=-2) %><{ x }><% endfor %>";
        assert_eq!(render(text, json!({})).unwrap(), "42");
        assert_eq!(
            render("<{ range(end=3) }>", json!({})).unwrap(),
            "[0, 1, 2]"
        );
    }

    #[test]
    fn values_are_written_as_yaml_that_both_versions_read_alike() {
        let context = json!({
            "env": {"LOG_LEVEL": "info", "FLAG": "no", "NUMBER": "08", "TEXT": "a: \"b\""},
            "empty": {},
            "expose": [{"path": "/", "kind": "prefix"}, {"path": "/v2"}],
        });
        let text = "env:<{ env | yaml(indent=2) }>\nempty:<{ empty | yaml }>\nexpose:<{ expose | yaml }>\n";
        assert_eq!(
            render(text, context).unwrap(),
            "env:\n  LOG_LEVEL: info\n  FLAG: \"no\"\n  NUMBER: \"08\"\n  TEXT: \"a: \\\"b\\\"\"\n\
             empty: {}\nexpose:\n  - path: /\n    kind: prefix\n  - path: /v2\n"
        );
        let deep = "<% set_global a = [1] %><% for i in range(end=99999) %>\
                    <% set_global a = [a] %><% endfor %><{ a | yaml }>";
        let error = render(deep, json!({})).unwrap_err();
        assert!(format!("{error:?}").contains("100 deep"), "{error:?}");
        assert_eq!(
            render("<{ x | quoted }>", json!({"x": "a\"b"})).unwrap(),
            "\"a\\\"b\""
        );
    }
}
