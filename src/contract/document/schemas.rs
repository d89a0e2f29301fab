//! The JSON Schemas of a document, each compiled once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, Registry, ValidationError, Validator};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::node::{Node, steps};
use crate::model::json_pointer::pointer;
use crate::model::schema_effort::{Choices, affordable};

/// The name under which a document's schemas find each other.
const ADDRESS: &str = "urn:gantline:document";

/// What is escaped in a fragment that is a JSON pointer: all but what separates and escapes there.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'~')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// The schemas of a document.
#[derive(Debug)]
pub(in crate::contract) struct Schemas {
    /// The whole document, or why its references cannot be followed.
    registry: Result<Registry<'static>, String>,
    /// The keywords that stand under another name than in the document.
    renamed: &'static [(&'static str, &'static str)],
    compiled: Mutex<BTreeMap<String, Compiled>>,
}

type Compiled = Result<Arc<Validator>, String>;

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::contract) struct Fault {
    /// The keys and indices that lead to it.
    pub(in crate::contract) path: Vec<String>,
    /// The keyword that it breaks.
    pub(in crate::contract) keyword: String,
    /// Where the keyword stands in the document.
    pub(in crate::contract) at: Vec<String>,
    /// The value; `None` where it is absent.
    pub(in crate::contract) value: Option<Value>,
    /// What is wrong, in a sentence.
    pub(in crate::contract) message: String,
}

impl Schemas {
    pub(super) fn new(root: Value, renamed: &'static [(&'static str, &'static str)]) -> Self {
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(ADDRESS, root)
            .and_then(jsonschema::RegistryBuilder::prepare)
            .map_err(|error| error.to_string());
        Self {
            registry,
            renamed,
            compiled: Mutex::default(),
        }
    }

    /// Everything that is wrong with a value by the schema at this place.
    ///
    /// # Errors
    /// Why the schema cannot be used, such as a reference that leads nowhere, or too many schemas.
    pub(in crate::contract) fn faults(
        &self,
        schema: &Node<'_>,
        value: &Value,
    ) -> Result<Vec<Fault>, String> {
        if self.is_valid(schema, value)? {
            return Ok(Vec::new());
        }
        // Only whether it fits is remembered by schema and value; why it does not is said anew.
        let why_not =
            |error| format!("the value does not fit, and nothing can be said of why: {error}");
        affordable(&schema.schema(), value, Choices::All).map_err(why_not)?;
        let validator = self.validator(&schema.at)?;
        let errors = validator.iter_errors(value);
        Ok(errors.flat_map(|error| faults_of(&error, schema)).collect())
    }

    /// Whether a value fits; one fits what cannot be used.
    pub(in crate::contract) fn fit(&self, schema: &Node<'_>, value: &Value) -> bool {
        self.is_valid(schema, value).unwrap_or(true)
    }

    fn is_valid(&self, schema: &Node<'_>, value: &Value) -> Result<bool, String> {
        affordable(&schema.schema(), value, Choices::Possible)
            .map_err(|error| error.to_string())?;
        Ok(self.validator(&schema.at)?.is_valid(value))
    }

    fn validator(&self, at: &[String]) -> Compiled {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let steps: Vec<String> = at.iter().map(|step| self.here(step).to_owned()).collect();
        let pointer = pointer(&steps);
        if let Some(known) = compiled.get(&pointer) {
            return known.clone();
        }
        let made = self.compile(&pointer);
        compiled.insert(pointer, made.clone());
        made
    }

    fn here<'a>(&self, step: &'a str) -> &'a str {
        let renamed = self.renamed.iter().find(|(from, _)| *from == step);
        renamed.map_or(step, |(_, to)| *to)
    }

    fn compile(&self, pointer: &str) -> Compiled {
        let registry = self.registry.as_ref().map_err(Clone::clone)?;
        let fragment = utf8_percent_encode(pointer, ESCAPED);
        let schema = json!({ "$ref": format!("{ADDRESS}#{fragment}") });
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(registry)
            .should_validate_formats(true)
            .offline()
            .build(&schema)
            .map(Arc::new)
            .map_err(|error| error.to_string())
    }
}

fn faults_of(error: &ValidationError<'_>, schema: &Node<'_>) -> Vec<Fault> {
    let path = steps(error.instance_path().as_str());
    let at = error.absolute_keyword_location().and_then(|uri| {
        let (_, fragment) = uri.as_str().split_once('#')?;
        let fragment = percent_decode_str(fragment).decode_utf8().ok()?;
        Some(steps(&fragment))
    });
    let fault = Fault {
        path,
        keyword: error.kind().keyword().to_owned(),
        at: at.unwrap_or_else(|| schema.at.clone()),
        value: Some(error.instance().clone().into_owned()),
        message: error.to_string(),
    };
    let named = |name: &str, value: Option<Value>, message: String| {
        let mut path = fault.path.clone();
        path.push(name.to_owned());
        Fault {
            path,
            value,
            message,
            ..fault.clone()
        }
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![named(name, None, format!("`{name}` is not there"))]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| {
                let value = error.instance().get(name).cloned();
                let message = format!("`{name}` is not declared, and nothing else may be there");
                named(name, value, message)
            })
            .collect(),
        _ => vec![fault],
    }
}
