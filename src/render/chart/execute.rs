//! Runs parsed templates.
//!
//! The parser is gotmpl's. Its own execution is not used: there maps cannot change, which `set`
//! and `merge` have to do, and an error does not tell where it happened.

use std::collections::BTreeMap;
use std::rc::Rc;

use gotmpl::parse::{BranchNode, ListNode, Node, Pos};

use super::budget::{self, Budget};
use super::fault::{Fault, Outcome, Spot};
use super::parse::{Body, parse};
use super::value::Value;

/// Templates may include one another this deep.
const DEEPEST: usize = 100;

/// All templates of a chart, and how far they have come.
pub struct Engine {
    bodies: BTreeMap<String, Rc<Body>>,
    depth: usize,
    pub(super) budget: Budget,
}

/// How a list of nodes ended.
enum Flow {
    Next,
    Break,
    Continue,
}

/// The variables of one template that runs.
pub(super) struct Scope {
    file: Rc<str>,
    variables: Vec<(String, Value)>,
}

impl Engine {
    /// An engine without templates.
    pub fn new() -> Self {
        Self {
            bodies: BTreeMap::new(),
            depth: 0,
            budget: Budget::new(),
        }
    }

    /// Adds a file: its text under its own name, and what it defines. Like Go, what holds nothing
    /// but space does not replace what is there.
    pub fn add(&mut self, name: &str, text: &str) -> Outcome<()> {
        for (name, body) in parse(name, text)? {
            if !body.nodes.is_empty_tree() || !self.bodies.contains_key(&name) {
                self.bodies.insert(name, Rc::new(body));
            }
        }
        Ok(())
    }

    /// What a template writes.
    pub fn run(&mut self, name: &str, dot: &Value) -> Outcome<String> {
        let body = self
            .bodies
            .get(name)
            .map(Rc::clone)
            .ok_or_else(|| Fault::from(format!("there is no template `{name}`")))?;
        if self.depth >= DEEPEST {
            return Err(
                format!("templates include one another deeper than {DEEPEST} levels").into(),
            );
        }
        self.depth += 1;
        let mut scope = Scope {
            file: Rc::clone(&body.file),
            variables: vec![("$".to_owned(), dot.clone())],
        };
        let mut out = String::new();
        let flow = self.list(&body.nodes, dot, &mut scope, &mut out);
        self.depth -= 1;
        flow.map(|_| out)
    }

    /// Runs a text as a template that knows all others, as `tpl` does.
    pub fn run_text(&mut self, text: &str, dot: &Value) -> Outcome<String> {
        let name = format!("text given to tpl ({})", self.bodies.len());
        self.budget.spend_text(text)?;
        self.budget.spend(self.bodies.len())?;
        let before = self.bodies.clone();
        let result = self.add(&name, text).and_then(|()| self.run(&name, dot));
        self.bodies = before;
        // A place within the text means nothing to a reader: the place of `tpl` is what counts.
        result.map_err(|mut fault| {
            if fault.spot.as_ref().is_some_and(|spot| *spot.file == *name) {
                fault.spot = None;
            }
            fault
        })
    }

