//! A blueprint as data: options, folders that are conditions, and files.

use std::collections::BTreeMap;

use super::file_set::TreePath;
use super::name::Name;
use super::project::BlueprintReference;

/// A blueprint with what it extends brought in: everything needed to render a service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Blueprint {
    /// Name and version; `None` only in tests.
    pub reference: Option<BlueprintReference>,
    /// One line on what it makes.
    pub summary: String,
    /// Whether it is only extended, never offered.
    pub is_abstract: bool,
    /// Versions that are reached only when they are asked for, each with the reason.
    pub breaking: BTreeMap<u32, String>,
    /// Folders of a service in which a file is written once and never changed afterwards.
    pub once: Vec<String>,
    /// Whether it is for services that name their image or Dockerfile, and is not named itself.
    pub container: bool,
    /// Options in the order they are asked, the parent's first.
    pub options: Vec<OptionDefinition>,
    /// Combinations that are refused.
    pub refusals: Vec<Refusal>,
    /// Words that options which take any name must not be, since code would not compile.
    pub reserved: Vec<ReservedWords>,
    /// Folders in the order in which their parts fill slots, the parent's first.
    pub folders: Vec<Folder>,
    /// Files to which several folders contribute, by file name.
    pub joints: BTreeMap<String, Joint>,
    /// Versions pinned in `pins.yaml`, for templates.
    pub pins: BTreeMap<String, String>,
    /// The services' ports unless a manifest says otherwise: `http` and `admin`.
    pub ports: BTreeMap<String, u16>,
    /// Whether services made from it publish or consume events, or call others; from blueprint.yaml.
    pub relations: Relations,
}

/// Which relations to others a blueprint's services may or must have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relations {
    /// How many events it may publish.
    pub publishes: Count,
    /// How many events it may consume.
    pub consumes: Count,
    /// How many services it may call.
    pub needs: Count,
}

/// An allowed number of something; `at_most` `None` is any number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// At least this many.
    pub at_least: usize,
    /// At most this many.
    pub at_most: Option<usize>,
}

/// A choice that a blueprint offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionDefinition {
    /// The option's name: `store`.
    pub name: String,
    /// One line on what it decides, asked at a terminal.
    pub summary: String,
    /// What it may be: choices in order, or any name.
    pub values: OptionValues,
    /// The value when none is given; `None` makes it required.
    pub default: Option<String>,
}

/// What an option may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValues {
    /// One of these.
    Choices(Vec<Choice>),
    /// Any name in kebab case (an entity).
    Name,
}

impl Default for OptionValues {
    fn default() -> Self {
        Self::Choices(Vec::new())
    }
}

/// One choice of an option.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Its name: `postgres`.
    pub name: String,
    /// One line on what it brings.
    pub summary: String,
    /// Traits that folders may ask for: `kind: sql`.
    pub traits: BTreeMap<String, String>,
    /// The resource type that it uses under the option's name as role: `postgres`.
    pub resource: Option<String>,
    /// Whether the resource belongs to this service alone (`orders-db`) or is shared (`events`).
    pub resource_name: Option<String>,
}

/// Whose names are reserved words kept from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReservedOf {
    /// Options that take any name.
    #[default]
    Option,
    /// Events that are published or consumed.
    Event,
}

/// Words that nothing of a kind may have as its package's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReservedWords {
    /// What must not be called so.
    pub of: ReservedOf,
    /// Why, in a sentence.
    pub reason: String,
    /// The words, without hyphens.
    pub words: Vec<String>,
    /// Words that, put after the name of another event, give a name that the code of that one
    /// has already: `type` keeps `order-placed-type` from standing beside `order-placed`.
    pub beside: Vec<String>,
}

/// A combination that is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// `option` or `option.trait`, and the value that is refused when all hold.
    pub when: BTreeMap<String, String>,
    /// Why, in a sentence.
    pub reason: String,
    /// Options to change to reach the nearest valid combination.
    pub nearest: BTreeMap<String, String>,
}

/// A folder of files and its condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// The blueprint whose folder it is, for messages.
    pub blueprint: String,
    /// Its name, which is its condition: `store.kind=sql+messaging.kind=broker`.
    pub name: String,
    /// Files by path below the folder, template suffix and `parts/` included.
    pub files: BTreeMap<TreePath, BlueprintFile>,
}

/// A file of a blueprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlueprintFile {
    /// The content.
    pub bytes: Vec<u8>,
    /// Whether it is a program.
    pub executable: bool,
}

/// A file to which several folders contribute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joint {
    /// The slots that parts may fill.
    pub slots: Vec<String>,
    /// Slots whose lines are sorted by import path, without duplicates.
    pub sorted: Vec<String>,
}

