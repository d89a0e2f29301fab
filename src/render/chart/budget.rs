//! How much work a chart may be. Loops, recursion, and texts or lists that double themselves are all
//! paid from one budget, so each of them ends.

use std::rc::Rc;

use super::value::{DEEPEST, Value};

/// Steps that a chart may take: one for each node, call and expression that is run, and more for what
/// is looked through or made, by the constants below.
pub const MOST: usize = 2_000_000;
/// Bytes of a text that count as a step.
const BYTES: usize = 16;
/// Values of a list that count as a step where only the list itself is gone through.
const ITEMS: usize = 4;
/// Steps that a value takes where all within it is gone through.
const PER_VALUE: usize = 4;
/// Steps that a regular expression takes to be read.
const EXPRESSION: usize = 500;

/// Functions that look at what they are given, and not at what is within it; what is not named here
/// is taken to go through all.
const SHALLOW: [&str; 44] = [
    "all",
    "and",
    "any",
    "append",
    "chunk",
    "coalesce",
    "compact",
    "concat",
    "default",
    "dig",
    "empty",
    "first",
    "get",
    "hasKey",
    "include",
    "index",
    "initial",
    "keys",
    "kindIs",
    "kindOf",
    "last",
    "len",
    "list",
    "not",
    "omit",
    "or",
    "pick",
    "pluck",
    "prepend",
    "push",
    "required",
    "rest",
    "reverse",
    "set",
    "slice",
    "ternary",
    "tpl",
    "tuple",
    "typeIs",
    "typeIsLike",
    "typeOf",
    "unset",
    "values",
    "fail",
];

/// What is left to a chart.
pub struct Budget {
    left: usize,
}

impl Budget {
    /// That of a chart that has not begun.
    pub fn new() -> Self {
        Self { left: MOST }
    }

    /// Takes steps.
    ///
    /// # Errors
    /// When none are left.
    pub fn spend(&mut self, steps: usize) -> Result<(), String> {
        let left = self.left.checked_sub(steps);
        self.left = left.unwrap_or(0);
        left.map(drop)
            .ok_or_else(|| format!("the chart takes more than {MOST} steps"))
    }

    /// Takes those of going through a text.
    ///
    /// # Errors
    /// When none are left.
    pub fn spend_text(&mut self, text: &str) -> Result<(), String> {
        self.spend(text.len() / BYTES)
    }

    /// Takes those of a call, for what it is given.
    ///
    /// # Errors
    /// When none are left.
    pub fn spend_call(&mut self, name: &str, arguments: &[Value]) -> Result<(), String> {
        self.spend(1)?;
        let before = self.left;
        for (index, argument) in arguments.iter().enumerate() {
            // The keys of a new map are printed; its values are not.
            let is_shallow = SHALLOW.contains(&name) || (name == "dict" && index % 2 == 1);
            match is_shallow {
                true => self.spend_shallow(argument)?,
                false => self.spend_all(argument, 0)?,
            }
        }
        let size = before - self.left;
        let name = name.to_lowercase();
        if name.contains("regex") {
            self.spend(EXPRESSION + size.saturating_mul(BYTES))?;
        }
        if name.contains("uniq")
            && let [Value::List(items)] = arguments
        {
            // Each is compared with all before it.
            self.spend(items.len().saturating_mul(size) / BYTES)?;
        }
        Ok(())
    }

    /// Takes those of what a call made; what was there before costs nothing.
    ///
    /// # Errors
    /// When none are left.
    pub fn spend_made(&mut self, name: &str, value: &Value) -> Result<(), String> {
        match value {
            _ if name == "Lines" || name.to_lowercase().contains("from") => {
                self.spend_all(value, 0)
            }
            Value::Text(text) if Rc::strong_count(text) == 1 => self.spend_text(text),
            Value::List(items) if Rc::strong_count(items) == 1 => self.spend(items.len() / ITEMS),
            Value::Dict(map) if Rc::strong_count(map) == 1 => self.spend(map.borrow().len()),
            Value::Files(files) if Rc::strong_count(files) == 1 => self.spend(files.len()),
            _ => Ok(()),
        }
    }

    /// Takes those of printing a value.
    ///
    /// # Errors
    /// When none are left.
    pub fn spend_printed(&mut self, value: &Value) -> Result<(), String> {
        self.spend_all(value, 0)
    }

    fn spend_shallow(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Text(text) => self.spend_text(text),
            Value::List(items) => self.spend(items.len() / ITEMS),
            Value::Dict(map) => self.spend(map.borrow().len() / ITEMS),
            Value::Versions(versions) => self.spend(versions.len() / ITEMS),
            _ => Ok(()),
        }
    }

    /// Takes those of going through all within a value, which may be the same one many times. As deep
    /// as functions go; they refuse what is deeper.
    fn spend_all(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        self.spend(PER_VALUE)?;
        if depth > DEEPEST {
            return Ok(());
        }
        match value {
            Value::Text(text) => self.spend_text(text),
            Value::List(items) => {
                let mut items = items.iter();
                items.try_for_each(|item| self.spend_all(item, depth + 1))
            }
            Value::Dict(map) => map.borrow().iter().try_for_each(|(key, item)| {
                self.spend_text(key)?;
                self.spend_all(item, depth + 1)
            }),
            Value::Files(files) => {
                let bytes = files.values().map(|bytes| bytes.len()).sum::<usize>();
                self.spend(files.len() + bytes / BYTES)
            }
            Value::Versions(versions) => self.spend(versions.len()),
            _ => Ok(()),
        }
    }
}
