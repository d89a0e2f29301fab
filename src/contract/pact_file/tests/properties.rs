//! No pact makes its reader panic.

use proptest::prelude::*;

use super::*;
use crate::model::damaged::damaged_json;

/// Words that mean something in a pact.
pub(in crate::contract) const WORDS: &[&str] = &[
    "type",
    "match",
    "matchers",
    "body",
    "$.id",
    "$[*",
    "content",
    "regex",
    "(",
    "${",
    "application/json",
    "",
];

fn damaged() -> impl Strategy<Value = Value> {
    let of_version = |version: u32| damaged_json(pact(&format!("{version}.0"), http()), WORDS);
    (1_u32..5).prop_flat_map(of_version)
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = parse(Path::new("a--b.json"), text.as_bytes());
    }

    #[test]
    fn no_value_in_any_place_makes_the_reader_panic(whole in damaged()) {
        let _ = read_json(&whole);
    }

    #[test]
    fn a_cut_pact_is_refused(cut in 1_usize..300) {
        let text = serde_json::to_string(&pact("4.0", http())).unwrap();
        let end = text.len().saturating_sub(cut);
        prop_assert!(parse(Path::new("a--b.json"), &text.as_bytes()[..end]).is_err());
    }
}
