//! A service's options against its blueprint: values, defaults, refusals, resources.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::model::blueprint::{
    Blueprint, Choice, OptionDefinition, OptionValues, Refusal, ReservedOf, Selection,
};
use crate::model::name::Name;
use crate::model::suggest;

/// The placeholder of a resource's name that stands for the service's.
const SERVICE: &str = "{service}";

/// What a service has to others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelationCounts {
    /// Events that it publishes.
    pub publishes: usize,
    /// Events that it consumes.
    pub consumes: usize,
    /// Services that it calls.
    pub needs: usize,
}

/// A problem of the options, and the option it is about.
#[derive(Debug, Clone)]
pub struct OptionProblem {
    /// The option; `None` when it is missing from the manifest.
    pub option: Option<String>,
    /// Whether the value is wrong, and not the option's name.
    pub is_value: bool,
    /// What is wrong.
    pub error: Error,
}

/// A resource that a choice brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedResource {
    /// What the code calls it: the option's name.
    pub role: String,
    /// Its resource type.
    pub kind: String,
    /// The name that `add service` gives it.
    pub name: String,
}

/// Every option of the blueprint with its value: the given one, else the default.
///
/// # Errors
/// All problems: options that do not exist, values that are no choice, required ones missing.
pub fn resolve(
    blueprint: &Blueprint,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Vec<OptionProblem>> {
    let mut problems = Vec::new();
    for option in given.keys() {
        if !blueprint.options.iter().any(|known| known.name == *option) {
            problems.push(unknown_option(blueprint, option));
        }
    }
    let mut resolved = BTreeMap::new();
    for definition in &blueprint.options {
        let value = given.get(&definition.name).or(definition.default.as_ref());
        let Some(value) = value else {
            problems.push(missing_option(blueprint, definition));
            continue;
        };
        match check_value(definition, value)
            .and_then(|()| check_reserved(blueprint, definition, value))
        {
            Ok(()) => {
                resolved.insert(definition.name.clone(), value.clone());
            }
            Err(error) => problems.push(OptionProblem {
                option: Some(definition.name.clone()),
                is_value: true,
                error,
            }),
        }
    }
    if problems.is_empty() {
        Ok(resolved)
    } else {
        Err(problems)
    }
}

/// Whether an option may have this value.
///
/// # Errors
/// When it is no choice, or no name.
pub fn check_value(definition: &OptionDefinition, value: &str) -> Result<(), Error> {
    match &definition.values {
        OptionValues::Choices(choices) => {
            if choices.iter().any(|choice| choice.name == value) {
                return Ok(());
            }
            let name = &definition.name;
            let error = Error::invalid(format!("`{value}` is no choice of the option `{name}`"));
            let known = choices.iter().map(|choice| choice.name.as_str());
            Err(match suggest::hint(value, known) {
                Some(hint) => error.hint(hint),
                None => error,
            })
        }
        OptionValues::Name => check_name(definition, value),
    }
}

fn check_name(definition: &OptionDefinition, value: &str) -> Result<(), Error> {
    let option = &definition.name;
    Name::new(value).map(drop).map_err(|cause| {
        let error = Error::invalid(format!("`{value}` is no name for the option `{option}`"));
        let error = error.because(cause);
        match Name::nearest(value) {
            Some(nearest) => error.hint(format!("Write `{nearest}`")),
            None => error,
        }
    })
}

/// Whether a name is a word that the blueprint's code cannot be made with.
fn check_reserved(
    blueprint: &Blueprint,
    definition: &OptionDefinition,
    value: &str,
) -> Result<(), Error> {
    if definition.values != OptionValues::Name {
        return Ok(());
    }
    match blueprint.reserved(ReservedOf::Option, value) {
        None => Ok(()),
        Some(reserved) => Err(Error::invalid(format!(
            "`{value}` cannot be the {}",
            definition.name
        ))
        .since(reserved.reason.clone())
        .hint("Choose another word")),
    }
}

/// Why the blueprint's code cannot be made with an event of this name, among all events of a
/// service; `None` when it can.
pub fn event_problem(blueprint: &Blueprint, event: &Name, all: &[&Name]) -> Option<Error> {
    let (what, reserved) = match blueprint.reserved(ReservedOf::Event, event.as_str()) {
        Some(reserved) => (
            format!("no event of this service can be called `{event}`"),
            reserved,
        ),
        None => {
            let (other, reserved) = blueprint.event_beside(event, all)?;
            let what = format!("no event can be called `{event}` beside `{other}`");
            (what, reserved)
        }
    };
    Some(
        Error::invalid(what)
            .since(reserved.reason.clone())
            .hint("Choose another name, such as what happened: `order-placed`"),
    )
}

/// The first refused combination that holds.
pub fn refusal<'a>(
    blueprint: &'a Blueprint,
    options: &BTreeMap<String, String>,
    relations: RelationCounts,
) -> Option<&'a Refusal> {
    blueprint.refusal(&Selection {
        options,
        publishes: relations.publishes,
        consumes: relations.consumes,
        needs: relations.needs,
    })
}

/// The error of a refused combination.
pub fn refused(refusal: &Refusal) -> Error {
    let combination: Vec<String> = refusal
        .when
        .iter()
        .map(|(what, value)| match value.as_str() {
            "any" => format!("`{what}`"),
            "none" if ["publishes", "consumes", "needs"].contains(&what.as_str()) => {
                format!("no `{what}`")
            }
            _ => format!("{what}={value}"),
        })
        .collect();
    let error = Error::invalid(format!("{} do not go together", combination.join(" and ")))
        .since(refusal.reason.clone());
    let nearest: Vec<String> = refusal
        .nearest
        .iter()
        .map(|(option, value)| format!("{option}={value}"))
        .collect();
    match nearest.is_empty() {
        true => error,
        false => error.hint(format!("Choose {}", nearest.join(" and "))),
    }
}

