//! Release records as Helm 4 keeps them: one Secret for each revision, which holds the release as
//! JSON, compressed and twice encoded.
//!
//! A record that Helm wrote keeps what we do not know of it: records are read and written as JSON
//! values. Format: `pkg/release/v1` and `pkg/storage/driver` of Helm 4; Helm 3 wrote the same
//! without `apply_method`.

#[cfg(test)]
mod properties;
mod secret;
mod status;
mod store;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use self::secret::{HOLDER, WORKSPACE};
pub use self::status::Status;
pub use self::store::{create, load, remove, update};
use super::manifest;
use crate::error::Result;
use crate::model::image::{Digest, ImageReference};
use crate::model::release::{Chart, ChartFile, Hook, ReleaseObject, ReleaseSpec};

/// One revision of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The release as Helm writes it.
    body: Value,
    /// Labels of the Secret beyond Helm's own.
    labels: BTreeMap<String, String>,
    /// Who wrote it, where gantline did.
    pub holder: Option<String>,
    /// The workspace that it was deployed from, where gantline wrote it.
    pub workspace: Option<String>,
    /// The version of the Secret, once it is stored.
    resource_version: Option<String>,
}

/// What a new revision is made of, besides its specification.
#[derive(Debug, Clone)]
pub struct NewRecord<'a> {
    /// The revision, counted from 1.
    pub revision: u32,
    /// How it begins.
    pub status: Status,
    /// For people.
    pub description: String,
    /// Who writes it.
    pub holder: &'a str,
    /// The workspace that it is deployed from.
    pub workspace: &'a str,
    /// When the release was first deployed, where it was.
    pub first_deployed: Option<String>,
}

impl Record {
    /// A revision of what is to be deployed.
    pub fn of_spec(spec: &ReleaseSpec, new: &NewRecord<'_>) -> Self {
        let now = now();
        let mut info = json!({
            "first_deployed": new.first_deployed.as_ref().unwrap_or(&now),
            "last_deployed": now,
            "description": new.description,
            "status": new.status,
        });
        if !spec.rendered.notes.is_empty() {
            info["notes"] = spec.rendered.notes.as_str().into();
        }
        let hooks: Vec<Value> = spec.rendered.hooks.iter().map(hook_json).collect();
        let mut body = json!({
            "name": spec.name,
            "info": info,
            "chart": chart_json(&spec.chart),
            "config": spec.config,
            "manifest": spec.rendered.manifest(),
            "hooks": hooks,
            "version": new.revision,
            "namespace": spec.namespace,
            "apply_method": "ssa",
        });
        if spec
            .config
            .as_object()
            .is_none_or(serde_json::Map::is_empty)
            && let Some(body) = body.as_object_mut()
        {
            body.remove("config");
        }
        Self {
            body,
            labels: BTreeMap::new(),
            holder: Some(new.holder.to_owned()),
            workspace: Some(new.workspace.to_owned()),
            resource_version: None,
        }
    }

    /// A revision that brings this one back.
    #[must_use]
    pub fn brought_back(&self, new: &NewRecord<'_>) -> Self {
        let mut body = self.body.clone();
        body["version"] = new.revision.into();
        body["apply_method"] = "ssa".into();
        let notes = self.body["info"]["notes"].clone();
        let now = now();
        body["info"] = json!({
            "first_deployed": new.first_deployed.as_ref().unwrap_or(&now),
            "last_deployed": now,
            "description": new.description,
            "status": new.status,
            "rollback_revision": self.revision(),
        });
        if notes.is_string() {
            body["info"]["notes"] = notes;
        }
        Self {
            body,
            labels: self.labels.clone(),
            holder: Some(new.holder.to_owned()),
            workspace: Some(new.workspace.to_owned()),
            resource_version: None,
        }
    }

    /// The revision, counted from 1.
    pub fn revision(&self) -> u32 {
        let revision = self.body["version"].as_u64().unwrap_or_default();
        u32::try_from(revision).unwrap_or(u32::MAX)
    }

    /// The release's name.
    pub fn name(&self) -> &str {
        self.body["name"].as_str().unwrap_or_default()
    }

