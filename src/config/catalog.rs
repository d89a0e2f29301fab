//! The catalogue: blueprints and resource types, from inside the program, from a workspace's
//! pinned archives, or from a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rust_embed::RustEmbed;

use super::archive::{self, Archive};
use super::lock_file::{self, LockFile};
use super::shelf::Shelf;
use super::yaml::{Document, shown_path};
use super::{resource_file, suggest};
use crate::error::{Error, Result};
use crate::model::blueprint::{Blueprint, BlueprintFile};
use crate::model::file_set::{FileSet, RenderedFile, TreePath};
use crate::model::name::Name;
use crate::model::project::BlueprintReference;
use crate::model::release::ChartFile;
use crate::model::resource_type::ResourceType;

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

/// The blueprint of services that name an image or a Dockerfile.
pub const CONTAINER: &str = "container";

/// A folder of a blueprint holds at most this many files, counted with all folders beside it.
const MOST_FILES: usize = 8_192;
/// No file of a blueprint is larger, in bytes.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;
/// Folders of a blueprint are nested at most this deep.
const DEEPEST_FOLDER: usize = 24;

/// A blueprint as a workspace has it pinned, else as the program brings it.
///
/// # Errors
/// When neither has this version, or the pinned archive is not what was recorded.
pub fn blueprint(root: Option<&Path>, reference: &BlueprintReference) -> Result<Blueprint> {
    let pinned = root.map(|root| pinned_shelf(root, reference)).transpose()?;
    let shelf = pinned.flatten().unwrap_or_else(embedded_shelf);
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
        .since(format!("this program brings {here}"))
        .hint(format!(
            "Ask for `{here}`, or restore .gantline/blueprints/ from git"
        ))),
        _ => Ok(found),
    }
}

/// The version of a blueprint that this program brings.
///
/// # Errors
/// When it brings none of this name.
pub fn newest(name: &str) -> Result<BlueprintReference> {
    let shelf = embedded_shelf();
    let offered = offered(&shelf)?;
    let Some(found) = offered
        .iter()
        .find(|(known, _)| known.name.as_str() == name)
    else {
        let error = Error::invalid(format!("there is no blueprint `{name}`"));
        let names = offered.iter().map(|(known, _)| known.name.as_str());
        return Err(match suggest::hint(name, names) {
            Some(hint) => error.hint(hint),
            None => error,
        });
    };
    Ok(found.0.clone())
}

/// The version of a blueprint that a workspace has pinned, else the one that this program brings.
///
/// # Errors
/// As [`newest`], or when the lock file is broken.
pub fn newest_or_pinned(root: &Path, name: &str) -> Result<BlueprintReference> {
    let pinned = LockFile::read(root)?.newest(name);
    match (pinned, Name::new(name)) {
        (Some(version), Ok(name)) => Ok(BlueprintReference { name, version }),
        _ => newest(name),
    }
}

/// The blueprints that this program offers, by name.
///
/// # Errors
/// When one of them is broken.
pub fn blueprints() -> Result<Vec<Blueprint>> {
    let shelf = embedded_shelf();
    let names = offered(&shelf)?;
    let found = names
        .iter()
        .map(|(reference, _)| shelf.blueprint(reference.name.as_str()));
    found.filter_map(Result::transpose).collect()
}

