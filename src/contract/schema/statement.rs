//! What one statement of a migration does to the tables, and to those who count on them.

use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation, AlterTypeOperation, ColumnDef,
    ColumnOption, ObjectType, RenameTableNameKind, Statement, TableConstraint,
};

use super::postgres_types::widens;
use super::sql::{name, table};
use super::tables::{Column, Table, Tables};
use crate::model::schema::Change;

/// What a statement does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// What it takes away, by table.
    pub takes: Vec<(String, Change)>,
    /// What else may matter.
    pub doubts: Vec<Doubt>,
    /// The views that it makes.
    pub views: Vec<String>,
}

/// Something that may matter to those who count on a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    /// What it does, as the end of a sentence.
    pub what: String,
    /// The table that it is about, where that is known.
    pub table: Option<String>,
    /// The column that it is about, where that is known.
    pub column: Option<String>,
}

impl Effects {
    /// What a statement does to tables, which are changed accordingly.
    pub fn of(statement: &Statement, tables: &mut Tables) -> Self {
        let mut effects = Self::default();
        match statement {
            Statement::CreateTable(create) => {
                tables.add(table(&create.name), Table::of(create));
            }
            Statement::CreateView(create) => {
                let view = table(&create.name);
                tables.add(view.clone(), Table::default());
                effects.views.push(view);
            }
            Statement::AlterTable(alter) => {
                for operation in &alter.operations {
                    effects.alter(alter, operation, tables);
                }
            }
            Statement::Drop {
                object_type, names, ..
            } => {
                for dropped in names.iter().map(table) {
                    effects.drop(object_type, dropped, tables);
                }
            }
            Statement::CreateIndex(create) if create.unique => {
                let of = table(&create.table_name);
                if let Some(index) = &create.name {
                    tables.add_unique(table(index), of.clone());
                }
                let what = format!("adds a unique index to {of}");
                effects.doubt(what, Some(of), None);
            }
            Statement::AlterType(alter)
                if !matches!(alter.operation, AlterTypeOperation::AddValue(_)) =>
            {
                let what = format!("changes the type {}", table(&alter.name));
                effects.doubt(what, None, None);
            }
            other if is_harmless(other) => {}
            other => {
                let text = other.to_string();
                let words: Vec<&str> = text.split_whitespace().take(3).collect();
                let what = format!("does what is not judged: `{} ...`", words.join(" "));
                effects.doubt(what, None, None);
            }
        }
        effects
    }

    fn drop(&mut self, kind: &ObjectType, dropped: String, tables: &mut Tables) {
        match kind {
            ObjectType::Table
            | ObjectType::ForeignTable
            | ObjectType::View
            | ObjectType::MaterializedView => {
                tables.remove(&dropped);
                self.takes.push((dropped, Change::DropTable));
            }
            ObjectType::Role | ObjectType::User | ObjectType::Group | ObjectType::Collation => {}
            // One that `on conflict` counts on would be missed; any other only makes it slower.
            ObjectType::Index => {
                if let Some(of) = tables.remove_unique(&dropped) {
                    let what = format!("drops the unique index {dropped} of {of}");
                    self.doubt(what, Some(of), None);
                }
            }
            other => {
                let kind = other.to_string().to_lowercase();
                self.doubt(format!("drops the {kind} {dropped}"), None, None);
            }
        }
    }

    fn alter(&mut self, alter: &AlterTable, operation: &AlterTableOperation, tables: &mut Tables) {
        let of = table(&alter.name);
        match operation {
            AlterTableOperation::AddColumn { column_def, .. } => {
                self.add_column(&of, column_def, tables);
            }
            AlterTableOperation::DropColumn { column_names, .. } => {
                for column in column_names.iter().map(name) {
                    if let Some(columns) = tables.columns(&of) {
                        columns.remove(&column);
                    }
                    self.takes.push((of.clone(), Change::DropColumn { column }));
                }
            }
            AlterTableOperation::RenameColumn {
                old_column_name,
                new_column_name,
            } => {
                let (column, to) = (name(old_column_name), name(new_column_name));
                if let Some(columns) = tables.columns(&of)
                    && let Some(moved) = columns.remove(&column)
                {
                    columns.insert(to.clone(), moved);
                }
                self.takes.push((of, Change::RenameColumn { column, to }));
            }
            AlterTableOperation::RenameTable { table_name } => {
                let (RenameTableNameKind::As(to) | RenameTableNameKind::To(to)) = table_name;
                self.rename_table(of, table(to), tables);
            }
            AlterTableOperation::AlterColumn { column_name, op } => {
                let column = (of, name(column_name));
                self.alter_column(column, op, tables);
            }
            AlterTableOperation::AddConstraint { constraint, .. } => {
                let kind = match constraint {
                    TableConstraint::Unique(_) => "unique constraint",
                    TableConstraint::PrimaryKey(_) => "primary key",
                    TableConstraint::ForeignKey(_) => "foreign key",
                    TableConstraint::Check(_) => "check",
                    // It makes a constraint of an index that was there.
                    TableConstraint::PrimaryKeyUsingIndex(_)
                    | TableConstraint::UniqueUsingIndex(_) => return,
                    _ => "constraint",
                };
                self.doubt(format!("adds a {kind} to {of}"), Some(of), None);
            }
            AlterTableOperation::DropConstraint { name: dropped, .. } => {
                let what = format!("drops the constraint {} of {of}", name(dropped));
                self.doubt(what, Some(of), None);
            }
            other if changes_nothing(other) => {}
            other => {
                let words = other.to_string();
                let words: Vec<&str> = words.split_whitespace().take(3).collect();
                let what = format!(
                    "changes {of} in a way that is not judged: {}",
                    words.join(" ")
                );
                self.doubt(what, Some(of), None);
            }
        }
    }

