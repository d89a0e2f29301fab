//! What queries use of tables.

use std::collections::BTreeMap;

use super::goose::text;
use super::macros::{guessed, plain};
use super::sql::{Statement, script};
use super::tables::Tables;
use super::usage::Usage;
use super::{Finding, SchemaFile};
use crate::model::schema::TableUse;

/// What came of the queries of a service.
#[derive(Debug, Clone, Default)]
pub(super) struct Used {
    /// What they use, by table.
    pub uses: BTreeMap<String, TableUse>,
    /// What their author is told.
    pub findings: Vec<Finding>,
}

/// Reads sqlc's files of queries, which know these tables.
pub(super) fn uses(files: &[SchemaFile], tables: &Tables) -> Used {
    let mut used = Used::default();
    for file in files {
        let text = match text(file) {
            Ok(text) => text,
            Err(reason) => {
                used.find(file, 1, format!("{reason}: what it uses is not known"));
                continue;
            }
        };
        let script = script(text);
        for statement in &script.statements {
            used.take(file, statement, tables);
        }
        if let Some((line, reason)) = script.broken {
            let message =
                format!("is not understood from there on ({reason}): what it uses is not known");
            used.find(file, line, message);
        }
    }
    used
}

impl Used {
    fn take(&mut self, file: &SchemaFile, statement: &Statement, tables: &Tables) {
        let query =
            query_name(statement).unwrap_or_else(|| format!("{}:{}", file.name(), statement.line));
        let plain = plain(statement);
        let usage = match plain.parse() {
            Ok(parsed) => Usage::of(&parsed, tables),
            Err(reason) => {
                let message = format!(
                    "`{query}` is not understood ({reason}): it is taken to use every column that \
                     it names"
                );
                self.find(file, statement.line, message);
                guessed(&plain, tables)
            }
        };
        for (table, columns) in usage.columns {
            let used = self.uses.entry(table).or_default();
            used.queries.insert(query.clone());
            for column in columns {
                let users = used.columns.entry(column).or_default();
                users.insert(query.clone());
            }
        }
        for (table, columns) in usage.inserts {
            let inserts = &mut self.uses.entry(table).or_default().inserts;
            inserts.insert(query.clone(), columns);
        }
    }

    fn find(&mut self, file: &SchemaFile, line: usize, message: String) {
        self.findings.push(Finding {
            file: file.path.clone(),
            line,
            message,
        });
    }
}

/// The name that sqlc gives a query: `-- name: Create :one`.
fn query_name(statement: &Statement) -> Option<String> {
    let mut named = statement.comments.iter().filter_map(|comment| {
        let rest = comment.text.strip_prefix("name:")?;
        rest.split_whitespace().next().map(str::to_owned)
    });
    named.next_back()
}
