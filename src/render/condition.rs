//! Folder names as conditions: `base`, `store=postgres`, `each=needs+peer.store=any`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::blueprint::{Blueprint, Folder, OptionDefinition};

/// What asks for an option of the service that is called.
const PEER: &str = "peer";
/// The choice that stands for nothing.
const NONE: &str = "none";
/// The folder that is always chosen.
pub const BASE: &str = "base";
/// The folder whose files replace those of the blueprint that is extended.
pub const OVERRIDES: &str = "overrides";

/// When a folder is chosen, and how often it is rendered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// All must hold.
    terms: Vec<Term>,
    /// All must hold of the service that is called.
    peer_terms: Vec<PeerTerm>,
    /// What the folder is rendered once for.
    pub each: Option<Each>,
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// `store` or `store.kind`.
    subject: String,
    value: String,
}

/// Whether the peer has any choice of an option, or `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PeerTerm {
    option: String,
    any: bool,
}

/// What a folder can be rendered once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    /// Every service that is called.
    Needs,
    /// Every event that is published.
    Publishes,
    /// Every event that is consumed.
    Consumes,
    /// Every service that is called or whose events are consumed.
    Providers,
}

impl Each {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Needs,
        Self::Publishes,
        Self::Consumes,
        Self::Providers,
    ];
}

impl Condition {
    /// Reads a folder's name.
    ///
    /// # Errors
    /// When it is no condition, or asks for an option, choice or trait that is not declared.
    pub fn of(folder: &Folder, blueprint: &Blueprint) -> Result<Self> {
        let reader = Reader { folder, blueprint };
        if folder.name == BASE || folder.name == OVERRIDES {
            return Ok(Self::default());
        }
        let mut condition = Self::default();
        for term in folder.name.split('+') {
            reader.read(term, &mut condition)?;
        }
        if !condition.peer_terms.is_empty() && condition.each != Some(Each::Needs) {
            return Err(reader.error("only a folder with `each=needs` has a peer"));
        }
        Ok(condition)
    }

    /// Whether it holds for a peer with these options; a folder that asks for nothing of peers
    /// holds for each.
    pub fn holds_for_peer(&self, options: &Map<String, Value>) -> bool {
        self.peer_terms.iter().all(|term| {
            let chosen = options.get(&term.option).and_then(Value::as_str);
            chosen.is_some_and(|choice| choice != NONE) == term.any
        })
    }

    /// Whether it holds for the chosen options.
    pub fn holds(&self, blueprint: &Blueprint, chosen: &BTreeMap<String, String>) -> bool {
        self.terms
            .iter()
            .all(|term| blueprint.value_of(&term.subject, chosen) == Some(&term.value))
    }
}

struct Reader<'a> {
    folder: &'a Folder,
    blueprint: &'a Blueprint,
}

