//! What runs in a service that is made from no blueprint: a vendor's image, or the image of an
//! existing Dockerfile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::image::Digest;

/// The user that a container runs as unless its manifest names another: as in generated images.
pub const DEFAULT_USER: u32 = 65_532;
/// What a writable folder may hold unless its manifest says otherwise, in MiB.
pub const DEFAULT_FOLDER_SIZE: u32 = 64;

/// A service without a blueprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Where its image comes from.
    pub origin: Origin,
    /// What runs in place of the image's entry point; its own when empty.
    pub command: Vec<String>,
    /// The arguments in place of the image's own; those when empty.
    pub args: Vec<String>,
    /// Who it runs as.
    pub user: User,
    /// Folders that it can write to, besides `/tmp`.
    pub writable: Vec<WritableFolder>,
    /// What proves that it serves.
    pub health: Health,
    /// The roles of `uses` in which it owns the schema: it brings that up to date by itself.
    pub owns: BTreeSet<String>,
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A vendor's registry has it.
    Image(VendorImage),
    /// BuildKit makes it from a Dockerfile of the workspace.
    Build(BuildSource),
}

/// An image that others make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorImage {
    /// Its name.
    pub name: ImageName,
    /// The Secrets that it is pulled with in a cluster.
    pub pull_secrets: Vec<String>,
}

/// `nginx:1.27`, `ghcr.io/acme/tool:2@sha256:...`: an image that is always the same, as far as
/// its registry keeps its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    /// The registry, where one is named, and the repository.
    pub repository: String,
    /// The tag, which says which version it is.
    pub tag: String,
    /// The digest, which decides where one is given.
    pub digest: Option<Digest>,
}

/// What the name of an image, or of a repository, consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageNameParts<'a> {
    /// The registry, where one is named, and the repository.
    pub repository: &'a str,
    /// The registry: `localhost:5000`.
    pub registry: Option<&'a str>,
    /// The repository within the registry: `acme/tool`.
    pub path: &'a str,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest.
    pub digest: Option<Digest>,
}

/// Why a text names no image, or none that stays the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoImageName {
    /// It is written in another way.
    #[error("an image is [REGISTRY/]REPOSITORY:TAG, and may have @sha256:DIGEST after it")]
    Malformed,
    /// No tag.
    #[error("without a tag nobody can tell which version it is")]
    Untagged,
    /// The tag `latest`.
    #[error("the tag `latest` is another image from one day to the next")]
    Latest,
}

/// The source of an image: what BuildKit is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSource {
    /// The folder that is sent, relative to the workspace; empty for the workspace itself.
    pub context: PathBuf,
    /// The Dockerfile, relative to the context.
    pub dockerfile: PathBuf,
    /// The stage that is built; the last one without.
    pub target: Option<String>,
    /// Arguments of the build. They end up in the image's history: no place for secrets.
    pub args: BTreeMap<String, String>,
}

/// A user of a container, never root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct User {
    /// Its number.
    pub id: u32,
    /// Its group's number.
    pub group: u32,
}

/// A folder that a container can write to until it ends.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WritableFolder {
    /// Its absolute path.
    pub path: String,
    /// What it may hold, in MiB.
    pub size: u32,
}

/// What proves that a container serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// GET of this path on this named port gives a 2xx status.
    Http {
        /// A key of `ports`.
        port: String,
        /// The path.
        path: String,
        /// Another path, which tells whether it lives at all.
        live: Option<String>,
    },
    /// This named port takes a connection and keeps it.
    Tcp {
        /// A key of `ports`.
        port: String,
    },
    /// This program in the container ends well.
    Exec(Vec<String>),
}

impl<'a> ImageNameParts<'a> {
    /// Reads a name (the grammar of github.com/distribution/reference, without its upper bounds).
    ///
    /// # Errors
    /// When it is no name.
    pub fn parse(text: &'a str) -> Result<Self, NoImageName> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest = Digest::parse(digest).map_err(|_| NoImageName::Malformed)?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (rest, None),
        };
        let (registry, path) = split_registry(repository);
        let is_repository = registry.is_none_or(is_registry) && path.split('/').all(is_path_part);
        if !is_repository || tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(NoImageName::Malformed);
        }
        Ok(Self {
            repository,
            registry,
            path,
            tag,
            digest,
        })
    }
}

