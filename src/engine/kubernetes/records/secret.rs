//! A record as a Secret: JSON, compressed, twice encoded.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Record;
use crate::engine::kubernetes::objects::ObjectKey;
use crate::error::{Error, Result};

/// The annotation that tells who wrote a record of gantline's; Helm's own have none.
pub const HOLDER: &str = "gantline.dev/holder";
/// The annotation that tells which workspace a record of gantline's was deployed from.
pub const WORKSPACE: &str = "gantline.dev/workspace";
/// The first bytes of what gzip wrote.
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];
/// The largest record that is read, in bytes of JSON: a bound against one made to fill the memory.
const LARGEST: u64 = 64 * 1024 * 1024;

impl Record {
    pub(super) fn key(&self, namespace: &str) -> ObjectKey {
        let name = format!("sh.helm.release.v1.{}.v{}", self.name(), self.revision());
        ObjectKey::namespaced("v1", "Secret", namespace, &name)
    }

    pub(super) fn secret(&self, namespace: &str, stamp: &str) -> Result<Value> {
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
        for (annotation, value) in [(HOLDER, &self.holder), (WORKSPACE, &self.workspace)] {
            if let Some(value) = value {
                metadata["annotations"][annotation] = value.as_str().into();
            }
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

    pub(super) fn of_secret(secret: &Value) -> Result<Self> {
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
        // What becomes of a revision is written there.
        let has_a_place = matches!(body["info"], Value::Null | Value::Object(_));
        if !(body.is_object() && has_a_place) {
            return Err(unreadable().since("it holds no release"));
        }
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
            workspace: text(&metadata["annotations"][WORKSPACE]),
            resource_version: text(&metadata["resourceVersion"]),
        })
    }
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
