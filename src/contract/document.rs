//! A provider's document: OpenAPI 3.1, or 3.0 with its `nullable` and its flags; or AsyncAPI 3.

mod lookup;
mod node;
mod rewrite;
mod schemas;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use serde_json::Value;

pub(super) use self::lookup::{NotFound, Operation, media_of};
pub(super) use self::node::Node;
pub(super) use self::schemas::{Fault, Schemas};
use crate::model::schema_effort::Names;

/// A provider's OpenAPI or AsyncAPI document.
#[derive(Debug)]
pub struct Document {
    root: Value,
    names: OnceLock<Names>,
    exact: OnceLock<Schemas>,
    partial: OnceLock<Schemas>,
}

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is something else.
    #[error("it has no `openapi`, with which such a document begins: `openapi: 3.1.0`")]
    NotOpenApi,
    /// It is a document of a version that is not read: Swagger 2.0.
    #[error("it is of version {0}, and OpenAPI 3.0 and 3.1 are read")]
    OtherOpenApi(String),
    /// Its version is a number, of which `3.10` would be `3.1`.
    #[error("its version is the number {0} and no text: `openapi: 3.1.0`")]
    NumberOfOpenApi(String),
    /// It describes no requests.
    #[error("it has no `paths`: what the service answers is not described")]
    WithoutPaths,
    /// It is something else than AsyncAPI.
    #[error("it has no `asyncapi`")]
    NotAsyncApi,
    /// It is an AsyncAPI document of a version that is not read.
    #[error("it is AsyncAPI {0}, and version 3 is read")]
    OtherAsyncApi(String),
}

impl Document {
    /// A document that was read from YAML or JSON.
    ///
    /// # Errors
    /// When it is no OpenAPI 3 document.
    pub fn new(mut root: Value) -> Result<Self, DocumentError> {
        let version = match root.get("openapi").or(root.get("swagger")) {
            Some(Value::String(version)) => version.as_str(),
            Some(Value::Number(version)) => {
                return Err(DocumentError::NumberOfOpenApi(version.to_string()));
            }
            _ => return Err(DocumentError::NotOpenApi),
        };
        if !version.starts_with("3.") {
            return Err(DocumentError::OtherOpenApi(version.to_owned()));
        }
        if !root.get("paths").is_some_and(Value::is_object) {
            return Err(DocumentError::WithoutPaths);
        }
        if version.starts_with("3.0") {
            rewrite::modernise(&mut root);
        }
        Ok(Self::of(root))
    }

    /// An AsyncAPI document that was read from YAML or JSON.
    ///
    /// # Errors
    /// When it is none, or of another version than 3.
    pub fn of_messages(root: Value) -> Result<Self, DocumentError> {
        match root.get("asyncapi").and_then(Value::as_str) {
            Some(version) if version.starts_with("3.") => Ok(Self::of(root)),
            Some(version) => Err(DocumentError::OtherAsyncApi(version.to_owned())),
            None => Err(DocumentError::NotAsyncApi),
        }
    }

    fn of(root: Value) -> Self {
        Self {
            root,
            names: OnceLock::new(),
            exact: OnceLock::new(),
            partial: OnceLock::new(),
        }
    }

    /// The name of every operation (its `operationId`, or its method and path), and its method and
    /// path, in the document's order.
    pub fn offers(&self) -> Vec<(String, String)> {
        let operations = self.operations().into_iter();
        operations
            .map(|operation| (operation.name, operation.title))
            .collect()
    }

    /// The whole of it.
    pub(super) fn root(&self) -> Node<'_> {
        Node::of(self)
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::of(&self.root))
    }

    /// Its schemas as they are written.
    pub(super) fn exact(&self) -> &Schemas {
        self.exact
            .get_or_init(|| Schemas::new(self.root.clone(), &[]))
    }

    /// Its schemas for values of which only a part is known: what has to be there is left out.
    pub(super) fn partial(&self) -> &Schemas {
        self.partial.get_or_init(|| {
            let mut root = self.root.clone();
            rewrite::make_partial(&mut root);
            Schemas::new(root, &rewrite::RENAMED)
        })
    }
}
