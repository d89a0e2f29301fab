//! A chart's values: its own with what is set over them, checked by its schema.

use serde_json::{Map, Value};

use super::ChartInput;
use crate::error::Error;
use crate::model::release::Chart;
use crate::model::schema_effort::{Choices, Names, Schema, affordable};

/// Lays what is set over a chart's own values, as Helm does: maps merge, all else replaces,
/// null takes a key away.
pub fn coalesce(chart: &Value, config: &Value) -> Value {
    let mut result = config.as_object().cloned().unwrap_or_default();
    for (key, own) in chart.as_object().into_iter().flatten() {
        match (result.get_mut(key), own) {
            (Some(Value::Null), _) => {
                result.shift_remove(key);
            }
            (Some(Value::Object(set)), Value::Object(own)) => {
                coalesce_maps(set, &without_nulls(own));
            }
            (Some(_), _) | (None, Value::Null) => {}
            (None, Value::Object(own)) => {
                result.insert(key.clone(), Value::Object(without_nulls(own)));
            }
            (None, own) => {
                result.insert(key.clone(), own.clone());
            }
        }
    }
    Value::Object(result)
}

fn coalesce_maps(set: &mut Map<String, Value>, own: &Map<String, Value>) {
    for (key, value) in own {
        match (set.get_mut(key), value) {
            (Some(Value::Null), _) => {
                set.shift_remove(key);
            }
            (Some(Value::Object(set)), Value::Object(own)) => coalesce_maps(set, own),
            (Some(_), _) => {}
            (None, value) => {
                set.insert(key.clone(), value.clone());
            }
        }
    }
}

fn without_nulls(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| match value {
            Value::Object(inner) => (key.clone(), Value::Object(without_nulls(inner))),
            other => (key.clone(), other.clone()),
        })
        .collect()
}

/// Checks values by the chart's schema.
///
/// # Errors
/// All problems at once, each with the place in the values; or a schema that is none, or too large.
pub fn validate(chart: &Chart, values: &Value, input: &ChartInput<'_>) -> Result<(), Error> {
    let Some(bytes) = &chart.schema else {
        return Ok(());
    };
    let path = input.folder.join("values.schema.json");
    let broken = |cause: &dyn std::fmt::Display| {
        Error::invalid(format!("{} is no schema", path.display())).since(cause.to_string())
    };
    let schema: Value = serde_json::from_slice(bytes).map_err(|cause| broken(&cause))?;
    let names = Names::of(&schema);
    let whole = Schema {
        root: &schema,
        names: &names,
        value: &schema,
    };
    let within = |choices| {
        affordable(&whole, values, choices).map_err(|cause| {
            let message = format!("{} is too large a schema", path.display());
            Error::invalid(message).since(cause.to_string())
        })
    };
    within(Choices::Possible)?;
    let validator = jsonschema::validator_for(&schema).map_err(|cause| broken(&cause))?;
    if validator.is_valid(values) {
        return Ok(());
    }
    // Why it does not fit takes more to find out.
    within(Choices::All)?;
    let errors: Vec<Error> = validator
        .iter_errors(values)
        .map(|problem| {
            let at = problem.instance_path().to_string();
            let at = if at.is_empty() { "/".to_owned() } else { at };
            Error::invalid(format!("the value {at} is not allowed: {problem}"))
        })
        .collect();
    let folder = input.folder.display();
    let message = |count| format!("the chart {folder} refuses {count} of its values");
    Error::none_of(message, errors).map_err(|error| {
        error
            .since(format!("{} says what is allowed", path.display()))
            .hint(
                "Change service.yaml, service.ENV.yaml or the environment, then `gantline generate`",
            )
    })
}
