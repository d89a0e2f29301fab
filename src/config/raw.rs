//! Texts of files that follow a rule, each with the words in which a breach is explained.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::schema_check::EXPECTED;
use crate::model::name::{LONGEST_NAME, Name, NameError};

/// Gives a type the schema of a text with a pattern, and the words for it.
macro_rules! ruled {
    ($name:ident, $pattern:expr, $longest:expr, $expected:expr) => {
        impl $name {
            /// The pattern, and the words for it.
            pub const RULE: (&'static str, &'static str) = ($pattern, $expected);
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": $pattern,
                    "maxLength": $longest,
                    EXPECTED: $expected,
                })
            }
        }
    };
}

/// Declares a text with a pattern and the words for it.
macro_rules! ruled_text {
    ($(#[$documentation:meta])* $name:ident, $pattern:expr, $longest:expr, $expected:expr) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        ruled!($name, $pattern, $longest, $expected);
    };
}

/// A name, read once and for all: its schema says to editors what [`Name`] takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct NameText(pub Name);

impl TryFrom<String> for NameText {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Name::new(text).map(Self)
    }
}

ruled!(
    NameText,
    "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    LONGEST_NAME,
    "a name of at most 40 lower-case letters, digits and single hyphens, beginning with a letter"
);
ruled_text!(
    /// A key of `uses`, of `options`, or of a map in a catalogue file.
    WordText,
    "^[a-z][a-z0-9_]*$",
    40,
    "a word of lower-case letters, digits and underscores"
);
ruled_text!(
    /// `go-service` or `go-service@1`.
    BlueprintText,
    "^[a-z][a-z0-9]*(-[a-z0-9]+)*(@[1-9][0-9]{0,5})?$",
    60,
    "a blueprint as NAME or NAME@VERSION, such as `go-service@1`"
);
ruled_text!(
    /// A version of a blueprint.
    VersionText,
    "^[1-9][0-9]{0,5}$",
    6,
    "a version of the blueprint: a whole number"
);
ruled_text!(
    /// A folder below a service's.
    FolderText,
    "^[a-zA-Z0-9_][a-zA-Z0-9._-]*(/[a-zA-Z0-9_][a-zA-Z0-9._-]*)*$",
    200,
    "a folder of the service, such as `internal/postgres/migrations`"
);
ruled_text!(
    /// The name of an environment variable.
    VariableText,
    "^[A-Za-z_][A-Za-z0-9_]*$",
    128,
    "the name of an environment variable: letters, digits and underscores, not beginning with a digit"
);
ruled_text!(
    /// `SECRET/KEY` of a Kubernetes Secret.
    SecretText,
    "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[-._a-zA-Z0-9]+$",
    253,
    "SECRET/KEY of a Kubernetes Secret, such as `payment/api-key`"
);
ruled_text!(
    /// A Kubernetes quantity of CPU.
    CpuText,
    "^([0-9]+m|[0-9]+(\\.[0-9]{1,3})?)$",
    16,
    "an amount of CPU such as `100m` (a tenth of a core) or `\"2\"`"
);
ruled_text!(
    /// A Kubernetes quantity of memory.
    MemoryText,
    "^[1-9][0-9]*(Ki|Mi|Gi|Ti|k|M|G|T)$",
    16,
    "an amount of memory such as `256Mi` or `1Gi`"
);
ruled_text!(
    /// A path below which requests come in.
    PathText,
    "^/[-._~a-zA-Z0-9/]*$",
    1024,
    "a path that begins with `/`"
);
ruled_text!(
    /// `os/architecture`.
    PlatformText,
    "^linux/(amd64|arm64|arm/v7|ppc64le|s390x|riscv64)$",
    32,
    "a platform such as `linux/amd64` or `linux/arm64`"
);
ruled_text!(
    /// A Go module path.
    ModuleText,
    "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(/[-._~A-Za-z0-9]*[-_~A-Za-z0-9])*$",
    200,
    "a Go module path such as `github.com/acme/shop`"
);
ruled_text!(
    /// A registry and repository prefix of images.
    RegistryText,
    "^[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$",
    200,
    "the prefix of images, such as `ghcr.io/acme/shop`, without `https://` and in lower case"
);
ruled_text!(
    /// `FOLDER/*`.
    ServicesText,
    "^[a-zA-Z0-9_-][a-zA-Z0-9._-]*(/[a-zA-Z0-9_-][a-zA-Z0-9._-]*)*/\\*$",
    200,
    "a folder of services as `FOLDER/*`, such as `services/*`"
);