    fn list(
        &mut self,
        list: &ListNode,
        dot: &Value,
        scope: &mut Scope,
        out: &mut String,
    ) -> Outcome<Flow> {
        for node in &list.nodes {
            match self.node(node, dot, scope, out)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn node(
        &mut self,
        node: &Node,
        dot: &Value,
        scope: &mut Scope,
        out: &mut String,
    ) -> Outcome<Flow> {
        self.budget.spend(1)?;
        match node {
            Node::Text(text) => self.write(&text.text, out)?,
            Node::Action(action) => {
                let value = self.pipe(&action.pipe, dot, scope)?;
                if action.pipe.decl.is_empty() {
                    match value {
                        Value::Nil => self.write("<no value>", out)?,
                        Value::Text(text) => self.write(&text, out)?,
                        other => {
                            self.budget.spend_printed(&other)?;
                            self.write(&other.printed(), out)?;
                        }
                    }
                }
            }
            Node::If(branch) => return self.branch(branch, (dot, false), scope, out),
            Node::With(branch) => return self.branch(branch, (dot, true), scope, out),
            Node::Range(branch) => return self.range(branch, dot, scope, out),
            Node::Template(call) => {
                let value = match &call.pipe {
                    Some(pipe) => self.pipe(pipe, dot, scope)?,
                    None => Value::Nil,
                };
                let text = self.run(&call.name, &value);
                let text = text.map_err(|fault| fault.or_at(scope, call.pos))?;
                self.write(&text, out)?;
            }
            Node::List(list) => return self.list(list, dot, scope, out),
            Node::Define(_) => {}
            Node::Break(_) => return Ok(Flow::Break),
            Node::Continue(_) => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn write(&mut self, text: &str, out: &mut String) -> Outcome<()> {
        self.budget.spend_text(text)?;
        out.push_str(text);
        Ok(())
    }

    fn branch(
        &mut self,
        branch: &BranchNode,
        (dot, moves_dot): (&Value, bool),
        scope: &mut Scope,
        out: &mut String,
    ) -> Outcome<Flow> {
        let mark = scope.variables.len();
        let value = self.pipe(&branch.pipe, dot, scope)?;
        let flow = if value.is_true() {
            let dot = if moves_dot { &value } else { dot };
            self.list(&branch.body, dot, scope, out)
        } else if let Some(body) = &branch.else_body {
            self.list(body, dot, scope, out)
        } else {
            Ok(Flow::Next)
        };
        scope.variables.truncate(mark);
        flow
    }

    fn range(
        &mut self,
        branch: &BranchNode,
        dot: &Value,
        scope: &mut Scope,
        out: &mut String,
    ) -> Outcome<Flow> {
        let mark = scope.variables.len();
        let value = self.commands(&branch.pipe, dot, scope)?;
        let pairs = elements(&value)
            .map_err(|message| Fault::from(message).or_at(scope, branch.pipe.pos))?;
        if pairs.is_empty() {
            let flow = match &branch.else_body {
                Some(body) => self.list(body, dot, scope, out),
                None => Ok(Flow::Next),
            };
            scope.variables.truncate(mark);
            return flow;
        }
        let steps = self.budget.spend(pairs.len());
        steps.map_err(|message| Fault::from(message).or_at(scope, branch.pos))?;
        for (key, item) in pairs {
            let names = branch.pipe.decl.as_slice();
            let bound = match names {
                [] => vec![],
                [name] => vec![(name, item.clone())],
                [first, second, ..] => vec![(first, key), (second, item.clone())],
            };
            for (name, value) in bound {
                scope.bind(name, value, branch.pipe.is_assign);
            }
            let flow = self.list(&branch.body, &item, scope, out)?;
            scope.variables.truncate(mark);
            if matches!(flow, Flow::Break) {
                break;
            }
        }
        Ok(Flow::Next)
    }
}

impl Scope {
    /// How many variables there are.
    pub(super) fn size(&self) -> usize {
        self.variables.len()
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Outcome<Value> {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.clone())
            .ok_or_else(|| format!("the variable {name} is not declared").into())
    }

    /// Declares a variable, or gives a known one another value.
    pub(super) fn bind(&mut self, name: &str, value: Value, assigns: bool) {
        if assigns
            && let Some(found) = self
                .variables
                .iter_mut()
                .rev()
                .find(|(known, _)| known == name)
        {
            found.1 = value;
            return;
        }
        self.variables.push((name.to_owned(), value));
    }
}

impl Fault {
    /// The fault with this place, unless it has one.
    pub(super) fn or_at(mut self, scope: &Scope, pos: Pos) -> Self {
        self.spot.get_or_insert_with(|| Spot {
            file: Rc::clone(&scope.file),
            offset: pos.offset,
        });
        self
    }
}

/// What `range` goes through.
fn elements(value: &Value) -> Result<Vec<(Value, Value)>, String> {
    let numbered = |items: Vec<Value>| {
        let items = items.into_iter().enumerate();
        items
            .map(|(index, item)| (Value::Int(i64::try_from(index).unwrap_or(i64::MAX)), item))
            .collect()
    };
    Ok(match value {
        Value::Nil => Vec::new(),
        Value::List(items) => numbered(items.to_vec()),
        Value::Versions(items) => numbered(items.iter().map(Value::text).collect()),
        Value::Dict(map) => {
            let map = map.borrow();
            map.iter()
                .map(|(key, value)| (Value::Text(Rc::clone(key)), value.clone()))
                .collect()
        }
        Value::Files(files) => files
            .iter()
            .map(|(path, bytes)| {
                let text = String::from_utf8_lossy(bytes);
                (Value::Text(Rc::clone(path)), Value::text(text))
            })
            .collect(),
        Value::Int(count) => {
            // Of more, the first that is too many is enough to be refused.
            let most = i64::try_from(budget::MOST).unwrap_or(i64::MAX);
            let count = (*count).min(most.saturating_add(1));
            numbered((0..count).map(Value::Int).collect())
        }
        other => return Err(format!("range cannot go through a {}", other.type_name())),
    })
}
