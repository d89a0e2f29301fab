//! Go's `printf`.

use crate::render::chart::value::{Value, general};

/// Widths and precisions may be this large.
const WIDEST: usize = 10_000;

/// A text quoted as a Go string literal.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            ' '..='~' => out.push(letter),
            _ => {
                let code = u32::from(letter);
                let shown = !letter.is_control()
                    && !(letter.is_whitespace())
                    && !matches!(code, 0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfeff);
                match code {
                    _ if shown => out.push(letter),
                    0..=0x7f => out.push_str(&format!("\\x{code:02x}")),
                    0x80..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                    _ => out.push_str(&format!("\\U{code:08x}")),
                }
            }
        }
    }
    out.push('"');
    out
}

/// What stands between `%` and the verb.
#[derive(Default)]
struct Flags {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Formats as Go does, its complaints included.
pub fn sprintf(format: &str, arguments: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut letters = format.chars().peekable();
    let mut next = 0;
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let flags = flags(&mut letters, arguments, &mut next)?;
        let Some(verb) = letters.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = arguments.get(next) else {
            out.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        next += 1;
        super::bounded(out.len())?;
        out.push_str(&pad(one(value, verb, &flags), &flags, value));
    }
    if next < arguments.len() {
        let extra: Vec<String> = arguments[next..].iter().map(typed).collect();
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    Ok(out)
}

fn flags(
    letters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    arguments: &[Value],
    next: &mut usize,
) -> Result<Flags, String> {
    let mut flags = Flags::default();
    while let Some(letter) = letters.peek() {
        match letter {
            '-' => flags.minus = true,
            '+' => flags.plus = true,
            '#' => flags.sharp = true,
            ' ' => flags.space = true,
            '0' => flags.zero = true,
            _ => break,
        }
        letters.next();
    }
    flags.width = amount(letters, arguments, next)?;
    if letters.peek() == Some(&'.') {
        letters.next();
        flags.precision = Some(amount(letters, arguments, next)?.unwrap_or(0));
    }
    Ok(flags)
}

fn amount(
    letters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    arguments: &[Value],
    next: &mut usize,
) -> Result<Option<usize>, String> {
    let mut amount = None;
    if letters.peek() == Some(&'*') {
        letters.next();
        if let Some(Value::Int(number)) = arguments.get(*next) {
            amount = usize::try_from(*number).ok();
        }
        *next += 1;
    }
    while let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(10)) {
        let digit = usize::try_from(digit).unwrap_or(0);
        amount = Some(amount.unwrap_or(0).min(WIDEST) * 10 + digit);
        letters.next();
    }
    match amount {
        Some(amount) if amount > WIDEST => Err(format!("a width is larger than {WIDEST}")),
        amount => Ok(amount),
    }
}

fn typed(value: &Value) -> String {
    match value {
        Value::Nil => "<nil>".to_owned(),
        other => format!("{}={}", other.type_name(), other.printed()),
    }
}

fn one(value: &Value, verb: char, flags: &Flags) -> String {
    match (verb, value) {
        ('v', Value::Text(text)) if flags.sharp => quoted(text),
        ('v', Value::Int(number)) => integer(*number, 10, false, flags),
        ('v', _) => value.printed(),
        ('s', Value::Text(text)) => cut(text, flags),
        ('q', Value::Text(text)) => quoted(&cut(text, flags)),
        ('x', Value::Text(text)) => hexadecimal(text, false),
        ('X', Value::Text(text)) => hexadecimal(text, true),
        ('s' | 'q' | 'd', Value::List(items)) => {
            let items: Vec<String> = items.iter().map(|item| one(item, verb, flags)).collect();
            format!("[{}]", items.join(" "))
        }
        ('s' | 'q' | 'd', Value::Dict(map)) => {
            let map = map.borrow();
            let pairs = map.iter().map(|(key, item)| {
                let key = one(&Value::text(key), verb, flags);
                format!("{key}:{}", one(item, verb, flags))
            });
            format!("map[{}]", pairs.collect::<Vec<_>>().join(" "))
        }
        ('T', _) => value.type_name().to_owned(),
        ('t', Value::Bool(flag)) => flag.to_string(),
        ('d', Value::Int(number)) => integer(*number, 10, false, flags),
        ('b', Value::Int(number)) => integer(*number, 2, false, flags),
        ('o', Value::Int(number)) => integer(*number, 8, false, flags),
        ('x', Value::Int(number)) => integer(*number, 16, false, flags),
        ('X', Value::Int(number)) => integer(*number, 16, true, flags),
        ('U', Value::Int(number)) => format!("U+{number:04X}"),
        ('c', Value::Int(number)) => u32::try_from(*number)
            .ok()
            .and_then(char::from_u32)
            .unwrap_or(char::REPLACEMENT_CHARACTER)
            .to_string(),
        ('f' | 'F', Value::Float(number)) => {
            signed(format!("{number:.*}", flags.precision.unwrap_or(6)), flags)
        }
        ('e', Value::Float(number)) => {
            let text = format!("{number:.*e}", flags.precision.unwrap_or(6));
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(rest) => ('-', rest),
                None => ('+', exponent),
            };
            signed(format!("{digits}e{sign}{exponent:0>2}"), flags)
        }
        ('g', Value::Float(number)) => signed(general(*number), flags),
        (_, Value::Nil) => format!("%!{verb}(<nil>)"),
        _ => format!("%!{verb}({})", typed(value)),
    }
}

fn cut(text: &str, flags: &Flags) -> String {
    match flags.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text.to_owned(),
    }
}

fn hexadecimal(text: &str, upper: bool) -> String {
    text.bytes()
        .map(|byte| match upper {
            true => format!("{byte:02X}"),
            false => format!("{byte:02x}"),
        })
        .collect()
}

fn integer(number: i64, radix: u32, upper: bool, flags: &Flags) -> String {
    let magnitude = number.unsigned_abs();
    let digits = match radix {
        2 => format!("{magnitude:b}"),
        8 => format!("{magnitude:o}"),
        16 if upper => format!("{magnitude:X}"),
        16 => format!("{magnitude:x}"),
        _ => magnitude.to_string(),
    };
    let prefix = match (flags.sharp, radix) {
        (true, 16) if upper => "0X",
        (true, 16) => "0x",
        (true, 8) => "0",
        (true, 2) => "0b",
        _ => "",
    };
    let digits = format!("{digits:0>width$}", width = flags.precision.unwrap_or(0));
    let sign = if number < 0 { "-" } else { "" };
    signed(format!("{sign}{prefix}{digits}"), flags)
}

fn signed(text: String, flags: &Flags) -> String {
    match () {
        () if text.starts_with('-') || text.starts_with('+') => text,
        () if flags.plus => format!("+{text}"),
        () if flags.space => format!(" {text}"),
        () => text,
    }
}

fn pad(text: String, flags: &Flags, value: &Value) -> String {
    let missing = flags
        .width
        .unwrap_or(0)
        .saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    let is_number = matches!(value, Value::Int(_) | Value::Float(_));
    if flags.minus {
        text + &" ".repeat(missing)
    } else if flags.zero && (is_number || matches!(value, Value::Text(_))) {
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(rest) if is_number => (&text[..1], rest),
            _ => ("", text.as_str()),
        };
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else {
        " ".repeat(missing) + &text
    }
}
