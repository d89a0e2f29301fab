//! What no release may hold: Helm keeps the text of every object in its record, so a Secret with
//! values would be readable there for as long as the record lives.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::release::{ReleaseObject, RenderedRelease};

/// The members of a Secret that hold values.
const VALUES: [&str; 2] = ["data", "stringData"];

/// Refuses Secrets with values, among the objects and among the hooks.
///
/// # Errors
/// One for each such Secret, with the template that made it.
pub fn check(release: &str, rendered: &RenderedRelease) -> Result<()> {
    let hooks = rendered.hooks.iter().map(|hook| &hook.object);
    let objects = rendered.objects.iter().chain(hooks);
    let secrets = objects.filter(|object| is_secret_with_values(&object.value));
    let message = |count| format!("{count} templates of the chart of {release} make Secrets");
    Error::none_of(message, secrets.map(refused).collect())
}

fn is_secret_with_values(object: &Value) -> bool {
    let holds = |member: &str| object[member].as_object().is_some_and(|it| !it.is_empty());
    object["apiVersion"] == "v1" && object["kind"] == "Secret" && VALUES.into_iter().any(holds)
}

fn refused(object: &ReleaseObject) -> Error {
    let title = object.title();
    Error::invalid(format!("the chart makes {title}, with values in it"))
        .since(format!("{} makes it", object.source))
        .since("Helm keeps what a chart makes in the release's record, values of Secrets too")
        .hint("Make the Secret outside of the chart, and name it where it is used")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(value: Value) -> RenderedRelease {
        RenderedRelease {
            objects: vec![ReleaseObject {
                source: "orders/templates/secret.yaml".to_owned(),
                text: String::new(),
                value,
            }],
            ..RenderedRelease::default()
        }
    }

    #[test]
    fn a_secret_with_values_is_refused_without_showing_them() {
        for member in VALUES {
            let secret = json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "password"},
                member: {"password": "hunter2"},
            });
            let error = check("orders", &made(secret)).unwrap_err();
            let text = format!("{error:?}");
            assert!(text.contains("Secret/password"), "{text}");
            assert!(text.contains("orders/templates/secret.yaml"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_secret_without_values_and_any_other_kind_may_be_made() {
        for value in [
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}),
            json!({"apiVersion": "external-secrets.io/v1", "kind": "Secret", "data": {"a": 1}}),
        ] {
            assert!(check("orders", &made(value)).is_ok());
        }
    }
}
