//! Release records as Helm 4 keeps them: one Secret for each revision, which holds the release as
//! JSON, compressed and twice encoded.
//!
//! A record that Helm wrote keeps what we do not know of it: records are read and written as JSON
//! values. Format: `pkg/release/v1` and `pkg/storage/driver` of Helm 4; Helm 3 wrote the same
//! without `apply_method`.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::manifest;
use super::objects::{ListQuery, ObjectKey, Objects};
use crate::error::{Error, Result};
use crate::model::release::{Chart, ChartFile, Hook, ReleaseObject, ReleaseSpec};

/// The annotation that tells who wrote a record of gantline's; Helm's own have none.
pub const HOLDER: &str = "gantline.dev/holder";
/// The first bytes of what gzip wrote.
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];
/// The largest record that is read, in bytes of JSON: a bound against one made to fill the memory.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The state of a revision, in Helm's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is what runs.
    Deployed,
    /// A newer one was deployed.
    Superseded,
    /// It was not deployed.
    Failed,
    /// The first deployment is under way, or was abandoned.
    PendingInstall,
    /// A deployment is under way, or was abandoned.
    PendingUpgrade,
    /// A rollback is under way, or was abandoned.
    PendingRollback,
    /// It is being removed, or that was abandoned.
    Uninstalling,
    /// It was removed, and its history kept.
    Uninstalled,
    /// Any other.
    #[serde(other)]
    Unknown,
}

impl Status {
    /// Whether something is under way, or was abandoned.
    pub fn is_pending(self) -> bool {
        matches!(
            self,
            Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback
        )
    }

    /// The word in records and labels.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
            Self::Uninstalling => "uninstalling",
            Self::Uninstalled => "uninstalled",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.word())
    }
}

/// One revision of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The release as Helm writes it.
    body: Value,
    /// Labels of the Secret beyond Helm's own.
    labels: BTreeMap<String, String>,
    /// Who wrote it, where gantline did.
    pub holder: Option<String>,
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

    /// The objects as YAML.
    pub fn manifest(&self) -> &str {
        self.body["manifest"].as_str().unwrap_or_default()
    }

    /// Whether its objects were applied on the server's side.
    pub fn is_server_side(&self) -> bool {
        self.body["apply_method"] == "ssa"
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

    fn key(&self, namespace: &str) -> ObjectKey {
        let name = format!("sh.helm.release.v1.{}.v{}", self.name(), self.revision());
        ObjectKey::namespaced("v1", "Secret", namespace, &name)
    }

    fn secret(&self, namespace: &str, stamp: &str) -> Result<Value> {
        let key = self.key(namespace);
        let mut labels = self.labels.clone();
        let own = [
            (
                stamp,
                OffsetDateTime::now_utc().unix_timestamp().to_string(),
            ),
            ("name", self.name().to_owned()),
            ("owner", "helm".to_owned()),
            ("status", self.status().word().to_owned()),
            ("version", self.revision().to_string()),
        ];
        labels.extend(own.map(|(label, value)| (label.to_owned(), value)));
        let mut metadata = json!({"name": key.name, "namespace": namespace, "labels": labels});
        if let Some(holder) = &self.holder {
            metadata["annotations"] = json!({HOLDER: holder});
        }
        if let Some(version) = &self.resource_version {
            metadata["resourceVersion"] = version.as_str().into();
        }
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": "helm.sh/release.v1",
            "data": {"release": STANDARD.encode(encode(&self.body)?)},
        }))
    }

    fn of_secret(secret: &Value) -> Result<Self> {
        let metadata = &secret["metadata"];
        let unreadable = || {
            let name = metadata["name"].as_str().unwrap_or("?");
            Error::failed(format!("the release record `{name}` cannot be read"))
        };
        let data = secret["data"]["release"].as_str().ok_or_else(unreadable)?;
        let text = STANDARD
            .decode(data)
            .map_err(|error| unreadable().because(error))?;
        let body = decode(&text).map_err(|error| unreadable().since(error))?;
        let mut labels: BTreeMap<String, String> =
            serde_json::from_value(metadata["labels"].clone()).unwrap_or_default();
        for own in [
            "name",
            "owner",
            "status",
            "version",
            "createdAt",
            "modifiedAt",
        ] {
            labels.remove(own);
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Self {
            body,
            labels,
            holder: text(&metadata["annotations"][HOLDER]),
            resource_version: text(&metadata["resourceVersion"]),
        })
    }
}

