//! CustomResourceDefinitions out of charts' folders `crds`: made once, before any release, and left
//! alone from then on. Other releases may have objects of these kinds, in any namespace, so none owns
//! them, and none takes them away.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::open::Releases;
use super::site::Site;
use crate::engine::kubernetes::objects::ObjectKey;
use crate::error::{Error, ErrorKind, Result};
use crate::model::release::ReleaseObject;

/// How long a kind may take from its definition until it is served; Helm's limit.
const ESTABLISHED: Duration = Duration::from_secs(60);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Definitions, by where they are.
type Definitions<'a> = BTreeMap<ObjectKey, &'a Value>;

impl Site {
    /// The definitions that are not there yet.
    ///
    /// # Errors
    /// When the cluster cannot be asked.
    pub(super) async fn lacking_definitions<'a>(
        &self,
        releases: &'a Releases,
    ) -> Result<Definitions<'a>> {
        let wanted: Definitions<'a> = releases
            .services
            .iter()
            .flat_map(|spec| &spec.rendered.definitions)
            .map(|object| (key_of(&object.value), &object.value))
            .collect();
        let looking = wanted.into_iter().map(async |(key, definition)| {
            let has = self.has_definition(&key, definition).await?;
            Ok::<_, Error>((!has).then_some((key, definition)))
        });
        let lacking = try_join_all(looking).await?;
        Ok(lacking.into_iter().flatten().collect())
    }

    /// Makes the definitions that are not there yet, and waits until their kinds are served; those
    /// that were made.
    ///
    /// # Errors
    /// When the cluster refuses one, or does not serve it in time.
    pub(super) async fn ensure_definitions(&self, releases: &Releases) -> Result<Vec<ObjectKey>> {
        let lacking = self.lacking_definitions(releases).await?;
        let mut made = Vec::new();
        for (key, definition) in &lacking {
            let created = self.objects.create(key, definition).await;
            let created = created.map_err(|error| {
                error.hint(format!(
                    "Or have it made by whoever may: the chart has {} in its folder `crds`",
                    key.name
                ))
            })?;
            if created.is_some() {
                self.events
                    .note(format!("made {key}, which stays when the release goes"));
                made.push(key.clone());
            }
        }
        let deadline = Instant::now() + ESTABLISHED;
        for (key, definition) in &lacking {
            self.await_established(key, definition, deadline).await?;
        }
        Ok(made)
    }

    /// Whether a definition is there; where that may not be asked, whether its kind is.
    async fn has_definition(&self, key: &ObjectKey, definition: &Value) -> Result<bool> {
        match self.objects.get(key).await {
            Ok(found) => Ok(found.is_some()),
            Err(error) if error.kind() == ErrorKind::Missing => {
                match self.serves(definition).await? {
                    true => Ok(true),
                    false => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the cluster serves every version of a definition.
    async fn serves(&self, definition: &Value) -> Result<bool> {
        for object in samples(definition) {
            if self
                .objects
                .find_place(&object, &self.namespace)
                .await?
                .is_none()
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn await_established(
        &self,
        key: &ObjectKey,
        definition: &Value,
        deadline: Instant,
    ) -> Result<()> {
        loop {
            let live = self.objects.get(key).await?.unwrap_or_default();
            let conditions = live["status"]["conditions"].as_array();
            let mut conditions = conditions.into_iter().flatten();
            let is_established =
                conditions.any(|it| it["type"] == "Established" && it["status"] == "True");
            // What is served is told of a moment later than it is.
            if is_established && self.serves(definition).await? {
                return Ok(());
            }
            if Instant::now() > deadline {
                let limit = ESTABLISHED.as_secs();
                return Err(
                    Error::failed(format!("{key} is not served after {limit} s")).hint(format!(
                        "See its conditions: `kubectl describe crd {}`",
                        key.name
                    )),
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Where a definition is.
pub(super) fn key_of(definition: &Value) -> ObjectKey {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ObjectKey {
        api_version: text(&definition["apiVersion"]),
        kind: text(&definition["kind"]),
        namespace: None,
        name: text(&definition["metadata"]["name"]),
    }
}

/// Where an object belongs whose kind one of these definitions makes; `None` when none does.
pub(super) fn place_of(
    object: &Value,
    definitions: &[ReleaseObject],
    namespace: &str,
) -> Option<ObjectKey> {
    let is_its = |sample: Value| {
        sample["apiVersion"] == object["apiVersion"] && sample["kind"] == object["kind"]
    };
    let definition = definitions
        .iter()
        .find(|it| samples(&it.value).any(is_its))?;
    let own = object["metadata"]["namespace"].as_str();
    let is_namespaced = definition.value["spec"]["scope"] != "Cluster";
    Some(ObjectKey {
        namespace: is_namespaced.then(|| own.unwrap_or(namespace).to_owned()),
        ..key_of(object)
    })
}

/// An object without a name for each version that a definition serves.
fn samples(definition: &Value) -> impl Iterator<Item = Value> {
    let spec = &definition["spec"];
    let group = spec["group"].as_str().unwrap_or_default();
    let versions = spec["versions"].as_array().into_iter().flatten();
    let served = versions.filter(|version| version["served"] != false);
    served.map(move |version| {
        let version = version["name"].as_str().unwrap_or_default();
        json!({"apiVersion": format!("{group}/{version}"), "kind": spec["names"]["kind"]})
    })
}

#[cfg(test)]
#[path = "definitions_tests.rs"]
mod tests;
