//! What a schema expects, in words.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value as Json;

use super::alternatives::is_constant;
use super::words::{json_words, type_words};
use super::{Checker, EXPECTED};
use crate::model::name::Name;

impl Checker<'_> {
    /// What would do where an error is, in words.
    pub(super) fn expected(
        &self,
        error: &ValidationError<'_>,
        kind: &ValidationErrorKind,
    ) -> String {
        match kind {
            ValidationErrorKind::Type { kind } => match self.keyword_beside(error, EXPECTED) {
                Some(Json::String(rule)) => rule.clone(),
                _ => type_words(kind),
            },
            ValidationErrorKind::Enum { options } => {
                let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
                let words: Vec<String> = options.iter().map(json_words).collect();
                format!("one of {}", words.join(", "))
            }
            ValidationErrorKind::Constant { expected_value } => json_words(expected_value),
            ValidationErrorKind::Minimum { .. } | ValidationErrorKind::Maximum { .. } => {
                self.range_words(error)
            }
            ValidationErrorKind::Pattern { .. }
            | ValidationErrorKind::MinLength { .. }
            | ValidationErrorKind::MaxLength { .. } => self
                .keyword_beside(error, EXPECTED)
                .and_then(Json::as_str)
                .map_or_else(|| "another text".to_owned(), str::to_owned),
            ValidationErrorKind::MinItems { limit: 1 } => "at least 1 entry".to_owned(),
            ValidationErrorKind::MinItems { limit } => format!("at least {limit} entries"),
            ValidationErrorKind::MaxItems { limit } => format!("at most {limit} entries"),
            ValidationErrorKind::MinProperties { limit } => format!("at least {limit} keys"),
            ValidationErrorKind::MaxProperties { limit } => format!("at most {limit} keys"),
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => self.expected_of(error, context),
            ValidationErrorKind::UniqueItems => "entries that differ from one another".to_owned(),
            other => format!(
                "something that satisfies `{}` of the schema",
                other.keyword()
            ),
        }
    }

    /// The same where one of several would do.
    pub(super) fn expected_of(
        &self,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'_>>],
    ) -> String {
        if let Some(words) = self.keyword_beside(error, EXPECTED).and_then(Json::as_str) {
            return words.to_owned();
        }
        let mut words: Vec<String> = context
            .iter()
            .filter_map(|errors| errors.iter().find(|it| is_constant(it)).or(errors.first()))
            .map(|error| self.expected(error, error.kind()))
            .filter(|words| words != "nothing")
            .collect();
        words.dedup();
        let are_constants = context.iter().all(|errors| errors.iter().any(is_constant));
        match are_constants && words.len() > 1 {
            true => format!("one of {}", words.join(", ")),
            false => words.join(" or "),
        }
    }

    fn range_words(&self, error: &ValidationError<'_>) -> String {
        let limit = |keyword| self.keyword_beside(error, keyword).map(Json::to_string);
        match (limit("minimum"), limit("maximum")) {
            (Some(low), Some(high)) if low == high => format!("the number {low}"),
            (Some(low), Some(high)) => format!("a number from {low} to {high}"),
            (Some(low), None) => format!("a number of at least {low}"),
            (_, Some(high)) => format!("a number of at most {high}"),
            (None, None) => "another number".to_owned(),
        }
    }

    /// The rule that a key breaks, in words.
    pub(super) fn rule(&self, error: &ValidationError<'_>, key: &str) -> String {
        match Name::new(key) {
            Err(cause) if error.schema_path().as_str().contains("propertyNames") => {
                let expected = self.expected(error, error.kind());
                if expected.contains("name") {
                    cause.to_string()
                } else {
                    format!("expected {expected}")
                }
            }
            _ => format!("expected {}", self.expected(error, error.kind())),
        }
    }
}
