//! Where a stack of processes keeps its things, and making those folders with the right owner.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::identity::{Identity, nearest_existing};
use crate::engine::files::make_run_folder;
use crate::error::{Error, Result};

/// The longest path of a socket: `sun_path` has 104 bytes on macOS, 108 on Linux, and a final 0.
const LONGEST_SOCKET: usize = 100;

/// The file beside a server's data that is there while the data is made.
pub const PREPARING: &str = "preparing";
/// The file beside a server's data that holds the version of what made it.
pub const VERSION: &str = "version";

/// Folders of one stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// `.gantline/run`.
    run: PathBuf,
    /// Where data, work folders and programs lie: `run`, or a folder that the servers' user can
    /// reach.
    home: PathBuf,
    /// The stack's id.
    stack: String,
    /// As whom processes run, when that is another user.
    identity: Option<Identity>,
}

impl Folders {
    /// The folders of a stack whose workspace lets `identity` in, or not.
    pub fn new(run: &Path, stack: &str, identity: Option<Identity>) -> Self {
        // The folder itself is opened to those who pass when there is need of it.
        let parent = run.parent().unwrap_or(run);
        let reached = |identity: &Identity| identity.reaches(&nearest_existing(parent));
        let home = if identity.as_ref().is_none_or(reached) {
            run.to_path_buf()
        } else {
            Path::new(SHARED_CACHE).join("stacks").join(stack)
        };
        Self {
            run: run.to_path_buf(),
            home,
            stack: stack.to_owned(),
            identity,
        }
    }

    /// As whom processes run, when not as the user who asks.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Where data lies instead of the workspace, when that is out of the servers' reach.
    pub fn elsewhere(&self) -> Option<&Path> {
        (self.home != self.run).then_some(self.home.as_path())
    }

    /// The private folder of the supervisor's lock and state.
    pub fn control(&self) -> PathBuf {
        self.run.join("supervisor")
    }

    /// The supervisor's socket; in a short private folder when its path would be too long.
    pub fn socket(&self) -> PathBuf {
        let usual = self.control().join("socket");
        if usual.as_os_str().len() <= LONGEST_SOCKET {
            return usual;
        }
        self.short().join(format!("{}.socket", self.stack))
    }

    /// The folder of sockets whose usual path would be too long.
    fn short(&self) -> PathBuf {
        let user = nix::unistd::geteuid();
        PathBuf::from(format!("/tmp/gantline-{user}"))
    }

    /// Who may listen at the socket: the owner of its folder, which nobody else enters. `None` when
    /// there is no such folder.
    ///
    /// # Errors
    /// When it is a link, or is another user's.
    pub(super) fn listening_user(&self) -> io::Result<Option<u32>> {
        let is_shared = !self.socket().starts_with(&self.run);
        let folder = if is_shared {
            self.short()
        } else {
            self.control()
        };
        let found = match std::fs::symlink_metadata(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found?,
        };
        let own = nix::unistd::geteuid().as_raw();
        let shown = folder.display();
        if !found.is_dir() {
            return Err(io::Error::other(format!("{shown} is a file or a link")));
        }
        match is_trusted(found.uid(), own, is_shared) {
            true => Ok(Some(found.uid())),
            false => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("{shown} belongs to user {}", found.uid()),
            )),
        }
    }

    /// The log of an instance.
    pub fn log(&self, instance: &str) -> PathBuf {
        self.run.join("logs").join(format!("{instance}.log"))
    }

    /// The data of a server.
    pub fn data(&self, server: &str) -> PathBuf {
        self.home.join("data").join(server)
    }

    /// A small file about a server's data, beside it.
    pub fn beside_data(&self, server: &str, what: &str) -> PathBuf {
        self.home.join("data").join(format!("{server}.{what}"))
    }

    /// The servers that have data.
    pub fn names_of_data(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.home.join("data")) else {
            return Vec::new();
        };
        let folders = entries
            .filter_map(std::result::Result::ok)
            .filter(|entry| entry.path().is_dir());
        let mut names: Vec<String> = folders
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// All that a stack leaves when its data is kept: data, logs and programs.
    pub fn everything(&self) -> Vec<PathBuf> {
        let mut paths = vec![
            self.home.join("data"),
            self.programs(),
            self.run.join("logs"),
        ];
        paths.extend(self.elsewhere().map(Path::to_path_buf));
        paths
    }

    /// The folder of all work folders.
    pub fn all_work(&self) -> PathBuf {
        self.home.join("work")
    }

    /// What a server needs to run: files, a password file; gone when it is stopped.
    pub fn work(&self, instance: &str) -> PathBuf {
        self.home.join("work").join(instance)
    }

    /// The services' programs.
    pub fn programs(&self) -> PathBuf {
        self.home.join("bin")
    }

    /// Makes the folders that the supervisor needs.
    ///
    /// # Errors
    /// When they cannot be made, or are not ours.
    pub fn make_control(&self) -> Result<()> {
        self.make_run()?;
        self.make(&self.control(), PRIVATE, false)?;
        self.make(&self.run.join("logs"), PRIVATE, false)?;
        if !self.socket().starts_with(&self.run) {
            self.make(&self.short(), PRIVATE, false)?;
        }
        Ok(())
    }

    /// Makes the folder of an instance's data or work, owned by the one who runs it.
    ///
    /// # Errors
    /// When it cannot be made, or is a link.
    pub fn make_private(&self, folder: &Path) -> Result<()> {
        self.make_parents(folder)?;
        self.make(folder, PRIVATE, true)
    }

    /// Makes the folder of the services' programs, readable to the one who runs them.
    ///
    /// # Errors
    /// When it cannot be made, or is a link.
    pub fn make_programs(&self) -> Result<()> {
        self.make_parents(&self.programs())?;
        self.make(&self.programs(), PASSABLE, false)
    }

    /// Makes `.gantline/run`: for its owner, and to pass through for those who run a server in it.
    fn make_run(&self) -> Result<()> {
        let passable = self.identity.is_some() && self.home == self.run;
        make_run_folder(&self.run, passable).map_err(|error| {
            Error::failed(format!("cannot open {}", self.run.display())).because(error)
        })
    }

    fn make_parents(&self, folder: &Path) -> Result<()> {
        if self.home == self.run {
            self.make_run()?;
        } else {
            self.make(&self.home, PASSABLE, false)?;
        }
        match folder.parent() {
            Some(parent) if parent != self.home => self.make(parent, PASSABLE, false),
            _ => Ok(()),
        }
    }

    fn make(&self, folder: &Path, mode: u32, given_away: bool) -> Result<()> {
        let owner = self.identity.as_ref().filter(|_| given_away);
        make_folder(folder, mode, owner).map_err(|error| {
            Error::failed(format!("cannot make the folder {}", folder.display())).because(error)
        })
    }
}

