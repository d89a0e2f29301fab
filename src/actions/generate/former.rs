//! Services that were generated in another folder: renamed, moved or copied since. What was
//! generated there is the ancestor of what is generated here.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::files::{BaseEntry, BaseIndex, BaseState, FileTree, Found, ObjectKind};
use crate::error::Result;
use crate::model::file_set::TreePath;
use crate::model::name::Name;
use crate::render::merge::is_same_text;

use super::decide::{Situation, is_as_generated};
use super::group::Group;
use super::records::Indexes;

/// What a service was before.
#[derive(Debug)]
pub(super) struct Former {
    /// Its folder then.
    pub folder: TreePath,
    /// What was generated then, at the paths that it has now.
    pub index: BaseIndex,
    /// Files that are called after the former name, by what they are called now.
    pub moved: BTreeMap<TreePath, TreePath>,
    /// How many generated files are as they were.
    same: usize,
}

impl Former {
    /// What a service was before, where most of what was generated for another lies in its folder;
    /// `None` for one that was generated here, is new, or could as well have been either of two.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn find(
        group: &Group,
        (own, indexes): (&BaseIndex, &Indexes),
        tree: &dyn FileTree,
    ) -> Result<Option<Self>> {
        let Some(directory) = &group.directory else {
            return Ok(None);
        };
        let is_here = own.entries.keys().any(|path| path.is_in(directory));
        if is_here || tree.list(directory)?.is_empty() {
            return Ok(None);
        }
        let look = Look {
            group,
            directory,
            tree,
        };
        let mut found = Vec::new();
        for (name, index) in indexes.services() {
            // An index of its own name says by itself whose it is.
            let is_said = !own.entries.is_empty();
            let is_wanted = |folder: &TreePath| match is_said {
                true => name == group.name,
                false => folder.file_name() == name,
            };
            for folder in common_folders(index).into_iter().filter(is_wanted) {
                let former = look.former(index, folder)?;
                let lasting = index.entries.values().filter(|entry| lasts(entry)).count();
                found.extend((is_said || former.same * 2 > lasting).then_some(former));
            }
        }
        found.sort_by_key(|former| former.same);
        let best = found.pop();
        Ok(best.filter(|best| found.last().is_none_or(|second| second.same < best.same)))
    }
}

/// Whether a file is expected to be there.
fn lasts(entry: &BaseEntry) -> bool {
    matches!(entry.state, BaseState::Generated | BaseState::Once)
}

/// The folders that all files of an index lie in.
fn common_folders(index: &BaseIndex) -> Vec<TreePath> {
    let paths = &index.entries;
    let (Some((first, _)), Some((last, _))) = (paths.first_key_value(), paths.last_key_value())
    else {
        return Vec::new();
    };
    let text = first.as_str();
    let ends = text.match_indices('/').map(|(end, _)| end);
    // What lies between the first and the last in order shares what they share.
    ends.filter_map(|end| TreePath::new(&text[..end]).ok())
        .filter(|folder| last.is_in(folder))
        .collect()
}

/// Where a former service is looked for.
struct Look<'a> {
    group: &'a Group,
    directory: &'a TreePath,
    tree: &'a dyn FileTree,
}

