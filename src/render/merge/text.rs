//! Three-way merge by lines.

use diffy::{ConflictStyle, IncompleteHunkStyle, MergeOptions};

use super::markers::{BASE, GENERATED, YOURS, marker, whole};
use super::{Merged, Texts};

/// The shortest marker asked of diffy: longer than any that a file may hold already.
const SHORTEST_MARKER: usize = 24;

/// Merges by lines; where both touched the same ones, marks them in git's style.
pub(super) fn merge(texts: Texts<'_>) -> Merged {
    let length = unused_marker_length(texts);
    match by_lines(texts, length) {
        Ok(merged) if is_unambiguous(texts, &merged) && keeps_both_edits(texts, &merged) => {
            Merged::Clean(merged.into_bytes())
        }
        Ok(_) => marked_region(texts),
        Err(marked) => relabel(&marked, length),
    }
}

fn by_lines(texts: Texts<'_>, marker_length: usize) -> Result<String, String> {
    MergeOptions::new()
        .set_conflict_marker_length(marker_length)
        .set_conflict_style(ConflictStyle::Diff3)
        .set_incomplete_hunk_style(IncompleteHunkStyle::Git)
        .merge(texts.base, texts.yours, texts.generated)
}

/// Whether the merge is the same when it is made from the last line to the first.
///
/// Lines that repeat can be matched in several ways; where that decides what comes out, nobody
/// but the user knows which is meant.
fn is_unambiguous(texts: Texts<'_>, merged: &str) -> bool {
    let (base, yours, generated) = (
        reversed(texts.base),
        reversed(texts.yours),
        reversed(texts.generated),
    );
    let backwards = Texts {
        base: &base,
        yours: &yours,
        generated: &generated,
    };
    by_lines(backwards, SHORTEST_MARKER).is_ok_and(|found| found == reversed(merged))
}

/// Whether lines that stand beside an equal one are in the merge as often as both edits say.
///
/// Nobody can tell which of them an edit took away, so two edits may pass for one, from both ends.
fn keeps_both_edits(texts: Texts<'_>, merged: &str) -> bool {
    let base: Vec<&str> = texts.base.lines().collect();
    let beside_an_equal_one = base.windows(2).filter(|pair| pair[0] == pair[1]);
    let mut lines: Vec<&str> = beside_an_equal_one.map(|pair| pair[0]).collect();
    lines.sort_unstable();
    lines.dedup();
    let count = |text: &str, line: &str| text.lines().filter(|other| *other == line).count();
    lines.iter().all(|line| {
        let wanted = count(texts.yours, line) + count(texts.generated, line);
        count(merged, line) + count(texts.base, line) == wanted
    })
}

/// The lines in reverse; the missing break of a last line is a missing empty line at the top.
fn reversed(text: &str) -> String {
    text.split('\n')
        .rev()
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// One conflict, from the first line that differs to the last.
fn marked_region(texts: Texts<'_>) -> Merged {
    let sides = [texts.base, texts.yours, texts.generated]
        .map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let [base, yours, generated] = &sides;
    let shortest = sides.iter().map(Vec::len).min().unwrap_or_default();
    let same = |lines: [Option<&&str>; 3]| lines[0] == lines[1] && lines[1] == lines[2];
    let head = (0..shortest)
        .take_while(|at| same([base.get(*at), yours.get(*at), generated.get(*at)]))
        .count();
    let from_end = |lines: &[&str], at: usize| lines.len() - 1 - at;
    let tail = (0..shortest - head)
        .take_while(|at| {
            same([&base, &yours, &generated].map(|lines| lines.get(from_end(lines, *at))))
        })
        .count();
    let inside = |lines: &[&str]| lines[head..lines.len() - tail].concat();
    let mut text = yours[..head].concat();
    text.push_str(&whole(&inside(yours), &inside(base), &inside(generated)));
    text.push_str(&yours[yours.len() - tail..].concat());
    Merged::Conflict {
        bytes: text.into_bytes(),
        places: 1,
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
