//! How a judgement of schemas is told.

use std::collections::BTreeSet;

use crate::model::schema::{Break, Unclear};

/// How many queries a sentence names.
const NAMED: usize = 5;

/// What the sentences are about.
pub(super) struct Words<'a> {
    /// The release.
    pub release: &'a str,
    /// The earlier revision that is to come back; `None` for a new one.
    pub back_to: Option<u32>,
}

impl Words<'_> {
    /// What happened.
    pub fn refused(&self) -> String {
        let release = self.release;
        match self.back_to {
            Some(revision) => format!(
                "{release} is not rolled back to revision {revision}: the schema has gone past it"
            ),
            None => format!("{release} is not deployed: what is in use would be gone"),
        }
    }

    /// What to do about it.
    pub fn ways_out(&self) -> Vec<String> {
        match self.back_to {
            Some(_) => vec![
                "Go forward: repair what runs and deploy that".to_owned(),
                "Or bring back first what was taken away, with a migration of its own".to_owned(),
                "Where the database was brought back by hand: `--allow-contraction`".to_owned(),
            ],
            None => vec![
                "Expand and contract: first deploy a version that no longer uses it, then the one \
                 that takes it away"
                    .to_owned(),
                "Where an interruption is acceptable: `--allow-contraction`".to_owned(),
            ],
        }
    }

    /// What the running revision loses.
    pub fn taken_from(&self, running: u32, lost: &Break) -> String {
        let user = format!("the running revision {running}");
        sentence(&lost.contraction.place.to_string(), lost, &user)
    }

    /// What was taken away before the revision that comes.
    pub fn taken_by(&self, taker: u32, lost: &Break) -> String {
        let user = match self.back_to {
            Some(revision) => format!("revision {revision}"),
            None => "this version".to_owned(),
        };
        let place = format!("{} of revision {taker}", lost.contraction.place);
        sentence(&place, lost, &user)
    }

    /// An image says nothing; `revision` is the one that comes where there is no number.
    pub fn silent(&self, revision: Option<u32>, reason: &str) -> String {
        let release = self.release;
        let image = match revision.or(self.back_to) {
            Some(revision) => format!("the image of its revision {revision}"),
            None => "the image of this version".to_owned(),
        };
        format!("{release}: whether the schema fits {image} cannot be judged: {reason}")
    }

    /// The revision that comes names its image by no digest.
    pub fn no_digest(&self) -> String {
        let reason = "its values name it by no digest";
        self.silent(None, reason)
    }
}

/// `00003_drop_note.sql:2 drops orders.note, which revision 3 uses in Create and Get`.
fn sentence(place: &str, lost: &Break, user: &str) -> String {
    let contraction = &lost.contraction;
    match listed(&lost.queries) {
        Some(queries) => format!("{place} {contraction}, which {user} uses in {queries}"),
        None => format!("{place} {contraction}, which {user} uses"),
    }
}

/// Names in a sentence: `Create, Get and 3 more`.
fn listed(queries: &BTreeSet<String>) -> Option<String> {
    let mut names: Vec<&str> = queries.iter().map(String::as_str).collect();
    names.retain(|name| !name.is_empty());
    let more = names.len().saturating_sub(NAMED);
    let rest = format!("{more} more");
    if more > 0 {
        names.truncate(NAMED);
        names.push(&rest);
    }
    let (last, before) = names.split_last()?;
    Some(match before {
        [] => (*last).to_owned(),
        before => format!("{} and {last}", before.join(", ")),
    })
}

/// Something that may matter.
pub(super) fn doubt_line(unclear: &Unclear) -> String {
    let place = &unclear.place;
    match unclear.table {
        Some(_) => format!(
            "{place} {}, which may matter to the queries that use it",
            unclear.what
        ),
        None => format!(
            "{place} {}: whether it takes something away cannot be judged",
            unclear.what
        ),
    }
}
