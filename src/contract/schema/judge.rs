//! Whether a version can run upon the schema of another one.

use std::collections::BTreeSet;

use crate::model::schema::{
    Break, Change, Contraction, EVERY_COLUMN, Judgement, SchemaStatement, TableUse, Unclear,
};

/// Judges what the migrations of `other` mean to the version that states `used`: those that are
/// newer than the schema that it knows.
pub fn judge(used: &SchemaStatement, other: &SchemaStatement) -> Judgement {
    let newer = other.contractions.iter();
    let newer = newer.filter(|it| it.place.version > used.version);
    let breaks: Vec<Break> = newer
        .filter_map(|contraction| {
            Some(Break {
                queries: losing(used, contraction)?,
                contraction: contraction.clone(),
            })
        })
        .collect();
    let broken = |unclear: &Unclear| {
        let mut places = breaks.iter().map(|it| &it.contraction.place);
        places.any(|place| *place == unclear.place)
    };
    let newer = other.unclear.iter();
    let newer = newer.filter(|it| it.place.version > used.version);
    let doubts = newer
        .filter(|it| may_matter(used, it) && !broken(it))
        .cloned()
        .collect();
    Judgement { breaks, doubts }
}

/// The queries that lose something; `None` when there is no such.
fn losing(used: &SchemaStatement, contraction: &Contraction) -> Option<BTreeSet<String>> {
    let table = used.uses.get(&contraction.table)?;
    match &contraction.change {
        Change::DropTable | Change::RenameTable { .. } | Change::Declared { column: None } => {
            Some(table.queries.clone())
        }
        Change::DropColumn { column }
        | Change::RenameColumn { column, .. }
        | Change::ChangeType { column, .. }
        | Change::Declared {
            column: Some(column),
        } => using(table, column),
        Change::RequireColumn { column, added } => leaving_out(table, column, *added),
    }
}

fn using(table: &TableUse, column: &str) -> Option<BTreeSet<String>> {
    let named = [column, EVERY_COLUMN].map(|column| table.columns.get(column));
    let mut named = named.into_iter().flatten().peekable();
    named.peek()?;
    Some(named.flatten().cloned().collect())
}

/// The inserts that give a column no value. One that gives all columns of its time gives one that
/// is added later none.
fn leaving_out(table: &TableUse, column: &str, added: bool) -> Option<BTreeSet<String>> {
    let gives = |columns: &BTreeSet<String>| {
        columns.contains(column) || (!added && columns.contains(EVERY_COLUMN))
    };
    let mut inserts = table.inserts.iter().peekable();
    inserts.peek()?;
    let leaving = inserts.filter(|(_, columns)| !gives(columns));
    let leaving: BTreeSet<String> = leaving.map(|(query, _)| query.clone()).collect();
    (!leaving.is_empty()).then_some(leaving)
}

fn may_matter(used: &SchemaStatement, unclear: &Unclear) -> bool {
    let Some(table) = &unclear.table else {
        return true;
    };
    let Some(table) = used.uses.get(table) else {
        return false;
    };
    let column = unclear.column.as_ref();
    column.is_none_or(|column| using(table, column).is_some())
}
