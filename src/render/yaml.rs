//! YAML as we write it: block style, and no scalar that a reader could take for something else.

use serde_json::Value;

/// A value to stand right after `key:`, with its lines indented by `indent` spaces.
pub fn block(value: &Value, indent: usize) -> String {
    let mut text = String::new();
    write_block(value, indent, &mut text);
    text
}

fn write_block(value: &Value, indent: usize, text: &mut String) {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                text.push_str(&format!("\n{margin}{}:", scalar(key)));
                write_block(value, indent + 2, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                text.push_str(&format!("\n{margin}-"));
                write_item(item, indent, text);
            }
        }
        Value::String(plain) => text.push_str(&format!(" {}", scalar(plain))),
        other => text.push_str(&format!(" {other}")),
    }
}

/// An element of a list: a map's first key stands beside the hyphen.
fn write_item(item: &Value, indent: usize, text: &mut String) {
    let own = block(item, indent + 2);
    match own.strip_prefix('\n') {
        Some(block) => text.push_str(&format!(" {}", block.trim_start())),
        None => text.push_str(&own),
    }
}

/// A string as YAML 1.1 and 1.2 both read it, in block and in flow style: plain where neither
/// could take it for something else, quoted otherwise.
pub fn scalar(text: &str) -> String {
    const TAKEN: [&str; 10] = [
        "true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan",
    ];
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_-./".contains(letter))
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str());
    if plain {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

/// A map in flow style: `{store: orders-db}`.
pub fn flow_map<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(key, value)| format!("{}: {}", scalar(key), scalar(value)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// A list in flow style: `[order-placed]`.
pub fn flow_list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.into_iter().map(scalar).collect();
    format!("[{}]", items.join(", "))
}
