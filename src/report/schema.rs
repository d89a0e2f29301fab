//! The JSON Schemas of what programs read: answers, the lines of a stream, errors.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::JSON_VERSION;

/// Where the published schemas lie. The path holds the version of the documents: a schema only
/// grows until they get another one.
const ADDRESS: &str = "https://raw.githubusercontent.com/gantline/gantline/main/docs/schemas/v1";

/// The schema of a document, with the version that each has. `name` is that of the published
/// file, `title` says whose answer it is.
pub fn of_document<T: JsonSchema>(name: &str, title: &str) -> Value {
    with_version(of_line::<T>(name, title))
}

/// The schema of one line of a stream.
pub fn of_line<T: JsonSchema>(name: &str, title: &str) -> Value {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["title"] = json!(title);
    schema["$id"] = json!(address(name));
    schema
}

/// The address of a published schema.
pub fn address(name: &str) -> String {
    format!("{ADDRESS}/{name}.json")
}

fn with_version(mut schema: Value) -> Value {
    if !schema["properties"].is_object() {
        schema["properties"] = json!({});
    }
    schema["properties"]["version"] = json!({
        "const": JSON_VERSION,
        "description": "The version of the document."
    });
    match schema["required"].as_array_mut() {
        Some(required) if required.contains(&json!("version")) => {}
        Some(required) => required.insert(0, json!("version")),
        None => schema["required"] = json!(["version"]),
    }
    schema
}
