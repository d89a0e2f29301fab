//! What templates see of a service: names in every form, ports, peers, events, resources.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::code::{CodeInput, Peer};
use super::condition::Each;
use super::container;
use super::names::forms;
use crate::error::{Error, Result};
use crate::model::container::Container;
use crate::model::environment::owner_secret;
use crate::model::name::Name;
use crate::model::project::{Service, Workspace};

/// Whether a peer is made from a blueprint.
const MADE: &str = "is_made";
/// The option that names what a service keeps.
pub const ENTITY: &str = "entity";

/// The variables of every template of a service.
///
/// # Errors
/// When a peer or a resource that the service names is not at hand.
pub fn of_service(input: &CodeInput<'_>) -> Result<Map<String, Value>> {
    let CodeInput {
        project, service, ..
    } = input;
    let workspace = &project.workspace;
    let mut context = Map::new();
    context.insert("service".to_owned(), named(&service.name));
    context.insert("workspace".to_owned(), named(&workspace.name));
    context.insert("module".to_owned(), json!(service.module(workspace)));
    context.insert("image".to_owned(), json!(service.image(workspace)));
    context.extend(container::of_image(service));
    if let Some(described) = &service.container {
        context.insert("container".to_owned(), container::described(described));
    }
    let owner = service.owner.as_deref().unwrap_or_default();
    context.insert("owner".to_owned(), json!(owner));
    if let Some(entity) = entity_of(service)? {
        context.insert(ENTITY.to_owned(), named(&entity));
    }
    context.insert("options".to_owned(), json!(service.options));
    context.insert("ports".to_owned(), json!(service.ports));
    context.insert("needs".to_owned(), Value::Array(needs(input)?));
    context.insert("publishes".to_owned(), Value::Array(publishes(service)));
    context.insert("consumes".to_owned(), Value::Array(consumes(service)));
    let providers = providers(&context);
    context.insert("providers".to_owned(), Value::Array(providers));
    context.insert("uses".to_owned(), uses(service, workspace)?);
    context.insert("compute".to_owned(), json!(service.compute));
    context.insert("scale".to_owned(), json!(service.scale));
    context.insert("expose".to_owned(), json!(service.expose));
    context.insert("env".to_owned(), json!(service.env));
    context.insert("secrets".to_owned(), json!(service.secrets));
    context.insert("pins".to_owned(), json!(input.blueprint.pins));
    Ok(context)
}

/// The contexts of a folder: the service's own, or one for each peer or event.
pub fn each(context: &Map<String, Value>, each: Option<Each>) -> Vec<Map<String, Value>> {
    let (list, name) = match each {
        None => return vec![context.clone()],
        Some(Each::Needs) => ("needs", "peer"),
        Some(Each::Publishes) => ("publishes", "event"),
        Some(Each::Consumes) => ("consumes", "event"),
        Some(Each::Providers) => ("providers", "provider"),
    };
    let elements = context.get(list).and_then(Value::as_array);
    // What a service without a blueprint offers is not known, so no code calls it.
    let is_made = |element: &&Value| element.get(MADE) != Some(&Value::Bool(false));
    let elements = elements.into_iter().flatten().filter(is_made);
    let with = |element: &Value| {
        let mut own = context.clone();
        own.insert(name.to_owned(), element.clone());
        if let Some(from) = element.get("from") {
            own.insert("provider".to_owned(), from.clone());
        } else if name == "peer" {
            own.insert("provider".to_owned(), element.clone());
        }
        own
    };
    elements.map(with).collect()
}

/// The entity that a service was made for.
///
/// # Errors
/// When the option is no name.
pub fn entity_of(service: &Service) -> Result<Option<Name>> {
    let Some(text) = service.options.get(ENTITY) else {
        return Ok(None);
    };
    Name::new(text.as_str()).map(Some).map_err(|error| {
        Error::invalid(format!(
            "the entity `{text}` of `{}` is no name",
            service.name
        ))
        .because(error)
    })
}

fn named(name: &Name) -> Value {
    Value::Object(forms(name))
}

