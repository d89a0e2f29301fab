//! Changes the blueprint that a `service.yaml` names; everything else stays as it is.

use super::tree;
use super::yaml::Document;
use crate::error::{Error, Result};
use crate::model::project::BlueprintReference;

/// The key of the manifest.
const BLUEPRINT: &str = "blueprint";

/// The text of a `service.yaml` with another version of its blueprint.
///
/// # Errors
/// When the value is written in a way that it cannot be replaced safely.
pub fn set_blueprint(document: &Document, reference: &BlueprintReference) -> Result<String> {
    let edited = replaced(document, &reference.to_string());
    edited.ok_or_else(|| {
        Error::invalid(format!(
            "`{BLUEPRINT}` of {} cannot be changed without changing the rest",
            document.file().display()
        ))
        .at(document.place(&[BLUEPRINT]))
        .hint(format!("Write `{BLUEPRINT}: {reference}` by hand"))
    })
}

/// The edited text, when it says what the old one said but for the blueprint.
fn replaced(document: &Document, value: &str) -> Option<String> {
    let span = document.root().find(&[BLUEPRINT])?.span.clone();
    let text = document.text();
    let edited = format!("{}{value}{}", &text[..span.start], &text[span.end..]);
    let after = tree::parse(&edited).faultless()?;
    let mut expected = document.root().to_json(false);
    *expected.get_mut(BLUEPRINT)? = value.into();
    (after.to_json(false) == expected).then_some(edited)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::name::Name;

    #[test]
    fn every_way_to_write_the_blueprint_is_kept() {
        let reference = BlueprintReference {
            name: Name::new("go-service").unwrap(),
            version: 2,
        };
        for (before, after) in [
            (
                "name: a # x\nblueprint: go-service@1 # mine\nenv: {}\n",
                "name: a # x\nblueprint: go-service@2 # mine\nenv: {}\n",
            ),
            ("blueprint: go-service", "blueprint: go-service@2"),
            (
                "{name: a, blueprint: go-service}\n",
                "{name: a, blueprint: go-service@2}\n",
            ),
            (
                "blueprint: \"go-service@1\"\r\nname: a\r\n",
                "blueprint: go-service@2\r\nname: a\r\n",
            ),
        ] {
            let document = Document::parse(Path::new("service.yaml"), before.as_bytes()).unwrap();
            assert_eq!(set_blueprint(&document, &reference).unwrap(), after);
        }
    }
}
