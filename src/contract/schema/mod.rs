//! The database between two versions of a service: what its queries use, what its migrations take
//! away, and whether the one can run upon the other.
//!
//! Read are Goose migrations and sqlc queries for PostgreSQL. SQL that is not understood is told
//! with its line; a query that is not understood counts as using everything that it names.

mod goose;
mod judge;
mod label;
mod macros;
mod migrations;
mod postgres_types;
mod queries;
mod sql;
mod statement;
mod tables;
#[cfg(test)]
mod tests;
mod usage;

pub use judge::judge;
pub use label::{LabelError, read_label, write_label};

use crate::model::schema::SchemaStatement;

/// A file of a service's schema or queries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFile {
    /// Its path, as its author would name it.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl SchemaFile {
    /// Its name, without its folder.
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// Something that was not understood, for the author of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file's path.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What about it, in a sentence without a final stop.
    pub message: String,
}

/// A statement, and what was not understood on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The statement; `None` when there is no migration.
    pub statement: Option<SchemaStatement>,
    /// What was not understood.
    pub findings: Vec<Finding>,
}

/// Reads what a version of a service states about its database.
pub fn read(migration_files: &[SchemaFile], query_files: &[SchemaFile]) -> Reading {
    let replayed = migrations::replay(migration_files);
    let mut findings = replayed.findings;
    let Some(version) = replayed.newest else {
        return Reading {
            findings,
            ..Reading::default()
        };
    };
    let used = queries::uses(query_files, &replayed.tables);
    findings.extend(used.findings);
    Reading {
        statement: Some(SchemaStatement {
            version,
            uses: used.uses,
            contractions: replayed.contractions,
            unclear: replayed.unclear,
        }),
        findings,
    }
}
