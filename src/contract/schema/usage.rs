//! What one query uses: tables, their columns, and which of these an insert gives a value.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, Delete, Expr, FromTable, Insert, JoinConstraint,
    JoinOperator, Merge, MergeAction, MergeUpdateKind, ObjectName, OnConflictAction, OnInsert,
    Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement, TableFactor,
    TableObject, TableWithJoins, Update, UpdateTableFromKind, Visit, Visitor,
};

use super::sql::{column, in_schema, name, parts, table};
use super::tables::Tables;
use crate::model::schema::EVERY_COLUMN;

/// What a query uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// The tables that it names, and their columns.
    pub columns: BTreeMap<String, BTreeSet<String>>,
    /// The tables that it inserts into, and the columns that it gives a value.
    pub inserts: BTreeMap<String, BTreeSet<String>>,
}

impl Usage {
    /// What a statement uses of these tables.
    pub fn of(statement: &Statement, tables: &Tables) -> Self {
        let mut named = Named::default();
        // It never breaks off.
        let _done: ControlFlow<()> = statement.visit(&mut named);
        let mut usage = Self::default();
        for of in named.real_tables(tables) {
            usage.columns.entry(of).or_default();
        }
        for reference in &named.references {
            named.resolve(reference, tables, &mut usage);
        }
        for (of, columns) in &named.inserts {
            let given = match columns.is_empty() {
                true => every_column(of, tables),
                false => columns.clone(),
            };
            let used = usage.columns.entry(of.clone()).or_default();
            used.extend(given.iter().cloned());
            usage.inserts.entry(of.clone()).or_default().extend(given);
        }
        usage
    }

    /// Adds every column of a table.
    pub fn all_of(&mut self, of: &str, tables: &Tables) {
        let columns = self.columns.entry(of.to_owned()).or_default();
        columns.extend(every_column(of, tables));
    }
}

/// Every column of a table, as far as they are known.
fn every_column(of: &str, tables: &Tables) -> BTreeSet<String> {
    let known = tables.get(of).and_then(|it| it.columns.as_ref());
    match known {
        Some(columns) => columns.keys().cloned().collect(),
        None => BTreeSet::from([EVERY_COLUMN.to_owned()]),
    }
}

/// Something that a query names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reference {
    /// `note`, or `orders.note`.
    Column { of: Option<String>, column: String },
    /// `orders.*`, or what a bare `*` stands for.
    Every { of: String },
}

/// What a query names, all of its parts together. A name that could be a column of two tables
/// counts for both.
#[derive(Debug, Default)]
struct Named {
    /// Names within the query, and the tables they stand for.
    aliases: BTreeMap<String, BTreeSet<String>>,
    tables: BTreeSet<String>,
    /// Names of `with` queries.
    own: BTreeSet<String>,
    references: Vec<Reference>,
    inserts: Vec<(String, BTreeSet<String>)>,
}

impl Named {
    /// Whether a name is that of a `with` query alone. One that has the name of a table reads that
    /// table, or hides it: which one is not told apart.
    fn is_own(&self, of: &str, tables: &Tables) -> bool {
        self.own.contains(of) && tables.get(of).is_none()
    }

    fn real_tables(&self, tables: &Tables) -> BTreeSet<String> {
        let all = self.tables.iter();
        all.filter(|of| !self.is_own(of, tables)).cloned().collect()
    }

    fn resolve(&self, reference: &Reference, tables: &Tables, usage: &mut Usage) {
        match reference {
            Reference::Every { of } => {
                for of in self.meant(of, tables) {
                    usage.all_of(&of, tables);
                }
            }
            Reference::Column {
                of: Some(of),
                column,
            } => {
                for of in self.meant(of, tables) {
                    usage.columns.entry(of).or_default().insert(column.clone());
                }
            }
            Reference::Column { of: None, column } => self.resolve_bare(column, tables, usage),
        }
    }

    /// A bare name is a column of those tables that have it, or of any that may; if of none, it is
    /// a whole row, or one of all.
    fn resolve_bare(&self, column: &str, tables: &Tables, usage: &mut Usage) {
        let all = self.real_tables(tables);
        let may_have = |of: &&String| {
            let known = tables.get(of).and_then(|it| it.columns.as_ref());
            known.is_none_or(|columns| columns.contains_key(column))
        };
        let having: Vec<&String> = all.iter().filter(may_have).collect();
        if having.is_empty() && self.aliases.contains_key(column) {
            return self.resolve(
                &Reference::Every {
                    of: column.to_owned(),
                },
                tables,
                usage,
            );
        }
        let meant = match having.is_empty() {
            true => all.iter().collect(),
            false => having,
        };
        for of in meant {
            let columns = usage.columns.entry(of.clone()).or_default();
            columns.insert(column.to_owned());
        }
    }

    /// The tables that a name stands for.
    fn meant(&self, named: &str, tables: &Tables) -> BTreeSet<String> {
        let meant = self.aliases.get(named).into_iter().flatten();
        meant
            .filter(|of| !self.is_own(of, tables))
            .cloned()
            .collect()
    }

    fn table(&mut self, named: &ObjectName, alias: Option<String>) -> String {
        let of = table(named);
        let last = column(named);
        self.tables.insert(of.clone());
        for known_as in [Some(of.clone()), Some(last), alias].into_iter().flatten() {
            let meant = self.aliases.entry(known_as).or_default();
            meant.insert(of.clone());
        }
        of
    }

    fn factor(&mut self, factor: &TableFactor) -> Option<String> {
        match factor {
            TableFactor::Table {
                name: of,
                alias,
                args: None,
                ..
            } => Some(self.table(of, alias.as_ref().map(|alias| name(&alias.name)))),
            _ => None,
        }
    }

