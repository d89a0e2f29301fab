//! Which Secrets and ConfigMaps pods need before they start, and which of them are not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use k8s_openapi::api::core::v1::{Container, PodSpec, Volume};

/// A kind of object that holds a pod's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A Secret.
    Secret,
    /// A ConfigMap.
    ConfigMap,
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        })
    }
}

/// The keys that pods need, by the object that holds them; of some objects, none by name.
pub type Needs = BTreeMap<(Holder, String), BTreeSet<String>>;

/// What a pod needs and the namespace does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The whole object.
    Object(Holder, String),
    /// A key of an object that exists.
    Key(Holder, String, String),
}

impl Missing {
    /// The object's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Object(_, name) | Self::Key(_, name, _) => name,
        }
    }

    /// Whether who has these needs lacks it.
    pub fn is_of(&self, needs: &Needs) -> bool {
        match self {
            Self::Object(holder, name) => needs.contains_key(&(*holder, name.clone())),
            Self::Key(holder, name, key) => needs
                .get(&(*holder, name.clone()))
                .is_some_and(|keys| keys.contains(key)),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(holder, name) => {
                write!(formatter, "the {holder} `{name}`, which does not exist")
            }
            Self::Key(holder, name, key) => {
                write!(
                    formatter,
                    "the key `{key}` of the {holder} `{name}`, which has no such key"
                )
            }
        }
    }
}

/// What a pod of this specification cannot start without.
pub fn needs(spec: &PodSpec) -> Needs {
    let mut needs = Needs::new();
    for volume in spec.volumes.iter().flatten() {
        of_volume(volume, &mut needs);
    }
    let inits = spec.init_containers.iter().flatten();
    for container in inits.chain(&spec.containers) {
        of_container(container, &mut needs);
    }
    needs
}

/// What is missing of it. `keys` tells the keys of an object that exists.
pub fn missing(
    needs: &Needs,
    keys: impl Fn(Holder, &str) -> Option<BTreeSet<String>>,
) -> Vec<Missing> {
    let mut missing = Vec::new();
    for ((holder, name), wanted) in needs {
        match keys(*holder, name) {
            None => missing.push(Missing::Object(*holder, name.clone())),
            Some(there) => missing.extend(
                wanted
                    .difference(&there)
                    .map(|key| Missing::Key(*holder, name.clone(), key.clone())),
            ),
        }
    }
    missing
}

fn of_volume(volume: &Volume, needs: &mut Needs) {
    let paths = |items: &Option<Vec<k8s_openapi::api::core::v1::KeyToPath>>| -> Vec<String> {
        items
            .iter()
            .flatten()
            .map(|item| item.key.clone())
            .collect()
    };
    if let Some(secret) = &volume.secret
        && let Some(name) = &secret.secret_name
        && secret.optional != Some(true)
    {
        add(needs, Holder::Secret, name, paths(&secret.items));
    }
    if let Some(map) = &volume.config_map
        && map.optional != Some(true)
    {
        add(needs, Holder::ConfigMap, &map.name, paths(&map.items));
    }
    let sources = volume.projected.as_ref().and_then(|it| it.sources.as_ref());
    for source in sources.into_iter().flatten() {
        if let Some(secret) = &source.secret
            && secret.optional != Some(true)
        {
            add(needs, Holder::Secret, &secret.name, paths(&secret.items));
        }
        if let Some(map) = &source.config_map
            && map.optional != Some(true)
        {
            add(needs, Holder::ConfigMap, &map.name, paths(&map.items));
        }
    }
}

fn of_container(container: &Container, needs: &mut Needs) {
    for source in container.env_from.iter().flatten() {
        if let Some(secret) = &source.secret_ref
            && secret.optional != Some(true)
        {
            add(needs, Holder::Secret, &secret.name, Vec::new());
        }
        if let Some(map) = &source.config_map_ref
            && map.optional != Some(true)
        {
            add(needs, Holder::ConfigMap, &map.name, Vec::new());
        }
    }
    let sources = container.env.iter().flatten();
    for source in sources.filter_map(|variable| variable.value_from.as_ref()) {
        if let Some(key) = &source.secret_key_ref
            && key.optional != Some(true)
        {
            add(needs, Holder::Secret, &key.name, vec![key.key.clone()]);
        }
        if let Some(key) = &source.config_map_key_ref
            && key.optional != Some(true)
        {
            add(needs, Holder::ConfigMap, &key.name, vec![key.key.clone()]);
        }
    }
}

fn add(needs: &mut Needs, holder: Holder, name: &str, keys: Vec<String>) {
    // The cluster makes this one in each namespace, a moment after the namespace.
    if name != "kube-root-ca.crt" {
        needs
            .entry((holder, name.to_owned()))
            .or_default()
            .extend(keys);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn specification(value: serde_json::Value) -> PodSpec {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn needs_are_found_in_volumes_and_environment() {
        let spec = specification(json!({
            "volumes": [
                {"name": "a", "secret": {"secretName": "orders-db", "items": [{"key": "uri", "path": "uri"}]}},
                {"name": "b", "secret": {"secretName": "may-be-absent", "optional": true}},
                {"name": "c", "projected": {"sources": [
                    {"configMap": {"name": "settings"}},
                    {"secret": {"name": "orders-db", "items": [{"key": "password", "path": "p"}]}},
                    {"configMap": {"name": "kube-root-ca.crt"}},
                ]}},
                {"name": "d", "emptyDir": {}},
            ],
            "containers": [{
                "name": "orders",
                "envFrom": [{"configMapRef": {"name": "more"}}],
                "env": [
                    {"name": "PLAIN", "value": "1"},
                    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "it"}}},
                ],
            }],
        }));
        let text: Vec<String> = needs(&spec)
            .into_iter()
            .map(|((holder, name), keys)| {
                let keys: Vec<String> = keys.into_iter().collect();
                format!("{holder} {name} {}", keys.join(","))
            })
            .collect();
        assert_eq!(
            text,
            [
                "Secret orders-db password,uri",
                "Secret token it",
                "ConfigMap more ",
                "ConfigMap settings "
            ]
        );
    }

    #[test]
    fn a_missing_object_and_a_missing_key_are_told_apart() {
        let needs = Needs::from([
            (
                (Holder::Secret, "absent".to_owned()),
                BTreeSet::from(["uri".to_owned()]),
            ),
            (
                (Holder::Secret, "there".to_owned()),
                BTreeSet::from(["uri".to_owned(), "type".to_owned()]),
            ),
        ]);
        let found = missing(&needs, |_, name| {
            (name == "there").then(|| BTreeSet::from(["type".to_owned()]))
        });
        let text: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "the Secret `absent`, which does not exist",
                "the key `uri` of the Secret `there`, which has no such key"
            ]
        );
    }
}
