//! Texts, regular expressions and addresses.

use regex::Regex;

use super::{Function, Given, argument, bounded, dict, format, shown, text, whole};
use crate::render::chart::value::Value;

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("trim", |a| Ok(Value::text(text(a, 0)?.trim()))),
    ("trimAll", trim_all),
    ("trimall", trim_all),
    ("trimSuffix", |a| {
        let whole = text(a, 1)?;
        Ok(Value::text(
            whole.strip_suffix(text(a, 0)?).unwrap_or(whole),
        ))
    }),
    ("trimPrefix", |a| {
        let whole = text(a, 1)?;
        Ok(Value::text(
            whole.strip_prefix(text(a, 0)?).unwrap_or(whole),
        ))
    }),
    ("upper", |a| Ok(Value::text(text(a, 0)?.to_uppercase()))),
    ("lower", |a| Ok(Value::text(text(a, 0)?.to_lowercase()))),
    ("title", |a| {
        let mut begins = true;
        let capital = |letter: char| {
            let first = std::mem::replace(&mut begins, !is_of_word(letter));
            if first {
                letter.to_uppercase().to_string()
            } else {
                letter.to_string()
            }
        };
        Ok(Value::text(
            text(a, 0)?.chars().map(capital).collect::<String>(),
        ))
    }),
    ("untitle", |a| {
        let mut begins = true;
        let small = |letter: char| {
            let first = std::mem::replace(&mut begins, letter.is_whitespace());
            if first {
                letter.to_lowercase().to_string()
            } else {
                letter.to_string()
            }
        };
        Ok(Value::text(
            text(a, 0)?.chars().map(small).collect::<String>(),
        ))
    }),
    ("nospace", |a| {
        let kept = text(a, 0)?.chars().filter(|letter| !letter.is_whitespace());
        Ok(Value::text(kept.collect::<String>()))
    }),
    ("repeat", |a| {
        let count =
            usize::try_from(whole(a, 0)?).map_err(|_| "the count is negative".to_owned())?;
        let part = text(a, 1)?;
        bounded(part.len().saturating_mul(count))?;
        Ok(Value::text(part.repeat(count)))
    }),
    ("substr", |a| {
        let (start, end, whole) = (whole(a, 0)?, whole(a, 1)?, text(a, 2)?);
        let length = i64::try_from(whole.len()).unwrap_or(i64::MAX);
        let end = if start >= 0 && (end < 0 || end > length) {
            length
        } else {
            end
        };
        part(whole, start.max(0), end)
    }),
    ("trunc", |a| {
        let (count, whole) = (whole(a, 0)?, text(a, 1)?);
        let length = i64::try_from(whole.len()).unwrap_or(i64::MAX);
        match count {
            _ if count < 0 && length + count > 0 => part(whole, length + count, length),
            _ if count >= 0 && length > count => part(whole, 0, count),
            _ => Ok(Value::text(whole)),
        }
    }),
    ("abbrev", |a| {
        let (width, whole) = (usize::try_from(whole(a, 0)?).unwrap_or(0), text(a, 1)?);
        let letters: Vec<char> = whole.chars().collect();
        if width < 4 || letters.len() <= width {
            return Ok(Value::text(whole));
        }
        Ok(Value::text(
            letters[..width - 3].iter().collect::<String>() + "...",
        ))
    }),
    ("contains", |a| {
        Ok(Value::Bool(text(a, 1)?.contains(text(a, 0)?)))
    }),
    ("hasPrefix", |a| {
        Ok(Value::Bool(text(a, 1)?.starts_with(text(a, 0)?)))
    }),
    ("hasSuffix", |a| {
        Ok(Value::Bool(text(a, 1)?.ends_with(text(a, 0)?)))
    }),
    ("replace", |a| {
        let (old, new, whole) = (text(a, 0)?, text(a, 1)?, text(a, 2)?);
        bounded(whole.matches(old).count().saturating_mul(new.len()))?;
        Ok(Value::text(whole.replace(old, new)))
    }),
    ("quote", |a| {
        let quoted = a.iter().filter(|value| !matches!(value, Value::Nil));
        let quoted: Vec<String> = quoted.map(|value| format::quoted(&shown(value))).collect();
        Ok(Value::text(quoted.join(" ")))
    }),
    ("squote", |a| {
        let quoted = a.iter().filter(|value| !matches!(value, Value::Nil));
        let quoted: Vec<String> = quoted.map(|value| format!("'{}'", shown(value))).collect();
        Ok(Value::text(quoted.join(" ")))
    }),
    ("cat", |a| {
        let shown = a
            .iter()
            .filter(|value| !matches!(value, Value::Nil))
            .map(shown);
        Ok(Value::text(shown.collect::<Vec<_>>().join(" ")))
    }),
    ("indent", |a| Ok(Value::text(indented(a)?))),
    ("nindent", |a| {
        Ok(Value::text(format!("\n{}", indented(a)?)))
    }),
    ("plural", |a| {
        let one = whole(a, 2)? == 1;
        Ok(Value::text(text(a, usize::from(!one))?))
    }),
    ("toString", |a| Ok(Value::Text(shown(argument(a, 0)?)))),
    ("printf", |a| {
        let text = format::sprintf(text(a, 0)?, &a[1..])?;
        Ok(Value::text(text))
    }),
    ("html", |a| {
        Ok(Value::text(gotmpl::html_escape(&shown(argument(a, 0)?))))
    }),
    ("js", |a| {
        Ok(Value::text(gotmpl::js_escape(&shown(argument(a, 0)?))))
    }),
    ("urlquery", |a| {
        Ok(Value::text(gotmpl::url_encode(&shown(argument(a, 0)?))))
    }),
    ("split", |a| {
        let parts = text(a, 1)?.split(text(a, 0)?);
        Ok(Value::dict(numbered(parts)))
    }),
    ("splitn", |a| {
        let most = usize::try_from(whole(a, 1)?).unwrap_or(usize::MAX);
        Ok(Value::dict(numbered(text(a, 2)?.splitn(most, text(a, 0)?))))
    }),
    ("splitList", |a| {
        let parts = text(a, 1)?.split(text(a, 0)?);
        Ok(Value::list(parts.map(Value::text).collect()))
    }),
    ("kebabcase", |a| Ok(Value::text(words(text(a, 0)?, '-')))),
    ("snakecase", |a| Ok(Value::text(words(text(a, 0)?, '_')))),
    ("base", |a| Ok(Value::text(base_name(text(a, 0)?)))),
    ("ext", |a| {
        let name = base_name(text(a, 0)?);
        Ok(Value::text(name.rfind('.').map_or("", |at| &name[at..])))
    }),
    ("isAbs", |a| Ok(Value::Bool(text(a, 0)?.starts_with('/')))),
    ("regexMatch", |a| {
        Ok(Value::Bool(expression(a)?.is_match(text(a, 1)?)))
    }),
    ("regexFind", |a| {
        let found = expression(a)?
            .find(text(a, 1)?)
            .map(|found| found.as_str().to_owned());
        Ok(Value::text(found.unwrap_or_default()))
    }),
    ("regexFindAll", |a| {
        let most = usize::try_from(whole(a, 2)?).unwrap_or(usize::MAX);
        let expression = expression(a)?;
        let found = expression.find_iter(text(a, 1)?).take(most);
        Ok(Value::list(
            found.map(|found| Value::text(found.as_str())).collect(),
        ))
    }),
    ("regexReplaceAll", |a| {
        let (expression, whole, new) = (expression(a)?, text(a, 1)?, text(a, 2)?);
        // What is found may stand in its replacement many times.
        let found = expression.find_iter(whole);
        let largest = found.map(|found| new.len().saturating_mul(found.len().max(1)));
        bounded(largest.fold(0, usize::saturating_add))?;
        Ok(Value::text(expression.replace_all(whole, new)))
    }),
    ("regexReplaceAllLiteral", |a| {
        let (expression, whole, new) = (expression(a)?, text(a, 1)?, text(a, 2)?);
        bounded(
            expression
                .find_iter(whole)
                .count()
                .saturating_mul(new.len()),
        )?;
        Ok(Value::text(
            expression.replace_all(whole, regex::NoExpand(new)),
        ))
    }),
    ("regexSplit", |a| {
        let expression = expression(a)?;
        let parts: Vec<Value> = match usize::try_from(whole(a, 2)?) {
            Ok(most) => expression
                .splitn(text(a, 1)?, most)
                .map(Value::text)
                .collect(),
            Err(_) => expression.split(text(a, 1)?).map(Value::text).collect(),
        };
        Ok(Value::list(parts))
    }),
    ("regexQuoteMeta", |a| {
        Ok(Value::text(quote_meta(text(a, 0)?)))
    }),
    ("urlParse", |a| url_parse(text(a, 0)?)),
    ("urlJoin", |a| url_join(a)),
];

