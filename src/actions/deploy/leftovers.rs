//! Releases that this workspace deployed and has no more: of services that were renamed or removed
//! since, or that are on another branch only. Nobody but a person can tell which of these it is, so
//! none is removed unless it is named.

use std::collections::BTreeMap;

use super::open::Opened;
use super::site::Site;
use crate::engine::kubernetes::objects::ListQuery;
use crate::engine::kubernetes::records::{Status, WORKSPACE};
use crate::error::Result;
use crate::model::name::Name;
use crate::model::shell::quoted;

/// What the records of a release say.
#[derive(Default)]
struct Told {
    newest: u64,
    status: String,
    is_of_workspace: bool,
}

impl Opened {
    /// The same of all of an environment, which are told with the command that removes them;
    /// `context` is the one that the user named.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub(super) async fn tell_leftovers(&self, context: Option<&str>) -> Result<Vec<String>> {
        let is_known = |name: &str| {
            let mut names = self.project.services.keys().chain(self.resources_within());
            names.any(|known| known.as_str() == name)
        };
        let left = self.site.leftovers(is_known).await?;
        if !left.is_empty() {
            let environment = &self.environment.name;
            self.site.events.warn(warning(environment, &left, context));
        }
        Ok(left)
    }
}

fn warning(environment: &Name, left: &[String], context: Option<&str>) -> String {
    let (why, what) = match left.len() {
        1 => (
            "it was renamed or removed, or is on another branch only",
            "it",
        ),
        _ => (
            "they were renamed or removed, or are on another branch only",
            "what nobody needs",
        ),
    };
    let context = context.map_or_else(String::new, |it| format!(" --context {}", quoted(it)));
    format!(
        "{environment} also has {}, which this workspace does not: {why}. \
         Remove {what}: `gantline destroy {environment} {}{context}`",
        left.join(", "),
        left.join(" "),
    )
}

impl Site {
    /// The names of releases that were deployed from this workspace, in order, but for those that
    /// it has. Those that Helm removed and kept the history of are none.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn leftovers(&self, is_known: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let query = ListQuery {
            api_version: "v1",
            kind: "Secret",
            namespace: &self.namespace,
            labels: "owner=helm",
        };
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        for record in self.objects.list_metadata(&query).await? {
            let metadata = &record["metadata"];
            let label = |name: &str| metadata["labels"][name].as_str().unwrap_or_default();
            let told = told.entry(label("name").to_owned()).or_default();
            let revision = label("version").parse().unwrap_or_default();
            if revision >= told.newest {
                told.newest = revision;
                label("status").clone_into(&mut told.status);
            }
            told.is_of_workspace |= metadata["annotations"][WORKSPACE] == *self.workspace;
        }
        told.retain(|name, told| {
            told.is_of_workspace && told.status != Status::Uninstalled.word() && !is_known(name)
        });
        Ok(told.into_keys().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::deploy::AfterFailure;
    use crate::actions::deploy::tests::{FIRST, cluster, site, spec};
    use crate::engine::kubernetes::objects::{ObjectKey, Objects};
    use serde_json::json;

    #[tokio::test]
    async fn what_this_workspace_deployed_and_has_no_more_is_left_over() {
        let cluster = cluster();
        let mut other = site(&cluster, "two");
        other.workspace = "bank".to_owned();
        let ours = site(&cluster, "one");
        for (site, name) in [(&ours, "orders"), (&ours, "pages"), (&other, "accounts")] {
            let mut spec = spec("1", &[("ConfigMap", name)]);
            spec.name = name.to_owned();
            spec.rendered.hooks.clear();
            site.deploy(&spec, AfterFailure::TakeBack).await;
        }
        let left = ours.leftovers(|name| name == "orders").await.unwrap();
        assert_eq!(left, ["pages"]);
    }

    #[test]
    fn the_command_that_removes_what_is_left_over_is_told_in_full() {
        let staging = Name::new("staging").unwrap();
        let left = ["pages".to_owned(), "search".to_owned()];
        let told = warning(&staging, &left, Some("my cluster"));
        let expected = "`gantline destroy staging pages search --context 'my cluster'`";
        assert!(told.ends_with(expected), "{told}");
        assert!(
            told.starts_with("staging also has pages, search, which"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn what_helm_removed_and_kept_the_history_of_is_not_left_over() {
        let cluster = cluster();
        let site = site(&cluster, "one");
        site.deploy(&spec("1", FIRST), AfterFailure::TakeBack).await;
        let record = ObjectKey::namespaced("v1", "Secret", "shop", "sh.helm.release.v1.orders.v1");
        let removed = json!({"metadata": {"labels": {"status": "uninstalled"}}});
        cluster.set(&record, &removed).await.unwrap();
        let left = site.leftovers(|_| false).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
}
