//! The JSON Schemas of our files, for editors and for people.

use serde_json::{Value as Json, json};

use super::blueprint_file::BlueprintFile;
use super::environment::EnvironmentFile;
use super::lock_file::LockFile;
use super::overlay;
use super::resource_file::ResourceTypeFile;
use super::schema_check::{EXPECTED, schema_of};
use super::service_file::ServiceFile;
use super::workspace::WorkspaceFile;

/// Where the published schemas lie. The path holds the version of the format and not that of
/// the program: a schema only grows until the format gets another version.
const ADDRESS: &str = "https://raw.githubusercontent.com/gantline/gantline/main/docs/schemas/v1";

/// A kind of file that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// gantline.yaml
    Workspace,
    /// service.yaml
    Service,
    /// service.ENV.yaml
    Overlay,
    /// environments/NAME.yaml
    Environment,
    /// blueprint.yaml
    Blueprint,
    /// A resource type of the catalogue
    ResourceType,
    /// .gantline/lock.yaml
    Lock,
}

impl Kind {
    /// All kinds, the most used first.
    pub const ALL: [Self; 7] = [
        Self::Workspace,
        Self::Service,
        Self::Overlay,
        Self::Environment,
        Self::Blueprint,
        Self::ResourceType,
        Self::Lock,
    ];

    /// The kind as it is named on the command line and in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Service => "service",
            Self::Overlay => "overlay",
            Self::Environment => "environment",
            Self::Blueprint => "blueprint",
            Self::ResourceType => "resource-type",
            Self::Lock => "lock",
        }
    }

    /// The file that it describes.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Workspace => "gantline.yaml",
            Self::Service => "service.yaml",
            Self::Overlay => "service.ENV.yaml",
            Self::Environment => "environments/*.yaml",
            Self::Blueprint => "blueprint.yaml",
            Self::ResourceType => "templates/resources/*.yaml",
            Self::Lock => ".gantline/lock.yaml",
        }
    }

    /// The address under which editors find the schema.
    pub fn address(self) -> String {
        format!("{ADDRESS}/{}.json", self.name())
    }

    /// The first line of a file of this kind, which tells editors where its schema is.
    pub fn line(self) -> String {
        format!("# yaml-language-server: $schema={}", self.address())
    }

    /// The schema itself.
    pub fn schema(self) -> Json {
        let schema = match self {
            Self::Workspace => schema_of::<WorkspaceFile>(),
            Self::Service => schema_of::<ServiceFile>(),
            Self::Overlay => overlay::schema(),
            Self::Environment => schema_of::<EnvironmentFile>(),
            Self::Blueprint => schema_of::<BlueprintFile>(),
            Self::ResourceType => schema_of::<ResourceTypeFile>(),
            Self::Lock => schema_of::<LockFile>(),
        };
        let mut published = for_editors(schema);
        if let Some(fields) = published.as_object_mut() {
            fields.insert("$id".to_owned(), json!(self.address()));
        }
        published
    }
}

/// Our own keyword becomes the one that editors know.
fn for_editors(schema: Json) -> Json {
    match schema {
        Json::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| match value {
                Json::String(expected) if key == EXPECTED => (
                    "patternErrorMessage".to_owned(),
                    json!(format!("expected {expected}")),
                ),
                value => (key, for_editors(value)),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Json::Array(items) => items.into_iter().map(for_editors).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_one_and_describes_every_key() {
        for kind in Kind::ALL {
            let schema = kind.schema();
            assert!(jsonschema::meta::is_valid(&schema), "{}", kind.name());
            let properties = schema["properties"].as_object().unwrap();
            for (key, property) in properties {
                assert!(
                    property.get("description").is_some(),
                    "{} {key}",
                    kind.name()
                );
            }
        }
    }
}
