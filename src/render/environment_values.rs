//! `chart/values-ENV.yaml`: what an environment changes of a chart's values, so that plain Helm,
//! Argo CD and Flux deploy there what gantline does.

use serde_json::{Map, Value, json};

use super::chart::{YamlProblem, read_yaml};
use super::yaml::block;
use crate::error::{Error, Result};
use crate::model::container::Container;
use crate::model::environment::{Environment, EnvironmentResource, owner_secret};
use crate::model::file_set::{FileSet, MergeKind, RenderedFile, TreePath};
use crate::model::project::{Service, Workspace};

/// A chart's own values, below the service's folder.
pub const VALUES: &str = "chart/values.yaml";

/// What the values are made from.
#[derive(Clone, Copy)]
pub struct ValuesInput<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// The workspace.
    pub workspace: &'a Workspace,
    /// The service as it is in the environment.
    pub service: &'a Service,
    /// The service's files.
    pub files: &'a FileSet,
    /// Its files as they would be with what differs in the environment.
    pub overlaid: Option<&'a FileSet>,
}

/// The file of values of an environment; `None` for a service without a chart.
///
/// # Errors
/// When the blueprint's values are no YAML.
pub fn file(input: &ValuesInput<'_>) -> Result<Option<(TreePath, RenderedFile)>> {
    let Some(own) = values_of(input.files)? else {
        return Ok(None);
    };
    let mut changes = match input.overlaid.map(values_of).transpose()?.flatten() {
        Some(overlaid) => difference(&own, &overlaid),
        None => Map::new(),
    };
    of_environment(input, &own, &mut changes);
    let name = &input.environment.name;
    let body = block(&Value::Object(changes), 0);
    let text = format!(
        "# Derived from environments/{name}.yaml and service.{name}.yaml: change it there.\n\
         {}---\n{}\n",
        command(input),
        body.trim_start()
    );
    let path = TreePath::new(format!("chart/values-{name}.yaml"))
        .map_err(|cause| Error::failed(cause.to_string()))?;
    let file = RenderedFile {
        bytes: text.into_bytes(),
        merge: MergeKind::Yaml,
        ..RenderedFile::default()
    };
    Ok(Some((path, file)))
}

/// How plain Helm deploys it, as comments. The tag of what is built here stands in no file: it is the
/// hash of the source.
fn command(input: &ValuesInput<'_>) -> String {
    let (name, service) = (&input.environment.name, input.service);
    let namespace = &input.environment.namespace;
    let (tag, whence) = match service.has_source() {
        true => (
            " \\\n#   --set image.tag=TAG",
            "# TAG is that of the image which `gantline build --push` names.\n",
        ),
        false => ("", ""),
    };
    format!(
        "# helm upgrade --install {} chart --namespace {namespace} \\\n\
         #   --values chart/values-{name}.yaml{tag}\n{whence}",
        service.name
    )
}

fn values_of(files: &FileSet) -> Result<Option<Map<String, Value>>> {
    let found = files.files.iter().find(|(path, _)| path.as_str() == VALUES);
    let Some((_, file)) = found else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&file.bytes);
    match read_yaml(&text) {
        Ok(Value::Object(map)) => Ok(Some(map)),
        Ok(_) => Err(Error::failed(format!("the blueprint's {VALUES} is no map"))),
        Err(YamlProblem { message, line }) => Err(Error::failed(format!(
            "the blueprint's {VALUES} is no YAML in line {line}: {message}"
        ))),
    }
}

/// What turns `from` into `to` when it is laid over: RFC 7386, which is what Helm does, too.
fn difference(from: &Map<String, Value>, to: &Map<String, Value>) -> Map<String, Value> {
    let mut changes = Map::new();
    for (key, value) in to {
        match (from.get(key), value) {
            (Some(before), after) if before == after => {}
            (Some(Value::Object(before)), Value::Object(after)) => {
                changes.insert(key.clone(), difference(before, after).into());
            }
            (_, after) => {
                changes.insert(key.clone(), after.clone());
            }
        }
    }
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        changes.insert(key.clone(), Value::Null);
    }
    changes
}

fn of_environment(
    input: &ValuesInput<'_>,
    own: &Map<String, Value>,
    changes: &mut Map<String, Value>,
) {
    let ValuesInput {
        environment,
        service,
        ..
    } = input;
    if let Some(registry) = &environment.registry
        && *registry != input.workspace.registry
        && service.has_source()
    {
        let repository = format!("{registry}/{}", service.name);
        set(changes, &["image", "repository"], json!(repository));
    }
    if !service.expose.is_empty() {
        if let Some(domain) = &environment.domain {
            set(changes, &["expose", "hosts"], json!([domain]));
        }
        if let Some(gateway) = &environment.gateway {
            let namespace = gateway.namespace.as_deref().unwrap_or_default();
            let named = json!({"name": gateway.name, "namespace": namespace});
            set(changes, &["expose", "gateway"], named);
        }
    }
    for (role, resource) in &service.uses {
        let Some(EnvironmentResource::External {
            secret,
            owner_secret: schema_secret,
        }) = environment.resources.get(resource)
        else {
            continue;
        };
        let owner = owner_secret(resource.as_str());
        let owns = |container: &Container| container.owns.contains(role);
        let (known, secret) = match service.container.as_ref().is_some_and(owns) {
            true => (owner.as_str(), schema_secret),
            false => (resource.as_str(), secret),
        };
        if secret != known {
            set(changes, &["uses", role, "secret"], json!(secret));
        }
        let migrates = own.get("migrations").and_then(|map| map.get("secret"));
        if migrates == Some(&json!(owner)) && *schema_secret != owner {
            set(changes, &["migrations", "secret"], json!(schema_secret));
        }
    }
}

fn set(map: &mut Map<String, Value>, path: &[&str], value: Value) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        map.insert((*key).to_owned(), value);
        return;
    }
    let inner = map.entry(*key).or_insert_with(|| json!({}));
    if let Value::Object(inner) = inner {
        set(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_laid_over_the_first_gives_the_second() {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let from = object(json!({"a": 1, "b": {"c": [1], "d": "x"}, "e": {"f": 1}, "g": 2}));
        let to = object(json!({"a": 1, "b": {"c": [2], "d": "x"}, "e": {}, "h": {"i": null}}));
        let changes = difference(&from, &to);
        assert_eq!(
            Value::Object(changes),
            json!({"b": {"c": [2]}, "e": {"f": null}, "h": {"i": null}, "g": null})
        );
    }
}
