//! The schema between revisions: what a deployment takes away from the version that runs, and what
//! a version that comes back does not find any more.
//!
//! Each image states in a label what it uses and what its migrations take away. An image that
//! states nothing, or cannot be asked, is told and stops nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::Mutex;

use super::past::Past;
use super::schema_words::{Words, doubt_line};
use crate::contract::schema::{judge, read_label};
use crate::engine::kubernetes::records::Record;
use crate::engine::registry::labels::ImageLabels;
use crate::error::{Error, ErrorKind};
use crate::model::event::EventSink;
use crate::model::image::{Digest, ImageReference};
use crate::model::schema::{Break, Judgement, LABEL, SchemaStatement};

/// What images state about their schema, each asked for once.
#[derive(Clone)]
pub struct Schemas {
    images: Arc<dyn ImageLabels>,
    known: Arc<Mutex<BTreeMap<Digest, Stated>>>,
    /// The releases whose images vendors make: such an image states nothing about a schema.
    vendors: BTreeSet<String>,
    /// Whether a contraction stops nothing, since the user said so.
    pub allow_contraction: bool,
}

/// What is known of an image.
#[derive(Debug, Clone)]
enum Stated {
    Schema(Arc<SchemaStatement>),
    /// It states nothing.
    Nothing,
    /// Why nothing is known, as the end of a sentence.
    Unknown(String),
}

/// What came of judging a release.
#[derive(Debug, Clone, Default, serde::Serialize, schemars::JsonSchema)]
pub struct SchemaJudgement {
    /// What is used and taken away, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// What may matter, or could not be judged, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// Why the release is refused; `None` when it is not.
    #[serde(skip)]
    pub refusal: Option<Error>,
}

impl SchemaJudgement {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.doubts.is_empty()
    }
}

/// Revisions whose schemas are held against one another.
struct Meeting<'a> {
    words: Words<'a>,
    /// The revision that comes: new, or an earlier one. It may have lost something to `later`.
    coming: &'a Record,
    /// The one that runs, where it may lose something to the one that comes.
    running: Option<&'a Record>,
    /// Those whose migrations ran since the one that comes, or the one that runs, was made.
    later: Vec<&'a Record>,
}

impl Schemas {
    /// Asks these images.
    pub fn new(images: Arc<dyn ImageLabels>, allow_contraction: bool) -> Self {
        Self {
            images,
            known: Arc::default(),
            vendors: BTreeSet::new(),
            allow_contraction,
        }
    }

    /// The same, which does not ask for images of these releases that vendors make.
    #[must_use]
    pub fn leaving_out(mut self, vendors: impl IntoIterator<Item = String>) -> Self {
        self.vendors.extend(vendors);
        self
    }

    /// Judges a new revision against the one that runs, and against those whose migrations ran
    /// since that one was made.
    pub async fn of_deployment(&self, release: &str, past: &Past, new: &Record) -> SchemaJudgement {
        let running = past.baseline();
        let Some(running) = running.filter(|_| !self.vendors.contains(release)) else {
            return SchemaJudgement::default();
        };
        let words = Words {
            release,
            back_to: None,
        };
        let meeting = Meeting {
            words,
            coming: new,
            running: Some(running),
            later: past.since(running),
        };
        self.judge(&meeting).await
    }

    /// Judges an earlier revision against all whose migrations ran since it was made.
    pub async fn of_rollback(&self, release: &str, past: &Past, target: u32) -> SchemaJudgement {
        let Some(record) = past.revision(target) else {
            return SchemaJudgement::default();
        };
        let later = past.since(record);
        // An earlier revision may be from before a vendor made the image: then something migrated.
        let mut all = std::iter::once(record).chain(later.iter().copied());
        if self.vendors.contains(release) && !all.any(runs_migrations) {
            return SchemaJudgement::default();
        }
        let words = Words {
            release,
            back_to: Some(target),
        };
        let meeting = Meeting {
            words,
            coming: record,
            running: None,
            later,
        };
        self.judge(&meeting).await
    }

