//! What queries use.

use super::{ORDERS, file, reading, statement};
use crate::contract::schema::{judge, read};

/// The columns of the table `orders` that a query uses.
fn used(query: &str) -> String {
    let statement = statement(None, query);
    let table = statement.uses.get("orders").cloned().unwrap_or_default();
    table.columns.into_keys().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_query_uses_the_columns_that_it_names() {
    const ALL: &str = "created_at id note quantity reference";
    for (query, columns) in [
        ("select id, note from orders", "id note"),
        ("select * from orders", ALL),
        ("select count(*) from orders", ""),
        ("select count(*) from orders where note is null", "note"),
        (
            "select o.id from public.orders as o where o.NOTE = 'x'",
            "id note",
        ),
        ("select o from orders o", ALL),
        (
            "select o.* from orders o join customers c on c.id = o.id",
            ALL,
        ),
        (
            "select c.*, o.note from orders o join customers c on c.name = o.reference",
            "note reference",
        ),
        ("select c.* from orders o join customers c using (id)", "id"),
        ("select sqlc.embed(orders) from orders", ALL),
        ("select name, note from orders, customers", "note"),
        (
            "select id from orders where quantity = @note and reference = sqlc.arg(note)",
            "id quantity reference",
        ),
        (
            "select id from orders where id = any(sqlc.slice('ids')::uuid[]) limit sqlc.narg('limit')",
            "id",
        ),
        (
            "with recent as (select id from orders) select * from recent",
            "id",
        ),
        (
            "with gone as (delete from orders where quantity = 0 returning reference) select * from gone",
            "quantity reference",
        ),
        (
            "select (select max(quantity) from orders) as most from customers",
            "quantity",
        ),
        (
            "with all_of_them as (table orders) select 1 from all_of_them",
            ALL,
        ),
        (
            "insert into orders (id, reference) values ($1, $2)",
            "id reference",
        ),
        ("insert into orders values ($1)", ALL),
        (
            "insert into orders (id) values ($1) on conflict (reference) do update set note = excluded.note returning quantity",
            "id note quantity reference",
        ),
        ("insert into orders (id) values ($1) returning *", ALL),
        ("update orders set note = $1 where id = $2", "id note"),
        (
            "update orders o set (note, quantity) = ($1, $2) from customers c where c.id = o.id",
            "id note quantity",
        ),
        (
            "delete from orders where created_at < sqlc.arg('before')::timestamptz",
            "created_at",
        ),
        (
            "select id from orders order by quantity desc for update skip locked",
            "id quantity",
        ),
        (
            "select 1 from customers where exists (select 1 from orders where orders.note = customers.name)",
            "note",
        ),
    ] {
        assert_eq!(
            used(&format!("-- name: Q :many\n{query};")),
            columns,
            "{query}"
        );
    }
}

#[test]
fn a_query_that_is_not_understood_uses_all_that_it_names() {
    let reading = reading(
        None,
        "-- name: Odd :many\nselec note from orders;\n-- name: All :many\nselect * frm orders where;\n",
    );
    let lines: Vec<usize> = reading.findings.iter().map(|it| it.line).collect();
    assert_eq!(lines, [2, 4]);
    let uses = reading.statement.unwrap().uses;
    assert!(uses["orders"].columns["note"].contains("Odd"));
    assert!(!uses["orders"].columns["quantity"].contains("Odd"));
    assert!(uses["orders"].columns["quantity"].contains("All"));
}

#[test]
fn a_table_whose_columns_are_not_known_is_used_as_a_whole() {
    let view = "create view open_orders as select id from orders;";
    let running = statement(
        Some(view),
        "-- name: Open :many\nselect id from open_orders;\n-- name: All :many\nselect * from open_orders;",
    );
    let next = [
        file("00001_create_orders.sql", ORDERS),
        file("00002_second.sql", format!("-- +goose Up\n{view}")),
        file(
            "00003_x.sql",
            "-- +goose Up\nalter table open_orders drop column state;",
        ),
    ];
    let judgement = judge(&running, &read(&next, &[]).statement.unwrap());
    let queries: Vec<&String> = judgement.breaks[0].queries.iter().collect();
    assert_eq!(queries, ["All"]);
}
