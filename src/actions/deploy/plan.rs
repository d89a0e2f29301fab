//! What would change, by the server's own word: each object is applied as a dry run and compared
//! with what is there.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use similar::TextDiff;

use super::definitions::key_of;
use super::first_replicas;
use super::held::{HANDOVERS, changes_too_often};
use super::site::{Placed, REQUESTS, Site};
use crate::engine::kubernetes::hand_over::without_handed_over;
use crate::engine::kubernetes::objects::{ApplyMode, ObjectKey};
use crate::engine::kubernetes::ownership::is_kept;
use crate::error::{Error, Result};
use crate::model::release::{ReleaseObject, ReleaseSpec};

/// The kind of what holds data.
pub(super) const CLAIM: &str = "PersistentVolumeClaim";
/// What the server keeps of an object for itself.
const SERVERS_OWN: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "uid",
    "generation",
    "creationTimestamp",
    "selfLink",
];

/// What is done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is not there yet.
    Create,
    /// Some of its fields change.
    Update,
    /// The release no longer has it.
    Delete,
}

/// One object that changes.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct ObjectChange {
    /// What is done.
    pub action: Action,
    /// Which object.
    pub object: ObjectKey,
    /// How, as a unified diff of YAML; values of Secrets are hidden.
    pub diff: String,
}

/// What a release shall have.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The release.
    pub release: &'a str,
    /// Its objects.
    pub objects: &'a [ReleaseObject],
    /// CustomResourceDefinitions that are there before it and stay after it.
    pub definitions: &'a [ReleaseObject],
    /// Whether these were there before. Claims have grown since, perhaps, and none can shrink: each
    /// keeps the size that it has.
    pub is_earlier: bool,
}

impl<'a> Wanted<'a> {
    /// What a chart renders to.
    pub fn of(spec: &'a ReleaseSpec) -> Self {
        Self {
            release: &spec.name,
            objects: &spec.rendered.objects,
            definitions: &spec.rendered.definitions,
            is_earlier: false,
        }
    }

    /// What a revision consists of.
    pub fn again(release: &'a str, objects: &'a [ReleaseObject]) -> Self {
        Self {
            release,
            objects,
            definitions: &[],
            is_earlier: true,
        }
    }

    fn defines(&self, key: &ObjectKey) -> bool {
        let mut definitions = self.definitions.iter();
        definitions.any(|it| key_of(&it.value).is_same(key))
    }
}

/// What a release's objects become.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// What to apply, in order.
    pub placed: Vec<Placed>,
    /// What to delete.
    pub gone: Vec<ObjectKey>,
    /// The objects that change.
    pub changed: Vec<ObjectChange>,
}

impl Changes {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }
}

/// Compares what a release shall have with what is there; `known` are the objects that it may have
/// had before.
///
/// # Errors
/// When an object is another's, the server would refuse one, or it cannot be asked.
pub async fn compare(site: &Site, wanted: &Wanted<'_>, known: &[ObjectKey]) -> Result<Changes> {
    let placed = site.place(wanted).await?;
    site.check_owners(wanted.release, &placed, known)?;
    let gone = known
        .iter()
        .filter(|key| !wanted.defines(key) && !placed.iter().any(|it| it.key.is_same(key)));
    let gone: Vec<ObjectKey> = gone.cloned().collect();
    let has_namespace = site.has_namespace().await?;
    let comparing = placed.iter().map(|it| async move {
        match has_namespace && !it.is_of_new_kind {
            true => difference(site, it).await,
            false => Ok(Some(change(Action::Create, it, None, Some(&it.marked)))),
        }
    });
    let applied: Vec<Option<ObjectChange>> = stream::iter(comparing.collect::<Vec<_>>())
        .buffered(REQUESTS)
        .try_collect()
        .await?;
    let mut changed: Vec<ObjectChange> = applied.into_iter().flatten().collect();
    let owner = site.owner(wanted.release);
    for key in &gone {
        let live = site.objects.get(key).await?;
        let Some(live) = live.filter(|live| owner.owns(live)) else {
            continue;
        };
        if is_kept(&live) {
            if key.kind == CLAIM {
                let left = "stays, and is no part of the release any more: what runs now may not find its data";
                site.events
                    .warn(format!("{}: {key} {left}", wanted.release));
            }
            continue;
        }
        let diff = diff_of(&key.kind, Some(&live), None);
        changed.push(ObjectChange {
            action: Action::Delete,
            object: key.clone(),
            diff,
        });
    }
    Ok(Changes {
        placed,
        gone,
        changed,
    })
}

