//! Whether a blueprint is sound: everything that can be said without Go or the network.

use std::path::Path;

use super::samples::{SHAPES, combinations, render};
use crate::error::{Error, Place, Result};
use crate::model::blueprint::{Blueprint, Folder};
use crate::model::file_set::{FileSet, MergeKind, RenderedFile, TreePath};
use crate::render::code::{PARTS, TEMPLATE_SUFFIX};
use crate::render::condition::Condition;

/// Tags that a template may hold: lists are looped over, and conditions are folders' names.
const ALLOWED_TAGS: [&str; 4] = ["for", "endfor", "raw", "endraw"];
/// Files that act on the repository that holds the blueprint, unless they are templates.
const ACTING_FILES: [&str; 6] = [
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    ".dockerignore",
    "go.mod",
    "go.sum",
];

/// What a sound blueprint was tried with.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Checked {
    /// `go-service@1`.
    pub blueprint: String,
    /// How many sets of options it allows.
    pub combinations: usize,
    /// How many services were rendered: each set with names of each shape.
    pub rendered: usize,
    /// The most files that one of them has.
    pub files: usize,
    /// Of a blueprint that is only extended: the ones that extend it, through which it was
    /// rendered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<String>,
}

/// Checks a blueprint that is only extended: its own files, and everything through those that
/// extend it, since it has no options of its own to be rendered with.
///
/// # Errors
/// When it or one that extends it is not sound.
pub fn check_abstract(blueprint: &Blueprint, extending: &[Blueprint]) -> Result<Checked> {
    let problems = file_problems(blueprint);
    let name = name_of(blueprint);
    let summary = |count| format!("{name} has {count} problems");
    Error::none_of(summary, problems)?;
    let mut checked = Checked {
        blueprint: name,
        ..Checked::default()
    };
    for child in extending {
        let through = check(child, None)?;
        checked.combinations += through.combinations;
        checked.rendered += through.rendered;
        checked.files = checked.files.max(through.files);
        checked.through.push(through.blueprint);
    }
    Ok(checked)
}

fn name_of(blueprint: &Blueprint) -> String {
    let reference = blueprint.reference.as_ref();
    reference.map_or_else(|| "blueprint".to_owned(), ToString::to_string)
}

/// Checks a blueprint; all problems are reported. `before` is an earlier version, whose files
/// that are written once must be as they were.
///
/// # Errors
/// When it is not sound.
pub fn check(blueprint: &Blueprint, before: Option<&Blueprint>) -> Result<Checked> {
    let name = name_of(blueprint);
    let mut problems = file_problems(blueprint);
    let conditions = blueprint.folders.iter();
    problems.extend(conditions.filter_map(|folder| Condition::of(folder, blueprint).err()));
    let combinations = combinations(blueprint);
    if combinations.is_empty() {
        problems.push(Error::invalid("no set of options is allowed"));
    }
    let (mut rendered, mut files) = (0, 0);
    // What is wrong with a folder is wrong in every service: said once, above.
    let conditions_are_valid = problems.is_empty();
    for combination in combinations.iter().filter(|_| conditions_are_valid) {
        for shape in &SHAPES {
            let mut found = Vec::new();
            match render(blueprint, combination, shape) {
                Ok(set) => {
                    rendered += 1;
                    files = files.max(set.files.len());
                    let then = before.and_then(|before| render(before, combination, shape).ok());
                    if let (Some(before), Some(then)) = (before, then) {
                        found.extend(changed_once(before, &then, &set));
                    }
                }
                Err(error) => found.push(error),
            }
            for error in found {
                if !problems.iter().any(|known| same(known, &error)) {
                    let label = combination.label();
                    problems.push(error.since(format!("with {label}, {} names", shape.label)));
                }
            }
        }
    }
    let summary = |count| format!("{name} has {count} problems");
    Error::none_of(summary, problems)?;
    Ok(Checked {
        blueprint: name,
        combinations: combinations.len(),
        rendered,
        files,
        through: Vec::new(),
    })
}

fn same(known: &Error, new: &Error) -> bool {
    known.message() == new.message() && known.place() == new.place()
}

