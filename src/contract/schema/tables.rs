//! The tables that migrations make, as far as they are understood.

use std::collections::BTreeMap;

use sqlparser::ast::{ColumnDef, ColumnOption, CreateTable, Expr, TableConstraint};

use super::postgres_types::is_serial;
use super::sql::name;

/// Tables and views by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tables {
    tables: BTreeMap<String, Table>,
    /// Unique indexes, and the table of each.
    unique: BTreeMap<String, String>,
}

/// A table or a view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// Its columns; `None` when they are not known, as those of a view.
    pub columns: Option<BTreeMap<String, Column>>,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Column {
    /// Its type, as it was written.
    pub kind: String,
    /// Whether it must have a value.
    pub required: bool,
    /// Whether it gets one by itself.
    pub defaulted: bool,
}

impl Tables {
    /// The table of this name.
    pub fn get(&self, table: &str) -> Option<&Table> {
        self.tables.get(table)
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.tables.keys()
    }

    /// Adds a table, unless there is one of this name.
    pub fn add(&mut self, name: String, table: Table) {
        self.tables.entry(name).or_insert(table);
    }

    /// Takes a table out.
    pub fn remove(&mut self, table: &str) -> Option<Table> {
        self.tables.remove(table)
    }

    /// A column, where it is known.
    pub fn column(&mut self, table: &str, column: &str) -> Option<&mut Column> {
        self.columns(table)?.get_mut(column)
    }

    /// The columns of a table, where they are known.
    pub fn columns(&mut self, table: &str) -> Option<&mut BTreeMap<String, Column>> {
        self.tables.get_mut(table)?.columns.as_mut()
    }
}

impl Tables {
    /// Takes note of a unique index, which `on conflict` may count on.
    pub fn add_unique(&mut self, index: String, table: String) {
        self.unique.insert(index, table);
    }

    /// Takes out an index; its table where it is unique.
    pub fn remove_unique(&mut self, index: &str) -> Option<String> {
        self.unique.remove(index)
    }
}

impl Table {
    /// The table that a statement makes.
    pub fn of(statement: &CreateTable) -> Self {
        let elsewhere = statement.query.is_some()
            || statement.like.is_some()
            || statement.inherits.is_some()
            || statement.partition_of.is_some();
        if elsewhere {
            return Self::default();
        }
        let columns = statement.columns.iter();
        let mut columns: BTreeMap<String, Column> = columns
            .map(|definition| (name(&definition.name), Column::of(definition)))
            .collect();
        for constraint in &statement.constraints {
            let TableConstraint::PrimaryKey(key) = constraint else {
                continue;
            };
            for part in &key.columns {
                if let Expr::Identifier(identifier) = &part.column.expr
                    && let Some(column) = columns.get_mut(&name(identifier))
                {
                    column.required = true;
                }
            }
        }
        Self {
            columns: Some(columns),
        }
    }
}

impl Column {
    /// The column that a definition describes.
    pub fn of(definition: &ColumnDef) -> Self {
        let kind = definition.data_type.to_string();
        let serial = is_serial(&kind);
        let mut column = Self {
            required: serial,
            defaulted: serial,
            kind,
        };
        for option in &definition.options {
            match &option.option {
                ColumnOption::NotNull | ColumnOption::PrimaryKey(_) => column.required = true,
                ColumnOption::Default(value) => {
                    column.defaulted = !value.to_string().eq_ignore_ascii_case("null");
                }
                ColumnOption::Generated { .. } | ColumnOption::Identity(_) => {
                    column.required = true;
                    column.defaulted = true;
                }
                _ => {}
            }
        }
        column
    }
}