impl ImageName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is no name, or its image would be another one tomorrow.
    pub fn parse(text: &str) -> Result<Self, NoImageName> {
        let parts = ImageNameParts::parse(text)?;
        match parts.tag {
            None => Err(NoImageName::Untagged),
            Some("latest") => Err(NoImageName::Latest),
            Some(tag) => Ok(Self {
                repository: parts.repository.to_owned(),
                tag: tag.to_owned(),
                digest: parts.digest,
            }),
        }
    }
}

impl std::fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.repository, self.tag)?;
        match &self.digest {
            Some(digest) => write!(formatter, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// The registry that a repository names, and the rest.
fn split_registry(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(first), rest)
        }
        _ => (None, text),
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

/// Lower-case letters and digits, with `.`, `_`, `__` or hyphens between them.
fn is_path_part(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut separators = text.split(|letter: char| u8::try_from(letter).is_ok_and(is_word));
    let ends_are_words =
        text.bytes().next().is_some_and(is_word) && text.bytes().next_back().is_some_and(is_word);
    ends_are_words
        && separators.all(|between| {
            matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-')
        })
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(is_word)
        && text
            .bytes()
            .all(|byte| is_word(byte) || b".-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_with_a_tag_and_perhaps_a_digest() {
        let digest = Digest::of(b"");
        for (text, repository, tag) in [
            ("nginx:1.27", "nginx", "1.27"),
            ("localhost:5000/a/b:x", "localhost:5000/a/b", "x"),
            ("ghcr.io/acme/a__b:V-1.0_x", "ghcr.io/acme/a__b", "V-1.0_x"),
            (&format!("nginx:1.27@{digest}"), "nginx", "1.27"),
        ] {
            let name = ImageName::parse(text).unwrap();
            assert_eq!((&*name.repository, &*name.tag), (repository, tag));
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn an_image_that_may_be_another_one_tomorrow_is_refused() {
        let digest = Digest::of(b"");
        for text in ["nginx".to_owned(), format!("nginx@{digest}")] {
            assert_eq!(ImageName::parse(&text), Err(NoImageName::Untagged));
        }
        let with_port = ImageName::parse("localhost:5000/nginx");
        assert_eq!(with_port, Err(NoImageName::Untagged));
        assert_eq!(ImageName::parse("nginx:latest"), Err(NoImageName::Latest));
    }

    #[test]
    fn what_no_registry_would_take_is_refused() {
        for text in [
            "",
            ":1",
            "Nginx:1",
            "nginx:",
            "nginx:-1",
            "a//b:1",
            "a/:1",
            "-a:1",
            "a.:1",
            "a._b:1",
            "nginx@sha256:12",
            "ghcr.io:0/a:1",
            "-x.io/a:1",
            "a b:1",
            "https://a/b:1",
        ] {
            assert_eq!(
                ImageName::parse(text),
                Err(NoImageName::Malformed),
                "{text}"
            );
        }
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_that_is_read_is_written_as_it_was(text in "[a-z0-9.:/@_-]{0,40}") {
            if let Ok(name) = ImageName::parse(&text) {
                prop_assert_eq!(name.to_string(), text);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = ImageName::parse(&text);
        }

        #[test]
        fn well_formed_names_are_read(
            registry in "([a-z]{1,8}\\.io(:[1-9][0-9]{0,3})?/)?",
            path in "[a-z0-9]{1,8}([._-][a-z0-9]{1,8})?(/[a-z0-9]{1,8})?",
            tag in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}",
        ) {
            prop_assume!(tag != "latest");
            let text = format!("{registry}{path}:{tag}");
            prop_assert_eq!(ImageName::parse(&text).map(|name| name.to_string()), Ok(text));
        }
    }
}
