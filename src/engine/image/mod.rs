//! Images made and taken apart by ourselves, without a daemon (OCI image specification 1.1).
//!
//! Everything in them is fixed by what goes in: no date, no order of a directory, no name of this
//! machine. The same input gives the same digest.

pub mod base;
mod cache;
mod layer;
pub mod native;
mod pack;
mod settings;

pub use layer::{Layer, compressed, known, program_archive, uncompressed};
pub use pack::{Packed, PackedIndex, pack, pack_index, push};
pub use settings::Settings;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::model::image::{Digest, Platform};

/// The date in every image: the one that means none.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// Members of a base's configuration that an image inherits.
const INHERITED: [&str; 12] = [
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "Healthcheck",
    "Shell",
    "ArgsEscaped",
];

/// An image of one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// What it runs on.
    pub platform: Platform,
    /// What a container of it is started with: the member `config` of its configuration.
    pub settings: Map<String, Value>,
    /// Its layers, lowest first.
    pub layers: Vec<Layer>,
    /// How each layer came about, where that is known.
    pub history: Vec<Value>,
    /// What its manifest says about it.
    pub annotations: std::collections::BTreeMap<String, String>,
}

impl Image {
    /// An image as its configuration and its layers describe it. Members that say where and when
    /// it was built are left out.
    pub fn of(platform: Platform, configuration: &Value, layers: Vec<Layer>) -> Self {
        let set = |member: &&&str| !configuration["config"][**member].is_null();
        let settings = INHERITED.iter().filter(set).map(|&member| {
            let value = configuration["config"][member].clone();
            (member.to_owned(), value)
        });
        let history = configuration["history"].as_array().into_iter().flatten();
        // What is no object tells nothing, and has no place for a date.
        let history = history.filter(|entry| entry.is_object());
        Self {
            platform,
            settings: settings.collect(),
            history: history.map(undated).collect(),
            layers,
            annotations: std::collections::BTreeMap::new(),
        }
    }

    /// Adds a layer, and how it came about.
    pub fn add(&mut self, layer: Layer, how: &str) {
        self.layers.push(layer);
        self.history
            .push(json!({"created": CREATED, "created_by": how}));
    }

    /// The configuration, as the image specification wants it.
    fn configuration(&self) -> Value {
        let mut configuration = json!({
            "created": CREATED,
            "architecture": self.platform.architecture,
            "os": self.platform.system,
        });
        if let Some(variant) = &self.platform.variant {
            configuration["variant"] = json!(variant);
        }
        let layers: Vec<&Digest> = self.layers.iter().map(|layer| &layer.content).collect();
        configuration["config"] = Value::Object(self.settings.clone());
        configuration["rootfs"] = json!({"type": "layers", "diff_ids": layers});
        let full = |entry: &&Value| entry["empty_layer"] != json!(true);
        // A history that does not fit the layers is none.
        if self.history.iter().filter(full).count() == self.layers.len() {
            configuration["history"] = json!(self.history);
        }
        configuration
    }
}

/// The digests of the archives in an image's layers, lowest first, as its configuration has them.
///
/// # Errors
/// When it names another number of them than there are layers, or no digests.
pub fn contents(configuration: &Value, layers: usize) -> Result<Vec<Digest>> {
    let named = configuration["rootfs"]["diff_ids"].as_array();
    let named = named.ok_or_else(|| {
        Error::failed("its configuration names no layers: it may be something else than an image")
    })?;
    if named.len() != layers {
        let number = named.len();
        return Err(Error::failed(format!(
            "its manifest has {layers} layers, and its configuration {number}"
        )));
    }
    let digests = named.iter().map(|digest| {
        let text = digest.as_str().unwrap_or_default();
        Digest::parse(text).map_err(|error| Error::failed(error.to_string()))
    });
    digests.collect()
}

/// An entry of a history without its date.
fn undated(entry: &Value) -> Value {
    let mut entry = entry.clone();
    entry["created"] = json!(CREATED);
    entry
}
