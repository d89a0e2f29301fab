//! The catalogue: blueprints and resource types, from inside the program, from a workspace's
//! pinned archives, or from a folder.

mod pins;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rust_embed::RustEmbed;

pub use self::pins::{Pins, pins, repin};
use super::archive;
use super::lock_file::{self, LockFile};
use super::shelf::Shelf;
use super::yaml::{Document, shown_path};
use super::{blueprint_folder, resource_file};
use crate::error::{Error, Result};
use crate::model::blueprint::Blueprint;
use crate::model::file_set::TreePath;
use crate::model::name::Name;
use crate::model::project::BlueprintReference;
use crate::model::release::ChartFile;
use crate::model::resource_type::ResourceType;
use crate::model::suggest;

/// The blueprints inside the program.
#[derive(RustEmbed)]
#[folder = "blueprints/"]
struct EmbeddedBlueprints;

/// The resource types inside the program.
#[derive(RustEmbed)]
#[folder = "templates/resources/"]
#[include = "*.yaml"]
struct EmbeddedResources;

/// The chart of a resource in a cluster.
#[derive(RustEmbed)]
#[folder = "templates/charts/resource/"]
struct EmbeddedResourceChart;

/// What the program's own blueprints are called in messages.
const EMBEDDED: &str = "this program";
/// The folder of a workspace's own blueprints.
pub const FOLDER: &str = "blueprints";
/// The blueprint of services that name an image or a Dockerfile.
pub const CONTAINER: &str = "container";

/// A blueprint as a workspace has it pinned, else as the workspace's own folder has it, else as
/// the program brings it.
///
/// # Errors
/// When none has this version, or the pinned archive is not what was recorded.
pub fn blueprint(root: Option<&Path>, reference: &BlueprintReference) -> Result<Blueprint> {
    let pinned = root.map(|root| pinned_shelf(root, reference)).transpose()?;
    let shelf = match pinned.flatten() {
        Some(shelf) => shelf,
        None => offering_shelf(root, reference.name.as_str())?,
    };
    let known = shelf.names();
    let unknown = || {
        let error = Error::invalid(format!("there is no blueprint `{}`", reference.name));
        match suggest::hint(reference.name.as_str(), known.iter().copied()) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    };
    let found = shelf
        .blueprint(reference.name.as_str())?
        .ok_or_else(unknown)?;
    match &found.reference {
        Some(here) if here.version != reference.version => Err(Error::missing(format!(
            "the blueprint {reference} is neither pinned in this workspace nor in this program"
        ))
        .since(format!("{here} is in {}", shelf.origin))
        .hint(format!(
            "Ask for `{here}`, or restore .gantline/blueprints/ from git"
        ))),
        _ => Ok(found),
    }
}

/// The newest version of a blueprint: of the workspace's own folder when it has one of this name,
/// else of the program. Numbers of the one say nothing about those of the other.
///
/// # Errors
/// When neither brings one of this name, or it is only for being extended.
pub fn newest(root: Option<&Path>, name: &str) -> Result<BlueprintReference> {
    let shelf = offering_shelf(root, name)?;
    if let Some(found) = offer(&shelf, name)? {
        return Ok(found);
    }
    let offered = blueprints(root)?;
    let names = offered
        .iter()
        .filter_map(|blueprint| Some(blueprint.reference.as_ref()?.name.as_str()));
    let error = Error::invalid(format!("there is no blueprint `{name}`"));
    Err(match suggest::hint(name, names) {
        Some(hint) => error.hint(hint),
        None => error,
    })
}

/// The version of a blueprint that a workspace has pinned, else the newest that is offered.
///
/// # Errors
/// As [`newest`], or when the lock file is broken.
pub fn newest_or_pinned(root: &Path, name: &str) -> Result<BlueprintReference> {
    let pinned = LockFile::read(root)?.newest(name);
    match (pinned, Name::new(name)) {
        (Some(version), Ok(name)) => Ok(BlueprintReference { name, version }),
        _ => newest(Some(root), name),
    }
}

