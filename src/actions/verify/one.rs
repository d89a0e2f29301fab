//! One interaction: bring about its states, ask, compare, take the states back.

use pact_models::v4::async_message::AsynchronousMessage;
use pact_models::v4::synch_http::SynchronousHttp;

use crate::contract::document::Document;
use crate::contract::http::HttpExpectation;
use crate::contract::message::MessageExpectation;
use crate::contract::pact_file::{Exchange, Interaction};
use crate::engine::harness::Harness;
use crate::model::exchange::{HttpAnswer, HttpCall, named_values};
use crate::model::verification::{Breach, Mismatch, Trouble, TroubleKind, Verdict};

/// How many characters of a body are shown.
const SHOWN: usize = 400;

type Found = Result<Option<Breach>, Trouble>;

/// Verifies one interaction; also says whether the harness can be asked again.
pub(super) async fn verify_one(
    interaction: &Interaction,
    document: Option<&Document>,
    harness: &mut dyn Harness,
) -> (Verdict, bool) {
    let found = match &interaction.exchange {
        Exchange::Unsupported(reason) => {
            Err(Trouble::new(TroubleKind::Unsupported, reason.clone()))
        }
        Exchange::Http(http) => ask_http(interaction, http, document, harness).await,
        Exchange::Message(message) => ask_message(interaction, message, harness).await,
    };
    match found {
        Ok(breach) => (breach.map_or(Verdict::Holds, Verdict::Broken), true),
        Err(trouble) => {
            let usable = !matches!(
                trouble.kind,
                TroubleKind::Exited | TroubleKind::Hangs | TroubleKind::Garbage
            );
            (Verdict::Unknown(trouble), usable)
        }
    }
}

async fn ask_http(
    interaction: &Interaction,
    http: &SynchronousHttp,
    document: Option<&Document>,
    harness: &mut dyn Harness,
) -> Found {
    if !harness.offers().http {
        let message = "the harness takes no requests: its first line says `http: false`";
        return Err(Trouble::new(TroubleKind::Unsupported, message));
    }
    let values = harness.set_up(&interaction.states).await?;
    let expectation = HttpExpectation {
        interaction: http,
        states: &interaction.states,
        values: &values,
    };
    refuse_missing(&expectation.missing_values(), interaction)?;
    let call = expectation.call().await;
    let answer = harness.call(&call).await?;
    let mut mismatches = expectation.compare(&answer).await;
    if let Some(document) = document {
        let known: Vec<(_, String)> = mismatches
            .iter()
            .map(|it| (it.part, it.path.clone()))
            .collect();
        let own = document.check(&call, &answer);
        // What the pact said of a place is not said again.
        mismatches.extend(
            own.into_iter()
                .filter(|it| !known.contains(&(it.part, it.path.clone()))),
        );
    }
    harness.tear_down(&interaction.states).await?;
    Ok(breach(mismatches, || (asked(&call), answered(&answer))))
}

async fn ask_message(
    interaction: &Interaction,
    message: &AsynchronousMessage,
    harness: &mut dyn Harness,
) -> Found {
    let description = &interaction.description;
    if !harness.offers().messages {
        let message = "the harness makes no messages: its first line says `messages: false`";
        return Err(Trouble::new(TroubleKind::UnknownMessage, message));
    }
    let values = harness.set_up(&interaction.states).await?;
    let expectation = MessageExpectation {
        message,
        states: &interaction.states,
        values: &values,
    };
    refuse_missing(&expectation.missing_values(), interaction)?;
    let answer = harness.message(description, &interaction.states).await?;
    let mismatches = expectation.compare(&answer).await;
    harness.tear_down(&interaction.states).await?;
    Ok(breach(mismatches, || {
        let metadata = named_values(&answer.metadata);
        let contents = answer.contents.to_string();
        let contents = shortened(contents.as_bytes());
        (
            format!("message `{description}`"),
            [vec![contents], metadata].concat().join("\n"),
        )
    }))
}

/// A generator without its value would leave the consumer's example in place, in silence.
fn refuse_missing(missing: &[String], interaction: &Interaction) -> Result<(), Trouble> {
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join("`, `");
    let states: Vec<&str> = interaction
        .states
        .iter()
        .map(|state| state.name.as_str())
        .collect();
    Err(Trouble {
        kind: TroubleKind::MissingValue,
        message: format!("no state gave the value `{names}`, which a generator of the pact needs"),
        details: Vec::new(),
        next: Some(match states.as_slice() {
            [] => "Name a state in the consumer's test that returns it".to_owned(),
            states => format!("Let a state return it: `{}`", states.join("`, `")),
        }),
    })
}

fn breach(mismatches: Vec<Mismatch>, words: impl FnOnce() -> (String, String)) -> Option<Breach> {
    if mismatches.is_empty() {
        return None;
    }
    let (asked, answered) = words();
    Some(Breach {
        mismatches,
        asked,
        answered,
    })
}

fn asked(call: &HttpCall) -> String {
    let query: Vec<String> = call
        .query
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        })
        .collect();
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{}", query.join("&"))
    };
    let line = format!("{} {}{query}", call.method, call.path);
    match &call.body {
        Some(body) if !body.is_empty() => format!("{line}\n{}", shortened(body)),
        _ => line,
    }
}

fn answered(answer: &HttpAnswer) -> String {
    let kind = answer
        .header("content-type")
        .map_or_else(String::new, |kind| format!(" {kind}"));
    let line = format!("{}{kind}", answer.status);
    match answer.body.is_empty() {
        true => line,
        false => format!("{line}\n{}", shortened(&answer.body)),
    }
}

fn shortened(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let shown: String = text
        .chars()
        .filter(|letter| !letter.is_control())
        .take(SHOWN)
        .collect();
    match text.chars().count() > SHOWN {
        true => format!("{shown}…"),
        false => shown,
    }
}
