//! `blueprint.yaml`; `docs/reference/blueprint.md` describes it.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::{BlueprintText, FolderText, NameText, VersionText, WordText};
use super::yaml::Document;
use crate::error::{Error, Result};
use crate::model::blueprint::{
    Choice, Count, Joint, OptionDefinition, OptionValues, Refusal, Relations, ReservedOf,
    ReservedWords,
};

/// The name of the file.
pub const FILE: &str = "blueprint.yaml";

/// A blueprint: what services are made from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "blueprint.yaml")]
pub struct BlueprintFile {
    /// Its name, which is also its folder's.
    pub name: NameText,
    /// Its version, counted up whenever what it makes changes.
    #[schemars(range(min = 1, max = 999_999))]
    pub version: u32,
    /// One line on what it makes.
    pub summary: String,
    /// The blueprint whose folders come first.
    pub extends: Option<BlueprintText>,
    /// Whether it is only extended, never offered.
    #[serde(default)]
    pub r#abstract: bool,
    /// Versions that `upgrade` goes to only when they are asked for, each with the reason.
    #[serde(default)]
    breaking: BTreeMap<VersionText, String>,
    /// Folders of a service in which a file is written once and never changed afterwards, such
    /// as those of migrations.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    once: Vec<FolderText>,
    /// Whether it makes what surrounds an image that is named or built in another way: such a
    /// service says `image` or `build`, and its blueprint follows from that.
    #[serde(default)]
    pub container: bool,
    /// What may be chosen, in the order in which it is asked.
    #[serde(default)]
    options: IndexMap<WordText, OptionFields>,
    /// How many events its services publish and consume, and how many services they call;
    /// what is absent is not allowed.
    relations: Option<RelationFields>,
    /// Where its services listen unless a manifest says otherwise.
    #[serde(default)]
    pub ports: PortFields,
    /// Combinations that are refused.
    #[serde(default)]
    refusals: Vec<RefusalFields>,
    /// Words that options which take any name must not be.
    #[serde(default)]
    reserved: Vec<ReservedFields>,
    /// Its folders in the order in which their parts fill slots.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    pub order: Vec<String>,
    /// Files to which several folders contribute, by file name.
    #[serde(default)]
    joints: BTreeMap<String, JointFields>,
}

/// A choice that the blueprint offers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OptionFields {
    /// One line on what it decides.
    summary: String,
    /// Whether it is any name in kebab case, instead of one of some choices.
    #[serde(default)]
    name: bool,
    /// What it may be, in order.
    #[serde(default)]
    choices: IndexMap<NameText, ChoiceFields>,
    /// The value when none is given; without one it must be given.
    default: Option<NameText>,
}

/// One choice; further keys are traits that folders may ask for.
#[derive(Debug, Deserialize, JsonSchema)]
struct ChoiceFields {
    /// One line on what it brings.
    summary: String,
    /// The resource that it uses under the option's name.
    resource: Option<ChoiceResource>,
    /// Traits, such as `kind: sql`.
    #[serde(flatten)]
    traits: BTreeMap<String, String>,
}

/// A resource that a choice brings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChoiceResource {
    /// Its resource type.
    r#type: NameText,
    /// Its name; `{service}` stands for the service's.
    #[schemars(extend("pattern" = "^(\\{service\\}-)?[a-z][a-z0-9-]*$", "x-expected" = "a name, such as `events` or `{service}-db`"))]
    name: String,
}

/// How many of each relation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RelationFields {
    /// Events published.
    publishes: Option<CountFields>,
    /// Events consumed.
    consumes: Option<CountFields>,
    /// Services called.
    needs: Option<CountFields>,
}

/// An allowed number; without `at_most` any.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CountFields {
    /// At least this many.
    #[serde(default)]
    at_least: usize,
    /// At most this many.
    at_most: Option<usize>,
}

/// Default ports.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortFields {
    /// The public listener.
    #[schemars(range(min = 1024))]
    pub http: Option<u16>,
    /// Health, metrics and profiles.
    #[schemars(range(min = 1024))]
    pub admin: Option<u16>,
}

/// A combination that is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RefusalFields {
    /// `option`, `option.trait` or a relation, and its value; refused when all hold. The value
    /// of a relation is `any` or `none`.
    #[schemars(length(min = 1))]
    when: BTreeMap<String, String>,
    /// Why, in a sentence.
    reason: String,
    /// Options to change to reach the nearest valid combination.
    #[serde(default)]
    nearest: BTreeMap<WordText, NameText>,
}

/// What words are reserved from.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ReservedKind {
    /// Options that take any name.
    #[default]
    Option,
    /// Events that are published or consumed.
    Event,
}

/// Words that would make code that does not compile.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReservedFields {
    /// What must not be called so.
    #[serde(default)]
    of: ReservedKind,
    /// Why, in a sentence.
    reason: String,
    /// The words, without hyphens.
    #[serde(default)]
    words: Vec<WordText>,
    /// Of events: words that may not follow the name of another event, as `type` in
    /// `order-placed-type` beside `order-placed`.
    #[serde(default)]
    beside: Vec<WordText>,
}

/// A file to which several folders contribute.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct JointFields {
    /// The slots that parts may fill.
    #[schemars(length(min = 1))]
    slots: Vec<WordText>,
    /// Slots whose lines are sorted by import path, without duplicates.
    #[serde(default)]
    sorted: Vec<WordText>,
}

