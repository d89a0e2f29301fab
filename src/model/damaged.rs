//! What properties feed to readers: documents and archives that are sound but for a few places.
//! What is made by chance alone is refused at its first character, and reaches nothing.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

/// The size of a block of a tar archive (POSIX.1-1988), a header among them.
const BLOCK: usize = 512;
/// The kinds of entries of a tar archive: those of POSIX.1-1988 and POSIX.1-2001, and GNU's.
const KINDS: &[u8] = b"\x000123567LKSxgV";
/// What an entry of the kind `x` says of the one after it (POSIX.1-2001), and what is none.
const EXTENSIONS: &[&str] = &[
    "19 path=../outside\n",
    "29 size=18446744073709551615\n",
    "9 nothing",
];

/// Any JSON. Its texts and the names of its members are often these words, which mean something
/// to the reader.
pub fn any_json(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        select(words).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let member = (select(words), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(member, 0..4).prop_map(object),
        ]
    })
}

fn object(members: Vec<(&'static str, Value)>) -> Value {
    let members = members.into_iter();
    Value::Object(
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

/// A sound document in which some places hold anything, or are gone.
pub fn damaged_json(sound: Value, words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let change = (any::<Index>(), prop::option::weighted(0.8, any_json(words)));
    prop::collection::vec(change, 0..4).prop_map(move |changes| {
        let mut whole = sound.clone();
        for (at, value) in changes {
            let places = pointers(&whole);
            let place = at.get(&places);
            match value {
                Some(value) => put(&mut whole, place, value),
                None => take(&mut whole, place),
            }
        }
        whole
    })
}

/// The pointers (RFC 6901) of all that is in a value, itself included.
pub fn pointers(value: &Value) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
                .collect()
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(index, value)| (index.to_string(), value))
                .collect()
        }
        _ => Vec::new(),
    };
    let deeper = below.into_iter().flat_map(|(step, value)| {
        let inner = pointers(value).into_iter();
        inner.map(move |rest| format!("/{step}{rest}"))
    });
    std::iter::once(String::new()).chain(deeper).collect()
}

fn put(whole: &mut Value, place: &str, value: Value) {
    if let Some(target) = whole.pointer_mut(place) {
        *target = value;
    }
}

/// Takes away what is at a place; the whole document stays.
fn take(whole: &mut Value, place: &str) {
    let Some((parent, step)) = place.rsplit_once('/') else {
        return;
    };
    match whole.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(&step.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(items)) => {
            if let Ok(at) = step.parse::<usize>()
                && at < items.len()
            {
                items.remove(at);
            }
        }
        _ => {}
    }
}

/// Bytes some of which are others, and which may be cut off.
pub fn damaged_bytes(sound: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<Index>(), any::<u8>()), 0..4);
    let cut = prop::option::weighted(0.2, any::<Index>());
    (sound, changes, cut).prop_map(|(mut bytes, changes, cut)| {
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        bytes
    })
}

/// A tar archive of entries that are called and linked to these paths. Some headers are damaged,
/// and their checksums are right all the same.
pub fn damaged_tar(paths: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![3 => Just(b'0'), 1 => select(KINDS)];
    let content = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..700),
        1 => select(EXTENSIONS).prop_map(|text| text.as_bytes().to_vec()),
    ];
    let changes = prop::collection::vec((any::<Index>(), any::<u8>()), 0..3);
    let entry = (kind, select(paths), select(paths), content, changes);
    let entry = entry.prop_map(|(kind, path, target, content, changes)| {
        tar_entry((kind, path, target), &content, &changes)
    });
    let whole = prop::collection::vec(entry, 0..8).prop_map(|entries| {
        let mut archive = entries.concat();
        // Two empty blocks are the end.
        archive.resize(archive.len() + 2 * BLOCK, 0);
        archive
    });
    damaged_bytes(whole)
}

fn tar_entry(
    (kind, path, target): (u8, &str, &str),
    content: &[u8],
    changes: &[(Index, u8)],
) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    let fields = header.as_old_mut();
    // Written past the checks of the library, as a hostile archive would be.
    fields.name[..path.len()].copy_from_slice(path.as_bytes());
    fields.linkname[..target.len()].copy_from_slice(target.as_bytes());
    fields.linkflag = [kind];
    header.set_mode(0o755);
    header.set_size(content.len() as u64);
    for (at, byte) in changes {
        header.as_mut_bytes()[at.index(BLOCK)] = *byte;
    }
    header.set_cksum();
    let mut entry = header.as_bytes().to_vec();
    entry.extend_from_slice(content);
    entry.resize(entry.len().next_multiple_of(BLOCK), 0);
    entry
}
