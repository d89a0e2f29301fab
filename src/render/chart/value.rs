//! What templates compute with: the values of Go's text/template, as far as charts meet them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Values may be nested this deep when they are printed; a map can be put into itself.
pub const DEEPEST: usize = 100;

/// A map that functions such as `set` change in place, for all who hold it.
pub type Dict = Rc<RefCell<BTreeMap<Rc<str>, Value>>>;

/// Files of a chart by path.
pub type Files = Rc<BTreeMap<Rc<str>, Rc<[u8]>>>;

/// A value of a template.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A boolean.
    Bool(bool),
    /// A whole number, as literals and functions give it.
    Int(i64),
    /// A number as JSON has it: every number of a values file.
    Float(f64),
    /// A text.
    Text(Rc<str>),
    /// A list.
    List(Rc<Vec<Value>>),
    /// A map.
    Dict(Dict),
    /// `.Files`.
    Files(Files),
    /// `.Capabilities.APIVersions`.
    Versions(Rc<[String]>),
}

impl Value {
    /// A text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Rc::from(text.as_ref()))
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Rc::new(items))
    }

    /// A map of these pairs.
    pub fn dict<K: AsRef<str>>(pairs: impl IntoIterator<Item = (K, Value)>) -> Self {
        let pairs = pairs.into_iter();
        Self::of_map(
            pairs
                .map(|(key, value)| (Rc::from(key.as_ref()), value))
                .collect(),
        )
    }

    /// A map.
    pub fn of_map(map: BTreeMap<Rc<str>, Value>) -> Self {
        Self::Dict(Rc::new(RefCell::new(map)))
    }

    /// What JSON holds; numbers become floats, as Go decodes them.
    pub fn of_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::text(text),
            serde_json::Value::Array(items) => {
                Self::list(items.iter().map(Self::of_json).collect())
            }
            serde_json::Value::Object(map) => Self::dict(
                map.iter()
                    .map(|(key, value)| (key.as_str(), Self::of_json(value))),
            ),
        }
    }

    /// The same as JSON; maps are sorted by key.
    ///
    /// # Errors
    /// When it is nested too deeply, or holds what JSON has no form for.
    pub fn to_json(&self) -> Result<serde_json::Value, String> {
        self.to_json_below(0)
    }

    fn to_json_below(&self, depth: usize) -> Result<serde_json::Value, String> {
        if depth > DEEPEST {
            return Err(format!("a value is nested deeper than {DEEPEST} levels"));
        }
        Ok(match self {
            Self::Nil => serde_json::Value::Null,
            Self::Bool(flag) => (*flag).into(),
            Self::Int(number) => (*number).into(),
            Self::Float(number) => json_number(*number)?,
            Self::Text(text) => text.as_ref().into(),
            Self::List(items) => items
                .iter()
                .map(|item| item.to_json_below(depth + 1))
                .collect::<Result<Vec<_>, _>>()?
                .into(),
            Self::Dict(map) => {
                let mut object = serde_json::Map::new();
                for (key, value) in map.borrow().iter() {
                    object.insert(key.to_string(), value.to_json_below(depth + 1)?);
                }
                object.into()
            }
            Self::Files(files) => files
                .iter()
                .map(|(path, bytes)| {
                    let encoded =
                        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
                    (path.to_string(), serde_json::Value::from(encoded))
                })
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Self::Versions(versions) => versions.to_vec().into(),
        })
    }

    /// Whether `if` and `with` take it for true; sprig's `empty` is the contrary.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(flag) => *flag,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Dict(map) => !map.borrow().is_empty(),
            Self::Files(files) => !files.is_empty(),
            Self::Versions(versions) => !versions.is_empty(),
        }
    }

    /// Go's name for its kind, as `kindOf` gives it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) | Self::Versions(_) => "slice",
            Self::Dict(_) | Self::Files(_) => "map",
        }
    }

    /// Go's name for its type, as errors and `typeOf` give it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::List(_) => "[]interface {}",
            Self::Dict(_) => "map[string]interface {}",
            Self::Files(_) => "engine.files",
            Self::Versions(_) => "common.VersionSet",
            other => other.kind(),
        }
    }

    /// How Go prints it with `%v`.
    pub fn printed(&self) -> String {
        let mut text = String::new();
        self.print(&mut text, 0);
        text
    }

    fn print(&self, out: &mut String, depth: usize) {
        if depth > DEEPEST {
            out.push_str("...");
            return;
        }
        match self {
            Self::Nil => out.push_str("<nil>"),
            Self::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Int(number) => out.push_str(&number.to_string()),
            Self::Float(number) => out.push_str(&general(*number)),
            Self::Text(text) => out.push_str(text),
            Self::List(items) => {
                let items: Vec<&Value> = items.iter().collect();
                print_items(&items, out, depth);
            }
            Self::Dict(map) => {
                out.push_str("map[");
                for (index, (key, value)) in map.borrow().iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { " " });
                    out.push_str(key);
                    out.push(':');
                    value.print(out, depth + 1);
                }
                out.push(']');
            }
            Self::Files(files) => {
                let paths: Vec<&str> = files.keys().map(AsRef::as_ref).collect();
                out.push_str(&format!("map[{}]", paths.join(" ")));
            }
            Self::Versions(versions) => out.push_str(&format!("[{}]", versions.join(" "))),
        }
    }

    /// A copy that shares nothing.
    pub fn deep_copy(&self, depth: usize) -> Result<Self, String> {
        if depth > DEEPEST {
            return Err(format!("a value is nested deeper than {DEEPEST} levels"));
        }
        Ok(match self {
            Self::List(items) => Self::list(
                items
                    .iter()
                    .map(|item| item.deep_copy(depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Dict(map) => {
                let mut copy = BTreeMap::new();
                for (key, value) in map.borrow().iter() {
                    copy.insert(Rc::clone(key), value.deep_copy(depth + 1)?);
                }
                Self::of_map(copy)
            }
            other => other.clone(),
        })
    }

    /// Whether two values are equal as Go's `reflect.DeepEqual` has it.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Float(one), Self::Float(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::List(one), Self::List(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other.iter())
                        .all(|(one, two)| one.equals(two))
            }
            (Self::Dict(one), Self::Dict(other)) => {
                if Rc::ptr_eq(one, other) {
                    return true;
                }
                let (one, other) = (one.borrow(), other.borrow());
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other.iter())
                        .all(|((key, value), (key2, value2))| key == key2 && value.equals(value2))
            }
            _ => false,
        }
    }
}

fn print_items(items: &[&Value], out: &mut String, depth: usize) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { " " });
        item.print(out, depth + 1);
    }
    out.push(']');
}

/// A float as JSON writes it: whole where it is.
fn json_number(number: f64) -> Result<serde_json::Value, String> {
    // Every whole number below this is exact, and Go writes it without an exponent.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        return Ok((number as i64).into());
    }
    serde_json::Number::from_f64(number)
        .map(serde_json::Value::Number)
        .ok_or_else(|| format!("{number} is no number of JSON"))
}

/// Go's `%v` of a float: the shortest text that reads back, with an exponent from a million on.
pub fn general(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
