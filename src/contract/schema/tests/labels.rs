//! The label as a format.

use super::{ADD, GET, reading, statement};
use crate::contract::schema::{LabelError, judge, read_label, write_label};
use crate::model::schema::TableUse;

#[test]
fn a_statement_survives_its_label() {
    let queries = format!("{GET}{ADD}-- name: All :many\nselect * from orders;\n");
    let one = reading(
        Some(
            "alter table orders drop column note; alter table orders alter reference type uuid; drop type x;",
        ),
        &queries,
    );
    let one = one.statement.unwrap();
    let text = write_label(&one).unwrap();
    assert_eq!(read_label(&text), Ok(one));
    assert!(!text.contains('\n'));
}

#[test]
fn the_label_is_a_format() {
    let one = reading(Some("alter table orders drop column note;"), ADD);
    let text = write_label(&one.statement.unwrap()).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"version":1,"schema":2,"queries":["Add"],"uses":{"orders":{"queries":[0],"#,
            r#""columns":{"id":[0],"quantity":[0],"reference":[0]},"#,
            r#""inserts":[{"query":0,"columns":["id","quantity","reference"]}]}},"#,
            r#""contractions":[{"version":2,"file":"00002_second.sql","line":2,"#,
            r#""table":"orders","kind":"drop-column","column":"note"}]}"#
        )
    );
}

#[test]
fn a_label_of_another_version_or_none_is_told() {
    let version = read_label(r#"{"version":2}"#).unwrap_err();
    assert_eq!(version, LabelError::OtherVersion(2));
    for text in [
        "",
        "[]",
        "{}",
        r#"{"version":1,"schema":1,"queries":["a\u001bb"],"uses":{}}"#,
        r#"{"version":1,"schema":1,"queries":[],"uses":{"a":{"queries":[0],"columns":{}}}}"#,
    ] {
        assert!(
            matches!(read_label(text), Err(LabelError::NotUnderstood(_))),
            "{text}"
        );
    }
    assert!(matches!(
        read_label(&" ".repeat(2 << 20)),
        Err(LabelError::TooLong(_))
    ));
}

#[test]
fn a_long_label_leaves_out_which_query_uses_what() {
    let mut one = statement(None, ADD);
    for number in 0..900 {
        let query = format!("QueryNumber{number}");
        let orders = one.uses.get_mut("orders").unwrap();
        orders.queries.insert(query.clone());
        orders.columns.get_mut("id").unwrap().insert(query);
    }
    let read = read_label(&write_label(&one).unwrap()).unwrap();
    let orders = &read.uses["orders"];
    assert!(orders.queries.is_empty() && orders.columns["id"].is_empty());
    // What counts is still there.
    let next = reading(
        Some(
            "alter table orders drop column quantity; alter table orders add column x int not null;",
        ),
        "",
    );
    assert_eq!(judge(&read, &next.statement.unwrap()).breaks.len(), 2);
    one.uses.insert("x".repeat(20_000), TableUse::default());
    assert!(matches!(write_label(&one), Err(LabelError::TooLong(_))));
}
