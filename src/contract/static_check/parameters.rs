//! The parameters of a request: those that must be there, the values of those that are, and those
//! that nobody knows (OpenAPI 3.1, "Parameter Object").

mod maps;
mod styles;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::maps::Spread;
use super::{Discrepancy, Exchange};
use crate::contract::document::{Document, Node};
use crate::contract::media;
use crate::model::contract_check::Subject;

/// Headers that a document describes elsewhere ("Parameter Object", `in`).
const ELSEWHERE: [&str; 3] = ["accept", "authorization", "content-type"];

/// A parameter that the document describes.
struct Parameter<'a> {
    node: Node<'a>,
    name: &'a str,
    subject: Subject,
}

/// A value that the pact gives a parameter: texts in their order.
struct Given {
    texts: Vec<String>,
    /// Where it stands in the interaction.
    steps: Vec<String>,
}

impl Exchange<'_> {
    /// Everything that is wrong with the parameters.
    pub(super) fn parameters(&self) -> Vec<Discrepancy> {
        let nodes = self.operation.parameters();
        let parameters: Vec<Parameter<'_>> = nodes.into_iter().filter_map(parameter).collect();
        let mut found = Vec::new();
        for parameter in &parameters {
            if let Some(of_map) = self.check_map(parameter, &parameters) {
                found.extend(of_map);
                continue;
            }
            let is_map = parameter.spread().is_some();
            match self.given(parameter).filter(|_| !is_map) {
                Some(given) => found.extend(self.check(parameter, &given)),
                None if parameter.node.flag("required") => found.push(absent(parameter)),
                None => {}
            }
        }
        found.extend(self.unknown(&parameters));
        found
    }

    fn given(&self, parameter: &Parameter<'_>) -> Option<Given> {
        let name = parameter.name;
        let request = &self.http.request;
        match parameter.subject {
            Subject::PathParameter => {
                let value = self.operation.values.get(name)?;
                Some(Given {
                    texts: parameter.texts_of_path(value),
                    steps: steps(&["path"]),
                })
            }
            Subject::QueryParameter => {
                let query = request.query.as_ref()?;
                let (key, values) = query
                    .iter()
                    .find(|(key, _)| *key == name || key.strip_suffix("[]") == Some(name))?;
                let texts = values.iter().map(|text| text.clone().unwrap_or_default());
                Some(Given {
                    texts: texts.collect(),
                    steps: steps(&["query", key]),
                })
            }
            Subject::Cookie => {
                let (key, values) = header(self.http.request.headers.as_ref()?, "cookie")?;
                let all = values.join("; ");
                let pairs = all
                    .split(';')
                    .filter_map(|pair| pair.trim().split_once('='));
                let (_, text) = { pairs }.find(|(key, _)| *key == name)?;
                Some(Given {
                    texts: vec![text.to_owned()],
                    steps: steps(&["headers", key]),
                })
            }
            _ => {
                let (key, values) = header(request.headers.as_ref()?, name)?;
                Some(Given {
                    texts: vec![values.join(", ")],
                    steps: steps(&["headers", key]),
                })
            }
        }
    }

    fn check(&self, parameter: &Parameter<'_>, given: &Given) -> Vec<Discrepancy> {
        let is_empty = given.texts.iter().all(String::is_empty);
        if is_empty && parameter.node.flag("allowEmptyValue") {
            return Vec::new();
        }
        let Some((schema, value)) = read(self.document, parameter, &given.texts) else {
            return Vec::new();
        };
        let about = |rule: &str, severe: bool| {
            let mut found = match severe {
                true => Discrepancy::error(parameter.subject, parameter.name, rule),
                false => Discrepancy::warning(parameter.subject, parameter.name, rule),
            };
            found.pact = given.steps.clone();
            found.expected(value.clone())
        };
        // What a state of the provider gives is sent instead of the example.
        let severe = !self.is_generated(parameter, &[parameter.name]);
        match self.document.exact().faults(&schema, &value) {
            Ok(faults) => faults
                .into_iter()
                .map(|fault| {
                    about(&fault.keyword, severe)
                        .said(format!("`{}`: {}", parameter.name, fault.message))
                        .in_document(&fault.at)
                })
                .collect(),
            Err(error) => vec![parameter.unusable(&schema, &error)],
        }
    }

    /// Whether a state of the provider gives what the pact sends under these names.
    fn is_generated(&self, parameter: &Parameter<'_>, names: &[&str]) -> bool {
        use pact_models::generators::GeneratorCategory as Category;
        let category = match parameter.subject {
            Subject::PathParameter => Category::PATH,
            Subject::QueryParameter => Category::QUERY,
            _ => Category::HEADER,
        };
        let generators = self.http.request.generators.categories.get(&category);
        generators.is_some_and(|generators| {
            category == Category::PATH
                || generators.keys().any(|path| {
                    let path = path.to_string().to_ascii_lowercase();
                    let mut names = names.iter().map(|name| name.to_ascii_lowercase());
                    names.any(|name| path.contains(&name))
                })
        })
    }

    /// Parameters of the query that the document does not have.
    fn unknown(&self, parameters: &[Parameter<'_>]) -> Vec<Discrepancy> {
        let known: Vec<&Parameter<'_>> = parameters
            .iter()
            .filter(|parameter| parameter.subject == Subject::QueryParameter)
            .collect();
        let mut names: Vec<&String> = self
            .http
            .request
            .query
            .iter()
            .flat_map(|query| query.keys())
            .filter(|name| !known.iter().any(|parameter| parameter.takes(name)))
            .collect();
        names.sort();
        let listed: Vec<String> = known.iter().map(|parameter| parameter.shown()).collect();
        let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
        let others = match listed.is_empty() {
            true => "it has none".to_owned(),
            false => format!("it has {}", media::some_of(&listed)),
        };
        let operation = &self.operation.name;
        names
            .into_iter()
            .map(|name| {
                Discrepancy::warning(Subject::QueryParameter, name, "parameters")
                    .said(format!(
                        "{operation} has no query parameter `{name}`; {others}"
                    ))
                    .in_pact(&["request", "query", name])
                    .in_document(&self.operation.node.at)
            })
            .collect()
    }
}

