//! Who owns an object: a release marks what it applies, the way Helm does.

use serde_json::{Value, json};

/// The label of everything that a release owns.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The annotation with the release's name.
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
/// The annotation with the release's namespace.
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";
/// The annotation that keeps an object when its release no longer has it.
const RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// A release, as objects name their owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The release's name.
    pub release: &'a str,
    /// The release's namespace.
    pub namespace: &'a str,
}

impl Owner<'_> {
    /// The object, marked as the release's.
    pub fn mark(&self, object: &Value) -> Value {
        let mut object = object.clone();
        let mut set = |group: &str, name: &str, value: &str| {
            if object["metadata"][group].is_null() {
                object["metadata"][group] = json!({});
            }
            object["metadata"][group][name] = value.into();
        };
        set("labels", MANAGED_BY, "Helm");
        set("annotations", RELEASE_NAME, self.release);
        set("annotations", RELEASE_NAMESPACE, self.namespace);
        object
    }

    /// Whether an object of the cluster is the release's.
    pub fn owns(&self, live: &Value) -> bool {
        let metadata = &live["metadata"];
        metadata["labels"][MANAGED_BY] == "Helm"
            && metadata["annotations"][RELEASE_NAME] == self.release
            && metadata["annotations"][RELEASE_NAMESPACE] == self.namespace
    }
}

/// Who owns an object of the cluster, for people: `the release billing in shop`.
pub fn owner_of(live: &Value) -> String {
    let metadata = &live["metadata"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let annotations = &metadata["annotations"];
    match (
        text(&annotations[RELEASE_NAME]),
        text(&annotations[RELEASE_NAMESPACE]),
        text(&metadata["labels"][MANAGED_BY]),
    ) {
        (Some(release), Some(namespace), _) => {
            format!("it belongs to the release {release} in the namespace {namespace}")
        }
        (_, _, Some(manager)) => format!("it is managed by {manager}"),
        _ => "it belongs to no release".to_owned(),
    }
}

/// Whether an object stays when its release no longer has it.
pub fn is_kept(object: &Value) -> bool {
    let policy = object["metadata"]["annotations"][RESOURCE_POLICY].as_str();
    policy.is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_object_is_owned_by_its_release_alone() {
        let owner = Owner {
            release: "orders",
            namespace: "shop",
        };
        let marked = owner.mark(&json!({"metadata": {"labels": {"a": "b"}}}));
        assert!(owner.owns(&marked));
        assert_eq!(marked["metadata"]["labels"]["a"], "b");
        let other = Owner {
            release: "billing",
            ..owner
        };
        assert!(!other.owns(&marked));
        assert!(!owner.owns(&json!({"metadata": {}})));
    }
}
