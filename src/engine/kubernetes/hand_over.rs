//! Fields that Helm set on the client's side, handed over to its server-side applies.

use serde_json::{Map, Value};

use super::objects::FIELD_MANAGER;

/// How the fields of Helm's client are called in `managedFields`.
const CLIENT: &str = "Update";
/// How those of its server-side applies are called.
const SERVER: &str = "Apply";

/// An object whose fields were set by Helm on the client's side, with these fields handed over to
/// its server-side applies: without that, a field that leaves the chart would stay for ever. `None`
/// when there is nothing to hand over.
pub fn handed_over(live: &Value) -> Option<Value> {
    let fields = live["metadata"]["managedFields"].as_array()?;
    let client = fields.iter().find(|entry| is_helms(entry, CLIENT))?;
    let server = fields.iter().find(|entry| is_helms(entry, SERVER));
    let mut merged = server.unwrap_or(client).clone();
    merged["operation"] = SERVER.into();
    if let (Value::Object(into), Value::Object(from)) =
        (&mut merged["fieldsV1"], &client["fieldsV1"])
    {
        unite(into, from);
    }
    let others = fields
        .iter()
        .filter(|entry| !is_helms(entry, CLIENT) && !is_helms(entry, SERVER));
    let mut handed = live.clone();
    handed["metadata"]["managedFields"] = others.cloned().chain([merged]).collect();
    Some(handed)
}

/// An object as it was applied before its fields were handed over, without what the hand-over takes
/// away: what Helm's client alone owned in `live`. `None` when that is nothing.
pub fn without_handed_over(live: &Value, applied: &Value) -> Option<Value> {
    let client = entries(live).find(|entry| is_helms(entry, CLIENT))?;
    let others: Vec<&Value> = entries(applied)
        .filter(|entry| !is_helms(entry, CLIENT))
        .map(|entry| &entry["fieldsV1"])
        .collect();
    let mut left = applied.clone();
    take_away(&mut left, &client["fieldsV1"], &others);
    (left != *applied).then_some(left)
}

fn entries(object: &Value) -> impl Iterator<Item = &Value> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten()
}

fn is_helms(entry: &Value, operation: &str) -> bool {
    entry["manager"] == FIELD_MANAGER
        && entry["operation"] == operation
        && entry["subresource"].as_str().unwrap_or_default().is_empty()
}

/// The union of two sets of fields: a field is a key, its own fields are the value.
fn unite(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(inner)), Value::Object(from)) => unite(inner, from),
            (Some(_), _) => {}
            (None, value) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Takes the fields out of a value that none of the others has, as the server does.
fn take_away(value: &mut Value, fields: &Value, others: &[&Value]) {
    for (name, inner) in fields.as_object().into_iter().flatten() {
        let Some(element) = Element::of(name) else {
            continue;
        };
        let theirs: Vec<&Value> = others.iter().filter_map(|it| it.get(name)).collect();
        if theirs.is_empty() && element.is_whole(inner) {
            element.remove_from(value);
        } else if let Some(value) = element.within(value) {
            take_away(value, inner, &theirs);
        }
    }
}

/// A step of a path in `fieldsV1`. What is named by its place in a list is left out: lists of such
/// have a single owner as a whole.
enum Element<'a> {
    /// `f:replicas`
    Field(&'a str),
    /// `k:{"name":"main"}`: the item of a list with these members.
    Keys(Map<String, Value>),
    /// `v:"foregroundDeletion"`: the item of a list that is this value.
    Item(Value),
}

impl<'a> Element<'a> {
    fn of(name: &'a str) -> Option<Self> {
        match name.split_once(':')? {
            ("f", name) => Some(Self::Field(name)),
            ("k", keys) => serde_json::from_str(keys).ok().map(Self::Keys),
            ("v", value) => serde_json::from_str(value).ok().map(Self::Item),
            _ => None,
        }
    }