impl Reader<'_> {
    fn read(&self, term: &str, condition: &mut Condition) -> Result<()> {
        let Some((subject, value)) = term.split_once('=') else {
            return Err(self.error(format!(
                "`{term}` is no condition: a folder is `{BASE}`, `{OVERRIDES}`, or made of \
                 `OPTION=CHOICE`, `OPTION.TRAIT=VALUE` and `each=...`, joined by `+`"
            )));
        };
        if subject == "each" {
            if condition.each.is_some() {
                return Err(self.error("a folder has one `each` at most"));
            }
            condition.each = Some(self.each(value)?);
            return Ok(());
        }
        match subject.split_once('.') {
            Some((PEER, option)) => {
                let any = self.any_or_none(term, value)?;
                let option = option.to_owned();
                condition.peer_terms.push(PeerTerm { option, any });
                return Ok(());
            }
            Some((option, name)) => self.check_trait(option, name, value)?,
            None => self.check_choice(subject, value)?,
        }
        condition.terms.push(Term {
            subject: subject.to_owned(),
            value: value.to_owned(),
        });
        Ok(())
    }

    fn each(&self, value: &str) -> Result<Each> {
        match value {
            "needs" => Ok(Each::Needs),
            "publishes" => Ok(Each::Publishes),
            "consumes" => Ok(Each::Consumes),
            "providers" => Ok(Each::Providers),
            _ => Err(self.error(format!(
                "`each={value}` is none of each=needs, each=publishes, each=consumes and each=providers"
            ))),
        }
    }

    /// A peer's blueprint may be another one, so nothing is known of its choices but this.
    fn any_or_none(&self, term: &str, value: &str) -> Result<bool> {
        match value {
            "any" => Ok(true),
            NONE => Ok(false),
            _ => Err(self.error(format!("`{term}` asks a peer for neither `any` nor `none`"))),
        }
    }

    fn check_choice(&self, option: &str, value: &str) -> Result<()> {
        let known = self.option(option)?;
        if known.choice(value).is_some() {
            return Ok(());
        }
        let choices = known.choices().iter();
        let names: Vec<_> = choices.map(|choice| choice.name.as_str()).collect();
        Err(self.error(format!(
            "`{value}` is no choice of the option `{option}`, which has {}",
            list(&names)
        )))
    }

    fn check_trait(&self, option: &str, name: &str, value: &str) -> Result<()> {
        let mut values: Vec<_> = self
            .option(option)?
            .choices()
            .iter()
            .filter_map(|choice| choice.traits.get(name))
            .map(String::as_str)
            .collect();
        values.sort_unstable();
        values.dedup();
        if values.contains(&value) {
            return Ok(());
        }
        Err(self.error(format!(
            "no choice of the option `{option}` has the trait `{name}: {value}`; \
             declared values of `{name}`: {}",
            list(&values)
        )))
    }

    fn option(&self, name: &str) -> Result<&OptionDefinition> {
        self.blueprint.option(name).ok_or_else(|| {
            let options = self.blueprint.options.iter();
            let names: Vec<_> = options.map(|known| &*known.name).collect();
            self.error(format!(
                "`{name}` is no option of the blueprint, which has {}",
                list(&names)
            ))
        })
    }

    fn error(&self, cause: impl Into<String>) -> Error {
        let folder = self.folder;
        Error::invalid(format!(
            "the folder `{}/{}` has no valid condition",
            folder.blueprint, folder.name
        ))
        .since(cause)
        .hint("Rename the folder, or declare what it asks for in blueprint.yaml")
    }
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::blueprint::{Choice, OptionValues};

    fn blueprint() -> Blueprint {
        let choice = |name: &str, kind: Option<(&str, &str)>| Choice {
            name: name.to_owned(),
            traits: kind
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            ..Choice::default()
        };
        let option = |name: &str, values| OptionDefinition {
            name: name.to_owned(),
            values,
            ..OptionDefinition::default()
        };
        let options = vec![
            option("entity", OptionValues::Name),
            option(
                "store",
                OptionValues::Choices(vec![
                    choice("none", None),
                    choice("postgres", Some(("kind", "sql"))),
                ]),
            ),
            option(
                "messaging",
                OptionValues::Choices(vec![
                    choice("none", None),
                    choice("nats", Some(("kind", "broker"))),
                ]),
            ),
        ];
        Blueprint {
            options,
            ..Blueprint::default()
        }
    }

    fn condition(name: &str) -> Result<Condition> {
        let folder = Folder {
            blueprint: "go-service".to_owned(),
            name: name.to_owned(),
            ..Folder::default()
        };
        Condition::of(&folder, &blueprint())
    }

    fn holds(name: &str, store: &str, messaging: &str) -> bool {
        let chosen = [("store", store), ("messaging", messaging)]
            .map(|(option, choice)| (option.to_owned(), choice.to_owned()));
        condition(name)
            .unwrap()
            .holds(&blueprint(), &BTreeMap::from(chosen))
    }

    #[test]
    fn base_and_overrides_always_hold() {
        assert!(holds("base", "none", "none"));
        assert!(holds("overrides", "none", "none"));
    }

    #[test]
    fn all_terms_must_hold() {
        assert!(holds("store=postgres", "postgres", "none"));
        assert!(!holds("store=postgres", "none", "none"));
        assert!(holds("store.kind=sql", "postgres", "none"));
        assert!(!holds("store.kind=sql", "none", "none"));
        let both = "store.kind=sql+messaging.kind=broker";
        assert!(holds(both, "postgres", "nats"));
        assert!(!holds(both, "postgres", "none"));
        assert!(!holds(both, "none", "nats"));
    }

    #[test]
    fn each_may_stand_beside_other_terms() {
        let each = condition("each=needs+store=postgres").unwrap();
        assert_eq!(each.each, Some(Each::Needs));
        assert_eq!(each.terms.len(), 1);
        assert_eq!(
            condition("each=consumes").unwrap().each,
            Some(Each::Consumes)
        );
    }

    #[test]
    fn a_folder_asks_whether_a_peer_has_a_choice() {
        let peer = |store: &str| Map::from_iter([("store".to_owned(), Value::from(store))]);
        let kept = condition("each=needs+peer.store=any").unwrap();
        assert!(kept.holds_for_peer(&peer("mysql")));
        assert!(!kept.holds_for_peer(&peer("none")));
        assert!(!kept.holds_for_peer(&Map::new()));
        let passed_on = condition("each=needs+peer.store=none").unwrap();
        assert!(passed_on.holds_for_peer(&peer("none")));
        assert!(passed_on.holds_for_peer(&Map::new()));
        assert!(!passed_on.holds_for_peer(&peer("postgres")));
        assert!(
            condition("each=needs")
                .unwrap()
                .holds_for_peer(&peer("mysql"))
        );
    }

    #[test]
    fn what_is_not_declared_is_an_error_that_names_the_folder() {
        for (folder, cause) in [
            ("cache=redis", "`cache` is no option"),
            ("store=mysql", "`mysql` is no choice of the option `store`"),
            ("store.kind=document", "the trait `kind: document`"),
            ("store.size=big", "the trait `size: big`"),
            ("entity=order", "`order` is no choice"),
            ("each=uses", "`each=uses` is none of"),
            ("each=needs+each=consumes", "one `each` at most"),
            (
                "peer.store=any",
                "only a folder with `each=needs` has a peer",
            ),
            ("each=needs+peer.store=sql", "neither `any` nor `none`"),
            ("base+store=postgres", "`base` is no condition"),
            ("extras", "`extras` is no condition"),
        ] {
            let error = condition(folder).unwrap_err();
            assert!(error.message().contains(folder), "{error}");
            assert!(error.causes()[0].contains(cause), "{error}");
        }
    }
}