async fn difference(site: &Site, placed: &Placed) -> Result<Option<ObjectChange>> {
    let mut after = applied(site, placed).await.map_err(|error| {
        Error::new(error.kind(), format!("{} cannot be applied", placed.key))
            .since(error.message())
            .with_causes(error.causes())
            .with_hints(error.hints())
    })?;
    if let Some(replicas) = first_replicas::left_out(placed) {
        after["spec"]["replicas"] = replicas.into();
    }
    Ok(match &placed.live {
        None => Some(change(Action::Create, placed, None, Some(&after))),
        Some(before) if plain(before) == plain(&after) => None,
        Some(before) => Some(change(Action::Update, placed, Some(before), Some(&after))),
    })
}

/// What the server would make of an object, its fields handed over first as a deployment does.
async fn applied(site: &Site, placed: &Placed) -> Result<Value> {
    let (objects, key) = (&site.objects, &placed.key);
    for _ in 0..HANDOVERS {
        let applied = objects
            .apply(key, &placed.marked, ApplyMode::DryRun)
            .await?;
        let live = placed.live.as_ref();
        let Some(left) = live.and_then(|live| without_handed_over(live, &applied)) else {
            return Ok(applied);
        };
        // Most of what goes comes back as the server's default: it alone knows which.
        if let Some(replaced) = objects.replace(key, &left, ApplyMode::DryRun).await? {
            return Ok(replaced);
        }
    }
    Err(changes_too_often(key))
}

fn change(
    action: Action,
    placed: &Placed,
    before: Option<&Value>,
    after: Option<&Value>,
) -> ObjectChange {
    ObjectChange {
        action,
        object: placed.key.clone(),
        diff: diff_of(&placed.key.kind, before, after),
    }
}

/// An object without what the server keeps for itself.
fn plain(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.shift_remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for member in SERVERS_OWN {
            metadata.shift_remove(member);
        }
    }
    object
}

fn diff_of(kind: &str, before: Option<&Value>, after: Option<&Value>) -> String {
    let (mut before, mut after) = (before.map(plain), after.map(plain));
    if kind == "Secret" {
        hide(before.as_mut(), after.as_mut());
    }
    let text = |object: &Option<Value>| match object {
        Some(object) => serde_yaml::to_string(object).unwrap_or_default(),
        None => String::new(),
    };
    let (before, after) = (text(&before), text(&after));
    TextDiff::from_lines(&before, &after)
        .unified_diff()
        .context_radius(3)
        .to_string()
}

/// Where `kubectl apply` keeps the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Hides the values of a Secret, and says which of them change.
fn hide(mut before: Option<&mut Value>, mut after: Option<&mut Value>) {
    for object in [before.as_deref_mut(), after.as_deref_mut()] {
        let annotations = object.and_then(|it| it.pointer_mut("/metadata/annotations"));
        if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
    }
    for member in ["data", "stringData"] {
        let old = before.as_deref().map(|it| it[member].clone());
        if let Some(values) = after
            .as_deref_mut()
            .and_then(|it| it[member].as_object_mut())
        {
            for (key, value) in values.iter_mut() {
                let same = old.as_ref().is_some_and(|old| old[key.as_str()] == *value);
                *value = if same { "***" } else { "*** (new value)" }.into();
            }
        }
        if let Some(values) = before
            .as_deref_mut()
            .and_then(|it| it[member].as_object_mut())
        {
            for value in values.values_mut() {
                *value = "***".into();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_values_of_a_secret_are_hidden_and_those_that_change_are_marked() {
        let before = json!({"kind": "Secret", "data": {"a": "b2xk", "b": "c2FtZQ=="}});
        let after = json!({"kind": "Secret", "data": {"a": "bmV3", "b": "c2FtZQ=="}});
        let diff = diff_of("Secret", Some(&before), Some(&after));
        assert!(diff.contains("*** (new value)"), "{diff}");
        assert!(!diff.contains("b2xk") && !diff.contains("bmV3"), "{diff}");
    }

    #[test]
    fn the_copy_of_a_secret_that_kubectl_keeps_is_not_shown() {
        let before = json!({"kind": "Secret", "metadata": {"annotations": {
            LAST_APPLIED: "{\"stringData\":{\"a\":\"hunter2\"}}", "mine": "kept",
        }}});
        let diff = diff_of("Secret", Some(&before), None);
        assert!(!diff.contains("hunter2") && diff.contains("kept"), "{diff}");
    }

    #[test]
    fn what_the_server_adds_is_no_difference() {
        let before =
            json!({"metadata": {"name": "a", "uid": "1", "resourceVersion": "5"}, "status": {}});
        let after = json!({"metadata": {"name": "a", "generation": 2}});
        assert_eq!(plain(&before), plain(&after));
    }
}