    /// Whether who has these of its fields has all of it: an item of a list says so, with a dot.
    fn is_whole(&self, inner: &Value) -> bool {
        let is_leaf = inner.as_object().is_none_or(Map::is_empty);
        matches!(self, Self::Field(_)) || is_leaf || inner.get(".").is_some()
    }

    fn is_at(&self, item: &Value) -> bool {
        match self {
            Self::Field(_) => false,
            Self::Keys(keys) => keys
                .iter()
                .all(|(name, value)| item.get(name) == Some(value)),
            Self::Item(value) => item == value,
        }
    }

    fn remove_from(&self, value: &mut Value) {
        match (self, value) {
            (Self::Field(name), Value::Object(members)) => {
                members.shift_remove(*name);
            }
            (_, Value::Array(items)) => items.retain(|item| !self.is_at(item)),
            _ => {}
        }
    }

    fn within<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        match (self, value) {
            (Self::Field(name), Value::Object(members)) => members.get_mut(*name),
            (_, Value::Array(items)) => items.iter_mut().find(|item| self.is_at(item)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_set_on_the_clients_side_are_handed_over() {
        let live = json!({"metadata": {"managedFields": [
            {"manager": "helm", "operation": "Update", "fieldsV1": {"f:spec": {"f:a": {}}}},
            {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:b": {}}}},
            {"manager": "kubelet", "operation": "Update", "subresource": "status"},
        ]}});
        let handed = handed_over(&live).unwrap();
        let fields = handed["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!(fields.len(), 2);
        assert_eq!(fields[1]["operation"], "Apply");
        assert_eq!(
            fields[1]["fieldsV1"]["f:spec"],
            json!({"f:a": {}, "f:b": {}})
        );
        assert!(handed_over(&handed).is_none());
    }

    /// What is left of a workload's `spec` that Helm's client set, with fields as owned by it and
    /// by the apply that follows.
    fn left_of(spec: &Value, client: &Value, server: &Value) -> Value {
        let entry = |operation: &str, fields: &Value| json!({"manager": "helm", "operation": operation, "fieldsV1": {"f:spec": fields}});
        let by_scaler = json!({
            "manager": "scaler", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}},
        });
        let object = |fields: Value| json!({"metadata": {"managedFields": fields}, "spec": spec});
        let live = object(json!([entry("Update", client), by_scaler]));
        let after = [entry("Update", client), entry("Apply", server), by_scaler];
        let applied = object(json!(after));
        let left = without_handed_over(&live, &applied);
        left.unwrap_or(applied)["spec"].clone()
    }

    #[test]
    fn what_the_client_alone_owned_goes_and_what_another_owns_stays() {
        let spec = json!({"paused": true, "replicas": 3, "mark": "1"});
        let client = json!({"f:paused": {}, "f:replicas": {}, "f:mark": {}});
        let left = left_of(&spec, &client, &json!({"f:mark": {}}));
        assert_eq!(left, json!({"replicas": 3, "mark": "1"}));
        let nothing = left_of(&spec, &json!({"f:mark": {}}), &json!({"f:mark": {}}));
        assert_eq!(nothing, spec);
    }

    #[test]
    fn items_of_lists_go_by_their_keys_and_by_their_values() {
        let spec = json!({
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C"}],
            "ports": [{"port": 80, "protocol": "TCP"}],
            "finalizers": ["mine", "theirs"],
        });
        let client = json!({
            "f:env": {
                "k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}},
                "k:{\"name\":\"B\"}": {".": {}, "f:name": {}, "f:value": {}},
            },
            "f:ports": {".": {}, "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}},
            "f:finalizers": {".": {}, "v:\"mine\"": {}},
        });
        let server = json!({
            "f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:name": {}}},
            "f:finalizers": {".": {}},
        });
        let expected = json!({
            "env": [{"name": "A"}, {"name": "C"}], "finalizers": ["theirs"],
        });
        assert_eq!(left_of(&spec, &client, &server), expected);
    }
}
