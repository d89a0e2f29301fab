//! Reads the documents of those providers whose messages somebody counts on.

use std::collections::BTreeMap;

use crate::actions::pacts::{Described, Read, unusable};
use crate::config::yaml;
use crate::contract::document::{Document, DocumentError};
use crate::contract::pact_file::Exchange;
use crate::error::{Error, Result};
use crate::model::name::Name;

/// The document that describes a provider's messages.
pub(super) const ASYNCAPI: &str = "api/asyncapi.yaml";

/// What describes a provider's messages.
pub(super) enum Messages {
    /// A document.
    Described(Box<Described>),
    /// A document that is not read, and why.
    Unread(String),
}

/// What describes the messages of each provider that has such a document.
///
/// # Errors
/// Every document that is invalid.
pub(super) fn messages(read: &Read) -> Result<BTreeMap<Name, Messages>> {
    let mut found = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, provider) in &read.providers {
        let path = provider.directory.join(ASYNCAPI);
        let mut pacts = read.pacts.iter().filter(|pact| pact.provider == *name);
        let is_message = |exchange: &Exchange| matches!(exchange, Exchange::Message(_));
        let counts = pacts.any(|pact| {
            let mut interactions = pact.file.interactions.iter();
            interactions.any(|interaction| is_message(&interaction.exchange))
        });
        if !counts || !path.is_file() {
            continue;
        }
        match document(&path, provider.shown.join(ASYNCAPI)) {
            Ok(messages) => {
                found.insert(name.clone(), messages);
            }
            Err(error) => errors.push(error),
        }
    }
    Error::none_of(|count| format!("{count} documents are invalid"), errors)?;
    Ok(found)
}

fn document(path: &std::path::Path, shown: std::path::PathBuf) -> Result<Messages> {
    let written = yaml::Document::read_api(path)?.faultless()?;
    match Document::of_messages(written.root().to_json(false)) {
        Ok(document) => Ok(Messages::Described(Box::new(Described {
            path: shown,
            document,
            written,
        }))),
        Err(other @ DocumentError::OtherAsyncApi(_)) => {
            Ok(Messages::Unread(format!("{}: {other}", shown.display())))
        }
        Err(error) => Err(unusable(&written, "AsyncAPI", error)),
    }
}