fn trim_all(a: &[Value]) -> Given {
    let letters: Vec<char> = text(a, 0)?.chars().collect();
    Ok(Value::text(text(a, 1)?.trim_matches(letters.as_slice())))
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '\''
}

fn part(whole: &str, start: i64, end: i64) -> Given {
    let at = |index: i64| usize::try_from(index).ok();
    let part = at(start)
        .zip(at(end))
        .and_then(|(start, end)| whole.get(start..end));
    part.map(Value::text)
        .ok_or_else(|| format!("the range {start}:{end} is none of this text"))
}

fn indented(a: &[Value]) -> Result<String, String> {
    let spaces = usize::try_from(whole(a, 0)?).map_err(|_| "the width is negative".to_owned())?;
    let lines = text(a, 1)?;
    bounded((lines.matches('\n').count() + 1).saturating_mul(spaces))?;
    let margin = " ".repeat(spaces);
    Ok(format!(
        "{margin}{}",
        lines.replace('\n', &format!("\n{margin}"))
    ))
}

fn numbered<'a>(parts: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (String, Value)> {
    parts
        .enumerate()
        .map(|(index, part)| (format!("_{index}"), Value::text(part)))
}

fn words(text: &str, separator: char) -> String {
    let mut out = String::new();
    let mut before = separator;
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            let begins = letter.is_uppercase() && (before.is_lowercase() || before.is_numeric());
            if begins {
                out.push(separator);
            }
            out.extend(letter.to_lowercase());
        } else if before != separator && !out.is_empty() {
            out.push(separator);
        }
        before = if letter.is_alphanumeric() {
            letter
        } else {
            separator
        };
    }
    out
}