    /// Its state.
    pub fn status(&self) -> Status {
        serde_json::from_value(self.body["info"]["status"].clone()).unwrap_or(Status::Unknown)
    }

    /// What came of it, for people.
    pub fn description(&self) -> &str {
        self.info("description")
    }

    /// When it was last written to the cluster; RFC 3339.
    pub fn last_deployed(&self) -> &str {
        self.info("last_deployed")
    }

    /// When what is under way began; RFC 3339. A removal leaves when it was deployed as it was.
    pub fn began(&self) -> &str {
        match self.info("deleted") {
            deleted if self.status() == Status::Uninstalling && !deleted.is_empty() => deleted,
            _ => self.last_deployed(),
        }
    }

    /// When the release was first deployed; RFC 3339.
    pub fn first_deployed(&self) -> Option<String> {
        let text = self.info("first_deployed");
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The revision that this one brought back.
    pub fn rollback_revision(&self) -> Option<u64> {
        self.body["info"]["rollback_revision"].as_u64()
    }

    /// `orders-0.1.0`, as `helm list` shows it.
    pub fn chart(&self) -> String {
        let metadata = &self.body["chart"]["metadata"];
        let text = |member: &str| metadata[member].as_str().unwrap_or("?").to_owned();
        format!("{}-{}", text("name"), text("version"))
    }

    /// The version of what the chart deploys.
    pub fn app_version(&self) -> &str {
        let version = &self.body["chart"]["metadata"]["appVersion"];
        version.as_str().unwrap_or_default()
    }

    /// The image that its values name by digest: its own, else those of its chart.
    pub fn image(&self) -> Option<ImageReference> {
        let values = [&self.body["config"], &self.body["chart"]["values"]];
        let text = |member: &str| {
            let mut texts = values.iter().filter_map(|it| it["image"][member].as_str());
            texts.next().unwrap_or_default().to_owned()
        };
        Some(ImageReference {
            repository: Some(text("repository")).filter(|text| !text.is_empty())?,
            tag: text("tag"),
            digest: Digest::parse(&text("digest")).ok()?,
        })
    }

    /// The objects as YAML.
    pub fn manifest(&self) -> &str {
        self.body["manifest"].as_str().unwrap_or_default()
    }

    /// The objects.
    ///
    /// # Errors
    /// When the record holds no valid YAML.
    pub fn objects(&self) -> Result<Vec<ReleaseObject>> {
        manifest::parse(self.manifest())
    }

    /// The hooks.
    ///
    /// # Errors
    /// When the record holds no valid YAML.
    pub fn hooks(&self) -> Result<Vec<Hook>> {
        let hooks = self.body["hooks"].as_array().map(Vec::as_slice);
        let mut found = Vec::new();
        for hook in hooks.unwrap_or_default() {
            let text = |member: &str| hook[member].as_str().unwrap_or_default().to_owned();
            let words = |member: &str| -> Vec<String> {
                let list = hook[member].as_array().map(Vec::as_slice);
                let words = list.unwrap_or_default().iter().filter_map(Value::as_str);
                words.map(str::to_owned).collect()
            };
            for object in manifest::parse(&text("manifest"))? {
                found.push(Hook {
                    object: ReleaseObject {
                        source: text("path"),
                        text: text("manifest"),
                        value: object.value,
                    },
                    events: words("events"),
                    weight: hook["weight"]
                        .as_i64()
                        .and_then(|weight| i32::try_from(weight).ok())
                        .unwrap_or_default(),
                    delete_policies: words("delete_policies"),
                });
            }
        }
        Ok(found)
    }

    /// Whether both would put the same into the cluster.
    pub fn deploys_the_same(&self, other: &Self) -> bool {
        let hooks = |record: &Self| -> Vec<Value> {
            let hooks = record.body["hooks"].as_array().map(Vec::as_slice);
            let texts = hooks.unwrap_or_default().iter();
            texts.map(|hook| hook["manifest"].clone()).collect()
        };
        self.manifest() == other.manifest()
            && hooks(self) == hooks(other)
            && self.body["config"] == other.body["config"]
    }

    /// Says what became of it.
    pub fn settle(&mut self, status: Status, description: impl Into<String>) {
        self.body["info"]["status"] = status.word().into();
        self.body["info"]["description"] = description.into().into();
    }

    /// Notes how a hook went: `Running`, `Succeeded` or `Failed`.
    pub fn note_hook(&mut self, kind: &str, name: &str, phase: &str) {
        let hooks = self.body["hooks"].as_array_mut();
        let mut hooks = hooks.into_iter().flatten();
        let found = hooks.find(|hook| hook["kind"] == kind && hook["name"] == name);
        if let Some(hook) = found {
            let started = hook["last_run"]["started_at"].clone();
            hook["last_run"] = match (phase, started) {
                ("Running", _) | (_, Value::Null) => json!({"started_at": now(), "phase": phase}),
                (_, started) => {
                    json!({"started_at": started, "completed_at": now(), "phase": phase})
                }
            };
        }
    }

    fn info(&self, member: &str) -> &str {
        self.body["info"][member].as_str().unwrap_or_default()
    }
}

/// The time as Helm writes it.
pub fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.format(&Rfc3339).unwrap_or_default()
}

