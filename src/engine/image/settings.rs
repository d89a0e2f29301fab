//! What the instructions of a Dockerfile's last stage set in an image.

use serde_json::{Map, Value, json};

/// Settings, in the order of their instructions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings(Vec<Setting>);

/// One setting.
#[derive(Debug, Clone, PartialEq)]
enum Setting {
    Label(String, String),
    Environment(String, String),
    /// A member that the instruction replaces.
    Member(&'static str, Value),
    Port(String),
    Entrypoint(Vec<String>),
}

impl Settings {
    /// Reads instructions, continued lines joined. `None` when one of them is not among those
    /// that we know exactly: then only BuildKit knows what it means.
    pub fn of(instructions: &[String]) -> Option<Self> {
        let mut settings = Vec::new();
        for instruction in instructions {
            settings.extend(setting(instruction)?);
        }
        Some(Self(settings))
    }

    /// Sets them upon what the base sets.
    pub fn apply(&self, config: &mut Map<String, Value>) {
        for setting in &self.0 {
            match setting {
                Setting::Label(name, value) => set_label(config, name, value),
                Setting::Environment(name, value) => set_variable(config, name, value),
                Setting::Port(port) => add(config, "ExposedPorts", port, json!({})),
                Setting::Member(name, value) => {
                    config.insert((*name).to_owned(), value.clone());
                }
                Setting::Entrypoint(words) => {
                    config.insert("Entrypoint".to_owned(), json!(words));
                    // The base's command is meant for the base's entry point.
                    config.remove("Cmd");
                }
            }
        }
    }
}

/// Sets a label.
pub fn set_label(config: &mut Map<String, Value>, name: &str, value: &str) {
    add(config, "Labels", name, json!(value));
}

/// Adds to a member that is an object; one that is absent or null is made.
fn add(config: &mut Map<String, Value>, member: &str, name: &str, value: Value) {
    let mut members = match config.remove(member) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    members.insert(name.to_owned(), value);
    config.insert(member.to_owned(), Value::Object(members));
}

fn set_variable(config: &mut Map<String, Value>, name: &str, value: &str) {
    let variables = config.get("Env").and_then(Value::as_array).cloned();
    let prefix = format!("{name}=");
    let mut variables: Vec<Value> = variables.unwrap_or_default();
    variables.retain(|known| !known.as_str().is_some_and(|text| text.starts_with(&prefix)));
    variables.push(json!(format!("{prefix}{value}")));
    config.insert("Env".to_owned(), Value::Array(variables));
}

fn setting(instruction: &str) -> Option<Vec<Setting>> {
    let (keyword, rest) = instruction.split_once(char::is_whitespace)?;
    let rest = rest.trim();
    // A variable would have to be expanded.
    if rest.contains('$') {
        return None;
    }
    let member = |name, value| Some(vec![Setting::Member(name, value)]);
    match keyword.to_ascii_uppercase().as_str() {
        "LABEL" => pairs(rest).map(|pairs| of_pairs(pairs, Setting::Label)),
        "ENV" => pairs(rest).map(|pairs| of_pairs(pairs, Setting::Environment)),
        "USER" => member("User", json!(one_word(rest)?)),
        "WORKDIR" => member(
            "WorkingDir",
            json!(one_word(rest).filter(|it| it.starts_with('/'))?),
        ),
        "STOPSIGNAL" => member("StopSignal", json!(one_word(rest)?)),
        "EXPOSE" => rest.split_whitespace().map(port).collect(),
        "HEALTHCHECK" => member("Healthcheck", health(rest)?),
        "ENTRYPOINT" => list(rest).map(|words| vec![Setting::Entrypoint(words)]),
        "CMD" => member("Cmd", json!(list(rest)?)),
        _ => None,
    }
}

fn of_pairs(
    pairs: Vec<(String, String)>,
    make: impl Fn(String, String) -> Setting,
) -> Vec<Setting> {
    let settings = pairs.into_iter().map(|(name, value)| make(name, value));
    settings.collect()
}

fn one_word(text: &str) -> Option<String> {
    match words(text)?.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// `name=value name="other value"`.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = words(text)?.into_iter().map(|word| {
        let (name, value) = word.split_once('=')?;
        (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// Words, with quotes taken off as a Dockerfile means them; `None` where one is not closed.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(letter),
            (_, '\\') => word.get_or_insert_default().push(letters.next()?),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// A JSON list of texts; the other form runs a shell.
fn list(text: &str) -> Option<Vec<String>> {
    serde_json::from_str(text).ok()
}

fn port(text: &str) -> Option<Setting> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    number.parse::<u16>().ok()?;
    matches!(protocol, "tcp" | "udp").then(|| Setting::Port(format!("{number}/{protocol}")))
}

fn health(text: &str) -> Option<Value> {
    let mut check = Map::new();
    let mut rest = text;
    while rest.starts_with("--") {
        let (flag, after) = rest.split_once(char::is_whitespace)?;
        let (name, value) = flag.split_once('=')?;
        let (member, value) = match name {
            "--interval" => ("Interval", json!(nanoseconds(value)?)),
            "--timeout" => ("Timeout", json!(nanoseconds(value)?)),
            "--start-period" => ("StartPeriod", json!(nanoseconds(value)?)),
            "--retries" => ("Retries", json!(value.parse::<u32>().ok()?)),
            _ => return None,
        };
        check.insert(member.to_owned(), value);
        rest = after.trim_start();
    }
    let test = match rest.split_once(char::is_whitespace) {
        Some(("CMD", command)) => [vec!["CMD".to_owned()], list(command.trim())?].concat(),
        None if rest == "NONE" => vec!["NONE".to_owned()],
        _ => return None,
    };
    check.insert("Test".to_owned(), json!(test));
    Some(Value::Object(check))
}

/// `10s`, `1m30s`, `500ms`.
fn nanoseconds(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|letter: char| letter.is_ascii_digit());
        let unit = &rest[..end.unwrap_or(rest.len())];
        let nanoseconds: u64 = match unit {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(nanoseconds)?)?;
        rest = &rest[unit.len()..];
    }
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(instructions: &[&str], base: Value) -> Option<Value> {
        let lines: Vec<String> = instructions.iter().map(|&line| line.to_owned()).collect();
        let mut config = base.as_object().unwrap().clone();
        Settings::of(&lines)?.apply(&mut config);
        Some(Value::Object(config))
    }

