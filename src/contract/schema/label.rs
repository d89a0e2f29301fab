//! The statement as the text of an image's label: compact JSON, the same for the same statement.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::schema::{Contraction, SchemaStatement, TableUse, Unclear};

/// The version of the format.
const VERSION: u32 = 1;
/// The longest label that is written, in bytes. BuildKit is told labels in the address of a
/// request, which takes 64 KiB, and escaping makes up to three bytes of one.
const LONGEST: usize = 16 << 10;
/// The longest label that is read, in bytes.
const LONGEST_READ: usize = 1 << 20;

/// Why a text is no statement, or a statement no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// It is not JSON of the format.
    #[error("it is not understood: {0}")]
    NotUnderstood(String),
    /// It is of another version of the format.
    #[error("it is written in version {0} of the format, and this program reads version {known}", known = VERSION)]
    OtherVersion(u64),
    /// It is too long.
    #[error("it takes {0} bytes, more than the {limit} that a label may have", limit = LONGEST)]
    TooLong(usize),
}

#[derive(Debug, Serialize, Deserialize)]
struct Label {
    version: u32,
    schema: u64,
    /// Names of queries, to which all else refers by position.
    queries: Vec<String>,
    uses: BTreeMap<String, Uses>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contractions: Vec<Contraction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unclear: Vec<Unclear>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Uses {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    queries: Vec<usize>,
    columns: BTreeMap<String, Vec<usize>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inserts: Vec<Insert>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Insert {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<usize>,
    columns: BTreeSet<String>,
}

/// Writes a statement. One that would be too long leaves out which query uses what.
///
/// # Errors
/// When it is too long even so.
pub fn write_label(statement: &SchemaStatement) -> Result<String, LabelError> {
    let text = written(statement)?;
    if text.len() <= LONGEST {
        return Ok(text);
    }
    let text = written(&without_queries(statement))?;
    match text.len() <= LONGEST {
        true => Ok(text),
        false => Err(LabelError::TooLong(text.len())),
    }
}

/// Reads a statement.
///
/// # Errors
/// When the text is not what [`write_label`] writes.
pub fn read_label(text: &str) -> Result<SchemaStatement, LabelError> {
    if text.len() > LONGEST_READ {
        return Err(LabelError::TooLong(text.len()));
    }
    let not_understood = |error: serde_json::Error| LabelError::NotUnderstood(error.to_string());
    let value: Value = serde_json::from_str(text).map_err(not_understood)?;
    if let Some(version) = value["version"].as_u64()
        && version != u64::from(VERSION)
    {
        return Err(LabelError::OtherVersion(version));
    }
    // Its names are shown at terminals.
    if has_control(&value) {
        let message = "it holds a control character".to_owned();
        return Err(LabelError::NotUnderstood(message));
    }
    let label: Label = serde_json::from_value(value).map_err(not_understood)?;
    label.statement()
}

fn written(statement: &SchemaStatement) -> Result<String, LabelError> {
    let names: BTreeSet<&String> = statement
        .uses
        .values()
        .flat_map(|table| table.queries.iter().chain(table.inserts.keys()))
        .filter(|name| !name.is_empty())
        .collect();
    let names: Vec<&String> = names.into_iter().collect();
    let position = |name: &String| names.binary_search(&name).ok();
    let positions = |queries: &BTreeSet<String>| queries.iter().filter_map(position).collect();
    let uses = statement.uses.iter().map(|(table, used)| {
        let columns = used.columns.iter();
        let inserts = used.inserts.iter();
        let uses = Uses {
            queries: positions(&used.queries),
            columns: columns
                .map(|(column, queries)| (column.clone(), positions(queries)))
                .collect(),
            inserts: inserts
                .map(|(query, columns)| Insert {
                    query: position(query),
                    columns: columns.clone(),
                })
                .collect(),
        };
        (table.clone(), uses)
    });
    let label = Label {
        version: VERSION,
        schema: statement.version,
        uses: uses.collect(),
        queries: names.iter().map(|&name| name.clone()).collect(),
        contractions: statement.contractions.clone(),
        unclear: statement.unclear.clone(),
    };
    let value = serde_json::to_value(&label);
    let value = value.map_err(|error| LabelError::NotUnderstood(error.to_string()))?;
    Ok(plain(value).to_string())
}

/// Names without control characters, which nobody's terminal is to get.
fn plain(value: Value) -> Value {
    let clean = |text: String| text.replace(char::is_control, " ");
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (clean(name), plain(value)))
            .collect(),
        other => other,
    }
}

/// The statement without the names of queries; of inserts it is left what all of them give.
fn without_queries(statement: &SchemaStatement) -> SchemaStatement {
    let uses = statement.uses.iter().map(|(table, used)| {
        let common = used
            .inserts
            .values()
            .cloned()
            .reduce(|all, next| &all & &next);
        let used = TableUse {
            queries: BTreeSet::new(),
            columns: used
                .columns
                .keys()
                .map(|column| (column.clone(), BTreeSet::new()))
                .collect(),
            inserts: common.into_iter().map(|it| (String::new(), it)).collect(),
        };
        (table.clone(), used)
    });
    SchemaStatement {
        uses: uses.collect(),
        ..statement.clone()
    }
}

impl Label {
    fn statement(self) -> Result<SchemaStatement, LabelError> {
        let named = |position: usize| {
            let name = self.queries.get(position).cloned();
            name.ok_or_else(|| {
                LabelError::NotUnderstood(format!("it has no query number {position}"))
            })
        };
        let names = |positions: Vec<usize>| -> Result<BTreeSet<String>, LabelError> {
            positions.into_iter().map(named).collect()
        };
        let mut uses = BTreeMap::new();
        for (table, written) in self.uses {
            let mut used = TableUse {
                queries: names(written.queries)?,
                ..TableUse::default()
            };
            for (column, queries) in written.columns {
                used.columns.insert(column, names(queries)?);
            }
            for insert in written.inserts {
                let query = insert.query.map(named).transpose()?;
                used.inserts
                    .insert(query.unwrap_or_default(), insert.columns);
            }
            uses.insert(table, used);
        }
        Ok(SchemaStatement {
            version: self.schema,
            uses,
            contractions: self.contractions,
            unclear: self.unclear,
        })
    }
}

fn has_control(value: &Value) -> bool {
    let within = |text: &str| text.chars().any(char::is_control);
    match value {
        Value::String(text) => within(text),
        Value::Array(items) => items.iter().any(has_control),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| within(name) || has_control(value)),
        _ => false,
    }
}
