//! Which of several alternatives a value was meant for.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;

use super::steps;

/// The errors of the one alternative whose type fits, so that its inner problems are shown.
pub(super) fn fitting_alternative<'a, 'b>(
    path: &[&str],
    context: &'a [Vec<ValidationError<'b>>],
) -> Option<&'a [ValidationError<'b>]> {
    let mut fitting = context
        .iter()
        .filter(|errors| !errors.is_empty() && !errors.iter().any(|it| is_of_type(it, path.len())));
    match (fitting.next(), fitting.next()) {
        (Some(errors), None) => Some(errors),
        _ => None,
    }
}

/// Whether what is wrong at this depth is the type, whichever alternative is taken.
fn is_of_type(error: &ValidationError<'_>, depth: usize) -> bool {
    let here = steps(error.instance_path().as_str()).len() == depth;
    match error.kind() {
        ValidationErrorKind::Type { .. } => here,
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let mut alternatives = context.iter();
            here && alternatives.all(|errors| errors.iter().any(|it| is_of_type(it, depth)))
        }
        _ => false,
    }
}

/// Whether another value was expected, and no other type.
pub(super) fn is_constant(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Constant { .. })
}