/// What a service chose, as a blueprint judges it.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// Choices by option.
    pub options: &'a BTreeMap<String, String>,
    /// How many events it publishes.
    pub publishes: usize,
    /// How many events it consumes.
    pub consumes: usize,
    /// How many services it calls.
    pub needs: usize,
}

impl OptionDefinition {
    /// The choices; none when it takes any name.
    pub fn choices(&self) -> &[Choice] {
        match &self.values {
            OptionValues::Choices(choices) => choices,
            OptionValues::Name => &[],
        }
    }

    /// The choice of this name.
    pub fn choice(&self, name: &str) -> Option<&Choice> {
        self.choices().iter().find(|choice| choice.name == name)
    }
}

impl Blueprint {
    /// Whether a service's file, by its path in the service's folder, is written once.
    pub fn is_once(&self, path: &TreePath) -> bool {
        self.once.iter().any(|folder| {
            let below = path.as_str().strip_prefix(folder.as_str());
            below.is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// The option of this name.
    pub fn option(&self, name: &str) -> Option<&OptionDefinition> {
        self.options.iter().find(|option| option.name == name)
    }

    /// The first refusal that applies to a selection.
    pub fn refusal(&self, selection: &Selection<'_>) -> Option<&Refusal> {
        self.refusals
            .iter()
            .find(|refusal| self.applies(refusal, selection))
    }

    fn applies(&self, refusal: &Refusal, selection: &Selection<'_>) -> bool {
        refusal
            .when
            .iter()
            .all(|(subject, value)| match selection.relation(subject) {
                Some(count) => (value == "any") == (count > 0),
                None => self.value_of(subject, selection.options) == Some(value),
            })
    }

    /// The words that keep something from having this name.
    pub fn reserved(&self, of: ReservedOf, name: &str) -> Option<&ReservedWords> {
        let package = name.replace('-', "");
        let mut reserved = self.reserved.iter();
        reserved.find(|reserved| reserved.of == of && reserved.words.contains(&package))
    }

    /// The event beside which another one cannot be called so, and why: both would give one name
    /// in the code.
    pub fn event_beside<'a>(
        &self,
        event: &Name,
        all: &[&'a Name],
    ) -> Option<(&'a Name, &ReservedWords)> {
        let events = self.reserved.iter().filter(|it| it.of == ReservedOf::Event);
        for reserved in events {
            for word in &reserved.beside {
                let before = event.as_str().strip_suffix(word.as_str());
                let before = before.and_then(|before| before.strip_suffix('-'));
                let other = all.iter().find(|other| Some(other.as_str()) == before);
                if let Some(other) = other {
                    return Some((*other, reserved));
                }
            }
        }
        None
    }

    /// What a selection has for `option` or `option.trait`.
    pub fn value_of<'a>(
        &'a self,
        subject: &str,
        options: &'a BTreeMap<String, String>,
    ) -> Option<&'a String> {
        let Some((option, name)) = subject.split_once('.') else {
            return options.get(subject);
        };
        let choice = options.get(option)?;
        self.option(option)?.choice(choice)?.traits.get(name)
    }
}

impl Selection<'_> {
    fn relation(&self, subject: &str) -> Option<usize> {
        match subject {
            "publishes" => Some(self.publishes),
            "consumes" => Some(self.consumes),
            "needs" => Some(self.needs),
            _ => None,
        }
    }
}

impl Count {
    /// Whether this many are allowed.
    pub fn allows(&self, count: usize) -> bool {
        count >= self.at_least && self.at_most.is_none_or(|most| count <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_refusal_applies_when_all_of_it_holds() {
        let nats = Choice {
            name: "nats".to_owned(),
            traits: map(&[("kind", "broker")]),
            ..Choice::default()
        };
        let blueprint = Blueprint {
            options: vec![OptionDefinition {
                name: "messaging".to_owned(),
                values: OptionValues::Choices(vec![nats]),
                ..OptionDefinition::default()
            }],
            refusals: vec![
                Refusal {
                    when: map(&[("store", "none"), ("messaging.kind", "broker")]),
                    ..Refusal::default()
                },
                Refusal {
                    when: map(&[("messaging", "none"), ("publishes", "any")]),
                    ..Refusal::default()
                },
            ],
            ..Blueprint::default()
        };
        let refused = |store: &str, messaging: &str, publishes| {
            let options = map(&[("store", store), ("messaging", messaging)]);
            let selection = Selection {
                options: &options,
                publishes,
                consumes: 0,
                needs: 0,
            };
            blueprint.refusal(&selection).is_some()
        };
        assert!(refused("none", "nats", 0));
        assert!(!refused("postgres", "nats", 1));
        assert!(refused("postgres", "none", 1));
        assert!(!refused("postgres", "none", 0));
    }
}