    #[test]
    fn generated_instructions_are_set_as_docker_sets_them() {
        let config = applied(
            &[
                "LABEL org.opencontainers.image.title=\"orders\" b='two words'",
                "ENV A=1 B=\"x y\"",
                "USER 65532:65532",
                "EXPOSE 8080",
                "EXPOSE 9090/tcp 53/udp",
                "HEALTHCHECK --interval=10s --timeout=1m30s CMD [\"/app/orders\", \"healthcheck\"]",
                "ENTRYPOINT [\"/app/orders\"]",
            ],
            json!({"Env": ["PATH=/bin", "A=0"], "Cmd": ["sh"], "Labels": null}),
        );
        assert_eq!(
            config.unwrap(),
            json!({
                "Env": ["PATH=/bin", "A=1", "B=x y"],
                "Labels": {"org.opencontainers.image.title": "orders", "b": "two words"},
                "User": "65532:65532",
                "ExposedPorts": {"8080/tcp": {}, "9090/tcp": {}, "53/udp": {}},
                "Healthcheck": {
                    "Interval": 10_000_000_000_u64,
                    "Timeout": 90_000_000_000_u64,
                    "Test": ["CMD", "/app/orders", "healthcheck"],
                },
                "Entrypoint": ["/app/orders"],
            })
        );
    }

    #[test]
    fn what_is_not_known_exactly_is_left_to_buildkit() {
        for instruction in [
            "ENV PATH=/app:$PATH",
            "ENTRYPOINT /app/orders",
            "CMD run this",
            "VOLUME /data",
            "EXPOSE 8000-8010",
            "HEALTHCHECK CMD curl localhost",
            "LABEL broken=\"",
            "WORKDIR relative",
            "ONBUILD RUN true",
            "ENV A 1",
        ] {
            assert_eq!(applied(&[instruction], json!({})), None, "{instruction}");
        }
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;
    use crate::model::damaged::damaged_json;

    /// The instructions that are known, and some that are not.
    const KEYWORDS: &[&str] = &[
        "LABEL",
        "ENV",
        "USER",
        "WORKDIR",
        "STOPSIGNAL",
        "EXPOSE",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
        "env",
        "VOLUME",
        "",
    ];
    /// What stands behind them.
    const PIECES: &[&str] = &[
        " ",
        "a=1",
        "A=\"x y\"",
        "b='",
        "\"",
        "\\",
        "=",
        "65532:65532",
        "/app",
        "8080/tcp",
        "99999/udp",
        "1-2",
        "[\"/app/orders\"]",
        "[",
        "--interval=10s ",
        "--timeout=1m30s ",
        "--start-period=99999999999999h ",
        "--retries=-1 ",
        "--retries",
        "CMD [\"true\"]",
        "NONE",
        "0ms",
        "\u{e9}s",
        "$A",
        "\u{2003}",
    ];
    /// Members of a configuration, and names and values in them.
    const WORDS: &[&str] = &[
        "Env",
        "Labels",
        "ExposedPorts",
        "Cmd",
        "a=1",
        "a",
        "8080/tcp",
        "",
    ];

    fn instructions() -> impl Strategy<Value = Vec<String>> {
        let rest = prop::collection::vec(prop::sample::select(PIECES), 0..6);
        let instruction = (prop::sample::select(KEYWORDS), rest)
            .prop_map(|(keyword, rest)| format!("{keyword} {}", rest.concat()));
        prop::collection::vec(instruction, 0..4)
    }

    fn configurations() -> impl Strategy<Value = Value> {
        let sound = json!({
            "Env": ["PATH=/bin", "a=0"], "Cmd": ["sh"], "Labels": {"a": "b"},
            "ExposedPorts": {"53/udp": {}}, "Entrypoint": ["x"], "User": "0"
        });
        damaged_json(sound, WORDS)
    }

    proptest! {
        #[test]
        fn no_instruction_makes_its_reader_panic_upon_any_configuration(
            instructions in instructions(), base in configurations(),
        ) {
            if let (Some(settings), Value::Object(mut config)) = (Settings::of(&instructions), base) {
                settings.apply(&mut config);
                set_label(&mut config, "a", "c");
                let once = config.clone();
                settings.apply(&mut config);
                set_label(&mut config, "a", "c");
                prop_assert_eq!(once["Labels"].clone(), config["Labels"].clone());
            }
        }
    }
}
