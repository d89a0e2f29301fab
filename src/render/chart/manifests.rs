//! What templates wrote, split into objects and sorted as Helm sorts them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ChartInput;
use crate::error::{Error, Place, Result};
use crate::model::kubernetes_yaml;
use crate::model::release::{Chart, Hook, ReleaseObject, RenderedRelease};

/// The order in which Helm installs kinds; all others come last, by their names.
const INSTALL_ORDER: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

const HOOK_EVENTS: [&str; 9] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
];

/// Splits and sorts what the templates wrote.
pub fn sorted(
    chart: &Chart,
    input: &ChartInput<'_>,
    texts: BTreeMap<String, String>,
) -> Result<RenderedRelease> {
    let mut rendered = RenderedRelease::default();
    let notes = format!("{}/templates/NOTES.txt", chart.text("name"));
    let mut errors = Vec::new();
    for (path, text) in texts {
        if path.ends_with("NOTES.txt") {
            if path == notes {
                rendered.notes = text;
            }
            continue;
        }
        let defines = is_of_crds(&path);
        for document in documents(&text) {
            match object(&path, &text, document, input) {
                Ok(Some(object)) if !defines => keep(object, &mut rendered),
                Ok(Some(object)) if is_definition(&object) => rendered.definitions.push(object),
                Ok(Some(object)) => errors.push(no_definition(&object)),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
    }
    let message = |count| format!("{count} objects of the chart cannot be read");
    Error::none_of(message, errors)?;
    rendered.objects.sort_by_key(|object| rank(&object.value));
    rendered.hooks.sort_by_key(|hook| rank(&hook.object.value));
    Ok(rendered)
}

/// Whether a path (`orders/crds/a.yaml`, `orders/charts/store/crds/b.yaml`) lies in a folder `crds`
/// of a chart.
fn is_of_crds(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    let mut next = parts.next();
    while next == Some("charts") {
        next = parts.nth(1);
    }
    next == Some("crds")
}

fn is_definition(object: &ReleaseObject) -> bool {
    object.value["kind"] == "CustomResourceDefinition"
}

fn no_definition(object: &ReleaseObject) -> Error {
    Error::invalid(format!("{} holds {}", object.source, object.title()))
        .since(
            "a folder `crds` is for CustomResourceDefinitions alone: no release owns what is there",
        )
        .hint("Move it to the chart's `templates`")
}

fn keep(object: ReleaseObject, rendered: &mut RenderedRelease) {
    let annotation = |name: &str| {
        let annotations = object.value.pointer("/metadata/annotations");
        annotations.and_then(|map| map.get(name)?.as_str())
    };
    let words = |text: &str| -> Vec<String> {
        text.split(',')
            .map(|word| word.trim().to_lowercase())
            .collect()
    };
    let Some(events) = annotation("helm.sh/hook").map(words) else {
        rendered.objects.push(object);
        return;
    };
    let events: Vec<String> = events
        .into_iter()
        .map(|event| match event.as_str() {
            "test-success" => "test".to_owned(),
            _ => event,
        })
        .collect();
    // Helm passes over hooks that it does not know.
    if events
        .iter()
        .any(|event| !HOOK_EVENTS.contains(&event.as_str()))
    {
        return;
    }
    let weight = annotation("helm.sh/hook-weight").and_then(|text| text.parse().ok());
    let policies = annotation("helm.sh/hook-delete-policy").map(words);
    rendered.hooks.push(Hook {
        events,
        weight: weight.unwrap_or(0),
        delete_policies: policies.unwrap_or_default(),
        object,
    });
}

/// A kind's place: known ones by the order of installation, others after them by name.
fn rank(object: &Value) -> (usize, String) {
    let kind = object["kind"].as_str().unwrap_or_default();
    match INSTALL_ORDER.iter().position(|known| *known == kind) {
        Some(position) => (position, String::new()),
        None => (INSTALL_ORDER.len(), kind.to_owned()),
    }
}

/// The documents of a text, each with the byte where it begins.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = text.len() - text.trim_start().len();
    let mut at = start;
    let mut push = |start: usize, end: usize| {
        let part = &text[start..end];
        let trimmed = part.trim_start();
        if !trimmed.is_empty() {
            found.push((start + part.len() - trimmed.len(), trimmed));
        }
    };
    for line in text[at..].split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("---") {
            push(start, at);
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            start = at + 3 + blanks;
        }
        at += line.len();
    }
    push(start, text.len());
    found
}

/// The object of a document; `None` when it holds nothing but comments.
fn object(
    path: &str,
    text: &str,
    (start, document): (usize, &str),
    input: &ChartInput<'_>,
) -> Result<Option<ReleaseObject>> {
    let relative = path.split_once('/').map_or(path, |(_, rest)| rest);
    let first_line = text[..start].matches('\n').count();
    let (what, file, hint) = match is_of_crds(path) {
        true => ("the file", relative.to_owned(), None),
        false => (
            "the template",
            format!("{relative} (rendered)"),
            Some("The line is one of what the template writes, not of the template itself"),
        ),
    };
    let place = |line: usize| Place {
        file: input.folder.join(&file),
        line: first_line + line,
        column: 1,
        length: 1,
        source_line: document
            .lines()
            .nth(line.saturating_sub(1))
            .unwrap_or_default()
            .to_owned(),
    };
    let refuse = |message: &str, line: usize| {
        Error::invalid(format!("{what} {relative} {message}"))
            .at(place(line))
            .with_hints(hint)
    };
    let value = kubernetes_yaml::read(document)
        .map_err(|problem| refuse("writes no YAML", problem.line).since(problem.message.clone()))?;
    if value.is_null() {
        return Ok(None);
    }
    for key in ["apiVersion", "kind"] {
        if value
            .get(key)
            .and_then(Value::as_str)
            .is_none_or(str::is_empty)
        {
            return Err(refuse(&format!("writes an object without `{key}`"), 1));
        }
    }
    let name = value.pointer("/metadata/name").and_then(Value::as_str);
    if name.is_none_or(str::is_empty)
        && !value["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List"))
    {
        return Err(refuse("writes an object without `metadata.name`", 1));
    }
    Ok(Some(ReleaseObject {
        source: path.to_owned(),
        text: document.to_owned(),
        value,
    }))
}
