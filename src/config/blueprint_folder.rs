//! Blueprints as folders on disk, side by side, read with bounds and without following links.

use std::fs;
use std::path::{Path, PathBuf};

use super::blueprint_file::FILE;
use super::shelf::Shelf;
use super::yaml::shown_path;
use crate::error::{Error, Result};
use crate::model::blueprint::BlueprintFile;
use crate::model::file_set::TreePath;

/// A folder of a blueprint holds at most this many files, counted with all folders beside it.
const MOST_FILES: usize = 8_192;
/// No file of a blueprint is larger, in bytes.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;
/// Folders of a blueprint are nested at most this deep.
const DEEPEST_FOLDER: usize = 24;
/// The versions that templates mention.
const PINS: &str = "pins.yaml";

/// Whether a folder is that of a blueprint: a plain folder with a `blueprint.yaml`.
pub fn is_one(folder: &Path) -> bool {
    let is_folder = fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir());
    is_folder && folder.join(FILE).is_file()
}

/// The folders of blueprints in a folder, in order of name; none when there is no such folder.
///
/// # Errors
/// When it cannot be read.
pub fn inside(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let shown = shown_path(folder).display().to_string();
    let fails = |cause| Error::invalid(format!("{shown} cannot be read")).because(cause);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(fails)? {
        let path = entry.map_err(fails)?.path();
        if is_one(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The folders of blueprints beside one.
///
/// # Errors
/// When they cannot be read.
pub fn beside(folder: &Path) -> Result<Vec<PathBuf>> {
    let absolute = absolute(folder)?;
    let mut found = inside(absolute.parent().unwrap_or(&absolute))?;
    found.retain(|path| *path != absolute);
    Ok(found)
}

/// The name of the blueprint in a folder, and a shelf with it and all that it extends: beside it,
/// else from the program.
///
/// # Errors
/// When it cannot be read, holds a link, or is too large.
pub fn read(folder: &Path, embedded: &Shelf) -> Result<(String, Shelf)> {
    let absolute = absolute(folder)?;
    let name = absolute
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| {
            Error::invalid(format!("{} is no folder of a blueprint", folder.display()))
        })?;
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
        if is_one(&beside.join(&next)) {
            read_folder(&mut shelf, beside, &next, 0)?;
        } else {
            shelf.files.extend(embedded.part_for(&next)?);
        }
        parent = extended_by(&shelf, &next)?;
    }
    let pins = beside.join(PINS);
    // A link is refused as everywhere in a blueprint: it could bring in any file.
    if fs::symlink_metadata(&pins).is_ok_and(|metadata| metadata.is_file()) {
        read_file(&mut shelf, &pins, PINS)?;
    } else {
        let is_pins = |path: &TreePath| path.as_str() == PINS;
        let files = embedded.files.iter().filter(|(path, _)| is_pins(path));
        let files = files.map(|(path, file)| (path.clone(), file.clone()));
        shelf.files.extend(files);
    }
    Ok((name.to_owned(), shelf))
}

/// Embedding keeps no modes; a program begins with `#!`.
pub fn with_mode(bytes: Vec<u8>) -> BlueprintFile {
    BlueprintFile {
        executable: bytes.starts_with(b"#!"),
        bytes,
    }
}

fn absolute(folder: &Path) -> Result<PathBuf> {
    fs::canonicalize(folder).map_err(|cause| {
        Error::invalid(format!("{} cannot be read", folder.display())).because(cause)
    })
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
