//! Three-way merge by lines.

use diffy::{ConflictStyle, IncompleteHunkStyle, MergeOptions};

use super::markers::{BASE, GENERATED, YOURS, marker};
use super::{Merged, Texts};

/// The shortest marker asked of diffy: longer than any that a file may hold already.
const SHORTEST_MARKER: usize = 24;

/// Merges by lines; where both touched the same ones, marks them in git's style.
pub(super) fn merge(texts: Texts<'_>) -> Merged {
    let length = unused_marker_length(texts);
    let result = MergeOptions::new()
        .set_conflict_marker_length(length)
        .set_conflict_style(ConflictStyle::Diff3)
        .set_incomplete_hunk_style(IncompleteHunkStyle::Git)
        .merge(texts.base, texts.yours, texts.generated);
    match result {
        Ok(merged) => Merged::Clean(merged.into_bytes()),
        Err(marked) => relabel(&marked, length),
    }
}

/// Longer than any run of marker letters in the texts, so that our markers are told from theirs.
fn unused_marker_length(texts: Texts<'_>) -> usize {
    [texts.base, texts.yours, texts.generated]
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| {
            let first = line.bytes().next().filter(|byte| b"<|=>".contains(byte))?;
            Some(line.bytes().take_while(|byte| *byte == first).count())
        })
        .fold(SHORTEST_MARKER, |longest, run| longest.max(run + 1))
}

fn relabel(marked: &str, length: usize) -> Merged {
    let long = |letter: char| letter.to_string().repeat(length);
    let markers = [
        (long('<'), marker('<', Some(YOURS))),
        (long('|'), marker('|', Some(BASE))),
        (long('='), marker('=', None)),
        (long('>'), marker('>', Some(GENERATED))),
    ];
    let mut text = String::with_capacity(marked.len());
    let mut places = 0;
    for line in marked.split_inclusive('\n') {
        match markers.iter().find(|(long, _)| line.starts_with(long)) {
            Some((_, ours)) => {
                places += usize::from(ours.starts_with('<'));
                text.push_str(ours);
                text.push('\n');
            }
            None => text.push_str(line),
        }
    }
    Merged::Conflict {
        bytes: text.into_bytes(),
        places,
    }
}
