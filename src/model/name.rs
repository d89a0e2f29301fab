//! Names of services, resources, events and entities, and the forms they take in code.

use std::borrow::Borrow;
use std::fmt;

/// The longest name accepted: leaves room in a 63-character DNS label for what is appended
/// (`-migrate`, a revision, a pod's suffix).
pub const LONGEST_NAME: usize = 40;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a name must not be empty")]
    Empty,
    /// Longer than [`LONGEST_NAME`].
    #[error("a name has at most {LONGEST_NAME} characters, and this has {0}")]
    TooLong(usize),
    /// Not made of lower-case letters, digits and single hyphens, beginning with a letter.
    #[error(
        "a name is made of lower-case letters, digits and single hyphens, and begins with a letter (a DNS label, RFC 1123)"
    )]
    NotALabel,
}

/// A name in kebab case that is a DNS label (RFC 1123) and gives valid identifiers.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Checks and wraps a name.
    ///
    /// # Errors
    /// [`NameError`] when the text is empty, too long or no label.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > LONGEST_NAME {
            return Err(NameError::TooLong(text.chars().count()));
        }
        let parts_are_words = text.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        if !parts_are_words || !text.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Err(NameError::NotALabel);
        }
        Ok(Self(text))
    }

    /// The nearest valid name to a text, for a suggestion; `None` when nothing is left of it.
    pub fn nearest(text: &str) -> Option<Self> {
        let mut words: Vec<String> = vec![String::new()];
        let mut previous_was_lower = false;
        for letter in text.chars() {
            if !letter.is_ascii_alphanumeric()
                || (letter.is_ascii_uppercase() && previous_was_lower)
            {
                words.push(String::new());
            }
            if letter.is_ascii_alphanumeric()
                && let Some(word) = words.last_mut()
            {
                word.push(letter.to_ascii_lowercase());
            }
            previous_was_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        }
        words.retain(|word| !word.is_empty());
        let joined = words.join("-");
        let from_letter = joined.trim_start_matches(|first: char| !first.is_ascii_lowercase());
        let cut = &from_letter[..from_letter.len().min(LONGEST_NAME)];
        Self::new(cut.trim_end_matches('-')).ok()
    }

    /// `order-line`: as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `order_line`: file names, columns and tables.
    pub fn snake(&self) -> String {
        self.0.replace('-', "_")
    }

    /// `orderline`: a Go package.
    pub fn package(&self) -> String {
        self.0.replace('-', "")
    }

    /// `OrderLine`: an exported identifier.
    pub fn pascal(&self) -> String {
        self.0.split('-').map(capitalised).collect()
    }

    /// `orderLine`: an unexported identifier.
    pub fn camel(&self) -> String {
        let mut parts = self.0.split('-');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |name, part| name + &capitalised(part))
    }

    /// `order line`: prose.
    pub fn words(&self) -> String {
        self.0.replace('-', " ")
    }

    /// `ORDER_LINE`: environment variables and stream names.
    pub fn env(&self) -> String {
        self.snake().to_ascii_uppercase()
    }

    /// `order-lines`: the English plural of the last word, by rule; never an exception list.
    pub fn plural(&self) -> Self {
        let name = &self.0;
        let before = |ending: &str| name.strip_suffix(ending);
        let consonant_y = before("y")
            .filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']))
            .map(|stem| format!("{stem}ies"));
        let hissing = ["s", "x", "z", "ch", "sh"]
            .iter()
            .any(|ending| name.ends_with(ending));
        Self(match consonant_y {
            Some(plural) => plural,
            None if hissing => format!("{name}es"),
            None => format!("{name}s"),
        })
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + letters.as_str()
    })
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_name() {
        for text in ["a", "orders", "order-line", "v2-orders", &"x".repeat(40)] {
            assert!(Name::new(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_label_is_refused() {
        for text in [
            "Orders",
            "orders_db",
            "-a",
            "a-",
            "a--b",
            "2fast",
            "or ders",
            "é",
            "a.b",
            "a/b",
        ] {
            assert_eq!(Name::new(text), Err(NameError::NotALabel), "{text}");
        }
        assert_eq!(Name::new(""), Err(NameError::Empty));
        assert_eq!(Name::new("x".repeat(41)), Err(NameError::TooLong(41)));
    }

    #[test]
    fn the_nearest_name_is_offered() {
        let nearest = |text| Name::nearest(text).map(|name| name.to_string());
        assert_eq!(nearest("MyOrders"), Some("my-orders".to_owned()));
        assert_eq!(nearest("orders_db "), Some("orders-db".to_owned()));
        assert_eq!(nearest("2fast"), Some("fast".to_owned()));
        assert_eq!(nearest("--"), None);
    }

    #[test]
    fn a_name_takes_every_form() {
        let name = Name::new("purchase-entry").unwrap();
        assert_eq!(name.snake(), "purchase_entry");
        assert_eq!(name.package(), "purchaseentry");
        assert_eq!(name.pascal(), "PurchaseEntry");
        assert_eq!(name.camel(), "purchaseEntry");
        assert_eq!(name.words(), "purchase entry");
        assert_eq!(name.env(), "PURCHASE_ENTRY");
        assert_eq!(name.plural().as_str(), "purchase-entries");
        assert_eq!(Name::new("box").unwrap().plural().as_str(), "boxes");
        assert_eq!(Name::new("day").unwrap().plural().as_str(), "days");
    }
}