/// All revisions of a release, oldest first.
///
/// # Errors
/// When the cluster cannot be asked, or a record cannot be read.
pub async fn load(objects: &dyn Objects, namespace: &str, name: &str) -> Result<Vec<Record>> {
    let query = ListQuery {
        api_version: "v1",
        kind: "Secret",
        namespace,
        labels: &format!("owner=helm,name={name}"),
    };
    let secrets = objects.list(&query).await?;
    let mut records: Vec<Record> = secrets
        .iter()
        .map(Record::of_secret)
        .collect::<Result<_>>()?;
    records.sort_by_key(Record::revision);
    Ok(records)
}

/// Stores a new revision. `false` when there is one of that number, of someone else's.
///
/// # Errors
/// When the cluster refuses.
pub async fn create(objects: &dyn Objects, namespace: &str, record: &mut Record) -> Result<bool> {
    let key = record.key(namespace);
    let secret = record.secret(namespace, "createdAt")?;
    let stored = match objects.create(&key, &secret).await? {
        Some(stored) => stored,
        // An answer may get lost on its way: then it is there, and ours.
        None => match objects.get(&key).await? {
            Some(found) if found["data"] == secret["data"] => found,
            _ => return Ok(false),
        },
    };
    record.resource_version = version_of(&stored);
    Ok(true)
}

/// Stores what became of a revision, over whatever is stored.
///
/// # Errors
/// When the cluster refuses, or the record is gone.
pub async fn update(objects: &dyn Objects, namespace: &str, record: &mut Record) -> Result<()> {
    let key = record.key(namespace);
    for _ in 0..3 {
        let secret = record.secret(namespace, "modifiedAt")?;
        if let Some(stored) = objects.replace(&key, &secret).await? {
            record.resource_version = version_of(&stored);
            return Ok(());
        }
        match objects.get(&key).await? {
            Some(found) if found["data"] == secret["data"] => {
                record.resource_version = version_of(&found);
                return Ok(());
            }
            Some(found) => record.resource_version = version_of(&found),
            None => break,
        }
    }
    Err(Error::failed(format!(
        "the record of revision {} of {} was removed or changed by someone else",
        record.revision(),
        record.name()
    )))
}

/// Removes a revision's record.
///
/// # Errors
/// When the cluster refuses.
pub async fn remove(objects: &dyn Objects, namespace: &str, record: &Record) -> Result<()> {
    objects.delete(&record.key(namespace)).await
}

fn version_of(object: &Value) -> Option<String> {
    let version = object["metadata"]["resourceVersion"].as_str();
    version.map(str::to_owned)
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

fn encode(body: &Value) -> Result<String> {
    let failed = |error| Error::failed("cannot write a release record").because(error);
    let json = serde_json::to_vec(body)
        .map_err(|error| Error::failed("cannot write a release record").because(error))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&json).map_err(failed)?;
    Ok(STANDARD.encode(encoder.finish().map_err(failed)?))
}

fn decode(text: &[u8]) -> Result<Value, String> {
    let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let json = if bytes.starts_with(&GZIP) {
        let mut json = Vec::new();
        let mut decoder = GzDecoder::new(bytes.as_slice()).take(LARGEST);
        let read = decoder.read_to_end(&mut json);
        read.map_err(|error| error.to_string())?;
        json
    } else {
        bytes
    };
    serde_json::from_slice(&json).map_err(|error| error.to_string())
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
