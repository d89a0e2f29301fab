//! What was meant by a word of the command line that is no value of its type.

use std::error::Error;

use crate::model::name::{Name, NameError};

/// What was meant by a value that was refused for this cause; `None` where its type cannot tell.
///
/// A name may be given as the path of its folder: a shell completes `services/orders/`.
pub(crate) fn instead_of(value: &str, cause: &(dyn Error + 'static)) -> Option<String> {
    cause.downcast_ref::<NameError>()?;
    let last = value.trim_end_matches('/').rsplit('/').next()?;
    Name::nearest(last).map(|name| name.to_string())
}
