//! A blueprint as data: options, folders that are conditions, and files.

use std::collections::BTreeMap;

use super::file_set::TreePath;
use super::project::BlueprintReference;

/// A blueprint with what it extends brought in: everything needed to render a service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Blueprint {
    /// Name and version; `None` only in tests.
    pub reference: Option<BlueprintReference>,
    /// One line on what it makes.
    pub summary: String,
    /// Options in the order they are asked, the parent's first.
    pub options: Vec<OptionDefinition>,
    /// Combinations that are refused.
    pub refusals: Vec<Refusal>,
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
