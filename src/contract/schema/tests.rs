mod labels;
mod properties;
mod queries;
mod reading;

use super::*;
use crate::model::schema::Judgement;

const ORDERS: &str = "-- +goose Up
create table orders (
    id         uuid primary key,
    reference  text not null,
    quantity   integer not null,
    note       text,
    created_at timestamptz not null default now()
);
create table customers (id uuid primary key, name varchar(40) not null);

-- +goose Down
drop table orders;
drop table customers;
";

fn file(name: &str, text: impl AsRef<[u8]>) -> SchemaFile {
    SchemaFile {
        path: name.to_owned(),
        bytes: text.as_ref().to_vec(),
    }
}

fn reading(second: Option<&str>, queries: &str) -> Reading {
    let mut migrations = vec![file("00001_create_orders.sql", ORDERS)];
    if let Some(second) = second {
        migrations.push(file("00002_second.sql", format!("-- +goose Up\n{second}")));
    }
    read(&migrations, &[file("orders.sql", queries)])
}

fn statement(second: Option<&str>, queries: &str) -> SchemaStatement {
    let reading = reading(second, queries);
    assert_eq!(reading.findings, [], "{queries}");
    reading.statement.unwrap()
}

/// What the next version's second migration means to one with these queries.
fn judged(second: &str, queries: &str) -> Judgement {
    let running = statement(None, queries);
    let next = reading(Some(second), "").statement.unwrap();
    judge(&running, &next)
}

/// In words, each with the queries that lose something.
fn broken(second: &str, queries: &str) -> Vec<String> {
    let breaks = judged(second, queries).breaks.into_iter();
    breaks
        .map(|it| {
            let queries: Vec<String> = it.queries.into_iter().collect();
            format!("{}: {}", it.contraction, queries.join(" "))
        })
        .collect()
}

fn doubts(second: &str, queries: &str) -> Vec<String> {
    let doubts = judged(second, queries).doubts.into_iter();
    doubts.map(|it| it.what).collect()
}

const GET: &str = "-- name: Get :one\nselect id, note from orders where id = $1;\n";
const ADD: &str =
    "-- name: Add :exec\ninsert into orders (id, reference, quantity) values ($1, $2, $3);\n";

#[test]
fn what_the_running_version_uses_must_not_go() {
    for (migration, queries, said) in [
        (
            "alter table orders drop column note;",
            GET,
            "drops orders.note: Get",
        ),
        (
            "alter table if exists only public.orders drop column if exists NOTE cascade;",
            GET,
            "drops orders.note: Get",
        ),
        ("drop table customers, orders;", GET, "drops orders: Get"),
        (
            "alter table orders rename column note to remark;",
            GET,
            "renames orders.note to remark: Get",
        ),
        (
            "alter table orders rename to purchases;",
            GET,
            "renames orders to purchases: Get",
        ),
        (
            "alter table orders alter column note type uuid using note::uuid;",
            GET,
            "changes the type of orders.note from TEXT to UUID: Get",
        ),
        (
            "alter table orders add column total bigint not null;",
            ADD,
            "adds orders.total, which every insert must give: Add",
        ),
        (
            "alter table orders alter column note set not null;",
            ADD,
            "makes every insert give orders.note: Add",
        ),
        (
            "alter table orders alter created_at drop default;",
            ADD,
            "makes every insert give orders.created_at: Add",
        ),
        (
            "-- gantline: contract orders.note\ndo $$ begin end $$;",
            GET,
            "takes away orders.note: Get",
        ),
        (
            "-- gantline: contract orders\ndo $$ begin end $$;",
            GET,
            "takes away orders: Get",
        ),
    ] {
        assert_eq!(broken(migration, queries), [said], "{migration}");
    }
}

#[test]
fn what_the_running_version_does_not_use_may_go() {
    for (migration, queries) in [
        ("alter table orders drop column quantity;", GET),
        ("drop table customers;", GET),
        (
            "alter table orders alter column quantity type bigint;",
            "-- name: Q :one\nselect quantity from orders;",
        ),
        (
            "alter table customers alter column name type text;",
            "-- name: Q :one\nselect name from customers;",
        ),
        ("alter table orders add column total bigint;", ADD),
        (
            "alter table orders add column total bigint not null default 0;",
            ADD,
        ),
        (
            "alter table orders add column number bigint generated always as identity;",
            ADD,
        ),
        ("alter table orders add column total bigint not null;", GET),
        ("alter table orders alter note drop default;", ADD),
        ("alter table orders alter quantity set not null;", ADD),
        (
            "create table lines (id uuid primary key); drop table lines;",
            GET,
        ),
        (
            "-- gantline: harmless\nalter table orders drop column note;",
            GET,
        ),
        (
            "alter table orders drop column note; -- gantline: harmless",
            GET,
        ),
        (
            "alter table orders -- gantline: harmless\n  drop column note;",
            GET,
        ),
        (
            "create index concurrently orders_note on orders (note);",
            GET,
        ),
        ("update orders set note = '' where note is null;", GET),
        (
            "comment on column orders.note is 'drop table orders;';",
            GET,
        ),
    ] {
        assert_eq!(
            judged(migration, queries),
            Judgement::default(),
            "{migration}"
        );
    }
}

#[test]
fn what_may_matter_is_a_doubt_for_those_whom_it_concerns() {
    for (migration, queries, said) in [
        (
            "create unique index on orders (reference);",
            GET,
            "adds a unique index to orders",
        ),
        (
            "alter table orders add constraint short check (length(note) < 9);",
            GET,
            "adds a check to orders",
        ),
        (
            "alter table orders alter column note set not null;",
            GET,
            "forbids nulls in orders.note",
        ),
        (
            "alter table orders drop constraint orders_pkey;",
            GET,
            "drops the constraint orders_pkey of orders",
        ),
        (
            "alter table orders rename to old; create view orders as select * from old;",
            GET,
            "puts a view in the place of the table orders",
        ),
        ("drop type mood;", GET, "drops the type mood"),
    ] {
        assert_eq!(doubts(migration, queries), [said], "{migration}");
        assert_eq!(broken(migration, queries), [""; 0], "{migration}");
    }
    let elsewhere = "create unique index on customers (name);";
    assert_eq!(judged(elsewhere, GET), Judgement::default());
}

#[test]
fn sql_that_is_not_understood_is_a_doubt_with_its_line_and_the_way_to_say_it() {
    let migration = "create index on orders (note);\n\ndo $$ begin drop table orders; end $$;\n";
    let reading = reading(Some(migration), GET);
    let [finding] = reading.findings.as_slice() else {
        panic!("{:?}", reading.findings)
    };
    assert_eq!(
        (finding.file.as_str(), finding.line),
        ("00002_second.sql", 4)
    );
    assert!(finding.message.contains("`do "), "{}", finding.message);
    assert!(finding.message.contains("-- gantline: harmless"));
    let judgement = judged(migration, GET);
    assert_eq!(judgement.breaks, []);
    assert_eq!(judgement.doubts[0].place.line, 4);
}

#[test]
fn a_service_without_migrations_states_nothing() {
    assert_eq!(read(&[], &[file("q.sql", GET)]).statement, None);
}

#[test]
fn versions_of_one_schema_have_nothing_to_judge() {
    let one = statement(
        Some("alter table orders drop column note;"),
        "-- name: Q :one\nselect note from orders;",
    );
    assert_eq!(judge(&one, &one), Judgement::default());
}
