//! Services that were found unchanged, so that they need not be rendered and read again: what a
//! check saw of each file is kept, and while all look the same, so does the answer.
//!
//! Only what asks uses it; what writes looks at everything. Nothing is lost with the records,
//! which are of one checkout, and are made only where commands ran before.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::config::lock_file::{self, LockFile};
use crate::config::{environment, overlay, service_file, workspace};
use crate::engine::files::{BaseStore, DiskTree, Sight, run_folder};
use crate::error::{Error, Result};
use crate::model::file_set::TreePath;
use crate::model::name::Name;
use crate::model::plan::{FileChange, FilePlan, Outcome};
use crate::model::project::{Project, Service};

/// The folder of the records, one for each service.
const FOLDER: &str = "unchanged";
/// Larger ones are not of gantline's making.
const LARGEST_RECORD: u64 = 16 << 20;

/// What was seen when a service was found unchanged.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    /// The program that looked: another may generate something else.
    program: Sight,
    /// What the service is generated from.
    sources: Vec<(String, Sight)>,
    /// Its files; `None` is one of which everything was said before.
    files: Vec<(String, Sight, Option<Still>)>,
}

/// The outcomes of a file that stays as it is and waits for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Still {
    Unchanged,
    Kept,
    WrittenOnce,
}

impl Still {
    fn of(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Unchanged => Some(Self::Unchanged),
            Outcome::Kept => Some(Self::Kept),
            Outcome::WrittenOnce => Some(Self::WrittenOnce),
            _ => None,
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            Self::Unchanged => Outcome::Unchanged,
            Self::Kept => Outcome::Kept,
            Self::WrittenOnce => Outcome::WrittenOnce,
        }
    }
}

/// The records of a workspace.
#[derive(Debug)]
pub(super) struct Unchanged<'a> {
    tree: &'a DiskTree,
    folder: PathBuf,
    program: Sight,
}

impl<'a> Unchanged<'a> {
    /// Those of the workspace in `root`, which is this tree; `None` where no command that writes
    /// has run, as in the clone of a pipeline, or the program cannot tell itself from another.
    pub fn new(root: &Path, tree: &'a DiskTree) -> Option<Self> {
        let run = run_folder(root).ok()?;
        let program = Sight::of(&std::env::current_exe().ok()?);
        let is_here = run.is_dir() && matches!(program, Sight::Here(_));
        is_here.then(|| Self {
            tree,
            folder: run.join(FOLDER),
            program,
        })
    }

    /// The files of a service, when nothing was touched since all of them were found to stay as
    /// they are. Their contents are not read.
    pub fn files(&self, service: &Name) -> Option<Vec<FileChange>> {
        let record = self.read(service)?;
        if record.program != self.program {
            return None;
        }
        let is_as_seen =
            |path: TreePath, seen: Sight| (self.tree.look(&path).ok()? == seen).then_some(path);
        for (path, seen) in record.sources {
            is_as_seen(TreePath::new(path).ok()?, seen)?;
        }
        let mut files = Vec::with_capacity(record.files.len());
        for (path, seen, still) in record.files {
            let path = is_as_seen(TreePath::new(path).ok()?, seen)?;
            files.extend(still.map(|still| FileChange {
                path,
                outcome: still.outcome(),
                before: None,
                after: None,
                executable: false,
            }));
        }
        Some(files)
    }

    fn read(&self, service: &Name) -> Option<Record> {
        let place = self.folder.join(service.as_str());
        let size = fs::metadata(&place).ok()?.len();
        let bytes = (size <= LARGEST_RECORD).then(|| fs::read(&place).ok())??;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps what is seen of a service, when all of its files stay as they are by a plan that was
    /// begun at this time. A record that cannot be kept is none: the next check looks again.
    pub fn keep(&self, project: &Project, service: &Service, seen: (&FilePlan, SystemTime)) {
        if let Ok(Some(record)) = self.record(project, service, seen) {
            let _ = self.write(&service.name, &record);
        }
    }

    fn record(
        &self,
        project: &Project,
        service: &Service,
        (plan, began): (&FilePlan, SystemTime),
    ) -> Result<Option<Record>> {
        let mut record = Record {
            program: self.program,
            sources: Vec::new(),
            files: Vec::new(),
        };
        let lock = LockFile::read(&project.root)?;
        let mut read = project.with_references(service).into_iter();
        // A blueprint that is not pinned may change without any file that is looked at.
        if !read.all(|it| lock.digest(&it.blueprint).is_some()) {
            return Ok(None);
        }
        for path in sources(project, service)? {
            let sight = self.tree.look(&path)?;
            if !sight.was_so_at(began) {
                return Ok(None);
            }
            record.sources.push((path.to_string(), sight));
        }
        let (index, _) = BaseStore::new(self.tree).index(service.name.as_str())?;
        let changes = plan.changes.iter();
        let changes: Vec<_> = changes
            .filter(|change| change.path.is_in(&service.directory))
            .collect();
        let said: BTreeSet<&TreePath> = changes.iter().map(|change| &change.path).collect();
        let quiet = index.entries.keys().filter(|path| !said.contains(path));
        let files = changes
            .iter()
            .map(|change| (&change.path, Some(&change.outcome)));
        for (path, outcome) in files.chain(quiet.map(|path| (path, None))) {
            let still = outcome.map(Still::of);
            let sight = self.tree.look(path)?;
            if still == Some(None) || !sight.was_so_at(began) {
                return Ok(None);
            }
            record
                .files
                .push((path.to_string(), sight, still.flatten()));
        }
        Ok(Some(record))
    }

    fn write(&self, service: &Name, record: &Record) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&serde_json::to_vec(record)?)?;
        file.persist(self.folder.join(service.as_str()))?;
        Ok(())
    }
}

/// All that a service is generated from: the workspace's files, its own manifest, and those of the
/// services that it refers to, whose references are the same in every environment.
fn sources(project: &Project, service: &Service) -> Result<Vec<TreePath>> {
    let environments = environment::names(&project.root)?;
    let mut sources = vec![
        workspace::FILE.to_owned(),
        lock_file::PATH.to_owned(),
        lock_file::ARCHIVES.to_owned(),
        environment::FOLDER.to_owned(),
    ];
    let file = |name: &Name| format!("{}/{name}.yaml", environment::FOLDER);
    sources.extend(environments.iter().map(file));
    for service in project.with_references(service) {
        let directory = &service.directory;
        sources.push(format!("{directory}/{}", service_file::FILE));
        let overlay = |name| format!("{directory}/{}", overlay::file_name(name));
        sources.extend(environments.iter().map(overlay));
    }
    let mut paths: Vec<TreePath> = sources
        .into_iter()
        .map(|path| TreePath::new(path).map_err(|error| Error::failed(error.to_string())))
        .collect::<Result<_>>()?;
    paths.push(BaseStore::index_path(service.name.as_str())?);
    Ok(paths)
}

#[cfg(test)]
#[path = "unchanged_test.rs"]
mod tests;
