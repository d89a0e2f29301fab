//! What a version of a service asks of its database, and what its migrations take away.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// The label of an image, and the annotation of its manifest, that states a [`SchemaStatement`].
pub const LABEL: &str = "dev.gantline.schema";
/// Stands for every column of a table whose columns are not known.
pub const EVERY_COLUMN: &str = "*";

/// What one version of a service needs of its database, and what all its migrations do to others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaStatement {
    /// The newest migration: the schema that this version works with.
    pub version: u64,
    /// What its queries use, by table.
    pub uses: BTreeMap<String, TableUse>,
    /// What its migrations take away, in their order.
    pub contractions: Vec<Contraction>,
    /// What its migrations do besides that may matter, in their order.
    pub unclear: Vec<Unclear>,
}

/// What queries use of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableUse {
    /// Every query that names the table.
    pub queries: BTreeSet<String>,
    /// The columns, and the queries that use each; [`EVERY_COLUMN`] where they are not known.
    pub columns: BTreeMap<String, BTreeSet<String>>,
    /// The queries that insert, and the columns that each gives a value.
    pub inserts: BTreeMap<String, BTreeSet<String>>,
}

/// Where a migration does something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MigrationPlace {
    /// Its version, the number that its file's name begins with.
    pub version: u64,
    /// Its file's name.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for MigrationPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// Something that a version which knows nothing of it cannot do without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contraction {
    /// Where.
    #[serde(flatten)]
    pub place: MigrationPlace,
    /// Of which table.
    pub table: String,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

/// What is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// The whole table.
    DropTable,
    /// The table's name.
    RenameTable {
        /// What it is called from now on.
        to: String,
    },
    /// A column.
    DropColumn {
        /// Which one.
        column: String,
    },
    /// A column's name.
    RenameColumn {
        /// Which one.
        column: String,
        /// What it is called from now on.
        to: String,
    },
    /// Values that a column could hold, or the form that they are read in.
    ChangeType {
        /// Which one.
        column: String,
        /// Its type before, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Its type from now on.
        to: String,
    },
    /// The freedom to give a column no value.
    RequireColumn {
        /// Which one.
        column: String,
        /// Whether this migration adds it.
        added: bool,
    },
    /// What the author says that it takes away.
    Declared {
        /// The column; the whole table without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        column: Option<String>,
    },
}

impl fmt::Display for Contraction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.table;
        match &self.change {
            Change::DropTable => write!(formatter, "drops {table}"),
            Change::RenameTable { to } => write!(formatter, "renames {table} to {to}"),
            Change::DropColumn { column } => write!(formatter, "drops {table}.{column}"),
            Change::RenameColumn { column, to } => {
                write!(formatter, "renames {table}.{column} to {to}")
            }
            Change::ChangeType { column, from, to } => {
                write!(formatter, "changes the type of {table}.{column}")?;
                match from {
                    Some(from) => write!(formatter, " from {from} to {to}"),
                    None => write!(formatter, " to {to}"),
                }
            }
            Change::RequireColumn {
                column,
                added: true,
            } => {
                write!(
                    formatter,
                    "adds {table}.{column}, which every insert must give"
                )
            }
            Change::RequireColumn { column, .. } => {
                write!(formatter, "makes every insert give {table}.{column}")
            }
            Change::Declared { column } => {
                write!(formatter, "takes away {table}")?;
                column
                    .iter()
                    .try_for_each(|column| write!(formatter, ".{column}"))
            }
        }
    }
}

/// Something in a migration of which it is not known whether it takes something away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unclear {
    /// Where.
    #[serde(flatten)]
    pub place: MigrationPlace,
    /// What it does, as the end of a sentence: `adds a unique index to orders`.
    pub what: String,
    /// The table that it is about, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The column that it is about, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// What the migrations of one version mean to another version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What that version uses and loses.
    pub breaks: Vec<Break>,
    /// What may matter to it.
    pub doubts: Vec<Unclear>,
}

/// Something that a version uses and loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// What takes it away.
    pub contraction: Contraction,
    /// The queries that use it; none where only that it is used is known.
    pub queries: BTreeSet<String>,
}
