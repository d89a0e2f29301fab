//! Objects as YAML text, the way a release record keeps them.

use crate::error::{Error, Result};
use crate::model::kubernetes_yaml;
use crate::model::release::ReleaseObject;

/// The comment that names the template of a document.
const SOURCE: &str = "# Source: ";

/// The objects of a stream of YAML documents; empty documents are left out.
///
/// # Errors
/// When a document is no YAML.
pub fn parse(manifest: &str) -> Result<Vec<ReleaseObject>> {
    let mut objects = Vec::new();
    for document in documents(manifest) {
        let value = kubernetes_yaml::read(&document).map_err(|problem| {
            Error::failed("a release record holds no valid YAML").since(problem.message)
        })?;
        if value.is_null() {
            continue;
        }
        let source = document.lines().find_map(|line| line.strip_prefix(SOURCE));
        objects.push(ReleaseObject {
            source: source.unwrap_or_default().to_owned(),
            text: body(&document),
            value,
        });
    }
    Ok(objects)
}

/// The documents between lines that begin with `---`.
fn documents(manifest: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in manifest.lines() {
        match (line.starts_with("---"), documents.last_mut()) {
            (false, Some(last)) => {
                last.push_str(line);
                last.push('\n');
            }
            _ => documents.push(String::new()),
        }
    }
    documents.retain(|it| !it.trim().is_empty());
    documents
}

/// The document without the comment that names its source.
fn body(document: &str) -> String {
    let kept: Vec<&str> = document
        .lines()
        .skip_while(|line| line.starts_with(SOURCE))
        .collect();
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_mode_is_a_number_as_it_was_when_it_was_deployed() {
        let objects = parse("kind: A\nmode: 0440\nname: \"no\"\n").unwrap();
        assert_eq!(objects[0].value["mode"], 0o440);
        assert_eq!(objects[0].value["name"], "no");
    }

    #[test]
    fn a_manifest_gives_its_objects_with_their_sources() {
        let text = "---\n# Source: orders/templates/a.yaml\nkind: A\nmetadata:\n  name: one\n---\n# only a comment\n---\n# Source: orders/templates/b.yaml\nkind: B\n";
        let objects = parse(text).unwrap();
        assert_eq!(objects.len(), 2);
        assert_eq!(objects[0].title(), "A/one");
        assert_eq!(objects[0].source, "orders/templates/a.yaml");
        assert_eq!(objects[1].text, "kind: B");
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;

    /// What a stream of documents is made of, also where it makes no sense.
    const PIECES: &[&str] = &[
        "---",
        "--- # x",
        "...",
        "\n",
        "\r\n",
        "# Source: ",
        "orders/templates/a.yaml",
        "kind: A",
        "metadata:",
        "  name: one",
        "metadata: {name: [1]}",
        "|-",
        "- ",
        "&a ",
        "*a",
        "<<: ",
        "{",
        "}",
        "\"",
        "'",
        "\t",
        "? ",
        "!!binary ",
        "0440",
        "~",
        "\u{feff}",
        "\u{e9}",
    ];

    proptest! {
        #[test]
        fn no_manifest_makes_its_reader_panic(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40),
        ) {
            for object in parse(&pieces.concat()).unwrap_or_default() {
                let _ = object.title();
                // A record keeps it as text, and it is read again from there.
                prop_assert!(parse(&object.text).is_ok(), "{}", object.text);
            }
        }
    }
}
