//! The state of a revision.

/// The state of a revision, in Helm's words.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is what runs.
    Deployed,
    /// A newer one was deployed.
    Superseded,
    /// It was not deployed.
    Failed,
    /// The first deployment is under way, or was abandoned.
    PendingInstall,
    /// A deployment is under way, or was abandoned.
    PendingUpgrade,
    /// A rollback is under way, or was abandoned.
    PendingRollback,
    /// It is being removed, or that was abandoned.
    Uninstalling,
    /// It was removed, and its history kept.
    Uninstalled,
    /// Any other.
    #[serde(other)]
    Unknown,
}

impl Status {
    /// Whether something is under way, or was abandoned.
    pub fn is_pending(self) -> bool {
        matches!(
            self,
            Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback
        )
    }

    /// The word in records and labels.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
            Self::Uninstalling => "uninstalling",
            Self::Uninstalled => "uninstalled",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.word())
    }
}