/// Problems of the number of relations: which relation, and what is wrong.
pub fn relation_problems(
    blueprint: &Blueprint,
    found: RelationCounts,
) -> Vec<(&'static str, Error)> {
    let allowed = blueprint.relations;
    let relations = [
        (
            "publishes",
            allowed.publishes,
            found.publishes,
            "event that it publishes",
        ),
        (
            "consumes",
            allowed.consumes,
            found.consumes,
            "event that it consumes",
        ),
        ("needs", allowed.needs, found.needs, "service that it calls"),
    ];
    let of = blueprint
        .reference
        .as_ref()
        .map_or_else(String::new, |reference| format!(" of {reference}"));
    relations
        .into_iter()
        .filter(|(_, count, found, _)| !count.allows(*found))
        .map(|(key, count, found, what)| {
            let rule = match (count.at_least, count.at_most) {
                (least, _) if found < least => format!("at least {least}"),
                (_, Some(0)) => "no".to_owned(),
                (_, Some(most)) => format!("at most {most}"),
                (_, None) => "another number".to_owned(),
            };
            let message = format!("`{key}` names {found}, and a service{of} has {rule} {what}");
            (key, Error::invalid(message))
        })
        .collect()
}

/// The resources that the chosen options bring, in the options' order.
pub fn resources(
    blueprint: &Blueprint,
    options: &BTreeMap<String, String>,
    service: &Name,
) -> Vec<WantedResource> {
    blueprint
        .options
        .iter()
        .filter_map(|definition| {
            let choice = chosen(blueprint, options, &definition.name)?;
            let kind = choice.resource.clone()?;
            let pattern = choice.resource_name.as_deref().unwrap_or(&kind);
            Some(WantedResource {
                role: definition.name.clone(),
                name: pattern.replace(SERVICE, service.as_str()),
                kind,
            })
        })
        .collect()
}

fn chosen<'a>(
    blueprint: &'a Blueprint,
    options: &BTreeMap<String, String>,
    option: &str,
) -> Option<&'a Choice> {
    blueprint.option(option)?.choice(options.get(option)?)
}

fn unknown_option(blueprint: &Blueprint, option: &str) -> OptionProblem {
    let error = Error::invalid(format!("there is no option `{option}`"));
    let known = blueprint.options.iter().map(|known| known.name.as_str());
    OptionProblem {
        option: Some(option.to_owned()),
        is_value: false,
        error: match suggest::hint(option, known) {
            Some(hint) => error.hint(hint),
            None => error,
        },
    }
}

fn missing_option(blueprint: &Blueprint, definition: &OptionDefinition) -> OptionProblem {
    let name = &definition.name;
    let of = blueprint
        .reference
        .as_ref()
        .map_or_else(String::new, |reference| format!(" of {reference}"));
    OptionProblem {
        option: None,
        is_value: false,
        error: Error::invalid(format!("the option `{name}`{of} is missing"))
            .since(format!("it says: {}", definition.summary))
            .hint(format!("Add `{name}: ...` to the options")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::catalog;

    fn go_service() -> Blueprint {
        let reference = catalog::newest(None, "go-service").unwrap();
        catalog::blueprint(None, &reference).unwrap()
    }

    fn given(options: &[(&str, &str)]) -> BTreeMap<String, String> {
        options
            .iter()
            .map(|(option, value)| ((*option).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn messages(options: &[(&str, &str)]) -> Vec<String> {
        resolve(&go_service(), &given(options))
            .expect_err("should be refused")
            .into_iter()
            .map(|problem| problem.error.message().to_owned())
            .collect()
    }

    #[test]
    fn every_option_has_a_value_afterwards() {
        let options = resolve(&go_service(), &given(&[("entity", "order")])).unwrap();
        assert_eq!(options["store"], "none");
        assert_eq!(options["transport"], "rest");
    }

    #[test]
    fn all_wrong_options_are_found_at_once() {
        let found = messages(&[("stroe", "postgres"), ("store", "mysql")]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(messages(&[("entity", "Order Line")])[0].contains("no name"));
        assert!(messages(&[("entity", "range")])[0].contains("cannot be the entity"));
    }

    #[test]
    fn a_refused_combination_says_why_and_what_is_nearest() {
        let blueprint = go_service();
        let options = given(&[("entity", "order"), ("messaging", "nats")]);
        let options = resolve(&blueprint, &options).unwrap();
        let found = refusal(&blueprint, &options, publishing(0)).unwrap();
        let error = refused(found);
        assert!(error.message().contains("do not go together"));
        assert_eq!(error.hints(), ["Choose store=postgres"]);
    }

    #[test]
    fn publishing_without_a_broker_is_refused() {
        let blueprint = go_service();
        let options = resolve(&blueprint, &given(&[("entity", "order")])).unwrap();
        assert!(refusal(&blueprint, &options, publishing(1)).is_some());
        let problems = relation_problems(&blueprint, publishing(2));
        assert_eq!(problems.len(), 1);
        assert!(problems[0].1.message().contains("at most 1"));
    }

    fn publishing(publishes: usize) -> RelationCounts {
        RelationCounts {
            publishes,
            ..RelationCounts::default()
        }
    }

    #[test]
    fn choices_bring_their_resources() {
        let blueprint = go_service();
        let options = given(&[
            ("entity", "order"),
            ("store", "postgres"),
            ("messaging", "nats"),
        ]);
        let orders = Name::new("orders").unwrap();
        let names: Vec<String> = resources(&blueprint, &options, &orders)
            .into_iter()
            .map(|resource| resource.name)
            .collect();
        assert_eq!(names, ["orders-db", "events"]);
    }
}
