//! What releases need to be there, and no release owns: CustomResourceDefinitions, the namespace,
//! and the Secrets of resources.

use futures::future::try_join_all;

use super::open::Releases;
use super::site::Site;
use crate::engine::kubernetes::objects::ObjectKey;
use crate::error::Result;

impl Site {
    /// What [`Site::prepare`] would create.
    ///
    /// # Errors
    /// When the cluster cannot be asked, or a Secret that is there is not gantline's.
    pub(super) async fn lacking(&self, releases: &Releases) -> Result<Vec<ObjectKey>> {
        let definitions = self.lacking_definitions(releases).await?.into_keys();
        if !self.has_namespace().await? {
            let secrets = releases.resources.iter().flat_map(|it| it.secret_names());
            let secrets = secrets.map(|name| self.secret_key(&name));
            return Ok(definitions
                .chain([self.namespace_key()])
                .chain(secrets)
                .collect());
        }
        let looking = releases.resources.iter().map(|it| self.lacking_secrets(it));
        let secrets = try_join_all(looking).await?;
        Ok(definitions.chain(secrets.concat()).collect())
    }

    /// Makes what is not there yet; what was created.
    ///
    /// # Errors
    /// When the cluster refuses, does not serve a new kind in time, or a Secret that is there is not
    /// gantline's.
    pub(super) async fn prepare(&self, releases: &Releases) -> Result<Vec<ObjectKey>> {
        let mut made = self.ensure_definitions(releases).await?;
        made.extend(self.ensure_namespace().await?);
        let making = releases.resources.iter().map(|it| self.ensure_secrets(it));
        made.extend(try_join_all(making).await?.concat());
        Ok(made)
    }
}