/// The resource types by name.
///
/// # Errors
/// When one of the files is broken.
pub fn resource_types() -> Result<BTreeMap<Name, ResourceType>> {
    EmbeddedResources::iter()
        .filter_map(|path| Some((path.clone(), EmbeddedResources::get(&path)?)))
        .map(|(path, file)| {
            let shown = Path::new("templates/resources").join(path.as_ref());
            let kind = resource_file::parse(&Document::parse(&shown, &file.data)?)?;
            Ok((kind.name.clone(), kind))
        })
        .collect()
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

/// The blueprint in a folder on disk; what it extends lies beside it, or in the program.
///
/// # Errors
/// When it is no folder of a blueprint, holds a link, or is too large.
pub fn load_folder(path: &Path) -> Result<Blueprint> {
    let absolute = fs::canonicalize(path).map_err(|cause| {
        Error::invalid(format!("{} cannot be read", path.display())).because(cause)
    })?;
    let name = absolute
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| Error::invalid(format!("{} is no folder of a blueprint", path.display())))?;
    let beside = absolute.parent().unwrap_or(&absolute);
    let mut shelf = Shelf {
        origin: shown_path(beside).display().to_string(),
        ..Shelf::default()
    };
    read_folder(&mut shelf, beside, name, 0)?;
    let mut parent = extended_by(&shelf, name)?;
    while let Some(next) = parent {
        if shelf.names().contains(next.as_str()) {
            break;
        }
        if beside.join(&next).join("blueprint.yaml").is_file() {
            read_folder(&mut shelf, beside, &next, 0)?;
        } else {
            let embedded = embedded_shelf();
            shelf.files.extend(embedded.part_for(&next)?);
        }
        parent = extended_by(&shelf, &next)?;
    }
    let pins = beside.join("pins.yaml");
    if pins.is_file() {
        read_file(&mut shelf, &pins, "pins.yaml")?;
    } else {
        let is_pins = |path: &TreePath| path.as_str() == "pins.yaml";
        let embedded = embedded_shelf().files.into_iter();
        shelf
            .files
            .extend(embedded.filter(|(path, _)| is_pins(path)));
    }
    shelf.blueprint(name)?.ok_or_else(|| {
        Error::invalid(format!("{} is no folder of a blueprint", path.display()))
            .since("it holds no blueprint.yaml")
    })
}

/// The archive in which a workspace keeps a blueprint, and where it lies.
///
/// # Errors
/// When there is no such blueprint.
pub fn pin(root: &Path, reference: &BlueprintReference) -> Result<(TreePath, Vec<u8>)> {
    let (path, archive) = archive_of(root, reference)?;
    Ok((path, archive.bytes))
}

/// The files that pin blueprints which a workspace does not have yet: their archives and the
/// lock file that lists them; none when all are pinned.
///
/// # Errors
/// When there is no such blueprint, or the lock file is broken.
pub fn pins(root: &Path, references: &[BlueprintReference]) -> Result<FileSet> {
    let mut lock = LockFile::read(root)?;
    let mut set = FileSet::default();
    for reference in references {
        if lock.digest(reference).is_some() {
            continue;
        }
        let (path, archive) = archive_of(root, reference)?;
        lock.insert(reference, &archive.digest);
        set.files.insert(path, plain(archive.bytes));
    }
    if !set.files.is_empty() {
        set.files.insert(
            tree_path(lock_file::PATH)?,
            plain(lock.to_yaml().into_bytes()),
        );
    }
    Ok(set)
}

fn archive_of(root: &Path, reference: &BlueprintReference) -> Result<(TreePath, Archive)> {
    // Whether there is one of this version, too.
    blueprint(Some(root), reference)?;
    let shelf = pinned_shelf(root, reference)?.unwrap_or_else(embedded_shelf);
    let archive = archive::pack(&shelf.part_for(reference.name.as_str())?)?;
    let name = lock_file::archive_name(reference, &archive.digest);
    Ok((
        tree_path(&format!("{}/{name}", lock_file::ARCHIVES))?,
        archive,
    ))
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
            Some((TreePath::new(path.as_ref()).ok()?, with_mode(bytes)))
        })
        .collect();
    Shelf {
        origin: "blueprints".to_owned(),
        files,
    }
}

/// Embedding keeps no modes; a program begins with `#!`.
fn with_mode(bytes: Vec<u8>) -> BlueprintFile {
    BlueprintFile {
        executable: bytes.starts_with(b"#!"),
        bytes,
    }
}

fn offered(shelf: &Shelf) -> Result<Vec<(BlueprintReference, String)>> {
    let mut offered = Vec::new();
    for name in shelf.names() {
        let Some(entry) = shelf.entry(name)? else {
            continue;
        };
        if !entry.file.r#abstract {
            let name = Name::new(name).map_err(|cause| Error::invalid(cause.to_string()))?;
            let version = entry.file.version;
            offered.push((BlueprintReference { name, version }, entry.file.summary));
        }
    }
    Ok(offered)
}

fn extended_by(shelf: &Shelf, name: &str) -> Result<Option<String>> {
    let extends = shelf.entry(name)?.and_then(|entry| entry.file.extends);
    Ok(extends.map(|text| match text.0.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => text.0,
    }))
}