    async fn judge(&self, meeting: &Meeting<'_>) -> SchemaJudgement {
        let words = &meeting.words;
        let migrates = runs_migrations(meeting.coming);
        let mut judged = SchemaJudgement::default();
        let Some(own) = meeting.coming.image() else {
            judged.doubts.extend(migrates.then(|| words.no_digest()));
            return judged;
        };
        let mut others = meeting.others();
        others.retain(|(_, image)| image.digest != own.digest);
        if others.is_empty() {
            return judged;
        }
        let asked = std::iter::once(&own).chain(others.iter().map(|(_, image)| image));
        let stated = join_all(asked.map(|image| self.stated(image))).await;
        let mut stated = stated.into_iter();
        let coming = match stated.next() {
            Some(Stated::Schema(schema)) => schema,
            other => {
                let silent = || words.silent(None, &reason(other.as_ref()));
                judged.doubts.extend(migrates.then(silent));
                return judged;
            }
        };
        for ((record, _), stated) in others.iter().zip(stated) {
            meeting.weigh(&mut judged, &coming, (record, &stated));
        }
        judged.settle(words, self.allow_contraction);
        judged
    }

    async fn stated(&self, image: &ImageReference) -> Stated {
        if let Some(known) = self.known.lock().await.get(&image.digest) {
            return known.clone();
        }
        let labels = self.images.labels(&image.repository, &image.digest).await;
        let stated = match labels {
            Ok(Some(labels)) => match labels.get(LABEL).map(|text| read_label(text)) {
                Some(Ok(schema)) => Stated::Schema(Arc::new(schema)),
                Some(Err(error)) => Stated::Unknown(format!("what it states: {error}")),
                None => Stated::Nothing,
            },
            Ok(None) => Stated::Unknown("its registry does not have it any more".to_owned()),
            Err(error) => Stated::Unknown(error.message().to_owned()),
        };
        let mut known = self.known.lock().await;
        known.insert(image.digest.clone(), stated.clone());
        stated
    }
}

impl Meeting<'_> {
    /// The other revisions with their images, each image once.
    fn others(&self) -> Vec<(&Record, ImageReference)> {
        let mut found: Vec<(&Record, ImageReference)> = Vec::new();
        for &record in self.running.iter().chain(&self.later) {
            if let Some(image) = record.image()
                && !found.iter().any(|(_, known)| known.digest == image.digest)
            {
                found.push((record, image));
            }
        }
        found
    }

    /// Holds what comes against another revision.
    fn weigh(
        &self,
        judged: &mut SchemaJudgement,
        coming: &SchemaStatement,
        (record, stated): (&Record, &Stated),
    ) {
        let words = &self.words;
        let revision = record.revision();
        let Stated::Schema(other) = stated else {
            let matters = !coming.contractions.is_empty() || !coming.unclear.is_empty();
            if matters || self.running.is_none() {
                let silent = words.silent(Some(revision), &reason(Some(stated)));
                judged.doubts.push(silent);
            }
            return;
        };
        let runs = self.running.is_some_and(|it| it.revision() == revision);
        if runs {
            let loses = judge(other, coming);
            judged.take(&loses, |lost| words.taken_from(revision, lost));
        }
        let lost = judge(coming, other);
        judged.take(&lost, |lost| words.taken_by(revision, lost));
    }
}

impl SchemaJudgement {
    /// Tells what may matter, and what is lost although it stops nothing.
    pub fn tell(&self, events: &dyn EventSink) {
        for doubt in &self.doubts {
            events.warn(doubt.clone());
        }
        if self.refusal.is_none() {
            for lost in &self.lost {
                events.warn(format!(
                    "{lost}: going on all the same (`--allow-contraction`)"
                ));
            }
        }
    }

    fn take(&mut self, judgement: &Judgement, told: impl Fn(&Break) -> String) {
        self.lost.extend(judgement.breaks.iter().map(told));
        self.doubts.extend(judgement.doubts.iter().map(doubt_line));
    }

    /// Refuses what loses something, unless that is allowed.
    fn settle(&mut self, words: &Words<'_>, allowed: bool) {
        self.lost.dedup();
        self.doubts.dedup();
        if !self.lost.is_empty() && !allowed {
            let error = Error::new(ErrorKind::Failed, words.refused());
            let error = error.with_causes(&self.lost);
            self.refusal = Some(error.with_hints(words.ways_out()));
        }
    }
}

/// Whether a revision runs something before it is upgraded to.
fn runs_migrations(record: &Record) -> bool {
    let hooks = record.hooks().unwrap_or_default();
    let mut events = hooks.iter().flat_map(|hook| &hook.events);
    events.any(|event| event == "pre-upgrade")
}

fn reason(stated: Option<&Stated>) -> String {
    match stated {
        Some(Stated::Unknown(reason)) => reason.clone(),
        _ => "it was not built by this version of gantline, or states nothing".to_owned(),
    }
}
