//! The fields of objects, and who owns them.

use serde_json::{Value, json};

use crate::engine::kubernetes::objects::FIELD_MANAGER;

/// Puts the fields of a map into another, and of maps in it, likewise.
pub(super) fn merge(object: &mut Value, fields: &Value) {
    match (object.as_object_mut(), fields.as_object()) {
        (Some(object), Some(fields)) => {
            for (name, value) in fields {
                merge(object.entry(name).or_insert(Value::Null), value);
            }
        }
        _ => *object = fields.clone(),
    }
}

/// The fields of an object as `managedFields` names them.
pub(super) fn owned_by(object: &Value) -> Value {
    let fields = object.as_object().into_iter().flatten();
    fields
        .map(|(name, value)| (format!("f:{name}"), owned_by(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What Helm set on the client's side, which stays when it is not applied: the entry of
/// `managedFields`, and the fields.
pub(super) fn fields_of_client(object: &Value) -> (Option<Value>, Value) {
    let entries = object["metadata"]["managedFields"].as_array();
    let is_clients = |it: &&Value| it["manager"] == FIELD_MANAGER && it["operation"] == "Update";
    let entry = entries.into_iter().flatten().find(is_clients).cloned();
    let fields = entry.as_ref().map(|it| picked(object, &it["fieldsV1"]));
    (entry, fields.unwrap_or_else(|| json!({})))
}

/// The members of an object that `managedFields` names.
fn picked(object: &Value, fields: &Value) -> Value {
    let fields = match fields.as_object() {
        Some(fields) if !fields.is_empty() => fields,
        _ => return object.clone(),
    };
    let named = fields.iter().filter_map(|(field, inner)| {
        let name = field.strip_prefix("f:")?;
        Some((name.to_owned(), picked(object.get(name)?, inner)))
    });
    named.collect::<serde_json::Map<_, _>>().into()
}
