//! What is asked for: a new service in the words of the flags, checked one by one.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::model::project::BlueprintReference;
use crate::model::suggest;

/// The choices for a new service; what is absent gets a default, or an error that names the flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRequest {
    /// Its name.
    pub name: Name,
    /// What it is made from.
    pub blueprint: BlueprintReference,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Options that were given.
    pub options: BTreeMap<String, String>,
    /// Services that it calls.
    pub needs: Vec<Name>,
    /// Events that it publishes.
    pub publishes: Vec<Name>,
    /// Events that it consumes, and who publishes each.
    pub consumes: BTreeMap<Name, Name>,
    /// Existing resources to use, by role.
    pub uses: BTreeMap<String, Name>,
}

/// A name given as `flag`.
///
/// # Errors
/// When it is no name: with the nearest that is one.
pub fn name(flag: &str, text: &str) -> Result<Name> {
    Name::new(text).map_err(|error| {
        let refused =
            Error::invalid(format!("`{text}` is no valid name for {flag}")).because(error);
        match Name::nearest(text) {
            Some(nearest) => refused.hint(format!("Use `{nearest}`")),
            None => refused.hint("Use a name such as `orders`"),
        }
    })
}

/// The two sides of `left=right`, given as `flag`.
///
/// # Errors
/// When there is no `=`, or a side is empty.
pub fn pair<'a>(flag: &str, form: &str, text: &'a str) -> Result<(&'a str, &'a str)> {
    match text.split_once('=') {
        Some((left, right)) if !left.is_empty() && !right.is_empty() => Ok((left, right)),
        _ => Err(Error::invalid(format!("`{flag} {text}` is not understood"))
            .hint(format!("Write `{flag} {form}`"))),
    }
}

/// Adds to a map what a flag gave; a second value for one key is an error.
///
/// # Errors
/// When the key was given before with another value.
pub fn insert_once<K: Ord + std::fmt::Display, V: PartialEq + std::fmt::Display>(
    flag: &str,
    map: &mut BTreeMap<K, V>,
    (key, value): (K, V),
) -> Result<()> {
    if let Some(known) = map.get(&key).filter(|known| **known != value) {
        return Err(Error::invalid(format!(
            "`{flag}` gives `{key}` twice: `{known}` and `{value}`"
        ))
        .hint("Give one of them"));
    }
    map.insert(key, value);
    Ok(())
}

/// Why a word is not known, with the nearest that is.
pub fn unknown<'a>(
    what: impl Into<String>,
    text: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Error {
    let error = Error::invalid(what.into());
    match suggest::hint(text, known) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
