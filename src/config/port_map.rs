//! `ports` of `service.yaml`: numbers by name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::schema_check::EXPECTED;
use crate::model::project::Ports;

/// The port of health and metrics where a blueprint names none.
const ADMIN: u16 = 9090;

/// The names that a service made from a blueprint has.
pub const OF_BLUEPRINTS: [&str; 2] = ["http", "admin"];

/// Where a service listens, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct PortMap(pub BTreeMap<String, u16>);

impl JsonSchema for PortMap {
    fn schema_name() -> Cow<'static, str> {
        "Ports".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let port = |description: &str| {
            json_schema!({
                "description": description, "type": "integer", "minimum": 1024, "maximum": 65535,
            })
        };
        json_schema!({
            "type": "object",
            "properties": {
                "http": port("The public listener."),
                "admin": port("Health, metrics and profiles."),
            },
            "additionalProperties": port("Of a container: a listener, by what it speaks."),
            "propertyNames": {
                "pattern": "^[a-z][a-z0-9]{0,14}$",
                EXPECTED: "the name of a port: at most 15 lower-case letters and digits",
            },
        })
    }
}

impl PortMap {
    /// The port of a name.
    pub fn get(&self, name: &str) -> Option<u16> {
        self.0.get(name).copied()
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(String::as_str)
    }

    /// The ports of a service made from a blueprint, with the blueprint's where none are given.
    pub fn of_blueprint(&self, defaults: &BTreeMap<String, u16>) -> Ports {
        let port = |name: &str| self.get(name).or_else(|| defaults.get(name).copied());
        Ports {
            http: port("http"),
            admin: Some(port("admin").unwrap_or(ADMIN)),
            others: BTreeMap::new(),
        }
    }

    /// The ports of a container: those that are given.
    pub fn of_container(&self) -> Ports {
        let mut others = self.0.clone();
        Ports {
            http: others.remove("http"),
            admin: others.remove("admin"),
            others,
        }
    }
}
