//! Whatever a migration, a query or a label holds, it is answered.

use proptest::prelude::*;

use super::*;

const WORDS: &[&str] = &[
    "alter",
    "table",
    "drop",
    "column",
    "rename",
    "to",
    "add",
    "not",
    "null",
    "default",
    "create",
    "orders",
    "note",
    "text",
    "select",
    "from",
    "insert",
    "into",
    "(",
    ")",
    ",",
    ";",
    "*",
    ".",
    "$1",
    "'x",
    "$$",
    "--",
    "/*",
    "*/",
    "\"",
    "sqlc",
    "@",
    "with",
    "as",
    "do",
    "begin",
    "end",
    "values",
    "on",
    "conflict",
    "update",
    "set",
    "=",
    "where",
    "::",
    "unique",
    "index",
    "type",
    "\n-- gantline: contract a.b\n",
    "\n-- gantline: harmless\n",
    "returning",
    "1e9999",
    "E'\\",
    "U&'\\",
    "é",
    "is",
    "any",
    "array",
    "[",
    "]",
    "{",
    "}",
];

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _reading = read(&[file("00001_a.sql", [b"-- +goose Up\n".as_slice(), &bytes].concat())], &[file("q.sql", &bytes)]);
        let _label = read_label(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_words_are_answered(words in prop::collection::vec(prop::sample::select(WORDS), 0..40)) {
        let text = words.join(" ");
        let reading = read(
            &[file("00001_a.sql", format!("-- +goose Up\n{text}"))],
            &[file("q.sql", &text)],
        );
        let statement = reading.statement.unwrap();
        let label = write_label(&statement).unwrap();
        prop_assert_eq!(read_label(&label), Ok(statement));
    }
}