/// The blueprints that a workspace and this program offer, by name.
///
/// # Errors
/// When one of them is broken.
pub fn blueprints(root: Option<&Path>) -> Result<Vec<Blueprint>> {
    let embedded = embedded_shelf();
    let mut names: BTreeSet<String> = embedded.names().into_iter().map(str::to_owned).collect();
    if let Some(root) = root {
        let own = blueprint_folder::inside(&root.join(FOLDER))?;
        names.extend(own.into_iter().filter_map(|folder| {
            let name = folder.file_name()?.to_str()?;
            Some(name.to_owned())
        }));
    }
    let mut found = Vec::new();
    for name in names {
        let shelf = offering_shelf(root, &name)?;
        if offer(&shelf, &name)?.is_some() {
            found.extend(shelf.blueprint(&name)?);
        }
    }
    Ok(found)
}

/// A blueprint as it is offered, whatever is pinned.
///
/// # Errors
/// As [`newest`].
pub fn offered_blueprint(root: Option<&Path>, reference: &BlueprintReference) -> Result<Blueprint> {
    let shelf = offering_shelf(root, reference.name.as_str())?;
    let found = shelf.blueprint(reference.name.as_str())?;
    found.ok_or_else(|| Error::invalid(format!("there is no blueprint `{}`", reference.name)))
}

/// The newest version of a blueprint that a workspace pins, older than this one.
///
/// # Errors
/// When the lock file or the archive is broken.
pub fn pinned_before(root: &Path, reference: &BlueprintReference) -> Result<Option<Blueprint>> {
    let versions = LockFile::read(root)?.versions(reference.name.as_str());
    let Some(version) = versions.range(..reference.version).next_back() else {
        return Ok(None);
    };
    let earlier = BlueprintReference {
        version: *version,
        ..reference.clone()
    };
    blueprint(Some(root), &earlier).map(Some)
}

/// The resource types by name.
///
/// # Errors
/// When one of the files is broken.
pub fn resource_types() -> Result<BTreeMap<Name, ResourceType>> {
    embedded_resources()
        .map(|document| {
            let kind = resource_file::parse_embedded(&document?)?;
            Ok((kind.name.clone(), kind))
        })
        .collect()
}

fn embedded_resources() -> impl Iterator<Item = Result<Document>> {
    EmbeddedResources::iter().filter_map(|path| {
        let shown = Path::new("templates/resources").join(path.as_ref());
        let file = EmbeddedResources::get(&path)?;
        Some(Document::parse(&shown, &file.data))
    })
}

