//! What no release may hold. Helm keeps the text of every object in its record, so a Secret with
//! values would be readable there for as long as the record lives; and an object without a name can
//! be neither applied nor found again.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::release::{Hook, ReleaseObject, RenderedRelease};

/// The members of a Secret that hold values.
const VALUES: [&str; 2] = ["data", "stringData"];

/// Refuses Secrets with values and what has no name, among the objects and among the hooks.
///
/// # Errors
/// One for each of them, with the template that made it.
pub fn check(release: &str, rendered: &RenderedRelease) -> Result<()> {
    let hooks = rendered.hooks.iter().map(|hook| &hook.object);
    let objects = rendered.objects.iter().chain(hooks);
    let refused = objects.filter_map(|object| match is_secret_with_values(&object.value) {
        true => Some(secret(object)),
        false => nameless(object),
    });
    let message = |count| format!("{count} objects of the chart of {release} cannot be deployed");
    Error::none_of(message, refused.collect())
}

/// Refuses hooks of these events that have no name: a revision of Helm's may have some, since Helm
/// gives them another name each time. `verb` is what Helm calls what is to be done.
///
/// # Errors
/// One for each of them, with the template that made it.
pub fn check_hooks(hooks: &[Hook], events: [&str; 2], verb: &str) -> Result<()> {
    let of_events = |hook: &&Hook| hook.events.iter().any(|it| events.contains(&it.as_str()));
    let refused = hooks.iter().filter(of_events).filter_map(|hook| {
        let error = nameless(&hook.object)?;
        Some(Error::invalid(error.message()).with_causes(error.causes()))
    });
    let message = |count| format!("{count} hooks cannot be run");
    let error = Error::all_of(message, refused.collect());
    let hint = format!("Have Helm do it, which made that revision: `helm {verb}`");
    error.map_or(Ok(()), |error| Err(error.hint(hint)))
}

/// The error of an object that has no name; `None` when it has one.
pub fn nameless(object: &ReleaseObject) -> Option<Error> {
    let (metadata, kind) = (&object.value["metadata"], &object.value["kind"]);
    if metadata["name"].as_str().is_some_and(|it| !it.is_empty()) {
        return None;
    }
    let kind = kind.as_str().unwrap_or("object");
    let error = Error::invalid(format!("the chart makes a {kind} without `metadata.name`"))
        .since(format!("{} makes it", object.source));
    let error = match metadata["generateName"].is_string() {
        true => error.since(
            "`generateName` gives it another name each time, by which nothing is found again",
        ),
        false => error,
    };
    Some(error.hint(
        "Name it; where each revision needs one of its own, end the name in `{{ .Release.Revision }}`",
    ))
}

fn is_secret_with_values(object: &Value) -> bool {
    let holds = |member: &str| object[member].as_object().is_some_and(|it| !it.is_empty());
    object["apiVersion"] == "v1" && object["kind"] == "Secret" && VALUES.into_iter().any(holds)
}

fn secret(object: &ReleaseObject) -> Error {
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

    fn object(value: Value) -> ReleaseObject {
        ReleaseObject {
            source: "orders/templates/made.yaml".to_owned(),
            text: String::new(),
            value,
        }
    }

    fn made(value: Value) -> RenderedRelease {
        RenderedRelease {
            objects: vec![object(value)],
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
            assert!(text.contains("orders/templates/made.yaml"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_secret_without_values_and_any_other_kind_may_be_made() {
        let named = json!({"name": "token"});
        for value in [
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": named}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": {"a": "b"}}),
            json!({
                "apiVersion": "external-secrets.io/v1", "kind": "Secret", "metadata": named,
                "data": {"a": 1},
            }),
        ] {
            assert!(check("orders", &made(value)).is_ok());
        }
    }

    #[test]
    fn an_object_or_a_hook_without_a_name_is_refused_with_the_template_that_makes_it() {
        for metadata in [json!({"generateName": "migrate-"}), json!({"name": ""})] {
            let value = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata});
            let hook = Hook {
                object: object(value.clone()),
                events: vec!["pre-install".to_owned()],
                weight: 0,
                delete_policies: Vec::new(),
            };
            let with_hook = RenderedRelease {
                hooks: vec![hook],
                ..RenderedRelease::default()
            };
            for rendered in [made(value), with_hook] {
                let error = check("orders", &rendered).unwrap_err();
                let expected = "the chart makes a Job without `metadata.name`";
                assert_eq!(error.message(), expected);
                assert_eq!(error.causes()[0], "orders/templates/made.yaml makes it");
            }
        }
    }
}
