//! Replays migrations: the tables that come of them, and what they take away from versions that
//! know nothing of them.

use super::goose::{self, text};
use super::sql::{Comment, Statement, in_schema, script};
use super::statement::Effects;
use super::tables::Tables;
use super::{Finding, SchemaFile};
use crate::model::schema::{Change, Contraction, MigrationPlace, Unclear};

/// How an author says what a statement takes away.
const SAY_SO: &str = "`-- gantline: contract TABLE.COLUMN` says what it takes away, `-- gantline: harmless` that it \
     takes nothing away";

/// What came of migrations.
#[derive(Debug, Clone, Default)]
pub(super) struct Replayed {
    /// The newest version; `None` when there is no migration.
    pub newest: Option<u64>,
    /// The tables that are there in the end.
    pub tables: Tables,
    /// What they take away.
    pub contractions: Vec<Contraction>,
    /// What else may matter.
    pub unclear: Vec<Unclear>,
    /// What their author is told.
    pub findings: Vec<Finding>,
}

/// What an author says about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Harmless,
    Takes(Vec<(String, Option<String>)>),
}

/// Replays migrations in the order of their versions.
pub(super) fn replay(files: &[SchemaFile]) -> Replayed {
    let mut replayed = Replayed::default();
    let mut migrations: Vec<(u64, &SchemaFile)> = Vec::new();
    for file in files {
        match goose::version(file.name()) {
            Some(version) => migrations.push((version, file)),
            None => replayed.findings.push(Finding {
                file: file.path.clone(),
                line: 1,
                message: "its name begins with no version, as in 00001_create_orders.sql"
                    .to_owned(),
            }),
        }
    }
    migrations.sort_by(|one, other| (one.0, &one.1.path).cmp(&(other.0, &other.1.path)));
    replayed.newest = migrations.last().map(|(version, _)| *version);
    for (version, file) in migrations {
        let migration = Migration { version, file };
        migration.replay(&mut replayed);
    }
    replayed
}

struct Migration<'a> {
    version: u64,
    file: &'a SchemaFile,
}

impl Migration<'_> {
    fn replay(&self, replayed: &mut Replayed) {
        if self.file.path.ends_with(".go") {
            let what = "is written in Go, which is not read";
            return self.not_understood(replayed, 1, what.to_owned());
        }
        let text = match text(self.file) {
            Ok(text) => text,
            Err(reason) => return self.not_understood(replayed, 1, reason.to_owned()),
        };
        let Some(up) = goose::up_part(text) else {
            let what = "has no line `-- +goose Up`, and Goose refuses it";
            return self.not_understood(replayed, 1, what.to_owned());
        };
        let script = script(&up);
        let already = replayed.contractions.len();
        for statement in &script.statements {
            self.take(replayed, statement, already);
        }
        for comment in script
            .trailing
            .iter()
            .filter(|it| it.annotation().is_some())
        {
            let what = "has a comment for gantline that no statement follows";
            self.not_understood(replayed, comment.line, what.to_owned());
        }
        if let Some((line, reason)) = script.broken {
            let what = format!("is not understood from there on: {reason}");
            self.not_understood(replayed, line, what);
        }
    }

    fn take(&self, replayed: &mut Replayed, statement: &Statement, already: usize) {
        let line = statement.line;
        let said = match self.said(replayed, &statement.comments) {
            Ok(said) => said,
            Err(()) => return,
        };
        let mut effects = Effects::default();
        let parsed = statement.parse();
        if let Ok(parsed) = &parsed {
            effects = Effects::of(parsed, &mut replayed.tables);
        }
        match said {
            Some(Said::Harmless) => return,
            Some(Said::Takes(taken)) => {
                let declared = taken.into_iter().map(|(table, column)| {
                    let change = Change::Declared { column };
                    self.contraction(line, table, change)
                });
                replayed.contractions.extend(declared);
                return;
            }
            None => {}
        }
        if let Err(reason) = parsed {
            let what = format!("is not understood: `{}`: {reason}", statement.shown());
            return self.not_understood(replayed, line, what);
        }
        for (table, change) in effects.takes {
            replayed
                .contractions
                .push(self.contraction(line, table, change));
        }
        for view in effects.views {
            self.stands_in(replayed, already, &view);
        }
        for doubt in effects.doubts {
            let unclear = Unclear {
                place: self.place(line),
                what: doubt.what,
                table: doubt.table,
                column: doubt.column,
            };
            if unclear.table.is_none() {
                replayed.findings.push(self.finding(&unclear));
            }
            replayed.unclear.push(unclear);
        }
    }

    /// A view of the name of a table that this migration took away may serve those who know only
    /// the table.
    fn stands_in(&self, replayed: &mut Replayed, already: usize, view: &str) {
        let own = replayed.contractions.split_off(already);
        for contraction in own {
            let whole = matches!(
                contraction.change,
                Change::DropTable | Change::RenameTable { .. }
            );
            if whole && contraction.table == view {
                replayed.unclear.push(Unclear {
                    place: contraction.place,
                    what: format!("puts a view in the place of the table {view}"),
                    table: Some(contraction.table),
                    column: None,
                });
            } else {
                replayed.contractions.push(contraction);
            }
        }
    }

    /// What the author says in these comments.
    fn said(&self, replayed: &mut Replayed, comments: &[Comment]) -> Result<Option<Said>, ()> {
        let mut said = None;
        for comment in comments {
            let Some(annotation) = comment.annotation() else {
                continue;
            };
            match Said::read(annotation) {
                Some(read) => said = Some(read),
                None => {
                    let what = format!("says `{annotation}` to gantline, which is not understood");
                    self.not_understood(replayed, comment.line, what);
                    return Err(());
                }
            }
        }
        Ok(said)
    }

    fn not_understood(&self, replayed: &mut Replayed, line: usize, what: String) {
        let unclear = Unclear {
            place: self.place(line),
            what,
            table: None,
            column: None,
        };
        replayed.findings.push(self.finding(&unclear));
        replayed.unclear.push(unclear);
    }

    fn contraction(&self, line: usize, table: String, change: Change) -> Contraction {
        Contraction {
            place: self.place(line),
            table,
            change,
        }
    }

    /// What is unclear, as its author is told.
    fn finding(&self, unclear: &Unclear) -> Finding {
        Finding {
            file: self.file.path.clone(),
            line: unclear.place.line,
            message: format!("{}; {SAY_SO}", unclear.what),
        }
    }

    fn place(&self, line: usize) -> MigrationPlace {
        MigrationPlace {
            version: self.version,
            file: self.file.name().to_owned(),
            line,
        }
    }
}

impl Said {
    /// Reads `harmless`, or `contract orders.note, customers`.
    fn read(annotation: &str) -> Option<Self> {
        if annotation == "harmless" {
            return Some(Self::Harmless);
        }
        let named = annotation.strip_prefix("contract ")?;
        let taken = named.split(',').map(|one| {
            let parts: Vec<String> = one.trim().split('.').map(str::to_owned).collect();
            let is_word = |part: &String| {
                let word = |letter: char| letter.is_alphanumeric() || letter == '_';
                !part.is_empty() && part.chars().all(word)
            };
            if !parts.iter().all(is_word) {
                return None;
            }
            match parts.as_slice() {
                [table] => Some((table.clone(), None)),
                [table @ .., column] => Some((in_schema(table), Some(column.clone()))),
                [] => None,
            }
        });
        taken.collect::<Option<Vec<_>>>().map(Self::Takes)
    }
}
