//! The Secrets of resources in the cluster: made once, outside of every chart, and never written
//! again, so that no release record holds one.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::site::Site;
use crate::actions::release::ResourceSpec;
use crate::engine::kubernetes::objects::ObjectKey;
use crate::error::{Error, Result};
use crate::model::secret::Secret;
use crate::render::resource_release::SecretObject;

impl Site {
    /// The Secrets of a resource that are not there yet.
    ///
    /// # Errors
    /// When the cluster cannot be asked, or what is there is not gantline's.
    pub async fn lacking_secrets(&self, resource: &ResourceSpec) -> Result<Vec<ObjectKey>> {
        let names = resource.secret_names();
        let looking = names.iter().map(async |name| {
            let key = self.secret_key(name);
            let found = self.objects.get(&key).await?;
            if let Some(server) = found.as_ref()
                && *name == resource.server_secret_name()
            {
                resource.binding_secrets(&content(server))?;
            }
            Ok::<_, Error>(found.is_none().then_some(key))
        });
        let lacking = try_join_all(looking).await?;
        Ok(lacking.into_iter().flatten().collect())
    }

    /// Makes the Secrets of a resource that are not there yet; those that were made.
    ///
    /// # Errors
    /// When the cluster refuses, or what is there is not gantline's.
    pub async fn ensure_secrets(&self, resource: &ResourceSpec) -> Result<Vec<ObjectKey>> {
        let name = resource.server_secret_name();
        let key = self.secret_key(&name);
        let mut all_made = Vec::new();
        let server = match self.objects.get(&key).await? {
            Some(found) => found,
            None => {
                let secret = resource.new_server_secret()?;
                match self.make_secret(&secret).await? {
                    Some(made) => {
                        all_made.push(key);
                        made
                    }
                    // Another client was quicker: its passwords count.
                    None => self.objects.get(&key).await?.ok_or_else(|| {
                        Error::failed(format!("the Secret {name} comes and goes"))
                            .hint("See who deletes it")
                    })?,
                }
            }
        };
        let secrets = resource.binding_secrets(&content(&server))?;
        let making = secrets.iter().map(async |secret| {
            let key = self.secret_key(&secret.name);
            if self.objects.get(&key).await?.is_some() {
                return Ok::<_, Error>(None);
            }
            Ok(self.make_secret(secret).await?.map(|_| key))
        });
        all_made.extend(try_join_all(making).await?.into_iter().flatten());
        Ok(all_made)
    }

    async fn make_secret(&self, secret: &SecretObject) -> Result<Option<Value>> {
        let data: BTreeMap<&String, String> = secret
            .data
            .iter()
            .map(|(key, value)| (key, STANDARD.encode(value.reveal())))
            .collect();
        let object = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": secret.name,
                "namespace": self.namespace,
                "labels": {"app.kubernetes.io/managed-by": "gantline"},
            },
            "type": secret.kind,
            "data": data,
        });
        let made = self
            .objects
            .create(&self.secret_key(&secret.name), &object)
            .await?;
        if made.is_some() {
            self.events.note(format!("made the Secret {}", secret.name));
        }
        Ok(made)
    }

    /// Where a Secret of this name is.
    pub(super) fn secret_key(&self, name: &str) -> ObjectKey {
        ObjectKey::namespaced("v1", "Secret", &self.namespace, name)
    }
}

/// What a Secret of the cluster holds, as far as it is text.
fn content(secret: &Value) -> BTreeMap<String, Secret> {
    let data = secret["data"].as_object();
    let texts = data.into_iter().flatten().filter_map(|(key, value)| {
        let bytes = STANDARD.decode(value.as_str()?).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        Some((key.clone(), Secret::new(text)))
    });
    texts.collect()
}