fn read_folder(shelf: &mut Shelf, beside: &Path, below: &str, depth: usize) -> Result<()> {
    let folder = beside.join(below);
    let shown = shown_path(&folder).display().to_string();
    let fails =
        |cause: std::io::Error| Error::invalid(format!("{shown} cannot be read")).because(cause);
    if depth > DEEPEST_FOLDER {
        return Err(Error::invalid(format!(
            "{shown} is nested too deep for a blueprint"
        )));
    }
    for entry in fs::read_dir(&folder).map_err(fails)? {
        let entry = entry.map_err(fails)?;
        let name = entry.file_name();
        let name = name
            .to_str()
            .ok_or_else(|| Error::invalid(format!("{shown} holds a name that is no UTF-8")))?;
        let path = format!("{below}/{name}");
        let kind = entry.file_type().map_err(fails)?;
        if kind.is_dir() {
            read_folder(shelf, beside, &path, depth + 1)?;
        } else if kind.is_file() {
            read_file(shelf, &entry.path(), &path)?;
        } else {
            return Err(Error::invalid(format!("{shown}/{name} is no plain file"))
                .hint("A blueprint holds no links; copy the file"));
        }
    }
    Ok(())
}

fn read_file(shelf: &mut Shelf, path: &Path, below: &str) -> Result<()> {
    let shown = shown_path(path).display().to_string();
    let fails =
        |cause: std::io::Error| Error::invalid(format!("{shown} cannot be read")).because(cause);
    if shelf.files.len() == MOST_FILES {
        return Err(Error::invalid(format!(
            "a blueprint has at most {MOST_FILES} files"
        )));
    }
    if fs::metadata(path).map_err(fails)?.len() > LARGEST_FILE {
        return Err(Error::invalid(format!(
            "{shown} is too large for a blueprint"
        )));
    }
    let bytes = fs::read(path).map_err(fails)?;
    shelf.files.insert(tree_path(below)?, with_mode(bytes));
    Ok(())
}

fn tree_path(text: &str) -> Result<TreePath> {
    TreePath::new(text).map_err(|cause| Error::invalid(cause.to_string()))
}

fn plain(bytes: Vec<u8>) -> RenderedFile {
    RenderedFile {
        bytes,
        ..RenderedFile::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_resource_type_is_read_and_named_as_its_file() {
        let types = resource_types().unwrap();
        for name in ["postgres", "nats"] {
            assert!(types.contains_key(name), "{name}");
        }
        for path in EmbeddedResources::iter() {
            let stem = path.trim_end_matches(".yaml");
            assert!(types.contains_key(stem), "{stem}");
        }
    }

    #[test]
    fn every_embedded_blueprint_is_read() {
        let names: Vec<String> = blueprints()
            .unwrap()
            .into_iter()
            .filter_map(|blueprint| Some(blueprint.reference?.name.to_string()))
            .collect();
        assert!(names.contains(&"go-service".to_owned()), "{names:?}");
        assert!(!names.contains(&"go-base".to_owned()), "{names:?}");
    }

    #[test]
    fn an_unknown_blueprint_is_answered_with_the_nearest() {
        let error = newest("go-servise").unwrap_err();
        assert_eq!(error.hints(), ["Did you mean `go-service`?"]);
    }

    #[test]
    fn a_pinned_blueprint_is_the_one_that_was_embedded() {
        let root = tempfile::tempdir().unwrap();
        let reference = newest("go-service").unwrap();
        let embedded = blueprint(None, &reference).unwrap();
        let files = pins(root.path(), std::slice::from_ref(&reference)).unwrap();
        for (path, file) in &files.files {
            let path = root.path().join(path.as_str());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &file.bytes).unwrap();
        }
        assert_eq!(files.files.len(), 2);
        assert_eq!(blueprint(Some(root.path()), &reference).unwrap(), embedded);
        assert!(pins(root.path(), &[reference]).unwrap().files.is_empty());
    }

    #[test]
    fn a_pinned_archive_that_was_touched_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let reference = newest("go-service").unwrap();
        let files = pins(root.path(), std::slice::from_ref(&reference)).unwrap();
        for path in files.files.keys() {
            let path = root.path().join(path.as_str());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let content = &files.files[&tree_path(lock_file::PATH).unwrap()];
            fs::write(path, &content.bytes).unwrap();
        }
        let error = blueprint(Some(root.path()), &reference).unwrap_err();
        assert!(error.message().contains("refused"), "{error}");
    }
}
