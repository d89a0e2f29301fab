//! What happens to one file: the table of outcomes.

use std::borrow::Cow;

use crate::engine::files::{
    BaseEntry, BaseState, BaseStore, ContentHash, FileContent, Found, StoredObject,
};
use crate::error::Result;
use crate::model::file_set::{MergeKind, RenderedFile};
use crate::model::plan::{ConflictSides, Outcome};
use crate::render::imports::ModuleMove;
use crate::render::merge::{
    Merged, Versions, has_conflict_markers, is_same_text, merge, with_unix_line_ends,
};

/// What is known of one path.
pub(super) struct Situation<'a> {
    /// What the base says; `None` when it was not generated before.
    pub entry: Option<&'a BaseEntry>,
    /// What is generated now; `None` when nothing is any more.
    pub rendered: Option<&'a RenderedFile>,
    /// The hash of that.
    pub rendered_hash: Option<ContentHash>,
    /// What is on disk.
    pub found: Found,
    /// The hash of that, when it is a file.
    pub found_hash: Option<ContentHash>,
    /// How the path of the module that it is a Go file of differs from what it was.
    module: Option<&'a ModuleMove>,
}

impl<'a> Situation<'a> {
    /// What is known, with the hash of each content.
    pub fn new(
        entry: Option<&'a BaseEntry>,
        rendered: Option<&'a RenderedFile>,
        found: Found,
    ) -> Self {
        let rendered_hash = rendered.map(|file| ContentHash::of(&file.bytes));
        let found_hash = match (&found, rendered) {
            (Found::File(file), Some(rendered)) if file.bytes == rendered.bytes => rendered_hash,
            (Found::File(file), _) => Some(ContentHash::of(&file.bytes)),
            (Found::Absent | Found::Other(_), _) => None,
        };
        Self {
            entry,
            rendered,
            rendered_hash,
            found,
            found_hash,
            module: None,
        }
    }

    /// The same of a Go file whose module has another path now.
    pub fn of_module(self, module: Option<&'a ModuleMove>) -> Self {
        Self { module, ..self }
    }

    /// A version of the file, with its imports of its own module as they are called now.
    fn followed<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        match self.module {
            Some(module) => module.followed(bytes),
            None => Cow::Borrowed(bytes),
        }
    }

    /// The contents that are known, each with its hash.
    pub fn contents(&self) -> impl Iterator<Item = (ContentHash, &[u8])> {
        let rendered = self.rendered.map(|file| file.bytes.as_slice());
        let on_disk = match &self.found {
            Found::File(content) => Some(content.bytes.as_slice()),
            Found::Absent | Found::Other(_) => None,
        };
        let pairs = [
            self.rendered_hash.zip(rendered),
            self.found_hash.zip(on_disk),
        ];
        pairs.into_iter().flatten()
    }

    /// What is generated now as an entry of the base.
    fn current(&self) -> Option<BaseEntry> {
        let entry = BaseEntry::generated(self.rendered_hash?);
        Some(match self.rendered?.merge {
            MergeKind::Once => entry.in_state(BaseState::Once),
            _ => entry,
        })
    }
}

/// What happens to one path.
#[derive(Debug, Default)]
pub(super) struct Decision {
    /// What is said; `None` when everything was said before.
    pub outcome: Option<Outcome>,
    /// The content afterwards.
    pub after: Option<Vec<u8>>,
    /// What the base says afterwards.
    pub entry: Option<BaseEntry>,
    /// What a marked conflict is between.
    pub sides: Option<ConflictSides>,
}

impl Decision {
    fn of(outcome: Outcome, entry: Option<BaseEntry>) -> Self {
        Self {
            outcome: Some(outcome),
            entry,
            ..Self::default()
        }
    }

    fn quiet(entry: &BaseEntry) -> Self {
        Self {
            entry: Some(entry.clone()),
            ..Self::default()
        }
    }

    fn writing(mut self, after: Vec<u8>) -> Self {
        self.after = Some(after);
        self
    }

    fn keeping(self, file: &FileContent) -> Self {
        self.writing(file.bytes.clone())
    }
}