/// Files that an earlier version writes once, and this one makes otherwise.
fn changed_once(before: &Blueprint, then: &FileSet, now: &FileSet) -> Vec<Error> {
    let earlier = name_of(before);
    let is_once = |(_, file): &(&TreePath, &RenderedFile)| file.merge == MergeKind::Once;
    let changed = then.files.iter().filter(is_once).filter(|(path, file)| {
        let found = now.files.get(*path);
        found.is_none_or(|found| found.bytes != file.bytes)
    });
    changed
        .map(|(path, _)| {
            Error::invalid(format!("`{path}` is not what {earlier} makes"))
                .since("it is written once: databases may have applied it as it was")
                .hint("Leave it as it was, and add another file that comes after it")
        })
        .collect()
}

fn file_problems(blueprint: &Blueprint) -> Vec<Error> {
    let folders = blueprint.folders.iter();
    folders
        .flat_map(|folder| folder_problems(blueprint, folder))
        .collect()
}

fn folder_problems(blueprint: &Blueprint, folder: &Folder) -> Vec<Error> {
    let mut problems = Vec::new();
    for (path, file) in &folder.files {
        let name = format!("{}/{}/{path}", folder.blueprint, folder.name);
        if ACTING_FILES.contains(&path.file_name()) {
            problems.push(
                Error::invalid(format!("`{name}` acts on the repository of the blueprint")).hint(
                    format!("Rename it to `{}{TEMPLATE_SUFFIX}`.", path.file_name()),
                ),
            );
        }
        if path.as_str().ends_with(TEMPLATE_SUFFIX) {
            problems.extend(template_problems(&name, &file.bytes));
        }
        problems.extend(part_problem(blueprint, &name, path));
    }
    problems
}

/// A part that no combination would ever take in is said here, too.
fn part_problem(blueprint: &Blueprint, name: &str, path: &TreePath) -> Option<Error> {
    let part = path.as_str().strip_prefix(PARTS)?;
    let declared = part
        .strip_suffix(TEMPLATE_SUFFIX)
        .and_then(|part| part.rsplit_once('/'))
        .is_some_and(|(file, slot)| {
            let joint = blueprint.joints.get(file);
            joint.is_some_and(|joint| joint.slots.iter().any(|known| known == slot))
        });
    (!declared).then(|| {
        Error::invalid(format!("the part `{name}` fills no declared slot"))
            .hint("Declare it under `joints` in blueprint.yaml: parts are `parts/FILE/SLOT.tera`")
    })
}

/// Tags that decide something: conditions belong to folder names.
fn template_problems(name: &str, bytes: &[u8]) -> Vec<Error> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return vec![Error::invalid(format!("the template `{name}` is no text"))];
    };
    let mut problems = Vec::new();
    for (at, _) in text.match_indices("<%") {
        let tag = text[at + 2..].trim_start_matches('-').trim_start();
        let word: String = tag.chars().take_while(char::is_ascii_alphabetic).collect();
        let inside = tag.split("%>").next().unwrap_or_default();
        if !ALLOWED_TAGS.contains(&word.as_str()) || has_condition(inside) {
            problems.push(conditional(name, text, at));
        }
    }
    for (at, _) in text.match_indices("<{") {
        let inside = text[at + 2..].split("}>").next().unwrap_or_default();
        if has_condition(inside) {
            problems.push(conditional(name, text, at));
        }
    }
    problems
}

fn has_condition(expression: &str) -> bool {
    // Every second piece stands between quotes.
    let outside = expression.split(['"', '\'']).step_by(2);
    outside
        .flat_map(|piece| {
            piece.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        })
        .any(|word| word == "if")
}

