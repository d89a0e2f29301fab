//! A verification of contracts for people and for programs.

mod document;
mod junit;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::{self, Write};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::Value;

pub use self::document::Document;
pub(super) use self::document::rounded;
pub use self::junit::junit;
pub(super) use self::junit::placed;
use super::{Answer, Style};
use crate::model::exchange::{ProviderState, named_values};
use crate::model::name::Name;
use crate::model::verification::{
    Breach, InteractionKind, InteractionResult, Mismatch, PactResult, Part, Source, Tally, Trouble,
    TroubleKind, Verdict, Verification,
};

/// How many characters of a value are shown.
const SHOWN: usize = 200;
/// How many lines of what a provider wrote are shown.
const MOST_DETAILS: usize = 20;

/// A verification, to be printed.
#[derive(Debug)]
pub struct Report<'a>(pub &'a Verification);

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Document::of(self.0).serialize(serializer)
    }
}

impl JsonSchema for Report<'_> {
    fn schema_name() -> Cow<'static, str> {
        Document::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Document::json_schema(generator)
    }
}

impl Answer for Report<'_> {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.0.pacts.is_empty() {
            return writeln!(out, "{}", without_pacts(&self.0.services));
        }
        for pact in &self.0.pacts {
            write_pact(out, style, pact)?;
        }
        let tally = self.0.tally();
        let seconds = self.0.elapsed.as_secs_f64();
        let counted = match tally.is_green() {
            true => style.good(summary(&tally)),
            false => style.bad(summary(&tally)),
        };
        writeln!(out, "{counted} {}", style.dim(format!("({seconds:.1} s)")))
    }
}

/// That there are no pacts, or none of the services that were asked for.
pub(super) fn without_pacts(services: &[Name]) -> String {
    let named: Vec<&str> = services.iter().map(Name::as_str).collect();
    match named.as_slice() {
        [] => "no pacts: no service of this workspace has a contracts/CONSUMER--PROVIDER.json"
            .to_owned(),
        [one] => format!("no pacts in which {one} takes part"),
        all => format!("no pacts in which one of {} takes part", all.join(", ")),
    }
}

/// `2 pacts, 6 interactions: 5 hold, 1 broken`.
pub fn summary(tally: &Tally) -> String {
    let parts = [
        (tally.hold, "hold"),
        (tally.broken, "broken"),
        (tally.unknown, "could not be verified"),
        (tally.skipped, "skipped"),
        (tally.pending, "of these pending"),
    ];
    let counts: Vec<String> = parts
        .iter()
        .enumerate()
        .filter(|(at, (count, _))| *at == 0 || *count > 0)
        .map(|(_, (count, what))| match (count, *what) {
            (1, "hold") => "1 holds".to_owned(),
            (count, what) => format!("{count} {what}"),
        })
        .collect();
    format!(
        "{}, {}: {}",
        counted(tally.pacts, "pact"),
        counted(tally.interactions, "interaction"),
        counts.join(", ")
    )
}

/// `1 pact`, `2 pacts`.
pub(super) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

fn write_pact(out: &mut dyn Write, style: &Style, pact: &PactResult) -> io::Result<()> {
    let heading = format!("{} counts on {}", pact.consumer, pact.provider);
    writeln!(
        out,
        "{}  {}",
        style.strong(heading),
        style.dim(pact.file.display())
    )?;
    if let Some(reason) = &pact.skipped {
        writeln!(out, "  {} skipped: {reason}", style.caution("-"))?;
        return writeln!(out);
    }
    let mut told: Vec<(&Trouble, usize)> = Vec::new();
    for interaction in &pact.interactions {
        write_interaction(out, style, (pact, interaction), &mut told)?;
    }
    if pact.interactions.is_empty() {
        writeln!(out, "  {} the pact has no interaction", style.caution("-"))?;
    }
    writeln!(out)
}