/// Decides what happens to one path.
pub(super) fn decide(situation: &Situation<'_>, store: &BaseStore<'_>) -> Result<Decision> {
    let decision = decide_by_versions(situation, store)?;
    let stays = |outcome: &Outcome| !outcome.writes() && !outcome.needs_the_user();
    match &situation.found {
        Found::File(file) if decision.outcome.as_ref().is_none_or(stays) => {
            Ok(match situation.followed(&file.bytes) {
                Cow::Borrowed(_) => decision,
                // It stays the user's, and would not build.
                Cow::Owned(followed) => Decision {
                    outcome: Some(Outcome::Merged),
                    after: Some(followed),
                    ..decision
                },
            })
        }
        _ => Ok(decision),
    }
}

fn decide_by_versions(situation: &Situation<'_>, store: &BaseStore<'_>) -> Result<Decision> {
    match (situation.entry, situation.rendered) {
        (None, None) => Ok(Decision::default()),
        (None, Some(rendered)) => Ok(decide_new(situation, rendered)),
        (Some(entry), None) => Ok(decide_gone(situation, entry)),
        (Some(entry), Some(rendered)) => match &situation.found {
            Found::Absent => Ok(decide_deleted(entry)),
            // The user put something else there, which is never touched.
            Found::Other(_) => Ok(decide_replaced(situation, entry)),
            Found::File(file) if rendered.merge == MergeKind::Once => {
                Ok(decide_once(situation, (entry, rendered, file)))
            }
            Found::File(file) => decide_present(situation, (entry, rendered, file), store),
        },
    }
}

fn decide_new(situation: &Situation<'_>, rendered: &RenderedFile) -> Decision {
    let entry = situation.current();
    match &situation.found {
        Found::Absent => Decision::of(Outcome::Created, entry).writing(rendered.bytes.clone()),
        Found::File(file) if is_same_text(&file.bytes, &rendered.bytes) => {
            Decision::of(Outcome::Unchanged, entry).keeping(file)
        }
        Found::File(file) => Decision::of(Outcome::Occupied, None).keeping(file),
        Found::Other(_) => Decision::of(Outcome::Occupied, None),
    }
}

fn decide_gone(situation: &Situation<'_>, entry: &BaseEntry) -> Decision {
    match (entry.state, &situation.found) {
        (BaseState::Deleted | BaseState::Released, _) | (_, Found::Absent) => Decision::default(),
        (BaseState::Once, Found::File(file)) => {
            Decision::of(Outcome::WrittenOnce, None).keeping(file)
        }
        (BaseState::Generated, Found::File(file)) if is_as_generated(situation, entry, file) => {
            Decision::of(Outcome::Deleted, None)
        }
        (BaseState::Generated, Found::File(file)) => {
            Decision::of(Outcome::Released, None).keeping(file)
        }
        (BaseState::Generated | BaseState::Once, Found::Other(_)) => {
            Decision::of(Outcome::Released, None)
        }
    }
}

fn decide_deleted(entry: &BaseEntry) -> Decision {
    match entry.state {
        BaseState::Generated | BaseState::Once => {
            let entry = entry.in_state(BaseState::Deleted);
            Decision::of(Outcome::StaysDeleted, Some(entry))
        }
        BaseState::Deleted | BaseState::Released => Decision::quiet(entry),
    }
}

fn decide_replaced(situation: &Situation<'_>, entry: &BaseEntry) -> Decision {
    if is_among(entry, situation.rendered_hash) {
        Decision::of(Outcome::Kept, Some(entry.clone()))
    } else {
        Decision::of(Outcome::Occupied, None)
    }
}

/// A file that is written once: what a later version makes of it is not taken over.
fn decide_once(
    situation: &Situation<'_>,
    (entry, rendered, file): (&BaseEntry, &RenderedFile, &FileContent),
) -> Decision {
    let outcome = if is_same_text(&file.bytes, &rendered.bytes) {
        Outcome::Unchanged
    } else if is_among(entry, situation.rendered_hash) {
        Outcome::Kept
    } else {
        Outcome::WrittenOnce
    };
    Decision::of(outcome, Some(entry.in_state(BaseState::Once))).keeping(file)
}