fn steps(below: &[&str]) -> Vec<String> {
    let all = std::iter::once("request").chain(below.iter().copied());
    all.map(str::to_owned).collect()
}

pub(super) fn header<'a, Map>(headers: Map, name: &str) -> Option<(&'a str, &'a [String])>
where
    Map: IntoIterator<Item = (&'a String, &'a Vec<String>)>,
{
    let same = |(key, _): &(&String, _)| key.eq_ignore_ascii_case(name);
    let (key, values) = headers.into_iter().find(same)?;
    Some((key, values))
}

fn parameter(node: Node<'_>) -> Option<Parameter<'_>> {
    let name = node.text("name")?;
    let subject = match node.text("in")? {
        "path" => Subject::PathParameter,
        "query" => Subject::QueryParameter,
        "cookie" => Subject::Cookie,
        "header" if !ELSEWHERE.contains(&name.to_ascii_lowercase().as_str()) => {
            Subject::RequestHeader
        }
        _ => return None,
    };
    Some(Parameter {
        node,
        name,
        subject,
    })
}

fn absent(parameter: &Parameter<'_>) -> Discrepancy {
    let (what, place): (_, &[&str]) = match parameter.subject {
        Subject::QueryParameter => ("query parameter", &["request", "query"]),
        Subject::Cookie => ("cookie", &["request", "headers"]),
        Subject::PathParameter => ("path parameter", &["request", "path"]),
        _ => ("header", &["request", "headers"]),
    };
    Discrepancy::error(parameter.subject, parameter.name, "required")
        .said(format!(
            "the {what} `{}` is required, and the consumer does not send it",
            parameter.name
        ))
        .in_pact(place)
        .in_document(&parameter.node.at)
}

impl Parameter<'_> {
    /// Whether it takes a query's key: its own name, or the names in a map that is spread.
    fn takes(&self, key: &str) -> bool {
        match self.spread() {
            Some(Spread::Deep | Spread::Members) => self.takes_member(key),
            Some(Spread::One) | None => {
                key == self.name || key.strip_suffix("[]") == Some(self.name)
            }
        }
    }

    fn unusable(&self, schema: &Node<'_>, error: &str) -> Discrepancy {
        let name = self.name;
        Discrepancy::error(self.subject, name, "schema")
            .said(format!("the schema of `{name}` cannot be used: {error}"))
            .in_document(&schema.at)
    }
}

