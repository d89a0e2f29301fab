//! Why a template cannot be run, and where.

use std::rc::Rc;

/// Where something stands: in which file, at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file's name.
    pub file: Rc<str>,
    /// The byte.
    pub offset: usize,
}

/// Why a template cannot be run.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// Where; `None` until the place is known.
    pub spot: Option<Spot>,
    /// The function that is not known here, where that is the reason.
    pub unknown: Option<String>,
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self {
            message,
            spot: None,
            unknown: None,
        }
    }
}

/// What running a part of a template gives.
pub type Outcome<T> = Result<T, Fault>;
