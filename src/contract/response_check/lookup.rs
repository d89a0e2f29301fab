//! Finds the operation, the response and the schema that an answer belongs to.

use serde_json::{Map, Value};

/// How many references may lead from one to the next.
const MOST_REFERENCES: usize = 16;

/// An operation that was found.
pub(super) struct Found<'a> {
    /// Its `operationId`, or its method and path.
    pub(super) name: String,
    operation: &'a Value,
}

impl Found<'_> {
    /// The statuses that it answers.
    pub(super) fn statuses(&self) -> Vec<String> {
        let responses = self.operation.get("responses").and_then(Value::as_object);
        responses
            .into_iter()
            .flatten()
            .map(|(status, _)| status.clone())
            .collect()
    }
}

/// The operation of a method and a path; a path without parameters wins over one with.
pub(super) fn operation<'a>(root: &'a Value, method: &str, path: &str) -> Option<Found<'a>> {
    let path = path.split('?').next().unwrap_or_default();
    let paths = root.get("paths")?.as_object()?;
    let bases = base_paths(root);
    let mut best: Option<(usize, Found<'a>)> = None;
    for (template, item) in paths {
        let weight = bases.iter().find_map(|base| {
            let rest = path.strip_prefix(base.as_str())?;
            parameters(template, rest)
        });
        let Some(weight) = weight else { continue };
        let item = resolved(root, item);
        let Some(operation) = item.get(method.to_ascii_lowercase()) else {
            continue;
        };
        if best.as_ref().is_none_or(|(known, _)| weight < *known) {
            let name = operation.get("operationId").and_then(Value::as_str);
            let name = name.map_or_else(|| format!("{method} {template}"), str::to_owned);
            best = Some((weight, Found { name, operation }));
        }
    }
    best.map(|(_, found)| found)
}

/// The paths of the servers, without a final slash.
fn base_paths(root: &Value) -> Vec<String> {
    let servers = root.get("servers").and_then(Value::as_array);
    let urls = servers
        .into_iter()
        .flatten()
        .filter_map(|server| server.get("url")?.as_str());
    let mut bases: Vec<String> = urls
        .map(|url| {
            let after = url.split_once("://").map_or(url, |(_, rest)| {
                rest.find('/').map_or("", |slash| &rest[slash..])
            });
            after.trim_end_matches('/').to_owned()
        })
        .collect();
    bases.push(String::new());
    bases
}

/// How many parameters a template has when it fits the path; `None` when it does not.
fn parameters(template: &str, path: &str) -> Option<usize> {
    let mut wanted = template.split('/');
    let mut given = path.split('/');
    let mut count = 0;
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(count),
            (Some(part), Some(text)) if part.contains('{') => {
                let (before, rest) = part.split_once('{')?;
                let after = rest.split_once('}').map_or("", |(_, after)| after);
                let inner = text.strip_prefix(before)?.strip_suffix(after)?;
                if inner.is_empty() {
                    return None;
                }
                count += 1;
            }
            (Some(part), Some(text)) if part == text => {}
            _ => return None,
        }
    }
}

/// The response of a status: the status itself, its range, or the default.
pub(super) fn response_of<'a>(
    root: &'a Value,
    found: &Found<'a>,
    status: u16,
) -> Option<&'a Value> {
    let responses = found.operation.get("responses")?;
    let range = format!("{}XX", status / 100);
    let response = responses
        .get(status.to_string())
        .or_else(|| responses.get(range))
        .or_else(|| responses.get("default"))?;
    Some(resolved(root, response))
}

/// The most exact media range that a media type is in.
pub(super) fn schema_of<'a>(
    content: &'a Map<String, Value>,
    kind: &str,
) -> Option<(&'a str, &'a Value)> {
    let main = kind.split('/').next().unwrap_or_default();
    let ranges = [kind.to_owned(), format!("{main}/*"), "*/*".to_owned()];
    let known = |range: &String| {
        content.iter().find(|(name, _)| {
            let essence = name.split(';').next().unwrap_or_default();
            !kind.is_empty() && essence.trim().eq_ignore_ascii_case(range)
        })
    };
    ranges
        .iter()
        .find_map(known)
        .map(|(range, media)| (range.as_str(), media))
}

/// What a `$ref` within the document leads to; the value itself where it leads nowhere.
pub(super) fn resolved<'a>(root: &'a Value, value: &'a Value) -> &'a Value {
    let mut at = value;
    for _ in 0..MOST_REFERENCES {
        let Some(reference) = at.get("$ref").and_then(Value::as_str) else {
            return at;
        };
        match reference
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer))
        {
            Some(target) => at = target,
            None => return value,
        }
    }
    value
}