/// Whether the owner of a socket's folder may be asked: oneself, and for root the user of a
/// checkout, but nobody in a folder that anybody could have made.
fn is_trusted(owner: u32, own: u32, is_shared: bool) -> bool {
    owner == own || (own == 0 && !is_shared)
}

/// The cache of root's, which every user may read.
pub const SHARED_CACHE: &str = "/var/cache/gantline";
/// Nobody but its owner.
const PRIVATE: u32 = 0o700;
/// Others may pass and look.
const PASSABLE: u32 = 0o755;

/// Makes a folder, with what leads to it, and gives it a mode and an owner. One that exists must
/// be a real folder of ours or its owner's; a private one is made private again.
fn make_folder(folder: &Path, mode: u32, owner: Option<&Identity>) -> io::Result<()> {
    if let Some(parent) = folder.parent()
        && !parent.exists()
    {
        make_folder(parent, PASSABLE, None)?;
    }
    match std::fs::DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return check_folder(folder, mode, owner);
        }
        other => other?,
    }
    // The umask may have taken something away.
    std::fs::set_permissions(folder, Permissions::from_mode(mode))?;
    give_to(folder, owner)
}

fn check_folder(folder: &Path, mode: u32, owner: Option<&Identity>) -> io::Result<()> {
    let found = std::fs::symlink_metadata(folder)?;
    if !found.is_dir() {
        return Err(io::Error::other(
            "something else is there: a file or a link",
        ));
    }
    if mode != PRIVATE {
        return Ok(());
    }
    let own = nix::unistd::geteuid().as_raw();
    let expected = owner.map_or(own, |identity| identity.user);
    if found.uid() != expected && found.uid() != own {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("it belongs to user {}, not to user {expected}", found.uid()),
        ));
    }
    if found.mode() & 0o777 != mode {
        std::fs::set_permissions(folder, Permissions::from_mode(mode))?;
    }
    if found.uid() == expected {
        return Ok(());
    }
    give_to(folder, owner)
}

fn give_to(path: &Path, owner: Option<&Identity>) -> io::Result<()> {
    match owner {
        Some(identity) => {
            std::os::unix::fs::lchown(path, Some(identity.user), Some(identity.group))
        }
        None => Ok(()),
    }
}

/// Writes a file that only its owner may read, all of it or nothing.
///
/// # Errors
/// Any error of the file system.
pub fn write_private(path: &Path, content: &[u8], owner: Option<&Identity>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    give_to(file.path(), owner)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_has_its_socket_in_a_short_folder() {
        let short = Folders::new(Path::new("/src/shop/.gantline/run"), "shop-1", None);
        assert_eq!(
            short.socket(),
            Path::new("/src/shop/.gantline/run/supervisor/socket")
        );
        let deep = PathBuf::from(format!("/{}/.gantline/run", "deep/".repeat(40)));
        let long = Folders::new(&deep, "shop-1", None).socket();
        assert!(long.as_os_str().len() <= LONGEST_SOCKET, "{long:?}");
        assert!(long.ends_with("shop-1.socket"));
    }

    #[test]
    fn a_supervisor_is_looked_for_in_no_folder_of_another_user() {
        for (owner, own, is_shared, trusted) in [
            (1000, 1000, true, true),
            (1001, 1000, true, false),
            (1001, 1000, false, false),
            (1000, 0, false, true),
            (1000, 0, true, false),
        ] {
            let found = is_trusted(owner, own, is_shared);
            assert_eq!(found, trusted, "{owner} {own} {is_shared}");
        }
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::new(root.path(), "shop-1", None);
        assert_eq!(folders.listening_user().unwrap(), None);
        std::os::unix::fs::symlink("/tmp", folders.control()).unwrap();
        assert!(folders.listening_user().is_err());
    }

    #[test]
    fn private_folders_are_made_private_again() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join(".gantline/run");
        let folders = Folders::new(&run, "shop-1", None);
        folders.make_control().unwrap();
        let control = folders.control();
        std::fs::set_permissions(&control, Permissions::from_mode(0o755)).unwrap();
        folders.make_control().unwrap();
        assert_eq!(std::fs::metadata(&control).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_link_is_no_folder() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("run");
        std::fs::create_dir(&run).unwrap();
        std::os::unix::fs::symlink("/tmp", run.join("data")).unwrap();
        let folders = Folders::new(&run, "shop-1", None);
        let refused = folders
            .make_private(&folders.data("postgres-17"))
            .unwrap_err();
        assert!(refused.to_string().contains("a link"), "{refused}");
    }

    #[test]
    fn a_private_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        write_private(&path, b"secret", None).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }
}