ruled_text!(
    /// A Kubernetes namespace.
    NamespaceText,
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    63,
    "a namespace: lower-case letters, digits and hyphens (a DNS label)"
);
ruled_text!(
    /// The name of a Kubernetes object.
    ObjectText,
    "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
    253,
    "the name of a Kubernetes object: lower-case letters, digits, hyphens and dots"
);
ruled_text!(
    /// A host.
    DomainText,
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    253,
    "a host in lower case, such as `staging.shop.example`"
);
ruled_text!(
    /// The UID of a Kubernetes object.
    UidText,
    "^[0-9a-fA-F-]{8,64}$",
    64,
    "the UID of the namespace kube-system, such as `8f1c6f0e-1f3b-4a53-9c39-0c8a1d2e3f40`"
);
ruled_text!(
    /// The fingerprint of a certificate.
    FingerprintText,
    "^sha256:[0-9a-f]{64}$",
    71,
    "`sha256:` and 64 hexadecimal digits"
);
ruled_text!(
    /// A Kubernetes quantity of storage.
    StorageText,
    "^[1-9][0-9]*(Mi|Gi|Ti)$",
    16,
    "an amount of storage such as `10Gi`"
);
ruled_text!(
    /// A folder or a file, relative to the service's folder.
    SourceText,
    "^[-._a-zA-Z0-9@+][-._a-zA-Z0-9@+/ ]*$",
    400,
    "a path relative to the service's folder, such as `.` or `../../web`"
);
ruled_text!(
    /// An absolute path in a container.
    MountText,
    "^(/[-._a-zA-Z0-9]+)+$",
    255,
    "an absolute path such as `/var/cache/nginx`"
);
ruled_text!(
    /// The name of a port, as Kubernetes takes it.
    PortText,
    "^[a-z][a-z0-9]{0,14}$",
    15,
    "the name of a port: at most 15 lower-case letters and digits, such as `http`"
);
ruled_text!(
    /// What a folder of a container may hold.
    SizeText,
    "^[1-9][0-9]{0,4}(Mi|Gi)$",
    16,
    "an amount such as `64Mi` or `1Gi`"
);

/// The rules of the texts that are keys of maps: a schema says their pattern, and no words.
pub const KEY_RULES: [(&str, &str); 3] = [NameText::RULE, WordText::RULE, VariableText::RULE];

impl SizeText {
    /// The amount in MiB.
    pub fn mebibytes(&self) -> Option<u32> {
        let (number, factor) = match self.0.strip_suffix("Gi") {
            Some(number) => (number, 1024),
            None => (self.0.trim_end_matches("Mi"), 1),
        };
        Some(number.parse::<u32>().ok()? * factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::yaml::Document;

    #[derive(Debug, Deserialize, JsonSchema)]
    struct Named {
        name: NameText,
    }

    #[test]
    fn the_schema_of_a_name_agrees_with_the_model() {
        let long = "x".repeat(LONGEST_NAME);
        let too_long = "x".repeat(LONGEST_NAME + 1);
        for text in [
            "orders",
            "order-line",
            "v2",
            &long,
            &too_long,
            "Orders",
            "a--b",
            "a-",
            "2a",
        ] {
            let yaml = format!("name: \"{text}\"\n");
            let document =
                Document::parse(std::path::Path::new("x.yaml"), yaml.as_bytes()).unwrap();
            let read = document.decode::<Named>().map(|named| named.name.0);
            assert_eq!(read.is_ok(), Name::new(text).is_ok(), "{text}");
            // What the schema lets through, and the model does not, has no good message.
            let message = read.map_or_else(|error| error.to_string(), |name| name.to_string());
            assert!(!message.contains("cannot be understood"), "{message}");
        }
    }
}
