//! A verification as JUnit writes it: a suite for each pact, a case for each interaction.

use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{label, place_of, shown};
use crate::model::verification::{
    Breach, InteractionResult, PactResult, Trouble, Verdict, Verification,
};

/// The XML document.
///
/// # Errors
/// What the serialiser says.
pub fn junit(verification: &Verification) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("gantline contract verify");
    report.set_time(verification.elapsed);
    for pact in &verification.pacts {
        report.add_test_suite(suite(pact));
    }
    report.to_string()
}

fn suite(pact: &PactResult) -> TestSuite {
    let mut suite = TestSuite::new(format!("{} counts on {}", pact.consumer, pact.provider));
    for interaction in &pact.interactions {
        suite.add_test_case(case(pact, interaction));
    }
    suite
}

fn case(pact: &PactResult, interaction: &InteractionResult) -> TestCase {
    let mut case = TestCase::new(label(interaction), status(pact, interaction));
    case.set_classname(format!("{}--{}", pact.consumer, pact.provider));
    case.set_time(interaction.elapsed);
    placed(case, &pact.file, interaction.line)
}

/// A case with the place of its interaction.
pub(in crate::report) fn placed(mut case: TestCase, file: &Path, line: usize) -> TestCase {
    case.extra
        .insert("file".into(), file.display().to_string().into());
    case.extra.insert("line".into(), line.to_string().into());
    case
}

fn status(pact: &PactResult, interaction: &InteractionResult) -> TestCaseStatus {
    let skipped = |reason: String| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(reason);
        status
    };
    let failed = |kind, message: &str, text: String| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message).set_description(text);
        status
    };
    match &interaction.verdict {
        Verdict::Holds => TestCaseStatus::success(),
        Verdict::Skipped => skipped(pact.skipped.clone().unwrap_or_default()),
        Verdict::Broken(breach) if interaction.pending => {
            skipped(format!("pending: {}", headline(breach)))
        }
        Verdict::Unknown(trouble) if interaction.pending => {
            skipped(format!("pending: {}", trouble.message))
        }
        Verdict::Broken(breach) => failed(
            NonSuccessKind::Failure,
            &headline(breach),
            differences(breach),
        ),
        Verdict::Unknown(trouble) => {
            failed(NonSuccessKind::Error, &trouble.message, details(trouble))
        }
    }
}

fn headline(breach: &Breach) -> String {
    let places: Vec<String> = breach.mismatches.iter().map(place_of).collect();
    places.join(", ")
}

fn differences(breach: &Breach) -> String {
    let differences = breach.mismatches.iter().map(|it| {
        let value = |value: &Option<_>| value.as_ref().map_or_else(|| "nothing".to_owned(), shown);
        format!(
            "{}\n  expected {}\n  actual {}\n  rule {}\n  {}",
            place_of(it),
            value(&it.expected),
            value(&it.actual),
            it.rule,
            it.message
        )
    });
    let mut parts: Vec<String> = differences.collect();
    parts.push(format!("asked: {}", breach.asked));
    parts.push(format!("answer: {}", breach.answered));
    parts.join("\n")
}

fn details(trouble: &Trouble) -> String {
    let mut lines = trouble.details.clone();
    lines.extend(trouble.next.iter().map(|next| format!("next: {next}")));
    lines.join("\n")
}
