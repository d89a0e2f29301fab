//! What was made of a text, kept for the next service that is made from the same one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Results by the name of their text. To make one takes longer than to use it, and services
/// share the texts of their blueprint.
#[derive(Debug)]
pub struct MadeOnce<T>(Mutex<Option<Known<T>>>);

type Known<T> = HashMap<String, (Vec<u8>, Arc<T>)>;

impl<T> MadeOnce<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// What `make` makes of the text, now or earlier. Another text of the same name replaces it.
    ///
    /// # Errors
    /// Those of `make`; they are not kept.
    pub fn get<E>(
        &self,
        (name, text): (&str, &[u8]),
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        if let Some((before, made)) = known.get(name)
            && before == text
        {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(make()?);
        known.insert(name.to_owned(), (text.to_vec(), Arc::clone(&made)));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(known: &MadeOnce<usize>, text: &str) -> Result<usize, String> {
        let made = known.get(("name", text.as_bytes()), || match text {
            "" => Err("empty".to_owned()),
            text => Ok(text.len()),
        });
        made.map(|made| *made)
    }

    #[test]
    fn a_text_is_used_once_and_another_of_its_name_replaces_it() {
        let known = MadeOnce::new();
        assert_eq!(length(&known, "one"), Ok(3));
        let again = known.get(("name", b"one"), || Err("made again"));
        assert_eq!(again.as_deref(), Ok(&3));
        assert_eq!(length(&known, "three"), Ok(5));
        assert_eq!(length(&known, "one"), Ok(3));
    }

    #[test]
    fn a_failure_is_not_kept() {
        let known = MadeOnce::new();
        assert_eq!(length(&known, ""), Err("empty".to_owned()));
        assert_eq!(
            known.get(("name", b""), || Ok::<_, String>(7)).as_deref(),
            Ok(&7)
        );
    }
}