    fn bare(&mut self, column: String) {
        self.references.push(Reference::Column { of: None, column });
    }

    fn column_of(&mut self, of: &str, column: String) {
        let of = Some(of.to_owned());
        self.references.push(Reference::Column { of, column });
    }

    /// What a list of results names with `*`; `from` is what a bare one stands for.
    fn results(&mut self, items: &[SelectItem], from: &[String]) {
        for item in items {
            match item {
                SelectItem::Wildcard(_) => {
                    let every = from.iter().map(|of| Reference::Every { of: of.clone() });
                    self.references.extend(every);
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(of),
                    _,
                ) => self.references.push(Reference::Every { of: table(of) }),
                // Whatever else it names is an expression.
                _ => {}
            }
        }
    }

    /// The tables of a `from`; what its joins compare is added.
    fn joined(&mut self, from: &[TableWithJoins]) -> Vec<String> {
        let mut found = Vec::new();
        for one in from {
            let first = found.len();
            self.joined_factor(&one.relation, &mut found);
            for join in &one.joins {
                self.joined_factor(&join.relation, &mut found);
                match constraint(&join.join_operator) {
                    Some(
                        JoinConstraint::Using(columns) | JoinConstraint::UsingAlias(columns, _),
                    ) => {
                        for named in columns {
                            self.bare(column(named));
                        }
                    }
                    // It compares whatever both have.
                    Some(JoinConstraint::Natural) => {
                        let every = found[first..]
                            .iter()
                            .map(|of| Reference::Every { of: of.clone() });
                        self.references.extend(every);
                    }
                    _ => {}
                }
            }
        }
        found
    }

    fn joined_factor(&mut self, factor: &TableFactor, found: &mut Vec<String>) {
        match factor {
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => found.extend(self.joined(std::slice::from_ref(table_with_joins.as_ref()))),
            other => found.extend(self.factor(other)),
        }
    }

    fn assigned(&mut self, of: &str, assignments: &[Assignment]) {
        for assignment in assignments {
            match &assignment.target {
                AssignmentTarget::ColumnName(named) => self.column_of(of, first(named)),
                AssignmentTarget::Tuple(columns) => {
                    for named in columns {
                        self.column_of(of, first(named));
                    }
                }
            }
        }
    }

    fn insert(&mut self, insert: &Insert) {
        let TableObject::TableName(named) = &insert.table else {
            return;
        };
        let alias = insert.table_alias.as_ref().map(|alias| name(&alias.alias));
        let of = self.table(named, alias);
        self.aliases
            .entry("excluded".to_owned())
            .or_default()
            .insert(of.clone());
        let columns = insert.columns.iter().map(first).collect();
        self.inserts.push((of.clone(), columns));
        if let Some(OnInsert::OnConflict(conflict)) = &insert.on {
            if let Some(ConflictTarget::Columns { columns, .. }) = &conflict.conflict_target {
                for column in columns {
                    self.column_of(&of, name(column));
                }
            }
            if let OnConflictAction::DoUpdate(update) = &conflict.action {
                self.assigned(&of, &update.assignments);
            }
        }
        self.results(insert.returning.as_deref().unwrap_or_default(), &[of]);
    }

    fn update(&mut self, update: &Update) {
        let mut from = self.joined(std::slice::from_ref(&update.table));
        let of = from.first().cloned().unwrap_or_default();
        self.assigned(&of, &update.assignments);
        if let Some(UpdateTableFromKind::BeforeSet(more) | UpdateTableFromKind::AfterSet(more)) =
            &update.from
        {
            from.extend(self.joined(more));
        }
        self.results(update.returning.as_deref().unwrap_or_default(), &from);
    }

    fn delete(&mut self, delete: &Delete) {
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        let mut from = self.joined(tables);
        from.extend(self.joined(delete.using.as_deref().unwrap_or_default()));
        self.results(delete.returning.as_deref().unwrap_or_default(), &from);
    }

    fn merge(&mut self, merge: &Merge) {
        let of = self.factor(&merge.table).unwrap_or_default();
        let _source = self.factor(&merge.source);
        for clause in &merge.clauses {
            match &clause.action {
                MergeAction::Insert(insert) => {
                    let columns = insert.columns.iter().map(first).collect();
                    self.inserts.push((of.clone(), columns));
                }
                MergeAction::Update(update) => {
                    if let MergeUpdateKind::Set(assignments) = &update.kind {
                        self.assigned(&of, assignments);
                    }
                }
                _ => {}
            }
        }
    }
}

impl Visitor for Named {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => self.merge(merge),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        self.own.extend(with.map(|cte| name(&cte.alias.name)));
        if let SetExpr::Table(whole) = query.body.as_ref() {
            let named = [&whole.schema_name, &whole.table_name];
            let parts: Vec<String> = named.into_iter().flatten().map(name).collect();
            let of = in_schema(&parts);
            self.tables.insert(of.clone());
            self.aliases
                .entry(of.clone())
                .or_default()
                .insert(of.clone());
            self.references.push(Reference::Every { of });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let from = self.joined(&select.from);
        self.results(&select.projection, &from);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(identifier) => self.bare(name(identifier)),
            Expr::CompoundIdentifier(identifiers) => {
                let mut parts: Vec<String> = identifiers.iter().map(name).collect();
                let column = parts.pop().unwrap_or_default();
                self.column_of(&in_schema(&parts), column);
            }
            Expr::QualifiedWildcard(of, _) => {
                self.references.push(Reference::Every { of: table(of) });
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The column that an assignment or a list of an insert names: its first part, since what follows
/// is within the column.
fn first(named: &ObjectName) -> String {
    parts(named).into_iter().next().unwrap_or_default()
}

fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}
