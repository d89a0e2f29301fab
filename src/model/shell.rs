//! Commands that people copy into a shell.

/// A word as a shell reads it.
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@=+,".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted("kind-one_2/x:y@z.a"), "kind-one_2/x:y@z.a");
        assert_eq!(quoted("A=1,2"), "A=1,2");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("kim's $HOME"), r"'kim'\''s $HOME'");
    }
}