fn conditional(name: &str, text: &str, at: usize) -> Error {
    Error::invalid(format!("the template `{name}` decides something"))
        .since("a template may loop over a list, and nothing else")
        .at(Place::of_offset(Path::new(name), text, at, 2))
        .hint("Move what depends on an option to a folder whose name is the condition")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::blueprint::{
        BlueprintFile, Count, Joint, OptionDefinition, OptionValues, Relations,
    };

    fn blueprint(files: &[(&str, &str, &str)]) -> Blueprint {
        let mut folders: BTreeMap<&str, Folder> = BTreeMap::new();
        for (folder, path, text) in files {
            let known = folders.entry(folder).or_insert_with(|| Folder {
                blueprint: "try".to_owned(),
                name: (*folder).to_owned(),
                files: BTreeMap::new(),
            });
            known.files.insert(
                TreePath::new(*path).unwrap(),
                BlueprintFile {
                    bytes: text.as_bytes().to_vec(),
                    executable: false,
                },
            );
        }
        let none = Count {
            at_least: 0,
            at_most: Some(0),
        };
        Blueprint {
            options: vec![OptionDefinition {
                name: "entity".to_owned(),
                values: OptionValues::Name,
                ..OptionDefinition::default()
            }],
            folders: folders.into_values().collect(),
            relations: Relations {
                needs: Count::default(),
                publishes: none,
                consumes: none,
            },
            joints: BTreeMap::from([(
                "wire.go".to_owned(),
                Joint {
                    slots: vec!["run".to_owned()],
                    sorted: Vec::new(),
                },
            )]),
            ..Blueprint::default()
        }
    }

    fn problem(files: &[(&str, &str, &str)]) -> String {
        let error = check(&blueprint(files), None).unwrap_err();
        let own = format!("{error} {:?}", error.place());
        error
            .related()
            .iter()
            .fold(own, |text, related| format!("{text}\n{related}"))
    }

    #[test]
    fn a_sound_blueprint_is_rendered_in_every_way() {
        let sound = blueprint(&[
            (
                "base",
                "cmd/{service}/wire.go.tera",
                "a\n<{ slots.run }>\nb\n",
            ),
            (
                "each=needs",
                "parts/wire.go/run.tera",
                "<{ peer.pascal }>\n",
            ),
            (
                "each=needs",
                "clients/{peer.package}.go.tera",
                "<{ peer.entity.words }>",
            ),
            ("each=needs", "clients/shared.go", "the same for all"),
        ]);
        let checked = check(&sound, None).unwrap();
        assert_eq!((checked.combinations, checked.rendered), (3, 9));
        assert_eq!(checked.files, 4);
    }

    #[test]
    fn unsound_blueprints_are_told_what_is_wrong() {
        for (files, expected) in [
            (vec![("store=x", "a", "")], "`store` is no option"),
            (
                vec![("base", "a.tera", "<% if x %><% endif %>")],
                "decides something",
            ),
            (
                vec![("base", "a.tera", "<{ a if b else c }>")],
                "decides something",
            ),
            (
                vec![("base", "a.tera", "<% include \"x\" %>")],
                "decides something",
            ),
            (
                vec![("base", "a.tera", "<{ nothing }>")],
                "`nothing` is not defined",
            ),
            (vec![("base", "{peer}", "")], "`{peer}` names nothing"),
            (vec![("base", ".gitignore", "")], "acts on the repository"),
            (
                vec![("base", "a", ""), ("each=needs", "a", "x")],
                "two templates make the file `a`",
            ),
            (
                vec![("each=needs", "a.tera", "<{ peer.kebab }>")],
                "two templates make the file `a`",
            ),
            (
                vec![("base", "parts/wire.go/stop.tera", "")],
                "fills no declared slot",
            ),
            (
                vec![("base", "parts/other.go/run.tera", "")],
                "fills no declared slot",
            ),
            (
                vec![("base", "parts/wire.go/run.tera", "x\n")],
                "no place to go",
            ),
        ] {
            let text = problem(&files);
            assert!(text.contains(expected), "{files:?}: {text}");
        }
    }

    #[test]
    fn a_file_that_is_written_once_may_not_change_and_others_may_follow() {
        let version = |files: &[(&str, &str, &str)]| Blueprint {
            once: vec!["migrations".to_owned()],
            ..blueprint(files)
        };
        let first = ("base", "migrations/1.sql", "create\n");
        let before = version(&[first, ("base", "a", "one\n")]);
        let added = ("base", "migrations/2.sql", "alter\n");
        let after = version(&[first, added, ("base", "a", "two\n")]);
        assert!(check(&after, Some(&before)).is_ok());
        for edited in [
            version(&[("base", "migrations/1.sql", "create if\n")]),
            version(&[added]),
        ] {
            let error = check(&edited, Some(&before)).unwrap_err();
            let expected = "`migrations/1.sql` is not what blueprint makes";
            assert_eq!(error.message(), expected);
        }
    }

    #[test]
    fn a_blueprint_that_is_only_extended_is_seen_through_those_that_extend_it() {
        let parent = Blueprint {
            is_abstract: true,
            options: Vec::new(),
            ..blueprint(&[("store=x", "a", "text")])
        };
        let checked = check_abstract(&parent, &[]).unwrap();
        assert_eq!((checked.rendered, checked.through.len()), (0, 0));
        let error = check_abstract(&parent, &[blueprint(&[("store=x", "a", "")])]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("`store` is no option"), "{text}");
        let acting = blueprint(&[("base", ".gitignore", "")]);
        assert!(check_abstract(&acting, &[]).is_err());
    }
}
