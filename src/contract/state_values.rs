//! Values that a provider's state makes, and the generators of a pact that need them.

use std::collections::{BTreeSet, HashMap};

use pact_models::generators::{Generator, GeneratorCategory, Generators};
use serde_json::Value;

use crate::model::exchange::{ProviderState, StateValues};

/// What generators see: the states' parameters, and over them what the states gave.
pub(super) fn context<'a>(
    states: &'a [ProviderState],
    values: &'a StateValues,
) -> HashMap<&'a str, Value> {
    let params = states.iter().flat_map(|state| &state.params);
    params
        .chain(values)
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect()
}

/// The names that generators of provider states need and the context does not have. A generator
/// that finds no value would leave the example in place, in silence.
pub(super) fn missing(generators: &Generators, context: &HashMap<&str, Value>) -> Vec<String> {
    let expressions = generators
        .categories
        .values()
        .flat_map(HashMap::values)
        .filter_map(|generator| match generator {
            Generator::ProviderStateGenerator(expression, _) => Some(expression),
            _ => None,
        });
    let names: BTreeSet<&str> = expressions.flat_map(|text| names(text)).collect();
    names
        .into_iter()
        .filter(|name| !context.contains_key(name))
        .map(str::to_owned)
        .collect()
}

/// The generators of provider states alone: in an answer that is expected, any other would put a
/// random value where the consumer's example stands.
pub(super) fn of_states(generators: &Generators) -> Generators {
    let of_state =
        |generator: &Generator| matches!(generator, Generator::ProviderStateGenerator(..));
    let categories = generators.categories.iter().map(|(category, generators)| {
        let kept = generators
            .iter()
            .filter(|(_, generator)| of_state(generator));
        let kept = kept.map(|(path, generator)| (path.clone(), generator.clone()));
        (*category, kept.collect())
    });
    Generators {
        categories: categories.collect::<HashMap<GeneratorCategory, _>>(),
    }
}

/// `id` and `line` of `/orders/${id}/lines/${line}`; a text without `${` is a name itself.
fn names(expression: &str) -> Vec<&str> {
    if !expression.contains("${") {
        return vec![expression];
    }
    let parts = expression.split("${").skip(1);
    parts
        .filter_map(|part| part.split_once('}').map(|(name, _)| name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_an_expression_are_found() {
        assert_eq!(names("/orders/${id}/lines/${line}"), ["id", "line"]);
        assert_eq!(names("id"), ["id"]);
        assert!(names("${open").is_empty());
    }

    #[test]
    fn what_a_state_gave_wins_over_its_parameters() {
        let params = [("id".to_owned(), Value::from(1))].into();
        let states = [ProviderState {
            name: "an order".to_owned(),
            params,
        }];
        let values = [("id".to_owned(), Value::from(2))].into();
        assert_eq!(context(&states, &values)["id"], 2);
    }
}
