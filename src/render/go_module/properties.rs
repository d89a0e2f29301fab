//! Whatever a fragment holds, it is read or refused, and in any order.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::damaged::damaged_json;

/// What means something in a fragment.
const WORDS: &[&str] = &[
    "go",
    "1.26.0",
    "1.26",
    "require",
    "path",
    "version",
    "indirect",
    "tools",
    "tool",
    "golang.org/x/sync",
    "v0.18.0",
    "a v1.0.0 h1:x=",
    "a v1.0.0/go.mod h1:x=",
    "a v99999999999999999999.0.0 h1:x=",
    "a v h1:x=",
    "a / b",
    "\u{e9}",
    "",
];

fn fragments() -> impl Strategy<Value = Value> {
    let sound = json!({
        "go": "1.26.0",
        "require": [
            {"path": "golang.org/x/sync", "version": "v0.18.0"},
            {"path": "a", "version": "v1.0.0", "indirect": true}
        ],
        "sum": ["golang.org/x/sync v0.18.0 h1:s1=", "a v1.0.0/go.mod h1:s2="],
        "tools": {
            "tool": ["a/cmd/t"],
            "require": [{"path": "a", "version": "v1.0.0", "indirect": true}],
            "sum": ["a v1.0.0 h1:t="]
        }
    });
    damaged_json(sound, WORDS)
}

/// The files of a service with these fragments; `None` where one is refused.
fn files_of(fragments: [&Value; 2]) -> Option<Vec<(&'static str, String)>> {
    let mut composition = Composition::default();
    for fragment in fragments {
        let bytes = fragment.to_string().into_bytes();
        composition.add("go-service/base", &bytes).ok()?;
    }
    composition.files("example.com/shop/orders", None).ok()
}

proptest! {
    #[test]
    fn no_fragment_makes_its_reader_panic_and_their_order_changes_nothing(
        one in fragments(), other in fragments(),
    ) {
        prop_assert_eq!(files_of([&one, &other]), files_of([&other, &one]));
    }
}
