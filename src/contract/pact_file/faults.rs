//! What can be wrong with a pact's shape. The reader of the `pact_models` crate forgives most of
//! it, and a pact of which nothing is left would be kept by every provider.

use std::collections::BTreeMap;

use pact_models::PactSpecification;
use pact_models::generators::Generator;
use serde_json::Value;

use super::{Fault, RECORD};

const TYPES: [&str; 3] = [
    "Synchronous/HTTP",
    "Asynchronous/Messages",
    "Synchronous/Messages",
];

/// The lists of interactions: version 3 has messages in a list of their own.
pub(super) const LISTS: [&str; 2] = ["interactions", "messages"];

/// Parts of an exchange whose values generators make (Pact specification, version 3).
const GENERATED: [&str; 7] = [
    "method", "path", "header", "query", "body", "status", "metadata",
];

/// Every fault in a pact's shape.
pub(super) fn of_pact(json: &Value) -> Vec<Fault> {
    if !json.is_object() {
        return vec![Fault::new(&[], "a pact is a JSON object").hint(RECORD)];
    }
    let mut faults = Vec::new();
    for party in ["consumer", "provider"] {
        let name = json.get(party).and_then(|party| party.get("name"));
        if name.and_then(Value::as_str).is_none_or(str::is_empty) {
            let message = format!("the pact does not name its {party}: `{party}.name`");
            faults.push(Fault::new(&[party, "name"], message));
        }
    }
    if version(json).is_none() {
        let path = ["metadata", "pactSpecification", "version"];
        let message = "the pact does not say which version (1 to 4) of the Pact specification it is written in";
        faults.push(
            Fault::new(&path, message)
                .hint(r#"Write it: `"metadata": {"pactSpecification": {"version": "4.0"}}`"#),
        );
    }
    faults.extend(of_lists(json));
    if faults.is_empty() {
        faults.extend(of_interactions(json));
    }
    faults
}

fn of_lists(json: &Value) -> Vec<Fault> {
    let lists: Vec<_> = LISTS
        .iter()
        .filter(|list| json.get(list).is_some())
        .collect();
    if lists.is_empty() {
        let message = "the pact has no interactions: neither `interactions` nor `messages`";
        return vec![Fault::new(&[], message).hint(RECORD)];
    }
    lists
        .into_iter()
        .filter(|list| !json[**list].is_array())
        .map(|list| Fault::new(&[list], format!("`{list}` is a list")))
        .collect()
}

fn of_interactions(json: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeMap::new();
    let is_v4 = version(json).is_some_and(|(_, version)| version == PactSpecification::V4);
    for (list, index, value) in listed(json) {
        let at = index.to_string();
        faults.extend(of_interaction(list, &at, value, is_v4));
        if !needs_plugin(value) {
            for part in [&[][..], &["request"], &["response"]] {
                faults.extend(of_generators(&[&[list, &at], part].concat(), part, value));
            }
        }
        let Some(description) = value.get("description").and_then(Value::as_str) else {
            continue;
        };
        let states = value
            .get("providerStates")
            .or_else(|| value.get("providerState"));
        let key = format!("{list} {description} {states:?}");
        if seen.insert(key, index).is_some() {
            let message = "two interactions have this description and these states";
            faults.push(
                Fault::new(&[list, &at, "description"], message)
                    .hint("Tell them apart in the consumer's test, and record the pact again"),
            );
        }
    }
    faults
}

fn of_interaction(list: &str, at: &str, json: &Value, is_v4: bool) -> Vec<Fault> {
    if !json.is_object() {
        return vec![Fault::new(&[list, at], "an interaction is a JSON object")];
    }
    let mut faults = Vec::new();
    let mut fault = |steps: &[&str], message: &str| {
        let path = [&[list, at], steps].concat();
        faults.push(Fault::new(&path, message));
    };
    if json
        .get("description")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        fault(&["description"], "the interaction has no `description`");
    }
    let kind = match is_v4 {
        true => json.get("type").and_then(Value::as_str).unwrap_or_default(),
        false if list == "messages" => TYPES[1],
        false => TYPES[0],
    };
    match kind {
        "Synchronous/HTTP" => {
            for part in ["request", "response"] {
                if !json.get(part).is_some_and(Value::is_object) {
                    fault(&[part], &format!("the interaction has no `{part}`"));
                }
            }
            let text = |name| json.pointer(name).is_some_and(Value::is_string);
            for (pointer, name) in [("/request/method", "method"), ("/request/path", "path")] {
                if json.get("request").is_some() && !text(pointer) {
                    fault(&["request", name], &format!("the request has no `{name}`"));
                }
            }
            let status = json.pointer("/response/status");
            let is_status =
                |status: &Value| status.as_u64().is_some_and(|it| (100..600).contains(&it));
            if status.is_some_and(|status| !is_status(status)) {
                fault(
                    &["response", "status"],
                    "a status is a number from 100 to 599",
                );
            }
        }
        "Asynchronous/Messages" => {
            if json.get("contents").is_none() {
                fault(&["contents"], "the message has no `contents`");
            }
        }
        "Synchronous/Messages" => {}
        other => {
            let message = match other {
                "" => format!("the interaction has no `type`: one of {}", TYPES.join(", ")),
                other => format!(
                    "`{other}` is no type of interaction: one of {}",
                    TYPES.join(", ")
                ),
            };
            fault(&["type"], &message);
        }
    }
    faults
}

