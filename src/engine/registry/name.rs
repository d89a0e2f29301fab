//! Names of images and repositories, as Docker reads them.

use oci_client::Reference;

use crate::error::{Error, Result};
use crate::model::container::ImageNameParts;

/// The registry of names that name none.
const HUB: &str = "docker.io";
/// What it is called, too.
const HUB_OF_OLD: &str = "index.docker.io";

/// Reads the name of an image or a repository, whose tag is `latest` when it has neither tag nor
/// digest.
///
/// The client's own parser reads the same, and compiles a regular expression for it that takes more
/// than 10 MB.
///
/// # Errors
/// When it is no name.
pub fn reference(name: &str) -> Result<Reference> {
    let parts = ImageNameParts::parse(name).map_err(|error| {
        Error::invalid(format!("`{name}` is no name of a repository")).because(error)
    })?;
    let registry = parts.registry.filter(|registry| *registry != HUB_OF_OLD);
    let registry = registry.unwrap_or(HUB).to_owned();
    let repository = match registry == HUB && !parts.path.contains('/') {
        true => format!("library/{}", parts.path),
        false => parts.path.to_owned(),
    };
    let tag = parts.tag.map(str::to_owned);
    let digest = parts.digest.map(|digest| digest.to_string());
    Ok(match (tag, digest) {
        (Some(tag), Some(digest)) => {
            Reference::with_tag_and_digest(registry, repository, tag, digest)
        }
        (None, Some(digest)) => Reference::with_digest(registry, repository, digest),
        (tag, None) => {
            let tag = tag.unwrap_or_else(|| "latest".to_owned());
            Reference::with_tag(registry, repository, tag)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::image::Digest;

    #[test]
    fn names_are_read_as_the_clients_own_parser_reads_them() {
        let digest = Digest::of(b"");
        for name in [
            "nginx",
            "nginx:1.27",
            "acme/tool",
            "docker.io/nginx",
            "index.docker.io/nginx:1",
            "localhost/shop/orders",
            "localhost:5000/shop/orders:abc",
            "127.0.0.1:5000/a__b/c-d.e",
            "ghcr.io/acme/shop/orders",
            &format!("gcr.io/distroless/static@{digest}"),
            &format!("gcr.io/distroless/static:nonroot@{digest}"),
        ] {
            let expected: Reference = name.parse().unwrap();
            assert_eq!(reference(name).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "Shop/orders", "ghcr.io/", "a b"] {
            let error = reference(name).unwrap_err();
            let expected = format!("`{name}` is no name of a repository");
            assert_eq!(error.message(), expected);
        }
    }
}
