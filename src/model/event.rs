//! What happens while a command works: one stream, which reporters show to people and machines.

use std::time::Duration;

/// A step of the work, or a line of a service's log.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A step began. Steps run at the same time; the id tells them apart.
    Started {
        /// Stable within a run: `build orders`.
        id: String,
        /// What it does, for people: `build orders`.
        label: String,
        /// What has to be there before it: its time counts from then on.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        after: Vec<String>,
    },
    /// What a running step does or waits for now.
    Progressed {
        /// The step.
        id: String,
        /// For people: `waiting for postgres-17 to answer a query`.
        message: String,
    },
    /// A step ended well.
    Finished {
        /// The step.
        id: String,
        /// What came of it, for people: `ready at http://127.0.0.1:8080`.
        message: String,
        /// How long it took, in seconds.
        #[serde(serialize_with = "seconds")]
        #[schemars(with = "f64")]
        elapsed: Duration,
    },
    /// A step failed; the command's error follows.
    Failed {
        /// The step.
        id: String,
        /// Why, in a line.
        message: String,
    },
    /// Something worth knowing that needs no action.
    Noted {
        /// The text.
        message: String,
    },
    /// Something that may surprise, or will need action.
    Warned {
        /// The text.
        message: String,
    },
    /// A line that a service, resource or job wrote.
    Logged {
        /// Which one.
        thing: String,
        /// The line, without its line break and with control characters removed.
        line: String,
    },
}

fn seconds<S: serde::Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((elapsed.as_secs_f64() * 1000.0).round() / 1000.0)
}

/// Where events go. Reporters implement it; tests record.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);
}

/// Conveniences for those who emit.
impl dyn EventSink + '_ {
    /// Emits [`Event::Noted`].
    pub fn note(&self, message: impl Into<String>) {
        self.emit(Event::Noted {
            message: message.into(),
        });
    }

    /// Emits [`Event::Warned`].
    pub fn warn(&self, message: impl Into<String>) {
        self.emit(Event::Warned {
            message: message.into(),
        });
    }

    /// Emits [`Event::Progressed`].
    pub fn progress(&self, id: &str, message: impl Into<String>) {
        self.emit(Event::Progressed {
            id: id.to_owned(),
            message: message.into(),
        });
    }
}