fn write_interaction<'a>(
    out: &mut dyn Write,
    style: &Style,
    (pact, interaction): (&PactResult, &'a InteractionResult),
    told: &mut Vec<(&'a Trouble, usize)>,
) -> io::Result<()> {
    let name = label(interaction);
    let short = labelled(interaction, |state| state.name.clone());
    let pending = if interaction.pending {
        " (pending: does not count)"
    } else {
        ""
    };
    let place = format!("{}:{}", pact.file.display(), interaction.line);
    match &interaction.verdict {
        Verdict::Holds => writeln!(out, "  {} {short}", style.good("✓")),
        Verdict::Skipped => writeln!(out, "  {} {short}", style.dim("-")),
        Verdict::Broken(breach) => {
            writeln!(out, "  {} {}{pending}", style.bad("✗"), style.strong(&name))?;
            writeln!(out, "      {}", style.dim(place))?;
            write_breach(out, style, breach)
        }
        Verdict::Unknown(trouble) => {
            writeln!(out, "  {} {}{pending}", style.bad("?"), style.strong(&name))?;
            // What keeps every interaction of a pact from being verified is said once.
            if let Some((_, line)) = told.iter().find(|(known, _)| *known == trouble) {
                return writeln!(
                    out,
                    "      {}",
                    style.dim(format!("as with line {line}: {}", trouble.message))
                );
            }
            told.push((trouble, interaction.line));
            writeln!(out, "      {}", style.dim(place))?;
            write_trouble(out, style, trouble)
        }
    }
}

/// `an order, given the order exists (id: 1)`.
pub(super) fn label(interaction: &InteractionResult) -> String {
    labelled(interaction, state)
}

fn labelled(interaction: &InteractionResult, name: fn(&ProviderState) -> String) -> String {
    let description = &interaction.description;
    label_of(description, interaction.kind, &interaction.states, name)
}

/// The words for an interaction, with each of its states as `name` has it.
pub(super) fn label_of(
    description: &str,
    kind: InteractionKind,
    states: &[ProviderState],
    name: fn(&ProviderState) -> String,
) -> String {
    let states: Vec<String> = states.iter().map(name).collect();
    let kind = match kind {
        InteractionKind::Message => " (message)",
        InteractionKind::Http | InteractionKind::Unsupported => "",
    };
    match states.is_empty() {
        true => format!("{description}{kind}"),
        false => format!("{description}{kind}, given {}", states.join(" and ")),
    }
}

fn state(state: &ProviderState) -> String {
    if state.params.is_empty() {
        return state.name.clone();
    }
    let params = named_values(&state.params).join(", ");
    format!("{} ({params})", state.name)
}

fn write_breach(out: &mut dyn Write, style: &Style, breach: &Breach) -> io::Result<()> {
    write_block(out, style, "asked", &breach.asked)?;
    write_block(out, style, "answer", &breach.answered)?;
    for mismatch in &breach.mismatches {
        writeln!(out, "      {}", style.strong(place_of(mismatch)))?;
        let by = match mismatch.source {
            Source::Pact => "by the pact",
            Source::Openapi => "by api/openapi.yaml",
        };
        let rule = style.dim(format!("(rule: {}, {by})", mismatch.rule));
        if let Some(expected) = &mismatch.expected {
            writeln!(out, "        expected  {}", style.good(shown(expected)))?;
        }
        let actual = mismatch
            .actual
            .as_ref()
            .map_or_else(|| "nothing".to_owned(), shown);
        writeln!(out, "        actual    {}", style.bad(actual))?;
        writeln!(out, "        why       {} {rule}", mismatch.message)?;
    }
    Ok(())
}

fn write_block(out: &mut dyn Write, style: &Style, name: &str, text: &str) -> io::Result<()> {
    for (at, line) in text.lines().enumerate() {
        let name = if at == 0 { name } else { "" };
        writeln!(out, "      {} {line}", style.dim(format!("{name:<7}")))?;
    }
    Ok(())
}

/// `body $.items[0].id`, `header Location`, `status`.
pub(super) fn place_of(mismatch: &Mismatch) -> String {
    let path = &mismatch.path;
    match mismatch.part {
        Part::Status => "status".to_owned(),
        Part::ContentType => "content type".to_owned(),
        Part::Header => format!("header {path}"),
        Part::Metadata => format!("metadata {path}"),
        Part::Body => format!("body {path}"),
        Part::Operation => format!("operation {path}"),
    }
}

fn write_trouble(out: &mut dyn Write, style: &Style, trouble: &Trouble) -> io::Result<()> {
    writeln!(out, "      {}", trouble.message)?;
    let unknown = matches!(
        trouble.kind,
        TroubleKind::UnknownState | TroubleKind::UnknownMessage
    );
    if unknown && !trouble.details.is_empty() {
        writeln!(out, "      it knows:")?;
    }
    let hidden = trouble.details.len().saturating_sub(MOST_DETAILS);
    for detail in trouble.details.iter().take(MOST_DETAILS) {
        writeln!(out, "      {} {detail}", style.dim("|"))?;
    }
    if hidden > 0 {
        writeln!(
            out,
            "      {} {}",
            style.dim("|"),
            style.dim(format!("and {hidden} more lines"))
        )?;
    }
    match &trouble.next {
        Some(next) => writeln!(out, "      {} {next}", style.good("next:")),
        None => Ok(()),
    }
}

/// A value in one line.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.chars().count() > SHOWN {
        true => text.chars().take(SHOWN).chain(['…']).collect(),
        false => text,
    }
}