/// The schema of a parameter, and its value as that schema sees it; `None` where the value cannot
/// be told, as with maps.
fn read<'a>(
    document: &Document,
    parameter: &Parameter<'a>,
    texts: &[String],
) -> Option<(Node<'a>, Value)> {
    let text = texts.first().map(String::as_str).unwrap_or_default();
    if let Some(content) = parameter.node.get("content") {
        let (kind, media) = content.members().into_iter().next()?;
        let schema = media.get("schema")?;
        if !media::is_json(&media::essence(kind)) {
            return None;
        }
        let value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        return Some((schema, value));
    }
    let schema = parameter.node.get("schema")?;
    let whole = schema.resolved();
    let kinds = types(&whole);
    if kinds.contains(&"object") {
        return None;
    }
    if kinds.contains(&"array") || texts.len() > 1 {
        let items = parameter.items(texts);
        let of_item = whole.get("items");
        let items = items.iter().map(|text| match &of_item {
            Some(schema) => scalar(document, schema, text),
            None => text.as_str().into(),
        });
        let items: Vec<Value> = items.collect();
        return Some((schema, items.into()));
    }
    let value = scalar(document, &schema, text);
    Some((schema, value))
}

/// The value of a text: a number, a boolean, or the text itself, whichever fits; what it looks
/// like where nothing fits and the schema takes no texts.
pub(super) fn scalar(document: &Document, schema: &Node<'_>, text: &str) -> Value {
    let written: Value = text.into();
    let parsed = serde_json::from_str::<Value>(text).ok();
    let Some(parsed) = parsed.filter(|value| value.is_number() || value.is_boolean()) else {
        return written;
    };
    let schemas = document.exact();
    let is_text = types(&schema.resolved()).contains(&"string");
    match schemas.fit(schema, &parsed) || !(schemas.fit(schema, &written) || is_text) {
        true => parsed,
        false => written,
    }
}

/// The types that a schema names.
fn types<'a>(schema: &Node<'a>) -> Vec<&'a str> {
    match schema.value.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A form's fields as a map, each value as its own schema sees it.
pub(super) fn form(document: &Document, schema: &Node<'_>, text: &str) -> Value {
    let fields: BTreeMap<String, Vec<String>> = form_fields(text);
    let properties = schema.resolved().get("properties");
    let fields = fields.into_iter().map(|(name, texts)| {
        let of_field = properties.as_ref().and_then(|known| known.get(&name));
        let value = match &of_field {
            Some(schema) if types(&schema.resolved()).contains(&"array") => {
                let of_item = schema.resolved().get("items");
                let items = texts.iter().map(|text| match &of_item {
                    Some(schema) => scalar(document, schema, text),
                    None => text.as_str().into(),
                });
                items.collect()
            }
            Some(schema) => scalar(document, schema, &texts[0]),
            None => texts[0].as_str().into(),
        };
        (name, value)
    });
    fields.collect::<Map<_, _>>().into()
}

fn form_fields(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text)
            .decode_utf8_lossy()
            .into_owned()
    };
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.entry(plain(name)).or_default().push(plain(value));
    }
    fields
}