fn needs(input: &CodeInput<'_>) -> Result<Vec<Value>> {
    let needs = input.service.needs.iter();
    needs
        .map(|need| {
            let peer = input.peers.get(&need.service).ok_or_else(|| {
                Error::invalid(format!(
                    "`{}` needs `{}`, which is no service of the workspace",
                    input.service.name, need.service
                ))
            })?;
            Ok(peer_forms(&need.service, peer))
        })
        .collect()
}

/// Whom the service relies on, by name: each with the one call of it, if any, and its events.
fn providers(context: &Map<String, Value>) -> Vec<Value> {
    let list = |key: &str| context.get(key).and_then(Value::as_array);
    let mut providers: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut add = |forms: &Value, key: &str, element: &Value| {
        let (Some(kebab), Some(forms)) = (name_in(forms), forms.as_object()) else {
            return;
        };
        let provider = providers.entry(kebab.to_owned()).or_insert_with(|| {
            let mut provider = forms.clone();
            provider.insert("calls".to_owned(), json!([]));
            provider.insert("events".to_owned(), json!([]));
            provider
        });
        if let Some(Value::Array(elements)) = provider.get_mut(key) {
            elements.push(element.clone());
        }
    };
    for peer in list("needs").into_iter().flatten() {
        add(peer, "calls", peer);
    }
    for event in list("consumes").into_iter().flatten() {
        if let Some(from) = event.get("from") {
            add(from, "events", event);
        }
    }
    providers.into_values().map(Value::Object).collect()
}

/// The plain text of a name in its forms.
pub fn name_in(forms: &Value) -> Option<&str> {
    forms.get("kebab").and_then(Value::as_str)
}

fn peer_forms(name: &Name, peer: &Peer) -> Value {
    let mut forms = forms(name);
    if let Some(entity) = &peer.entity {
        forms.insert(ENTITY.to_owned(), named(entity));
    }
    forms.insert("module".to_owned(), json!(peer.module));
    forms.insert("options".to_owned(), json!(peer.options));
    forms.insert(MADE.to_owned(), json!(peer.is_made));
    if let Some((scheme, port)) = &peer.called {
        forms.insert("port".to_owned(), json!(port));
        let address = match scheme.as_str() {
            "http" => format!("{{port: {port}}}"),
            scheme => format!("{{port: {port}, scheme: {scheme}}}"),
        };
        forms.insert("address".to_owned(), json!(address));
    }
    Value::Object(forms)
}

fn event_forms(event: &Name, provider: &Name) -> Map<String, Value> {
    let mut forms = forms(event);
    forms.insert("subject".to_owned(), json!(format!("{provider}.{event}")));
    forms.insert("stream".to_owned(), json!(provider.env()));
    forms
}

fn publishes(service: &Service) -> Vec<Value> {
    let events = service.publishes.iter();
    events
        .map(|event| Value::Object(event_forms(event, &service.name)))
        .collect()
}

fn consumes(service: &Service) -> Vec<Value> {
    let events = service.consumes.iter();
    events
        .map(|(event, provider)| {
            let mut forms = event_forms(event, provider);
            forms.insert("from".to_owned(), named(provider));
            let durable = format!("{}-{event}", service.name);
            forms.insert("durable".to_owned(), json!(durable));
            Value::Object(forms)
        })
        .collect()
}

fn uses(service: &Service, workspace: &Workspace) -> Result<Value> {
    let mut uses = BTreeMap::new();
    for (role, name) in &service.uses {
        let resource = workspace.resources.get(name).ok_or_else(|| {
            Error::invalid(format!(
                "`{}` uses `{name}`, which is no resource of the workspace",
                service.name
            ))
            .hint(format!("Add it: `gantline add resource {name}`"))
        })?;
        let mut described = json!({
            "resource": name, "type": resource.kind, "version": resource.version,
        });
        let owns = |container: &Container| container.owns.contains(role);
        if service.container.as_ref().is_some_and(owns) {
            described["secret"] = json!(owner_secret(name.as_str()));
        }
        uses.insert(role.as_str(), described);
    }
    Ok(json!(uses))
}
