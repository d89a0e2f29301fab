//! As whom the processes of a stack run: the user who asks, but never root.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

use crate::error::{Error, Result};

/// An unprivileged user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub user: u32,
    /// The id of the user's group.
    pub group: u32,
    /// The user's name.
    pub name: String,
}

impl Identity {
    /// The user as whom processes run when the program runs as root; `None` when it does not,
    /// and they run as the same user.
    ///
    /// That is the owner of the workspace, whom `sudo` stands in for, else `nobody`: servers
    /// such as PostgreSQL refuse to run as root, and want a user that has a name.
    ///
    /// # Errors
    /// When there is no user `nobody` either.
    pub fn instead_of_root(root: &Path) -> Result<Option<Self>> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let owner = std::fs::metadata(root).map_or(0, |found| found.uid());
        let by_owner = (owner != 0)
            .then(|| User::from_uid(Uid::from_raw(owner)).ok().flatten())
            .flatten();
        by_owner
            .or_else(|| User::from_name("nobody").ok().flatten())
            .map(|user| {
                Some(Self {
                    user: user.uid.as_raw(),
                    group: user.gid.as_raw(),
                    name: user.name,
                })
            })
            .ok_or_else(|| {
                Error::missing("servers do not run as root, and there is no user `nobody`")
                    .hint("Run gantline as an ordinary user, or add the user `nobody`")
            })
    }

    /// Whether this user can enter every folder on the way to a path, and read what is there.
    pub fn reaches(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else {
            return false;
        };
        let enters = path.ancestors().skip(1).all(|folder| self.may(folder, 0o1));
        let needed = if path.is_dir() { 0o5 } else { 0o4 };
        enters && self.may(&path, needed)
    }

    /// Whether this user can run a program.
    pub fn runs(&self, program: &Path) -> bool {
        self.reaches(program) && self.may(program, 0o1)
    }

    fn may(&self, path: &Path, needed: u32) -> bool {
        let Ok(found) = std::fs::metadata(path) else {
            return false;
        };
        let granted = if found.uid() == self.user {
            found.mode() >> 6
        } else if found.gid() == self.group {
            found.mode() >> 3
        } else {
            found.mode()
        };
        granted & needed == needed
    }
}

/// Whether `identity` (or the user who asks) can run this program.
pub fn can_run(identity: Option<&Identity>, program: &Path) -> bool {
    let executable =
        std::fs::metadata(program).is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0);
    executable && identity.is_none_or(|identity| identity.runs(program))
}

/// The nearest folder on the way to `path` that exists.
pub fn nearest_existing(path: &Path) -> PathBuf {
    path.ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("/"))
        .to_path_buf()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn stranger() -> Identity {
        Identity {
            user: 65_533,
            group: 65_533,
            name: "stranger".to_owned(),
        }
    }

    #[test]
    fn a_private_folder_on_the_way_is_out_of_reach() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, "").unwrap();
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(&program, 0o755);
        set(folder.path(), 0o700);
        assert!(!stranger().runs(&program));
        set(folder.path(), 0o711);
        assert!(stranger().runs(&program));
        set(&program, 0o644);
        assert!(stranger().reaches(&program));
        assert!(!can_run(Some(&stranger()), &program));
        assert!(!can_run(None, &program));
    }
}
