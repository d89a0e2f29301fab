//! The functions of charts: Go's own, sprig's and Helm's. What gives another result each time
//! (random numbers, keys, the clock) or asks a cluster is left out on purpose.

mod compare;
mod convert;
mod dicts;
mod format;
mod lists;
mod logic;
mod numbers;
mod texts;
mod versions;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

pub use versions::satisfies;

use super::value::{Dict, Value};

/// A function of templates.
type Function = fn(&[Value]) -> Result<Value, String>;

/// What a function gives.
type Given = Result<Value, String>;

static FUNCTIONS: LazyLock<HashMap<&'static str, Function>> = LazyLock::new(|| {
    [
        compare::FUNCTIONS,
        convert::FUNCTIONS,
        dicts::FUNCTIONS,
        lists::FUNCTIONS,
        logic::FUNCTIONS,
        numbers::FUNCTIONS,
        texts::FUNCTIONS,
        versions::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
    .copied()
    .collect()
});

/// Those that the engine itself carries out.
const OF_ENGINE: [&str; 4] = ["and", "include", "or", "tpl"];

/// Whether a function is known.
pub fn is_known(name: &str) -> bool {
    find(name).is_some() || OF_ENGINE.contains(&name)
}

/// A function by its name. Sprig has many a second time with `must`, where a mistake is an error
/// and not a panic; here it always is.
fn find(name: &str) -> Option<Function> {
    if let Some(function) = FUNCTIONS.get(name) {
        return Some(*function);
    }
    let rest = name.strip_prefix("must")?;
    let mut letters = rest.chars();
    let first = letters.next().filter(char::is_ascii_uppercase)?;
    let plain = format!("{}{}", first.to_ascii_lowercase(), letters.as_str());
    FUNCTIONS.get(plain.as_str()).copied()
}

/// Calls a function.
pub fn call(name: &str, arguments: &[Value]) -> Given {
    let function = find(name)
        .ok_or_else(|| format!("`{name}` cannot take these {} arguments", arguments.len()))?;
    function(arguments).map_err(|message| match message.strip_prefix(SAID) {
        Some(said) => said.to_owned(),
        None => format!("{name}: {message}"),
    })
}

/// Bytes that a function may make of a short text.
const LARGEST: usize = 4 * 1024 * 1024;

/// Refuses what would become too large.
fn bounded(bytes: usize) -> Result<(), String> {
    match bytes > LARGEST {
        true => Err(format!("this would write more than {LARGEST} bytes")),
        false => Ok(()),
    }
}

/// Marks a message that the chart's author wrote.
const SAID: &str = "\u{0}";

/// The argument at a place.
fn argument(arguments: &[Value], index: usize) -> Result<&Value, String> {
    arguments
        .get(index)
        .ok_or_else(|| format!("the argument {} is missing", index + 1))
}

/// An argument that has to be a text.
fn text(arguments: &[Value], index: usize) -> Result<&str, String> {
    match argument(arguments, index)? {
        Value::Text(text) => Ok(text),
        other => Err(expected(index, "string", other)),
    }
}

/// An argument that has to be a map.
fn dict(arguments: &[Value], index: usize) -> Result<&Dict, String> {
    match argument(arguments, index)? {
        Value::Dict(map) => Ok(map),
        other => Err(expected(index, "map", other)),
    }
}

/// An argument that has to be a list.
fn list(arguments: &[Value], index: usize) -> Result<Rc<Vec<Value>>, String> {
    match argument(arguments, index)? {
        Value::List(items) => Ok(Rc::clone(items)),
        Value::Versions(items) => Ok(Rc::new(items.iter().map(Value::text).collect())),
        other => Err(expected(index, "list", other)),
    }
}

/// An argument that has to be a whole number.
fn whole(arguments: &[Value], index: usize) -> Result<i64, String> {
    match argument(arguments, index)? {
        Value::Int(number) => Ok(*number),
        other => Err(expected(index, "int", other)),
    }
}

fn expected(index: usize, wanted: &str, found: &Value) -> String {
    format!(
        "the argument {} is a {} and should be a {wanted}",
        index + 1,
        found.type_name()
    )
}

/// As a text, the way sprig prints anything.
fn shown(value: &Value) -> Rc<str> {
    match value {
        Value::Text(text) => Rc::clone(text),
        other => Rc::from(other.printed()),
    }
}