fn chart_json(chart: &Chart) -> Value {
    let files = |files: &[ChartFile]| -> Vec<Value> {
        let json = files
            .iter()
            .map(|file| json!({"name": file.path, "data": STANDARD.encode(&file.bytes)}));
        json.collect()
    };
    json!({
        "metadata": chart.metadata,
        "lock": null,
        "templates": files(&chart.templates),
        "values": chart.values,
        "schema": chart.schema.as_ref().map(|schema| STANDARD.encode(schema)),
        "schemamodtime": "0001-01-01T00:00:00Z",
        "files": files(&chart.files),
    })
}

fn hook_json(hook: &Hook) -> Value {
    let value = &hook.object.value;
    json!({
        "name": value["metadata"]["name"],
        "kind": value["kind"],
        "path": hook.object.source,
        "manifest": hook.object.text,
        "events": hook.events,
        "last_run": {"phase": ""},
        "weight": hook.weight,
        "delete_policies": hook.delete_policies,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::release::RenderedRelease;

    fn spec() -> ReleaseSpec {
        ReleaseSpec {
            name: "orders".to_owned(),
            namespace: "shop".to_owned(),
            chart: Chart {
                metadata: json!({"name": "orders", "version": "0.1.0", "appVersion": "1"}),
                values: json!({}),
                schema: None,
                templates: Vec::new(),
                files: Vec::new(),
            },
            config: json!({"a": 1}),
            rendered: RenderedRelease {
                definitions: Vec::new(),
                objects: manifest::parse("kind: A\nmetadata: {name: one}\n").unwrap(),
                hooks: Vec::new(),
                notes: String::new(),
            },
        }
    }

    fn record() -> Record {
        Record::of_spec(
            &spec(),
            &NewRecord {
                revision: 3,
                status: Status::PendingUpgrade,
                description: "Preparing upgrade".to_owned(),
                holder: "someone",
                workspace: "shop",
                first_deployed: None,
            },
        )
    }

    #[test]
    fn a_record_survives_its_secret() {
        let record = record();
        let secret = record.secret("shop", "createdAt").unwrap();
        assert_eq!(secret["metadata"]["name"], "sh.helm.release.v1.orders.v3");
        assert_eq!(secret["metadata"]["labels"]["status"], "pending-upgrade");
        assert_eq!(Record::of_secret(&secret).unwrap(), record);
    }

    #[test]
    fn a_record_that_was_brought_back_says_from_which_revision() {
        let back = record().brought_back(&NewRecord {
            revision: 5,
            status: Status::PendingRollback,
            description: "Rollback to 3".to_owned(),
            holder: "someone",
            workspace: "shop",
            first_deployed: Some("2026-01-01T00:00:00Z".to_owned()),
        });
        assert_eq!(back.rollback_revision(), Some(3));
        assert_eq!(back.revision(), 5);
        assert!(back.deploys_the_same(&record()));
    }

    #[test]
    fn an_unknown_status_is_no_error() {
        let mut body = record();
        body.body["info"]["status"] = "dreaming".into();
        assert_eq!(body.status(), Status::Unknown);
    }
}
