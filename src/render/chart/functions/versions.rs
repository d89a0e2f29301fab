//! Versions and what is asked of them, as in `kubeVersion`.

use semver::Version;

use super::{Function, text};
use crate::render::chart::value::Value;

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("semverCompare", |a| {
        Ok(Value::Bool(satisfies(text(a, 1)?, text(a, 0)?)?))
    }),
    ("semver", |a| {
        let text = text(a, 0)?;
        let (version, _) = version(text).ok_or_else(|| format!("`{text}` is no version"))?;
        let whole = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        Ok(Value::dict([
            ("Major", whole(version.major)),
            ("Minor", whole(version.minor)),
            ("Patch", whole(version.patch)),
            ("Prerelease", Value::text(version.pre.as_str())),
            ("Metadata", Value::text(version.build.as_str())),
            ("Original", Value::text(text)),
        ]))
    }),
];

/// Whether a version is what is asked for: comparisons joined by spaces or commas, alternatives
/// by `||`. A version before a release passes only where the comparison names one, too.
pub fn satisfies(given: &str, asked: &str) -> Result<bool, String> {
    let (given, _) = version(given).ok_or_else(|| format!("`{given}` is no version"))?;
    let mut any = false;
    for alternative in asked.split("||") {
        let mut all = true;
        let spaced = alternative.replace(',', " ");
        let mut words = spaced.split_whitespace().peekable();
        while let Some(word) = words.next() {
            // `>= 1.2` is one comparison; so is `1.2 - 1.4`.
            let is_operator = word.chars().all(|letter| "<>=!~^".contains(letter));
            let mut comparison = word.to_owned();
            if is_operator {
                comparison.push_str(words.next().unwrap_or_default());
            }
            if words.peek() == Some(&"-") {
                words.next();
                let upper = words.next().unwrap_or_default();
                all &= compare(&given, &format!("<={upper}"))?;
                comparison = format!(">={comparison}");
            }
            all &= compare(&given, &comparison)?;
        }
        any |= all;
    }
    Ok(any)
}

fn compare(given: &Version, comparison: &str) -> Result<bool, String> {
    let at = comparison
        .find(|letter: char| !"<>=!~^".contains(letter))
        .unwrap_or(comparison.len());
    let (operator, text) = comparison.split_at(at);
    if matches!(text, "" | "*" | "x" | "X") {
        return Ok(given.pre.is_empty());
    }
    let (wanted, parts) =
        version(text).ok_or_else(|| format!("`{comparison}` is no comparison of versions"))?;
    if !given.pre.is_empty() && wanted.pre.is_empty() {
        return Ok(false);
    }
    let order = given.cmp_precedence(&wanted);
    let same_parts = (parts < 1 || given.major == wanted.major)
        && (parts < 2 || given.minor == wanted.minor)
        && (parts < 3 || order.is_eq());
    Ok(match operator {
        "" | "=" | "==" => same_parts,
        "!=" => !same_parts,
        ">" if parts < 3 => order.is_gt() && !same_parts,
        ">" => order.is_gt(),
        ">=" | "=>" => order.is_ge(),
        "<" => order.is_lt(),
        "<=" | "=<" => order.is_lt() || same_parts,
        "~" | "~>" => {
            order.is_ge()
                && given.major == wanted.major
                && (parts < 2 || given.minor == wanted.minor)
        }
        "^" => {
            let compatible = if wanted.major > 0 || parts < 2 {
                given.major == wanted.major
            } else if wanted.minor > 0 || parts < 3 {
                given.major == 0 && given.minor == wanted.minor
            } else {
                (given.major, given.minor, given.patch) == (0, 0, wanted.patch)
            };
            order.is_ge() && compatible
        }
        _ => return Err(format!("`{comparison}` is no comparison of versions")),
    })
}

/// A version, with how many of its three numbers were written.
fn version(text: &str) -> Option<(Version, usize)> {
    let text = text.trim().strip_prefix('v').unwrap_or(text.trim());
    let at = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(at);
    let written: Vec<&str> = numbers
        .split('.')
        .take_while(|part| !matches!(*part, "x" | "X" | "*"))
        .collect();
    if written.is_empty() || written.len() > 3 {
        return None;
    }
    let mut full = written.clone();
    full.resize(3, "0");
    let parsed = Version::parse(&format!("{}{rest}", full.join("."))).ok()?;
    Some((parsed, written.len()))
}

#[cfg(test)]
mod tests {
    use super::satisfies;

    #[test]
    fn comparisons_are_those_of_charts() {
        for (given, asked, expected) in [
            ("v1.34.0", ">=1.30.0-0", true),
            ("v1.29.4", ">=1.30.0-0", false),
            ("v1.31.2-gke.1", ">=1.30.0-0", true),
            ("v1.31.2-gke.1", ">=1.30.0", false),
            ("1.2.3", ">= 1.2, < 2", true),
            ("1.2.3", "^1.1 || ^3", true),
            ("1.2.3", "~1.1", false),
            ("1.2.3", "1.2.x", true),
            ("1.2.3", "1.0 - 1.3", true),
            ("1.2.3", "!=1.2.3", false),
        ] {
            assert_eq!(satisfies(given, asked), Ok(expected), "{given} {asked}");
        }
        assert!(satisfies("1.2.3", "about 1").is_err());
    }
}