impl Look<'_> {
    fn former(&self, index: &BaseIndex, folder: TreePath) -> Result<Former> {
        let (before, now) = (folder.file_name(), self.directory.file_name());
        let mut former = Former {
            index: BaseIndex::default(),
            moved: BTreeMap::new(),
            same: 0,
            folder: folder.clone(),
        };
        for (path, entry) in &index.entries {
            let Some(below) = below(path, &folder) else {
                continue;
            };
            let here = below.below(self.directory);
            let place = renamed(&below, (before, now)).map(|it| it.below(self.directory));
            let place = place.filter(|it| self.group.files.contains_key(it));
            let place = place.unwrap_or_else(|| here.clone());
            if place != here && self.is_free(&place)? && self.is_left(&here)? {
                former.moved.insert(place.clone(), here.clone());
            }
            let found = self.tree.read(former.moved.get(&place).unwrap_or(&place))?;
            former.same += usize::from(lasts(entry) && self.is_same(entry, &place, found));
            former.index.entries.insert(place, entry.clone());
        }
        self.add_neighbours(&mut former)?;
        Ok(former)
    }

    /// Whether a file is as it was generated, or as it is generated now.
    fn is_same(&self, entry: &BaseEntry, place: &TreePath, found: Found) -> bool {
        let rendered = self.group.files.get(place);
        let situation = Situation::new(Some(entry), rendered, found);
        let Found::File(file) = &situation.found else {
            return false;
        };
        is_as_generated(&situation, entry, file)
            || rendered.is_some_and(|it| is_same_text(&file.bytes, &it.bytes))
    }

    /// What the user put beside files that are moved goes with them.
    fn add_neighbours(&self, former: &mut Former) -> Result<()> {
        let folders: BTreeSet<(TreePath, TreePath)> = former
            .moved
            .iter()
            .filter_map(|(now, before)| differing_folders(now, before))
            .collect();
        let known: BTreeSet<TreePath> = former.moved.values().cloned().collect();
        for (now, before) in folders {
            for path in self.tree.list(&before)? {
                let Some(place) = below(&path, &before).map(|it| it.below(&now)) else {
                    continue;
                };
                if !known.contains(&path) && self.is_free(&place)? && self.is_left(&path)? {
                    former.moved.insert(place, path);
                }
            }
        }
        Ok(())
    }

    fn is_free(&self, path: &TreePath) -> Result<bool> {
        Ok(self.tree.metadata(path)?.is_none())
    }

    /// Whether there is a file that nothing generates under this name any more.
    fn is_left(&self, path: &TreePath) -> Result<bool> {
        let metadata = self.tree.metadata(path)?;
        let is_file = metadata.is_some_and(|it| it.kind == ObjectKind::File);
        Ok(is_file && !self.group.files.contains_key(path))
    }
}

/// A path of a folder as it is called there.
fn below(path: &TreePath, folder: &TreePath) -> Option<TreePath> {
    let below = path.as_str().strip_prefix(folder.as_str())?;
    TreePath::new(below.strip_prefix('/')?).ok()
}

/// A path with one name for another wherever a part of it begins with that name, in any form that
/// a blueprint may give it.
fn renamed(path: &TreePath, (before, now): (&str, &str)) -> Option<TreePath> {
    let (before, now) = (Name::new(before).ok()?, Name::new(now).ok()?);
    let forms = [&before, &now].map(|name| {
        let (kebab, snake, package) = (name.to_string(), name.snake(), name.package());
        [
            kebab,
            snake,
            package,
            name.pascal(),
            name.camel(),
            name.env(),
        ]
    });
    let in_part = |part: &str| {
        let mut pairs = forms[0].iter().zip(&forms[1]);
        let renamed = pairs.find_map(|(before, now)| {
            let rest = part.strip_prefix(before.as_str())?;
            let ends = !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
            ends.then(|| format!("{now}{rest}"))
        });
        renamed.unwrap_or_else(|| part.to_owned())
    };
    let parts: Vec<String> = path.as_str().split('/').map(in_part).collect();
    TreePath::new(parts.join("/")).ok()
}

/// The first folders in which two paths differ; `None` where only the files are called otherwise.
fn differing_folders(one: &TreePath, other: &TreePath) -> Option<(TreePath, TreePath)> {
    let parts =
        |path: &TreePath| -> Vec<String> { path.as_str().split('/').map(str::to_owned).collect() };
    let (one, other) = (parts(one), parts(other));
    let at = one
        .iter()
        .zip(&other)
        .position(|(one, other)| one != other)?;
    let folder = |parts: &[String]| {
        let is_folder = at + 1 < parts.len();
        is_folder
            .then(|| TreePath::new(parts[..=at].join("/")).ok())
            .flatten()
    };
    Some((folder(&one)?, folder(&other)?))
}
