//! `${...}` placeholders of resource types.

use crate::error::{Error, Result};
use crate::model::stack::{Addresses, Piece, Template};

/// Where a text comes from, for messages.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The resource type.
    pub kind: &'a str,
    /// The key of its file.
    pub key: &'a str,
}

/// Replaces every `${name}` of a text by what `lookup` gives for `name`.
///
/// # Errors
/// When a placeholder is unknown or not closed.
pub fn fill(
    text: &str,
    origin: Origin<'_>,
    lookup: impl Fn(&str) -> Option<Vec<Piece>>,
) -> Result<Template> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, remainder) = after
            .split_once('}')
            .ok_or_else(|| refuse(origin, "a placeholder that is not closed"))?;
        let found = lookup(name)
            .ok_or_else(|| refuse(origin, &format!("the placeholder `${{{name}}}`")))?;
        push_text(&mut pieces, before);
        pieces.extend(found);
        rest = remainder;
    }
    push_text(&mut pieces, rest);
    Ok(Template(pieces))
}

/// The same where addresses have no meaning: statements and the like.
///
/// # Errors
/// As [`fill`], and when a placeholder is an address.
pub fn fill_text(
    text: &str,
    origin: Origin<'_>,
    lookup: impl Fn(&str) -> Option<Vec<Piece>>,
) -> Result<String> {
    fill(text, origin, lookup)?
        .resolve(&Addresses::default())
        .ok_or_else(|| refuse(origin, "an address, which is not known there"))
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

fn refuse(origin: Origin<'_>, what: &str) -> Error {
    Error::invalid(format!(
        "the resource type `{}` uses {what} in `{}`",
        origin.kind, origin.key
    ))
    .hint("The README of the resource types lists the placeholders and where each is known")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin<'static> = Origin {
        kind: "postgres",
        key: "exports.uri",
    };

    fn lookup(name: &str) -> Option<Vec<Piece>> {
        match name {
            "user" => Some(vec![Piece::Text("orders".to_owned())]),
            "host" => Some(vec![Piece::Host {
                instance: "postgres-17".to_owned(),
            }]),
            _ => None,
        }
    }

    #[test]
    fn placeholders_are_replaced_and_the_rest_is_kept() {
        assert_eq!(
            fill_text("a ${user} $b {c} ${user}", ORIGIN, lookup).unwrap(),
            "a orders $b {c} orders"
        );
    }

    #[test]
    fn an_unknown_placeholder_is_an_error_that_names_it() {
        let error = fill("x ${nothing}", ORIGIN, lookup).unwrap_err();
        assert_eq!(
            error.message(),
            "the resource type `postgres` uses the placeholder `${nothing}` in `exports.uri`"
        );
        assert!(fill("x ${user", ORIGIN, lookup).is_err());
    }

    #[test]
    fn an_address_has_no_meaning_in_a_statement() {
        assert!(fill_text("${host}", ORIGIN, lookup).is_err());
    }
}
