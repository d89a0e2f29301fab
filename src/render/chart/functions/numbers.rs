//! Arithmetic. Like sprig's, whole-number functions take anything and count what is no number
//! as zero.

use super::{Function, argument, shown};
use crate::render::chart::value::Value;

/// Numbers that a function may list.
const MOST: i64 = 100_000;

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("int", |arguments| {
        Ok(Value::Int(int(argument(arguments, 0)?)))
    }),
    ("int64", |arguments| {
        Ok(Value::Int(int(argument(arguments, 0)?)))
    }),
    ("float64", |arguments| {
        Ok(Value::Float(float(argument(arguments, 0)?)))
    }),
    ("atoi", |arguments| {
        Ok(Value::Int(super::text(arguments, 0)?.parse().unwrap_or(0)))
    }),
    ("toDecimal", |arguments| {
        let text = shown(argument(arguments, 0)?);
        Ok(Value::Int(i64::from_str_radix(&text, 8).unwrap_or(0)))
    }),
    ("add", |arguments| {
        Ok(Value::Int(
            arguments.iter().map(int).fold(0, i64::wrapping_add),
        ))
    }),
    ("add1", |arguments| {
        Ok(Value::Int(int(argument(arguments, 0)?).wrapping_add(1)))
    }),
    ("sub", |arguments| {
        let (one, other) = pair(arguments)?;
        Ok(Value::Int(one.wrapping_sub(other)))
    }),
    ("mul", |arguments| {
        let first = int(argument(arguments, 0)?);
        let rest = arguments[1..].iter().map(int);
        Ok(Value::Int(rest.fold(first, i64::wrapping_mul)))
    }),
    ("div", |arguments| {
        let (one, other) = pair(arguments)?;
        let result = one.checked_div(other);
        result
            .map(Value::Int)
            .ok_or_else(|| "division by zero".to_owned())
    }),
    ("mod", |arguments| {
        let (one, other) = pair(arguments)?;
        let result = one.checked_rem(other);
        result
            .map(Value::Int)
            .ok_or_else(|| "division by zero".to_owned())
    }),
    ("max", |arguments| {
        argument(arguments, 0)?;
        Ok(Value::Int(arguments.iter().map(int).max().unwrap_or(0)))
    }),
    ("biggest", |arguments| {
        argument(arguments, 0)?;
        Ok(Value::Int(arguments.iter().map(int).max().unwrap_or(0)))
    }),
    ("min", |arguments| {
        argument(arguments, 0)?;
        Ok(Value::Int(arguments.iter().map(int).min().unwrap_or(0)))
    }),
    ("maxf", |arguments| {
        argument(arguments, 0)?;
        let floats = arguments.iter().map(float);
        Ok(Value::Float(floats.fold(f64::NEG_INFINITY, f64::max)))
    }),
    ("minf", |arguments| {
        argument(arguments, 0)?;
        let floats = arguments.iter().map(float);
        Ok(Value::Float(floats.fold(f64::INFINITY, f64::min)))
    }),
    ("floor", |arguments| {
        Ok(Value::Float(float(argument(arguments, 0)?).floor()))
    }),
    ("ceil", |arguments| {
        Ok(Value::Float(float(argument(arguments, 0)?).ceil()))
    }),
    ("round", |arguments| {
        let places = i32::try_from(super::whole(arguments, 1)?).unwrap_or(0);
        let on = arguments.get(2).map_or(0.5, float);
        let power = 10_f64.powi(places);
        let digit = power * float(argument(arguments, 0)?);
        let rounded = if digit.fract() >= on {
            digit.ceil()
        } else {
            digit.floor()
        };
        Ok(Value::Float(rounded / power))
    }),
    ("until", |arguments| {
        let count = super::whole(arguments, 0)?;
        steps(0, count, if count < 0 { -1 } else { 1 }).map(Value::list)
    }),
    ("untilStep", |arguments| {
        let (start, stop) = (super::whole(arguments, 0)?, super::whole(arguments, 1)?);
        steps(start, stop, super::whole(arguments, 2)?).map(Value::list)
    }),
    ("seq", |arguments| {
        let mut numbers = Vec::new();
        for index in 0..arguments.len() {
            numbers.push(super::whole(arguments, index)?);
        }
        let (start, step, end) = match *numbers.as_slice() {
            [end] => (1, if end < 1 { -1 } else { 1 }, end),
            [start, end] => (start, if end < start { -1 } else { 1 }, end),
            [start, step, end] => (start, step, end),
            _ => return Ok(Value::text("")),
        };
        let towards = if end < start { -1 } else { 1 };
        if step.signum() != towards {
            return Ok(Value::text(""));
        }
        let items = steps(start, end + towards, step)?;
        let texts: Vec<String> = items.iter().map(Value::printed).collect();
        Ok(Value::text(texts.join(" ")))
    }),
];

fn pair(arguments: &[Value]) -> Result<(i64, i64), String> {
    Ok((int(argument(arguments, 0)?), int(argument(arguments, 1)?)))
}

fn steps(start: i64, stop: i64, step: i64) -> Result<Vec<Value>, String> {
    let towards = if stop < start { -1 } else { 1 };
    if step.signum() != towards {
        return Ok(Vec::new());
    }
    if start.abs_diff(stop) / step.unsigned_abs() > MOST.unsigned_abs() {
        return Err(format!("this would list more than {MOST} numbers"));
    }
    let mut numbers = Vec::new();
    let mut at = start;
    while (stop - at).signum() == towards {
        numbers.push(Value::Int(at));
        at += step;
    }
    Ok(numbers)
}

/// As a whole number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "Go cuts the fraction off, too"
)]
pub fn int(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::Float(number) => *number as i64,
        Value::Bool(flag) => i64::from(*flag),
        Value::Text(text) => int_of(text),
        _ => 0,
    }
}

/// A text with a base prefix, and without a fraction of zeros.
fn int_of(text: &str) -> i64 {
    let text = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            whole
        }
        _ => text,
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match lower.get(..2) {
        Some("0x") => (&lower[2..], 16),
        Some("0o") => (&lower[2..], 8),
        Some("0b") => (&lower[2..], 2),
        Some(prefix) if prefix.starts_with('0') => (&lower[1..], 8),
        _ => (lower.as_str(), 10),
    };
    let value = i64::from_str_radix(digits, radix).unwrap_or(0);
    if negative { -value } else { value }
}

/// As a number.
#[expect(clippy::cast_precision_loss, reason = "Go's conversion loses the same")]
pub fn float(value: &Value) -> f64 {
    match value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Text(text) => text.parse().unwrap_or(0.0),
        _ => 0.0,
    }
}