fn base_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed {
        "" if path.is_empty() => ".",
        "" => "/",
        _ => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

fn expression(a: &[Value]) -> Result<Regex, String> {
    let pattern = text(a, 0)?;
    regex::RegexBuilder::new(pattern)
        .size_limit(1024 * 1024)
        .build()
        .map_err(|error| format!("`{pattern}` is no regular expression: {error}"))
}

fn quote_meta(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let special = r"\.+*?()|[]{}^$".contains(letter);
            special.then_some('\\').into_iter().chain([letter])
        })
        .collect()
}

fn url_parse(address: &str) -> Given {
    let (rest, fragment) = address.split_once('#').unwrap_or((address, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_scheme = |text: &str| {
        text.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && text
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    };
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, after)) if is_scheme(scheme) => (scheme.to_lowercase(), after),
        Some((scheme, _)) if !scheme.contains('/') => {
            return Err("the first part of the address cannot hold a colon".to_owned());
        }
        _ => (String::new(), rest),
    };
    let (authority, path, opaque) = match rest.strip_prefix("//") {
        Some(rest) => {
            let at = rest.find('/').unwrap_or(rest.len());
            (&rest[..at], &rest[at..], "")
        }
        None if scheme.is_empty() || rest.starts_with('/') => ("", rest, ""),
        None => ("", "", rest),
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    Ok(Value::dict(
        [
            ("scheme", scheme.as_str()),
            ("host", host),
            ("hostname", name),
            ("path", path),
            ("query", query),
            ("opaque", opaque),
            ("fragment", fragment),
            ("userinfo", user),
        ]
        .map(|(key, value)| (key, Value::text(value))),
    ))
}

fn url_join(a: &[Value]) -> Given {
    let map = dict(a, 0)?.borrow();
    let part = |key: &str| {
        map.get(key)
            .map(|value| shown(value).to_string())
            .unwrap_or_default()
    };
    let mut out = String::new();
    let (scheme, host, user) = (part("scheme"), part("host"), part("userinfo"));
    if !scheme.is_empty() {
        out.push_str(&format!("{scheme}:"));
    }
    if !host.is_empty() || !user.is_empty() {
        out.push_str("//");
        if !user.is_empty() {
            out.push_str(&format!("{user}@"));
        }
        out.push_str(&host);
    }
    out.push_str(&part("opaque"));
    let path = part("path");
    if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
        out.push('/');
    }
    out.push_str(&path);
    for (mark, key) in [('?', "query"), ('#', "fragment")] {
        let value = part(key);
        if !value.is_empty() {
            out.push(mark);
            out.push_str(&value);
        }
    }
    Ok(Value::text(out))
}
