//! Numbers that nobody can guess, from the system.

use std::fs::File;
use std::io::Read;

use crate::error::{Error, Result};

/// So many random bytes, as twice as many hexadecimal digits.
///
/// # Errors
/// When the system gives none.
pub fn hexadecimal<const BYTES: usize>() -> Result<String> {
    let mut bytes = [0_u8; BYTES];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|cause| Error::failed("the system gives no random numbers").because(cause))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_another_one_of_the_length_that_was_asked_for() {
        let (one, other) = (hexadecimal::<16>().unwrap(), hexadecimal::<16>().unwrap());
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
    }
}
