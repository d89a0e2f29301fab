//! What is asked for: a new service in the words of the flags, checked one by one.

use std::collections::BTreeMap;

use crate::config::raw::PortText;
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::model::project::BlueprintReference;
use crate::model::suggest;

/// How long the name of a port may be, as Kubernetes takes it.
const LONGEST_PORT_NAME: usize = 15;
/// The first port that others than root may listen on.
const FIRST_PORT: u16 = 1024;

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

/// Ports by name, given as `--port NAME=PORT`, in the order given.
///
/// # Errors
/// When one is no port that a service may have, or two are the same.
pub fn ports(texts: &[String]) -> Result<Vec<(String, u16)>> {
    let mut ports: Vec<(String, u16)> = Vec::new();
    for text in texts {
        let (name, number) = port(text)?;
        let same = ports
            .iter()
            .find(|known| known.0 == name || known.1 == number);
        if let Some((other, taken)) = same {
            let error = Error::invalid(format!(
                "`--port {text}` and `--port {other}={taken}` cannot stand side by side"
            ));
            return Err(error.hint("Give each port a name and a number of its own"));
        }
        ports.push((name.to_owned(), number));
    }
    Ok(ports)
}

fn port(text: &str) -> Result<(&str, u16)> {
    let (name, number) = pair("--port", "NAME=PORT", text)?;
    let refused = |why: String| Error::invalid(format!("`--port {text}` names no port")).since(why);
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if !begins || !name.chars().all(is_plain) || name.len() > LONGEST_PORT_NAME {
        let rule = PortText::RULE.1;
        return Err(refused(format!("`{name}` is not {rule}")).hint("Write `--port http=8080`"));
    }
    match number.parse() {
        Ok(number) if number >= FIRST_PORT => Ok((name, number)),
        Ok(_) => Err(refused(
            "ports go from 1024 to 65535: those below are for root, and nothing runs as root"
                .to_owned(),
        )
        .hint(format!(
            "Let the program listen on another one: `--port {name}=8080`"
        ))),
        Err(_) => Err(
            refused(format!("`{number}` is no number from 1024 to 65535"))
                .hint(format!("Write `--port {name}=8080`")),
        ),
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
