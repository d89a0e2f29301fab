//! Where records are kept: Secrets of the release's namespace.

use serde_json::Value;

use super::Record;
use crate::engine::kubernetes::objects::{ApplyMode, ListQuery, Objects};
use crate::error::{Error, Result};

/// All revisions of a release, oldest first.
///
/// # Errors
/// When the cluster cannot be asked, or a record cannot be read.
pub async fn load(objects: &dyn Objects, namespace: &str, name: &str) -> Result<Vec<Record>> {
    let query = ListQuery {
        api_version: "v1",
        kind: "Secret",
        namespace,
        labels: &format!("owner=helm,name={name}"),
    };
    let secrets = objects.list(&query).await?;
    let mut records: Vec<Record> = secrets
        .iter()
        .map(Record::of_secret)
        .collect::<Result<_>>()?;
    records.sort_by_key(Record::revision);
    Ok(records)
}

/// Stores a new revision. `false` when there is one of that number, of someone else's.
///
/// # Errors
/// When the cluster refuses.
pub async fn create(objects: &dyn Objects, namespace: &str, record: &mut Record) -> Result<bool> {
    let key = record.key(namespace);
    let secret = record.secret(namespace, "createdAt")?;
    let stored = match objects.create(&key, &secret).await? {
        Some(stored) => stored,
        // An answer may get lost on its way: then it is there, and ours.
        None => match objects.get(&key).await? {
            Some(found) if found["data"] == secret["data"] => found,
            _ => return Ok(false),
        },
    };
    record.resource_version = version_of(&stored);
    Ok(true)
}

/// Stores what became of a revision, over whatever is stored.
///
/// # Errors
/// When the cluster refuses, or the record is gone.
pub async fn update(objects: &dyn Objects, namespace: &str, record: &mut Record) -> Result<()> {
    let key = record.key(namespace);
    for _ in 0..3 {
        let secret = record.secret(namespace, "modifiedAt")?;
        if let Some(stored) = objects.replace(&key, &secret, ApplyMode::Real).await? {
            record.resource_version = version_of(&stored);
            return Ok(());
        }
        match objects.get(&key).await? {
            Some(found) if found["data"] == secret["data"] => {
                record.resource_version = version_of(&found);
                return Ok(());
            }
            Some(found) => record.resource_version = version_of(&found),
            None => break,
        }
    }
    Err(Error::failed(format!(
        "the record of revision {} of {} was removed or changed by someone else",
        record.revision(),
        record.name()
    )))
}

/// Removes a revision's record.
///
/// # Errors
/// When the cluster refuses.
pub async fn remove(objects: &dyn Objects, namespace: &str, record: &Record) -> Result<()> {
    objects.delete(&record.key(namespace)).await
}

fn version_of(object: &Value) -> Option<String> {
    let version = object["metadata"]["resourceVersion"].as_str();
    version.map(str::to_owned)
}