impl BlueprintFile {
    /// Reads the file and checks what its schema cannot.
    ///
    /// # Errors
    /// All problems of the file at once.
    pub fn parse(document: &Document) -> Result<Self> {
        let file: Self = document.decode()?;
        let problems = file.problems(document);
        document.none_of(problems)?;
        Ok(file)
    }

    fn problems(&self, document: &Document) -> Vec<Error> {
        let mut problems = Vec::new();
        for (name, option) in &self.options {
            let path = ["options", name.0.as_str()];
            if option.name != option.choices.is_empty() {
                let message = format!(
                    "the option `{}` needs either `choices` or `name: true`",
                    name.0
                );
                problems.push(Error::invalid(message).at(document.key_place(&path)));
            }
            if let Some(default) = &option.default
                && !option.name
                && !option.choices.contains_key(default)
            {
                let message = format!("the default `{}` is none of the choices", default.0);
                let place = document.place(&["options", name.0.as_str(), "default"]);
                problems.push(Error::invalid(message).at(place));
            }
        }
        for version in self.breaking.keys() {
            if version.number() > self.version {
                let message = format!("version {} is not reached yet", version.0);
                let place = document.key_place(&["breaking", &version.0]);
                problems.push(Error::invalid(message).at(place));
            }
        }
        for (at, reserved) in self.reserved.iter().enumerate() {
            if reserved.words.is_empty() && reserved.beside.is_empty() {
                let message = "`words` or `beside` says what is reserved";
                let place = document.place(&["reserved", &at.to_string()]);
                problems.push(Error::invalid(message).at(place));
            }
        }
        for (name, joint) in &self.joints {
            for slot in joint
                .sorted
                .iter()
                .filter(|slot| !joint.slots.contains(slot))
            {
                let message = format!("`{}` is no slot of `{name}`", slot.0);
                let place = document.key_place(&["joints", name, "sorted"]);
                problems.push(Error::invalid(message).at(place));
            }
        }
        problems
    }

    /// The versions that break something, with their reasons.
    pub fn breaking(&self) -> BTreeMap<u32, String> {
        let reasons = self.breaking.iter();
        reasons
            .map(|(version, reason)| (version.number(), reason.clone()))
            .collect()
    }

    /// The folders whose files are written once.
    pub fn once(&self) -> impl Iterator<Item = String> + '_ {
        self.once.iter().map(|folder| folder.0.clone())
    }

    /// The options in order.
    pub fn options(&self) -> Vec<OptionDefinition> {
        self.options
            .iter()
            .map(|(name, fields)| OptionDefinition {
                name: name.0.clone(),
                summary: fields.summary.clone(),
                values: if fields.name {
                    OptionValues::Name
                } else {
                    OptionValues::Choices(fields.choices.iter().map(choice).collect())
                },
                default: fields.default.as_ref().map(|default| default.0.to_string()),
            })
            .collect()
    }

    /// The relations, when it declares any.
    pub fn relations(&self) -> Option<Relations> {
        let count = |fields: &Option<CountFields>| match fields {
            Some(fields) => Count {
                at_least: fields.at_least,
                at_most: fields.at_most,
            },
            None => Count {
                at_least: 0,
                at_most: Some(0),
            },
        };
        self.relations.as_ref().map(|relations| Relations {
            publishes: count(&relations.publishes),
            consumes: count(&relations.consumes),
            needs: count(&relations.needs),
        })
    }

    /// The refused combinations.
    pub fn refusals(&self) -> impl Iterator<Item = Refusal> + '_ {
        self.refusals.iter().map(|refusal| Refusal {
            when: refusal.when.clone(),
            reason: refusal.reason.clone(),
            nearest: refusal
                .nearest
                .iter()
                .map(|(option, value)| (option.0.clone(), value.0.to_string()))
                .collect(),
        })
    }

    /// The reserved words.
    pub fn reserved(&self) -> impl Iterator<Item = ReservedWords> + '_ {
        self.reserved.iter().map(|reserved| ReservedWords {
            of: match reserved.of {
                ReservedKind::Option => ReservedOf::Option,
                ReservedKind::Event => ReservedOf::Event,
            },
            reason: reserved.reason.clone(),
            words: reserved.words.iter().map(|word| word.0.clone()).collect(),
            beside: reserved.beside.iter().map(|word| word.0.clone()).collect(),
        })
    }

    /// The joints by file name.
    pub fn joints(&self) -> impl Iterator<Item = (String, Joint)> + '_ {
        let words = |words: &[WordText]| words.iter().map(|word| word.0.clone()).collect();
        self.joints.iter().map(move |(name, joint)| {
            let joint = Joint {
                slots: words(&joint.slots),
                sorted: words(&joint.sorted),
            };
            (name.clone(), joint)
        })
    }
}

impl VersionText {
    /// The version; its pattern lets nothing else in.
    fn number(&self) -> u32 {
        self.0.parse().unwrap_or_default()
    }
}

fn choice((name, fields): (&NameText, &ChoiceFields)) -> Choice {
    Choice {
        name: name.0.to_string(),
        summary: fields.summary.clone(),
        traits: fields.traits.clone(),
        resource: fields
            .resource
            .as_ref()
            .map(|resource| resource.r#type.0.to_string()),
        resource_name: fields
            .resource
            .as_ref()
            .map(|resource| resource.name.clone()),
    }
}