/// Whether an interaction names plugins, whose rules and generators are not known here.
pub(super) fn needs_plugin(interaction: &Value) -> bool {
    let plugins = interaction
        .get("pluginConfiguration")
        .and_then(Value::as_object);
    plugins.is_some_and(|plugins| !plugins.is_empty())
}

/// Generators that nobody knows. The reader leaves them out, and the consumer's example would be
/// sent in place of what they make.
fn of_generators(base: &[&str], part: &[&str], interaction: &Value) -> Vec<Fault> {
    let holder = part
        .iter()
        .try_fold(interaction, |value, step| value.get(step));
    let Some(generators) = holder.and_then(|it| it.get("generators")?.as_object()) else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    for (category, of_category) in generators {
        let at = [base, &["generators", category]].concat();
        if !GENERATED.contains(&category.to_lowercase().as_str()) {
            let message = format!(
                "`{category}` has no generators; {} have",
                GENERATED.join(", ")
            );
            faults.push(Fault::new(&at, message));
            continue;
        }
        let members = of_category.as_object();
        if of_category.get("type").is_some_and(Value::is_string) || members.is_none() {
            faults.extend(of_generator(&at, of_category));
            continue;
        }
        for (path, generator) in members.into_iter().flatten() {
            faults.extend(of_generator(
                &[&at, &[path.as_str()][..]].concat(),
                generator,
            ));
        }
    }
    faults
}

fn of_generator(at: &[&str], generator: &Value) -> Option<Fault> {
    let kind = generator.get("type").and_then(Value::as_str);
    let (Some(kind), Some(attributes)) = (kind, generator.as_object()) else {
        return Some(Fault::new(at, "a generator is an object with a `type`"));
    };
    match Generator::from_map(kind, attributes) {
        Some(Generator::Plugin { .. }) => Some(Fault::new(
            at,
            format!("`{kind}` is no generator of the Pact specification"),
        )),
        Some(_) => None,
        None => Some(Fault::new(
            at,
            format!("the generator `{kind}` lacks what it needs: its `regex` or its `expression`"),
        )),
    }
}

/// The version as it is written, and what it is; `None` when there is none or it is unknown.
pub(super) fn version(json: &Value) -> Option<(String, PactSpecification)> {
    let metadata = json.get("metadata")?;
    let written = ["pactSpecification", "pact-specification"]
        .iter()
        .find_map(|key| metadata.get(key)?.get("version")?.as_str())
        .or_else(|| metadata.get("pactSpecificationVersion")?.as_str())?;
    let version = match written.split('.').next()? {
        "1" => PactSpecification::V1,
        "2" => PactSpecification::V2,
        "3" => PactSpecification::V3,
        "4" => PactSpecification::V4,
        _ => return None,
    };
    Some((written.to_owned(), version))
}

/// Every interaction with its list and its index.
pub(super) fn listed(json: &Value) -> impl Iterator<Item = (&'static str, usize, &Value)> {
    LISTS.into_iter().flat_map(|list| {
        let items = json.get(list).and_then(Value::as_array);
        let items = items.into_iter().flatten().enumerate();
        items.map(move |(index, value)| (list, index, value))
    })
}
