//! A chart's folder as Helm reads it.

use std::fs;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde_json::{Map, Value};

use crate::config::yaml::{conflict_marker, shown_path};
use crate::error::{Error, Place, Result};
use crate::model::release::{Chart, ChartFile};
use crate::render::chart::read_yaml;

/// A file of a chart is never larger than this, in bytes; Helm's limit.
const LARGEST_FILE: u64 = 5 * 1024 * 1024;
/// All files of a chart together.
const LARGEST_CHART: u64 = 20 * 1024 * 1024;
/// How many files a chart has at most.
const MOST_FILES: usize = 5000;
/// How deep its folders may be nested.
const DEEPEST: usize = 20;

/// Reads a chart.
///
/// # Errors
/// When there is none, a file of it is too large, a link or no YAML.
pub fn read(folder: &Path) -> Result<Chart> {
    if !folder.join("Chart.yaml").is_file() {
        let shown = shown_path(folder);
        return Err(
            Error::missing(format!("{} holds no chart", shown.display()))
                .hint(super::restore(folder)),
        );
    }
    let mut walk = Walk::new(folder)?;
    walk.below("", 0)?;
    let mut chart = Chart {
        metadata: Value::Null,
        values: Value::Object(Map::new()),
        schema: None,
        templates: Vec::new(),
        files: Vec::new(),
    };
    walk.files.sort_by(|one, other| one.path.cmp(&other.path));
    for file in walk.files {
        match file.path.as_str() {
            "Chart.yaml" => chart.metadata = map_of(&folder.join(&file.path), &file.bytes)?.into(),
            "values.yaml" => chart.values = map_of(&folder.join(&file.path), &file.bytes)?.into(),
            "values.schema.json" => chart.schema = Some(file.bytes),
            path if path.starts_with("templates/") => chart.templates.push(file),
            _ => chart.files.push(file),
        }
    }
    if chart.text("name").is_empty() {
        let shown = shown_path(&folder.join("Chart.yaml"));
        return Err(Error::invalid(format!("{} has no `name`", shown.display())));
    }
    Ok(chart)
}

/// Reads a file of values; `None` when there is none.
///
/// # Errors
/// When it is unreadable, too large or no map.
pub fn read_values(path: &Path) -> Result<Option<Map<String, Value>>> {
    match path.try_exists() {
        Ok(false) => Ok(None),
        Ok(true) => map_of(path, &read_file(path)?).map(Some),
        Err(cause) => Err(unreadable(path, &cause)),
    }
}

fn map_of(path: &Path, bytes: &[u8]) -> Result<Map<String, Value>> {
    let shown = shown_path(path);
    let text = std::str::from_utf8(bytes).map_err(|cause| {
        Error::invalid(format!("{} is no UTF-8 text", shown.display())).because(cause)
    })?;
    let place = |line: usize| {
        let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
        Place::of_offset(&shown, text, lines.map(str::len).sum(), 1)
    };
    match read_yaml(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(Error::invalid(format!("{} is no map", shown.display())).at(place(1))),
        Err(problem) => Err(match conflict_marker(text) {
            Some(marker) => Error::invalid(format!("{} holds conflict markers", shown.display()))
                .at(Place::of_offset(&shown, text, marker.start, marker.len()))
                .hint("Choose between the two sides, then run `gantline generate`"),
            None => Error::invalid(format!("{} is no YAML", shown.display()))
                .since(problem.message)
                .at(place(problem.line)),
        }),
    }
}

fn unreadable(path: &Path, cause: &std::io::Error) -> Error {
    let shown = shown_path(path);
    Error::invalid(format!("{} cannot be read", shown.display())).since(cause.to_string())
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    let size = fs::metadata(path)
        .map_err(|cause| unreadable(path, &cause))?
        .len();
    if size > LARGEST_FILE {
        let shown = shown_path(path);
        return Err(Error::invalid(format!(
            "{} is larger than {LARGEST_FILE} bytes",
            shown.display()
        )));
    }
    fs::read(path).map_err(|cause| unreadable(path, &cause))
}

struct Walk {
    folder: PathBuf,
    ignored: Gitignore,
    files: Vec<ChartFile>,
    bytes: u64,
}

impl Walk {
    fn new(folder: &Path) -> Result<Self> {
        let mut rules = GitignoreBuilder::new(folder);
        let path = folder.join(".helmignore");
        if path.is_file() {
            let text = String::from_utf8_lossy(&read_file(&path)?).into_owned();
            for line in text.lines() {
                rules.add_line(None, line).map_err(|cause| {
                    let shown = shown_path(&path);
                    Error::invalid(format!("{} has a wrong rule", shown.display())).because(cause)
                })?;
            }
        }
        let ignored = rules
            .build()
            .map_err(|cause| Error::invalid("the rules of .helmignore are wrong").because(cause))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            ignored,
            files: Vec::new(),
            bytes: 0,
        })
    }

    fn below(&mut self, prefix: &str, depth: usize) -> Result<()> {
        let folder = self.folder.join(prefix);
        if depth > DEEPEST {
            let shown = shown_path(&folder);
            return Err(Error::invalid(format!("{} lies too deep", shown.display())));
        }
        for entry in fs::read_dir(&folder).map_err(|cause| unreadable(&folder, &cause))? {
            let entry = entry.map_err(|cause| unreadable(&folder, &cause))?;
            let path = entry.path();
            let kind = entry
                .file_type()
                .map_err(|cause| unreadable(&path, &cause))?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| {
                Error::invalid(format!("{} is no UTF-8 name", shown_path(&path).display()))
            })?;
            let relative = match prefix {
                "" => name.to_owned(),
                _ => format!("{prefix}/{name}"),
            };
            if self.is_ignored(&relative, kind.is_dir()) {
                continue;
            }
            if kind.is_dir() {
                self.below(&relative, depth + 1)?;
            } else if kind.is_file() {
                self.add(relative, &path)?;
            } else {
                let shown = shown_path(&path);
                return Err(Error::invalid(format!(
                    "{} is neither a file nor a folder",
                    shown.display()
                ))
                .hint("A chart holds no links; put the file itself there"));
            }
        }
        Ok(())
    }

    /// Helm leaves out what `.helmignore` names, and hidden files among the templates.
    fn is_ignored(&self, relative: &str, is_folder: bool) -> bool {
        let hidden = relative
            .strip_prefix("templates/")
            .is_some_and(|rest| rest.starts_with('.') && !rest.contains('/'));
        hidden || self.ignored.matched(relative, is_folder).is_ignore()
    }

    fn add(&mut self, relative: String, path: &Path) -> Result<()> {
        let bytes = read_file(path)?;
        self.bytes += bytes.len() as u64;
        if self.files.len() >= MOST_FILES || self.bytes > LARGEST_CHART {
            let shown = shown_path(&self.folder);
            return Err(Error::invalid(format!(
                "the chart {} has more than {MOST_FILES} files or {LARGEST_CHART} bytes",
                shown.display()
            )));
        }
        self.files.push(ChartFile {
            path: relative,
            bytes,
        });
        Ok(())
    }
}
