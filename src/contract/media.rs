//! Media types, paths of values in a JSON body, and lists of names.

/// The media type without parameters, in lower case.
pub(super) fn essence(content_type: &str) -> String {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

/// Whether a media type without parameters is JSON.
pub(super) fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind.ends_with("+json")
}

/// `$.items[0].id` of the steps `items`, `0`, `id`.
pub(super) fn json_path(steps: &[String]) -> String {
    steps.iter().fold("$".to_owned(), |path, step| {
        match step.bytes().all(|byte| byte.is_ascii_digit()) && !step.is_empty() {
            true => format!("{path}[{step}]"),
            false => format!("{path}.{step}"),
        }
    })
}

/// How many names are shown.
const MOST_NAMES: usize = 8;

/// `a`, `b` and 3 more.
pub(super) fn some_of(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| format!("`{name}`"))
        .collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