fn decide_present(
    situation: &Situation<'_>,
    (entry, rendered, file): (&BaseEntry, &RenderedFile, &FileContent),
    store: &BaseStore<'_>,
) -> Result<Decision> {
    let current = || situation.current();
    if is_same_text(&file.bytes, &rendered.bytes) {
        return Ok(Decision::of(Outcome::Unchanged, current()).keeping(file));
    }
    if is_as_generated(situation, entry, file) {
        let updated = with_line_ends_of(file, &rendered.bytes);
        return Ok(Decision::of(Outcome::Updated, current()).writing(updated));
    }
    if has_conflict_markers(&file.bytes) && !has_conflict_markers(&rendered.bytes) {
        return Ok(Decision::of(Outcome::Unresolved, Some(entry.clone())).keeping(file));
    }
    if is_among(entry, situation.rendered_hash) {
        return Ok(Decision::of(Outcome::Kept, current()).keeping(file));
    }
    let mut bases = bases_of(entry, store)?;
    if bases.is_empty() {
        return Ok(match entry.state {
            BaseState::Released => Decision::quiet(entry),
            BaseState::Generated | BaseState::Once | BaseState::Deleted => {
                let entry = entry.in_state(BaseState::Released);
                Decision::of(Outcome::BaseMissing, Some(entry)).keeping(file)
            }
        });
    }
    for base in &mut bases {
        if let Cow::Owned(followed) = situation.followed(base) {
            *base = followed;
        }
    }
    let yours = situation.followed(&file.bytes);
    let Some((base, merged)) = best_merge(&bases, rendered, &yours) else {
        return Ok(Decision::of(Outcome::Occupied, None).keeping(file));
    };
    Ok(match merged {
        Merged::Clean(bytes) if bytes == file.bytes => {
            Decision::of(Outcome::Kept, current()).writing(bytes)
        }
        Merged::Clean(bytes) => Decision::of(Outcome::Merged, current()).writing(bytes),
        Merged::Conflict { bytes, places } => {
            let sides = ConflictSides {
                base: base.to_vec(),
                generated: rendered.bytes.clone(),
            };
            let decision = Decision::of(Outcome::Conflict { places }, current());
            Decision {
                sides: Some(sides),
                ..decision.writing(bytes)
            }
        }
        Merged::Unmergeable => Decision::of(Outcome::Occupied, None).keeping(file),
    })
}

/// Whether the user has not edited it; git may have changed its line ends.
pub(super) fn is_as_generated(
    situation: &Situation<'_>,
    entry: &BaseEntry,
    file: &FileContent,
) -> bool {
    let unix = || with_unix_line_ends(&file.bytes).map(|unix| ContentHash::of(&unix));
    is_among(entry, situation.found_hash) || is_among(entry, unix())
}

fn is_among(entry: &BaseEntry, hash: Option<ContentHash>) -> bool {
    hash.is_some_and(|hash| entry.hashes.contains(&hash))
}

/// New content for a file that is as generated, except that git may have changed its line ends.
fn with_line_ends_of(file: &FileContent, rendered: &[u8]) -> Vec<u8> {
    let Some(unix) = with_unix_line_ends(&file.bytes) else {
        return rendered.to_vec();
    };
    let versions = Versions {
        base: &unix,
        yours: &file.bytes,
        generated: rendered,
    };
    match merge(Default::default(), versions) {
        Merged::Clean(bytes) => bytes,
        Merged::Conflict { .. } | Merged::Unmergeable => rendered.to_vec(),
    }
}

fn bases_of(entry: &BaseEntry, store: &BaseStore<'_>) -> Result<Vec<Vec<u8>>> {
    let mut bases = Vec::new();
    for hash in &entry.hashes {
        if let StoredObject::Content(bytes) = store.object(*hash)? {
            bases.push(bytes);
        }
    }
    Ok(bases)
}

/// After git has merged two branches there are several bases, each of which was generated: the
/// one with the fewest conflicts explains best what the user did.
fn best_merge<'b>(
    bases: &'b [Vec<u8>],
    rendered: &RenderedFile,
    yours: &[u8],
) -> Option<(&'b [u8], Merged)> {
    let merges = bases.iter().map(|base| {
        let versions = Versions {
            base,
            yours,
            generated: &rendered.bytes,
        };
        (base.as_slice(), merge(rendered.merge, versions))
    });
    merges.min_by_key(|(_, merged)| match merged {
        Merged::Clean(_) => 0,
        Merged::Conflict { places, .. } => *places,
        Merged::Unmergeable => usize::MAX,
    })
}