/// The chart of a resource in a cluster: its files by path.
pub fn resource_chart() -> Vec<ChartFile> {
    let mut files: Vec<ChartFile> = EmbeddedResourceChart::iter()
        .filter_map(|path| {
            Some(ChartFile {
                bytes: EmbeddedResourceChart::get(&path)?.data.into_owned(),
                path: path.into_owned(),
            })
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// The paths of all files of the blueprints inside the program, relative to `blueprints/`.
pub fn embedded_paths() -> impl Iterator<Item = String> {
    EmbeddedBlueprints::iter().map(|path| path.into_owned())
}

/// The files of one blueprint inside the program, by path relative to `blueprints/`.
pub fn embedded_folder(name: &str) -> impl Iterator<Item = (String, Vec<u8>)> {
    let below = format!("{name}/");
    embedded_paths()
        .filter(move |path| path.starts_with(&below))
        .filter_map(|path| {
            let bytes = EmbeddedBlueprints::get(&path)?.data.into_owned();
            Some((path, bytes))
        })
}

/// The blueprint in a folder on disk; what it extends lies beside it, or in the program.
///
/// # Errors
/// When it is no folder of a blueprint, holds a link, or is too large.
pub fn load_folder(path: &Path) -> Result<Blueprint> {
    let (name, shelf) = blueprint_folder::read(path, &embedded_shelf())?;
    shelf.blueprint(&name)?.ok_or_else(|| {
        Error::invalid(format!("{} is no folder of a blueprint", path.display()))
            .since("it holds no blueprint.yaml")
    })
}

/// The blueprints beside a folder that extend the one in it, directly or not, and can be offered.
///
/// # Errors
/// When one of them cannot be read.
pub fn extending(path: &Path) -> Result<Vec<Blueprint>> {
    let embedded = embedded_shelf();
    let (parent, _) = blueprint_folder::read(path, &embedded)?;
    let mut found = Vec::new();
    for folder in blueprint_folder::beside(path)? {
        let (name, shelf) = blueprint_folder::read(&folder, &embedded)?;
        let mut chain = shelf.chain(&name)?.into_iter();
        if chain.any(|entry| entry.file.name.0.as_str() == parent) {
            let extending = shelf.blueprint(&name)?;
            found.extend(extending.filter(|blueprint| !blueprint.is_abstract));
        }
    }
    Ok(found)
}

/// A blueprint that is offered, pinned or not.
#[derive(Debug, Clone)]
pub struct Offered {
    /// The blueprint in its newest version.
    pub blueprint: Blueprint,
    /// Its version.
    pub version: u32,
    /// The digest that its archive would have.
    pub digest: String,
    /// Who offers it, for messages.
    pub origin: String,
}

/// The newest version of a blueprint, as [`newest`] finds it; `None` when nobody offers it any
/// more.
///
/// # Errors
/// When it is broken.
pub fn offered(root: &Path, name: &str) -> Result<Option<Offered>> {
    let shelf = offering_shelf(Some(root), name)?;
    let (Some(reference), Some(blueprint)) = (offer(&shelf, name)?, shelf.blueprint(name)?) else {
        return Ok(None);
    };
    Ok(Some(Offered {
        blueprint,
        version: reference.version,
        digest: archive::digest_of(&shelf.part_for(name)?)?,
        origin: shelf.origin,
    }))
}

fn pinned_shelf(root: &Path, reference: &BlueprintReference) -> Result<Option<Shelf>> {
    let lock = LockFile::read(root)?;
    let Some(digest) = lock.digest(reference) else {
        return Ok(None);
    };
    let name = lock_file::archive_name(reference, digest);
    let path = root.join(lock_file::ARCHIVES).join(&name);
    let shown = shown_path(&path).display().to_string();
    let restore = "Restore it from git: it belongs to the workspace";
    let size = fs::metadata(&path)
        .map_err(|cause| {
            Error::invalid(format!(
                "the blueprint {reference} is pinned, and {shown} is missing"
            ))
            .because(cause)
            .hint(restore)
        })?
        .len();
    if size > archive::LARGEST_ARCHIVE {
        return Err(Error::invalid(format!("{shown} is too large for a blueprint")).hint(restore));
    }
    let bytes = fs::read(&path)
        .map_err(|cause| Error::invalid(format!("{shown} cannot be read")).because(cause))?;
    let files = archive::unpack(&bytes, digest)
        .map_err(|error| error.since(format!("in {shown}")).hint(restore))?;
    Ok(Some(Shelf {
        origin: shown,
        files,
    }))
}

fn embedded_shelf() -> Shelf {
    let files = EmbeddedBlueprints::iter()
        .filter_map(|path| {
            let file = EmbeddedBlueprints::get(&path)?;
            let bytes = file.data.into_owned();
            Some((
                TreePath::new(path.as_ref()).ok()?,
                blueprint_folder::with_mode(bytes),
            ))
        })
        .collect();
    Shelf {
        origin: EMBEDDED.to_owned(),
        files,
    }
}

/// What a blueprint is offered as; `None` when there is none of this name, or it is abstract.
fn offer(shelf: &Shelf, name: &str) -> Result<Option<BlueprintReference>> {
    let Some(entry) = shelf.entry(name)?.filter(|entry| !entry.file.r#abstract) else {
        return Ok(None);
    };
    Ok(Some(BlueprintReference {
        name: Name::new(name).map_err(|cause| Error::invalid(cause.to_string()))?,
        version: entry.file.version,
    }))
}

/// Where a blueprint that is not pinned comes from: the workspace's own folder, else the program.
fn offering_shelf(root: Option<&Path>, name: &str) -> Result<Shelf> {
    let embedded = embedded_shelf();
    let own = root.map(|root| root.join(FOLDER).join(name));
    match own.filter(|folder| Name::new(name).is_ok() && blueprint_folder::is_one(folder)) {
        Some(folder) => Ok(blueprint_folder::read(&folder, &embedded)?.1),
        None => Ok(embedded),
    }
}

fn tree_path(text: &str) -> Result<TreePath> {
    TreePath::new(text).map_err(|cause| Error::invalid(cause.to_string()))
}

#[cfg(test)]
mod tests;
