//! Which version a service goes to. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// The versions of one blueprint that are at hand.
#[derive(Debug, Clone, Default)]
pub struct AtHand {
    /// All of them: pinned, or offered.
    pub versions: BTreeSet<u32>,
    /// The one that is offered; `None` when nobody offers the blueprint any more.
    pub newest: Option<u32>,
    /// Versions that break something, with the reasons.
    pub breaking: BTreeMap<u32, String>,
}

/// Where a service goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// It is there already.
    Stays,
    /// To this version.
    Goes {
        /// The version.
        to: u32,
        /// What the versions on the way break.
        breaking: Vec<String>,
    },
    /// There is a newer one, which breaks something and was not asked for.
    HeldBack {
        /// The version.
        to: u32,
        /// What the versions on the way break.
        reasons: Vec<String>,
    },
    /// It is beyond the version that was asked for.
    Beyond,
    /// The version that was asked for is not at hand.
    NotAtHand,
}

impl AtHand {
    /// Where a service of the version `current` goes when `wanted`, or else the newest, is asked
    /// for.
    pub fn destination(&self, current: u32, wanted: Option<u32>) -> Destination {
        let Some(to) = wanted.or(self.newest) else {
            return Destination::Stays;
        };
        let reasons = self.reasons(current, to);
        match wanted {
            _ if to == current => Destination::Stays,
            Some(_) if to < current => Destination::Beyond,
            None if to < current => Destination::Stays,
            Some(_) if !self.versions.contains(&to) => Destination::NotAtHand,
            None if !reasons.is_empty() => Destination::HeldBack { to, reasons },
            _ => Destination::Goes {
                to,
                breaking: reasons,
            },
        }
    }

    fn reasons(&self, current: u32, to: u32) -> Vec<String> {
        let passed = self.breaking.iter();
        passed
            .filter(|(version, _)| (current + 1..=to).contains(version))
            .map(|(version, reason)| format!("version {version}: {reason}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_hand(newest: u32, breaking: &[u32]) -> AtHand {
        AtHand {
            versions: (1..=newest).collect(),
            newest: Some(newest),
            breaking: breaking
                .iter()
                .map(|version| (*version, "it breaks".to_owned()))
                .collect(),
        }
    }

    fn goes(to: u32) -> Destination {
        Destination::Goes {
            to,
            breaking: Vec::new(),
        }
    }

    #[test]
    fn a_service_goes_to_the_newest_or_to_what_is_asked_for() {
        assert_eq!(at_hand(3, &[]).destination(1, None), goes(3));
        assert_eq!(at_hand(3, &[]).destination(1, Some(2)), goes(2));
        assert_eq!(at_hand(3, &[]).destination(3, None), Destination::Stays);
        let nobody_offers_it = AtHand::default();
        assert_eq!(nobody_offers_it.destination(1, None), Destination::Stays);
    }

    #[test]
    fn a_version_that_breaks_something_is_passed_only_when_it_is_asked_for() {
        let reasons = vec!["version 2: it breaks".to_owned()];
        let held_back = Destination::HeldBack {
            to: 3,
            reasons: reasons.clone(),
        };
        assert_eq!(at_hand(3, &[2]).destination(1, None), held_back);
        let asked_for = Destination::Goes {
            to: 3,
            breaking: reasons,
        };
        assert_eq!(at_hand(3, &[2]).destination(1, Some(3)), asked_for);
        assert_eq!(at_hand(3, &[2]).destination(2, None), goes(3));
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_service_ever_goes_back_or_to_what_is_not_at_hand(
            versions in proptest::collection::btree_set(1_u32..9, 0..6),
            breaking in proptest::collection::btree_set(1_u32..9, 0..4),
            current in 1_u32..9,
            wanted in proptest::option::of(1_u32..9),
        ) {
            let at_hand = AtHand {
                newest: versions.last().copied(),
                breaking: breaking.iter().map(|it| (*it, String::new())).collect(),
                versions,
            };
            let passes = |to: u32| breaking.iter().any(|it| current < *it && *it <= to);
            match at_hand.destination(current, wanted) {
                Destination::Goes { to, breaking } => {
                    prop_assert!(to > current && at_hand.versions.contains(&to));
                    prop_assert!(wanted.is_none_or(|wanted| wanted == to));
                    prop_assert_eq!(!breaking.is_empty(), passes(to));
                    prop_assert!(wanted.is_some() || breaking.is_empty());
                }
                Destination::HeldBack { to, .. } => {
                    prop_assert!(wanted.is_none() && to > current && passes(to));
                }
                Destination::Stays => {
                    let aim = wanted.or(at_hand.newest);
                    prop_assert!(aim.is_none_or(|aim| aim <= current));
                }
                Destination::Beyond => prop_assert!(wanted.is_some_and(|it| it < current)),
                Destination::NotAtHand => {
                    prop_assert!(wanted.is_some_and(|it| !at_hand.versions.contains(&it)));
                }
            }
        }
    }
}
