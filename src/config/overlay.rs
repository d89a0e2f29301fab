//! `service.ENV.yaml`: what differs for one service in one environment, merged over its manifest
//! by RFC 7386.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::schema_check::schema_of;
use super::service_file::ServiceFile;
use super::yaml::Document;
use crate::error::{Error, Result};
use crate::model::name::Name;

/// What the code is made from: the same in every environment.
const FIXED: [&str; 11] = [
    "name",
    "blueprint",
    "build",
    "options",
    "ports",
    "health",
    "uses",
    "needs",
    "publishes",
    "consumes",
    "rollout",
];

/// The name of the file of an environment.
pub fn file_name(environment: &Name) -> String {
    format!("service.{environment}.yaml")
}

/// The manifest with what an environment's file says laid over it; the manifest itself when there
/// is no such file.
///
/// # Errors
/// When the file is no YAML. That it says what is the same in every environment is a problem of
/// the document, told when it is decoded.
pub fn laid_over(manifest: Document, path: &Path) -> Result<Document> {
    let Some(mut over) = Document::read_if_there(path)? else {
        return Ok(manifest);
    };
    let keys = over.root().entries().iter();
    let refused = keys
        .filter(|entry| FIXED.contains(&entry.key.as_str()))
        .map(|entry| {
            Error::invalid(format!("`{}` is the same in every environment", entry.key))
                .at(over.key_place(&[&entry.key]))
                .hint("Move the line to service.yaml")
        })
        .collect();
    over.refuse(refused);
    Ok(manifest.overlaid(over))
}

/// The schema of the file: that of the manifest without what is fixed; null takes a key away.
pub fn schema() -> Json {
    let mut schema = schema_of::<ServiceFile>();
    schema["title"] = json!("service.ENV.yaml");
    schema["description"] = json!(
        "What differs for a service in one environment: merged over service.yaml, null deletes."
    );
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("required");
    }
    if let Some(properties) = schema["properties"].as_object_mut() {
        for key in FIXED {
            properties.remove(key);
        }
        for property in properties.values_mut() {
            let description = property["description"].clone();
            *property = json!({"description": description, "anyOf": [property, {"type": "null"}]});
        }
    }
    schema
}
