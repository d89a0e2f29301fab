//! What is read, and what cannot be.

use super::*;

#[test]
fn only_the_way_up_counts_and_one_bad_statement_spoils_no_other() {
    let migration = "-- +goose StatementBegin\ncreate function f() returns trigger as $$\nbegin\n  drop table orders;\n  return new;\nend\n$$ language plpgsql;\n-- +goose StatementEnd\nthis is no sql;\nalter table orders drop column note;\n-- +goose Down\ndrop table orders;";
    assert_eq!(broken(migration, GET), ["drops orders.note: Get"]);
    let without = format!(
        "-- +goose NO TRANSACTION\n{}",
        "-- +goose up\nalter table orders drop column note;"
    );
    let migrations = [
        file("00001_create_orders.sql", ORDERS),
        file("2_x.sql", without),
    ];
    let reading = read(&migrations, &[]);
    assert_eq!(reading.findings, []);
    let statement = reading.statement.unwrap();
    assert_eq!((statement.version, statement.contractions.len()), (2, 1));
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let bad = [
        file("00002_a.sql", [0xff_u8, 0xfe, 0]),
        file("00003_b.sql", vec![b' '; (1 << 20) + 1]),
        file("00004_c.sql", "drop table orders;"),
        file("00005_d.go", "package migrations"),
        file("00006_e.sql", "-- +goose Up\nselect 'open;\n"),
        file("notes.sql", "-- +goose Up\n"),
        file(
            "00007_f.sql",
            "-- +goose Up\n-- gantline: harmles\ndrop table orders;",
        ),
        file("00008_g.sql", "-- +goose Up\n-- gantline: harmless\n"),
    ];
    let reading = read(&bad, &[file("q.sql", [0xff_u8])]);
    let statement = reading.statement.unwrap();
    assert_eq!(statement.version, 8);
    assert_eq!(statement.contractions, []);
    let unclear: Vec<u64> = statement
        .unclear
        .iter()
        .map(|it| it.place.version)
        .collect();
    assert_eq!(unclear, [2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(reading.findings.len(), bad.len() + 1);
}

#[test]
fn an_expression_of_any_length_is_answered() {
    for count in [1_000, 2_900, 50_000] {
        let sum = vec!["quantity"; count].join(" + ");
        let query = format!("-- name: Sum :one\nselect {sum} from orders;");
        let uses = reading(None, &query).statement.unwrap().uses;
        assert!(uses["orders"].columns.contains_key("quantity"));
    }
    for open in [
        "(",
        "[",
        "case when ",
        "not ",
        "- ",
        "select (",
        "a.",
        "exists (select ",
    ] {
        let query = format!(
            "-- name: Deep :one\nselect {} from orders;",
            open.repeat(2_000)
        );
        let _answered = reading(None, &query);
    }
}
