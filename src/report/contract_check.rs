//! A check of contracts for people and for programs.

mod document;
mod junit;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::{self, Write};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

pub use self::document::Document;
pub use self::junit::junit;
use super::verification::{counted, label_of, shown, without_pacts};
use super::{Answer, Style};
use crate::model::contract_check::{
    Check, CheckTally, CheckedInteraction, CheckedPact, Finding, OfferedOperation, Outcome,
    Severity, Spot, Subject,
};

/// A check, to be printed.
#[derive(Debug)]
pub struct Report<'a>(pub &'a Check);

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
        write_operations(out, style, &self.0.operations)?;
        for pact in &self.0.pacts {
            writeln!(out, "{}", pair(pact, style))?;
        }
        let tally = self.0.tally();
        let counted = match tally.is_green() {
            true => style.good(summary(&tally)),
            false => style.bad(summary(&tally)),
        };
        let seconds = self.0.elapsed.as_secs_f64();
        writeln!(out, "{counted} {}", style.dim(format!("({seconds:.3} s)")))
    }
}

/// `2 pacts, 6 interactions: 5 fit, 1 differs; 1 error, 2 warnings`.
pub fn summary(tally: &CheckTally) -> String {
    let pacts = counted(tally.pacts, "pact");
    format!("{pacts}, {}", counts(tally))
}

fn counts(tally: &CheckTally) -> String {
    let some = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let differ = if tally.differ == 1 {
        "differs"
    } else {
        "differ"
    };
    let parts = [
        Some(format!(
            "{} {}",
            tally.fit,
            if tally.fit == 1 { "fits" } else { "fit" }
        )),
        some(tally.differ, differ),
        some(tally.unchecked, "not checked"),
        some(tally.pending, "of these pending"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let found = [(tally.errors, "error"), (tally.warnings, "warning")];
    let found: Vec<String> = found
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(count, what))
        .collect();
    let interactions = counted(tally.interactions, "interaction");
    let parts = parts.join(", ");
    match found.is_empty() {
        true => format!("{interactions}: {parts}"),
        false => format!("{interactions}: {parts}; {}", found.join(", ")),
    }
}

/// `storefront counts on orders: 5 interactions: 5 fit`.
fn pair(pact: &CheckedPact, style: &Style) -> String {
    let tally = CheckTally::of(&pact.interactions);
    let mark = match (tally.is_green(), tally.unchecked == tally.interactions) {
        (false, _) => style.bad("✗").to_string(),
        (true, true) => style.caution("-").to_string(),
        (true, false) => style.good("✓").to_string(),
    };
    let heading = format!("{} counts on {}", pact.consumer, pact.provider);
    format!("{mark} {heading}: {}", counts(&tally))
}

fn write_pact(out: &mut dyn Write, style: &Style, pact: &CheckedPact) -> io::Result<()> {
    let heading = format!("{} counts on {}", pact.consumer, pact.provider);
    let file = style.dim(pact.file.display());
    writeln!(out, "{}  {file}", style.strong(heading))?;
    if let Some(reason) = &pact.skipped {
        writeln!(out, "  {} skipped: {reason}", style.caution("-"))?;
        return writeln!(out);
    }
    if pact.interactions.is_empty() {
        writeln!(out, "  {} the pact has no interaction", style.caution("-"))?;
    }
    for interaction in &pact.interactions {
        write_interaction(out, style, interaction)?;
    }
    writeln!(out)
}

fn write_interaction(
    out: &mut dyn Write,
    style: &Style,
    interaction: &CheckedInteraction,
) -> io::Result<()> {
    let name = label(interaction);
    let pending = match interaction.pending && interaction.differs() {
        true => " (pending: does not count)",
        false => "",
    };
    let findings = match &interaction.outcome {
        Outcome::Unchecked(reason) => {
            let mark = style.caution("-");
            return writeln!(out, "  {mark} {name}: not checked: {reason}");
        }
        Outcome::Checked { findings, .. } => findings,
    };
    let mark = match (interaction.differs(), findings.is_empty()) {
        (true, _) => style.bad("✗").to_string(),
        (false, false) => style.caution("!").to_string(),
        (false, true) => style.good("✓").to_string(),
    };
    writeln!(out, "  {mark} {name}{pending}")?;
    findings
        .iter()
        .try_for_each(|finding| write_finding(out, style, finding))
}

/// `an order, given the order exists`.
fn label(interaction: &CheckedInteraction) -> String {
    label_of(
        &interaction.description,
        interaction.kind,
        &interaction.states,
        |state| state.name.clone(),
    )
}

fn write_finding(out: &mut dyn Write, style: &Style, finding: &Finding) -> io::Result<()> {
    let severity = match finding.severity {
        Severity::Error => style.bad("error").to_string(),
        Severity::Warning => style.caution("warning").to_string(),
    };
    let place = style.strong(place_of(finding));
    let rule = style.dim(format!("({})", finding.rule));
    writeln!(out, "      {severity} {place}: {} {rule}", finding.message)?;
    let expected = finding.expected.as_ref().map(shown).unwrap_or_default();
    let pact = style.dim(spot(&finding.pact));
    writeln!(out, "        pact      {pact}  {expected}")?;
    writeln!(
        out,
        "        document  {}",
        style.dim(spot(&finding.document))
    )
}

fn spot(spot: &Spot) -> String {
    format!("{}:{}:{}", spot.file, spot.line, spot.column)
}

/// `response body $.items[0].id`, `query parameter limit`.
fn place_of(finding: &Finding) -> String {
    let path = &finding.path;
    match finding.subject {
        Subject::Operation => format!("operation {path}"),
        Subject::PathParameter => format!("path parameter {path}"),
        Subject::QueryParameter => format!("query parameter {path}"),
        Subject::RequestHeader => format!("request header {path}"),
        Subject::Cookie => format!("cookie {path}"),
        Subject::RequestContentType => "request content type".to_owned(),
        Subject::RequestBody => format!("request body {path}"),
        Subject::Status => "status".to_owned(),
        Subject::ResponseHeader => format!("response header {path}"),
        Subject::ResponseContentType => "response content type".to_owned(),
        Subject::ResponseBody => format!("response body {path}"),
        Subject::MessageHeader => format!("message header {path}"),
        Subject::MessageContents => format!("message {path}"),
    }
}

/// What the documents offer: that which all its consumers fit, that which some do not, and that
/// on which no pact counts.
fn write_operations(
    out: &mut dyn Write,
    style: &Style,
    operations: &[OfferedOperation],
) -> io::Result<()> {
    let mut last = None;
    for operation in operations {
        if last != Some(&operation.provider) {
            writeln!(out, "{} offers", style.strong(&operation.provider))?;
            last = Some(&operation.provider);
        }
        let consumers: Vec<&str> = operation.consumers.iter().map(|it| it.as_str()).collect();
        let consumers = consumers.join(", ");
        let (mark, told) = match (operation.interactions, operation.differ) {
            (0, _) => (style.dim("-").to_string(), "in no pact".to_owned()),
            (all, 0) => (
                style.good("✓").to_string(),
                format!(
                    "{} of {consumers}, and all fit",
                    counted(all, "interaction")
                ),
            ),
            (all, differ) => (
                style.bad("✗").to_string(),
                format!(
                    "{} of {consumers}, of which {differ} {}",
                    counted(all, "interaction"),
                    if differ == 1 { "differs" } else { "differ" }
                ),
            ),
        };
        let title = &operation.title;
        writeln!(out, "  {mark} {title}: {told}")?;
    }
    match operations.is_empty() {
        true => Ok(()),
        false => writeln!(out),
    }
}
