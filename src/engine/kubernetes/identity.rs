//! Which cluster this is. Names of contexts are personal, and addresses move; the UID of the
//! namespace `kube-system` is made with the cluster and stays.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use sha2::{Digest, Sha256};

use super::connection::Cluster;
use super::request::{Access, is_forbidden};
use crate::error::{Error, Result};
use crate::model::environment::ClusterIdentity;

/// The namespace whose UID tells one cluster from another.
const KUBE_SYSTEM: &str = "kube-system";

impl Cluster {
    /// What tells this cluster from any other. The UID is absent where `kube-system` may not be
    /// read, the fingerprint where the kubeconfig names no certificate authority.
    ///
    /// # Errors
    /// When the cluster cannot be asked, or nothing tells it from others.
    pub async fn identity(&self) -> Result<ClusterIdentity> {
        let access = Access::new("get", "namespaces").named(KUBE_SYSTEM);
        let api: Api<Namespace> = Api::all(self.client.clone());
        let uid = match self.send_raw(&access, || api.get(KUBE_SYSTEM)).await {
            Ok(namespace) => namespace.metadata.uid,
            Err(error) if is_forbidden(&error) => None,
            Err(error) => return Err(self.failure(&access, error)),
        };
        let ca = self.certificate.as_deref().map(fingerprint);
        if uid.is_none() && ca.is_none() {
            return Err(Error::missing(format!(
                "cannot tell which cluster {} is",
                self.name()
            ))
            .since("the namespace kube-system may not be read, and the kubeconfig names no certificate authority")
            .hint("Ask for the right to get the namespace kube-system"));
        }
        Ok(ClusterIdentity { uid, ca })
    }

    /// Refuses another cluster than the recorded one.
    ///
    /// # Errors
    /// When it is another, or when that cannot be told.
    pub async fn expect(&self, recorded: &ClusterIdentity) -> Result<()> {
        let found = self.identity().await?;
        judge(recorded, &found, self.name())
    }
}

/// Compares by UID where both have one, else by the fingerprint of the certificate authority.
fn judge(recorded: &ClusterIdentity, found: &ClusterIdentity, name: &str) -> Result<()> {
    let same = match (recorded, found) {
        (
            ClusterIdentity {
                uid: Some(wanted), ..
            },
            ClusterIdentity { uid: Some(uid), .. },
        ) => wanted == uid,
        (
            ClusterIdentity {
                ca: Some(wanted), ..
            },
            ClusterIdentity { ca: Some(ca), .. },
        ) => wanted == ca,
        _ => {
            return Err(Error::missing(format!(
                "cannot tell whether {name} is the environment's cluster"
            ))
            .since(format!(
                "recorded is {}, and found is {}",
                shown(recorded),
                shown(found)
            ))
            .hint("Record both under `cluster` in the environment's file: `uid` and `ca`"));
        }
    };
    match same {
        true => Ok(()),
        false => Err(
            Error::invalid(format!("{name} is another cluster than the environment's"))
                .since(format!(
                    "recorded is {}, and found is {}",
                    shown(recorded),
                    shown(found)
                ))
                .hint("Choose the right one with `--context`, or correct `cluster` in the environment's file"),
        ),
    }
}

fn shown(identity: &ClusterIdentity) -> String {
    match (&identity.uid, &identity.ca) {
        (Some(uid), _) => format!("uid {uid}"),
        (None, Some(ca)) => format!("ca {ca}"),
        (None, None) => "nothing".to_owned(),
    }
}

/// `sha256:` and the hexadecimal SHA-256 of a certificate's DER.
fn fingerprint(der: &[u8]) -> String {
    let digits: String = Sha256::digest(der)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn identity(uid: Option<&str>, ca: Option<&str>) -> ClusterIdentity {
        ClusterIdentity {
            uid: uid.map(str::to_owned),
            ca: ca.map(str::to_owned),
        }
    }

    fn judged(recorded: &ClusterIdentity, found: &ClusterIdentity) -> Option<ErrorKind> {
        judge(recorded, found, "the context x")
            .err()
            .map(|error| error.kind())
    }

    #[test]
    fn the_uid_decides_where_both_sides_have_one() {
        let recorded = identity(Some("one"), Some("sha256:a"));
        assert_eq!(
            judged(&recorded, &identity(Some("one"), Some("sha256:b"))),
            None
        );
        assert_eq!(
            judged(&recorded, &identity(Some("two"), Some("sha256:a"))),
            Some(ErrorKind::Invalid)
        );
    }

    #[test]
    fn the_fingerprint_serves_where_the_uid_cannot_be_read() {
        let recorded = identity(Some("one"), Some("sha256:a"));
        assert_eq!(judged(&recorded, &identity(None, Some("sha256:a"))), None);
        assert_eq!(
            judged(&recorded, &identity(None, Some("sha256:b"))),
            Some(ErrorKind::Invalid)
        );
    }

    #[test]
    fn a_cluster_that_cannot_be_told_is_refused() {
        let recorded = identity(Some("one"), None);
        assert_eq!(
            judged(&recorded, &identity(None, Some("sha256:a"))),
            Some(ErrorKind::Missing)
        );
        assert_eq!(
            judged(&identity(None, None), &identity(Some("one"), None)),
            Some(ErrorKind::Missing)
        );
    }
}