    fn rename_table(&mut self, of: String, to: String, tables: &mut Tables) {
        // `rename to` takes no schema: the table stays where it is.
        let to = match of.rsplit_once('.') {
            Some((schema, _)) => format!("{schema}.{to}"),
            None => to,
        };
        if let Some(moved) = tables.remove(&of) {
            tables.add(to.clone(), moved);
        }
        self.takes.push((of, Change::RenameTable { to }));
    }

    fn add_column(&mut self, of: &str, definition: &ColumnDef, tables: &mut Tables) {
        let column = Column::of(definition);
        let added = name(&definition.name);
        if column.required && !column.defaulted {
            let change = Change::RequireColumn {
                column: added.clone(),
                added: true,
            };
            self.takes.push((of.to_owned(), change));
        }
        let unique = |option: &ColumnOption| matches!(option, ColumnOption::Unique(_));
        if column.defaulted && definition.options.iter().any(|it| unique(&it.option)) {
            let what = format!("adds {of}.{added}, which is unique and has a default");
            self.doubt(what, Some(of.to_owned()), None);
        }
        if let Some(columns) = tables.columns(of) {
            columns.insert(added, column);
        }
    }

    fn alter_column(
        &mut self,
        (of, column): (String, String),
        operation: &AlterColumnOperation,
        tables: &mut Tables,
    ) {
        let known = tables.column(&of, &column);
        let before = known.as_deref().cloned();
        let mut after = before.clone().unwrap_or_default();
        match operation {
            AlterColumnOperation::SetNotNull => {
                after.required = true;
                if before.as_ref().is_some_and(|it| it.required) {
                    return;
                }
                if before.is_none_or(|it| !it.defaulted) {
                    let added = false;
                    let column = column.clone();
                    let change = Change::RequireColumn { column, added };
                    self.takes.push((of.clone(), change));
                }
                let what = format!("forbids nulls in {of}.{column}");
                self.doubt(what, Some(of), Some(column));
            }
            AlterColumnOperation::DropNotNull => {
                after.required = false;
                let what = format!("lets {of}.{column} be null");
                self.doubt(what, Some(of), Some(column));
            }
            AlterColumnOperation::SetDefault { .. } | AlterColumnOperation::AddGenerated { .. } => {
                after.defaulted = true;
            }
            AlterColumnOperation::DropDefault => {
                after.defaulted = false;
                if before.is_none_or(|it| it.required && it.defaulted) {
                    let change = Change::RequireColumn {
                        column,
                        added: false,
                    };
                    self.takes.push((of, change));
                }
            }
            AlterColumnOperation::SetDataType { data_type, .. } => {
                let to = data_type.to_string();
                after.kind.clone_from(&to);
                let from = before.map(|it| it.kind);
                if !from.as_ref().is_some_and(|from| widens(from, &to)) {
                    let change = Change::ChangeType { column, from, to };
                    self.takes.push((of, change));
                }
            }
            AlterColumnOperation::GenericOptions { .. } => {}
        }
        if let Some(known) = known {
            *known = after;
        }
    }

    fn doubt(&mut self, what: String, table: Option<String>, column: Option<String>) {
        self.doubts.push(Doubt {
            what,
            table,
            column,
        });
    }
}

/// Statements that take nothing away: they add, they move data, or they tell the planner.
fn is_harmless(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::CreateIndex(_)
            | Statement::AlterIndex { .. }
            | Statement::AlterType(_)
            | Statement::CreateFunction(_)
            | Statement::CreateTrigger(_)
            | Statement::CreateSequence { .. }
            | Statement::CreateType { .. }
            | Statement::CreateDomain(_)
            | Statement::CreateExtension(_)
            | Statement::CreateSchema { .. }
            | Statement::CreateRole(_)
            | Statement::Comment { .. }
            | Statement::Grant(_)
            | Statement::AlterDefaultPrivileges(_)
            | Statement::Analyze(_)
            | Statement::Vacuum(_)
            | Statement::Set(_)
            | Statement::Query(_)
            | Statement::Insert(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::StartTransaction { .. }
            | Statement::Commit { .. }
    )
}

/// Changes of a table that nobody who uses it can see.
fn changes_nothing(operation: &AlterTableOperation) -> bool {
    matches!(
        operation,
        AlterTableOperation::RenameConstraint { .. }
            | AlterTableOperation::OwnerTo { .. }
            | AlterTableOperation::ValidateConstraint { .. }
            | AlterTableOperation::ReplicaIdentity { .. }
            | AlterTableOperation::SetOptionsParens { .. }
            | AlterTableOperation::AttachPartitionOf { .. }
            | AlterTableOperation::SetLogged
            | AlterTableOperation::SetUnlogged
            | AlterTableOperation::DisableRowLevelSecurity
    )
}
