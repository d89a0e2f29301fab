//! What outlives `destroy`: the Secrets and volume claims of resources, which hold data and the
//! passwords that open it.

use serde_json::Value;

use super::site::Site;
use crate::engine::kubernetes::objects::{ListQuery, ObjectKey};
use crate::error::Result;
use crate::model::name::Name;
use crate::render::resource_release::secret_names;

/// The label of what gantline makes outside of every chart.
const MADE_HERE: &str = "app.kubernetes.io/managed-by=gantline";

impl Site {
    /// The Secrets and volume claims of these resources that are there.
    ///
    /// # Errors
    /// When they may not be listed.
    pub async fn kept(&self, resources: &[&Name]) -> Result<Vec<ObjectKey>> {
        if resources.is_empty() {
            return Ok(Vec::new());
        }
        let ours: Vec<String> = resources.iter().flat_map(|it| secret_names(it)).collect();
        let mut kept = self.of_labels("Secret", MADE_HERE).await?;
        kept.retain(|key| ours.contains(&key.name));
        for resource in resources {
            let labels =
                format!("app.kubernetes.io/name={resource},app.kubernetes.io/component=resource");
            kept.extend(self.of_labels("PersistentVolumeClaim", &labels).await?);
        }
        Ok(kept)
    }

    async fn of_labels(&self, kind: &str, labels: &str) -> Result<Vec<ObjectKey>> {
        let query = ListQuery {
            api_version: "v1",
            kind,
            namespace: &self.namespace,
            labels,
        };
        let found = self.objects.list_metadata(&query).await?;
        let name = |object: &Value| object["metadata"]["name"].as_str().map(str::to_owned);
        let keys = found
            .iter()
            .filter_map(name)
            .map(|name| ObjectKey::namespaced("v1", kind, &self.namespace, &name));
        Ok(keys.collect())
    }
}
