//! Images: how one is named, and what tells it from any other.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The label, and the annotation of a manifest, with the hash of the source.
pub const REVISION: &str = "org.opencontainers.image.revision";
/// The label, and the annotation of a manifest, with the builder that made an image.
pub const BUILDER: &str = "dev.gantline.builder";
/// What every tag made from a source begins with, so that none can be read as a number.
const PREFIX: &str = "src-";
/// Digits of the hash in a tag: 64 bits.
const DIGITS: usize = 16;

/// The digest of a manifest, a configuration or a layer: `sha256:` and 64 hexadecimal digits.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
pub struct Digest(String);

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no digest: `sha256:` and 64 hexadecimal digits are")]
pub struct NoDigest(String);

impl Digest {
    /// Reads a digest.
    ///
    /// # Errors
    /// When it is none, or one of another algorithm than SHA-256.
    pub fn parse(text: &str) -> Result<Self, NoDigest> {
        let digits = text.strip_prefix("sha256:").unwrap_or_default();
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match digits.len() == 64 && digits.bytes().all(is_digit) {
            true => Ok(Self(text.to_owned())),
            false => Err(NoDigest(text.to_owned())),
        }
    }

    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hexadecimal(&Sha256::digest(bytes))))
    }

    /// The whole text, algorithm included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hexadecimal digits.
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches("sha256:")
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// An image in a registry. The digest alone says what runs; the tag says from which source.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ImageReference {
    /// The registry and the repository: `ghcr.io/acme/shop/orders`.
    pub repository: String,
    /// The tag, made by [`source_tag`].
    pub tag: String,
    /// The digest of the manifest, or of the index where there are several platforms.
    pub digest: Digest,
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}@{}",
            self.repository, self.tag, self.digest
        )
    }
}

/// What an image runs on: `linux/amd64`, `linux/arm/v7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(into = "String")]
pub struct Platform {
    /// `linux`.
    pub system: String,
    /// `amd64`, as Go and the image specification call it.
    pub architecture: String,
    /// `v7`, where an architecture has several.
    pub variant: Option<String>,
}

impl Platform {
    /// Reads `SYSTEM/ARCHITECTURE`, or `SYSTEM/ARCHITECTURE/VARIANT`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_owned);
        let platform = Self {
            system: parts.next().filter(|part| !part.is_empty())?,
            architecture: parts.next().filter(|part| !part.is_empty())?,
            variant: parts.next(),
        };
        parts.next().is_none().then_some(platform)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.system, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(formatter, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.to_string()
    }
}

/// The tag of the image of a source for these platforms: the same on every machine.
///
/// `source` is the hash of the source. The order of the platforms makes no difference.
pub fn source_tag(source: &str, platforms: &[String]) -> String {
    let mut platforms: Vec<&str> = platforms.iter().map(String::as_str).collect();
    platforms.sort_unstable();
    platforms.dedup();
    let named = format!("{source}\n{}\n", platforms.join("\n"));
    let digest = hexadecimal(&Sha256::digest(named));
    format!("{PREFIX}{}", &digest[..DIGITS])
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platforms(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_tag_depends_on_source_and_platforms_and_not_on_their_order() {
        let one = source_tag("ab", &platforms(&["linux/amd64"]));
        let both = source_tag("ab", &platforms(&["linux/amd64", "linux/arm64"]));
        assert_eq!(
            both,
            source_tag("ab", &platforms(&["linux/arm64", "linux/amd64"]))
        );
        assert_ne!(one, both);
        assert_ne!(one, source_tag("ac", &platforms(&["linux/amd64"])));
        // Other machines look for what this one pushed: the spelling is a format.
        assert_eq!(one, "src-66db814b448df41f");
    }

    #[test]
    fn a_platform_is_read_with_and_without_a_variant() {
        for text in ["linux/amd64", "linux/arm/v7"] {
            assert_eq!(Platform::parse(text).unwrap().to_string(), text);
        }
        for text in ["linux", "linux/", "/amd64", "linux/arm/v7/x"] {
            assert_eq!(Platform::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_digest_is_read_only_when_it_is_one() {
        let digest = Digest::of(b"");
        assert_eq!(
            digest.as_str(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(Digest::parse(digest.as_str()), Ok(digest));
        for text in ["", "sha256:", "sha256:E3", "sha512:00", "latest"] {
            assert!(Digest::parse(text).is_err(), "{text}");
        }
    }
}
