//! A check as JUnit writes it: a suite for each pact, a case for each interaction.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{label, place_of, shown, spot};
use crate::model::contract_check::{
    Check, CheckedInteraction, CheckedPact, Finding, Outcome, Severity,
};
use crate::report::verification::placed;

/// The XML document.
///
/// # Errors
/// What the serialiser says.
pub fn junit(check: &Check) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("gantline contract check");
    report.set_time(check.elapsed);
    for pact in &check.pacts {
        report.add_test_suite(suite(pact));
    }
    report.to_string()
}

fn suite(pact: &CheckedPact) -> TestSuite {
    let mut suite = TestSuite::new(format!("{} counts on {}", pact.consumer, pact.provider));
    for interaction in &pact.interactions {
        let mut case = TestCase::new(label(interaction), status(interaction));
        case.set_classname(format!("{}--{}", pact.consumer, pact.provider));
        if let Some(warnings) = warnings(interaction) {
            case.set_system_out(warnings);
        }
        suite.add_test_case(placed(case, &pact.file, interaction.line));
    }
    suite
}

fn status(interaction: &CheckedInteraction) -> TestCaseStatus {
    let skipped = |reason: String| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(reason);
        status
    };
    let errors: Vec<&Finding> = of(interaction, Severity::Error);
    let headline: Vec<String> = errors.iter().map(|finding| place_of(finding)).collect();
    let headline = headline.join(", ");
    match &interaction.outcome {
        Outcome::Unchecked(reason) => skipped(format!("not checked: {reason}")),
        Outcome::Checked { .. } if errors.is_empty() => TestCaseStatus::success(),
        Outcome::Checked { .. } if interaction.pending => skipped(format!("pending: {headline}")),
        Outcome::Checked { .. } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(headline).set_description(text(&errors));
            status
        }
    }
}

fn of(interaction: &CheckedInteraction, severity: Severity) -> Vec<&Finding> {
    let findings = interaction.findings().iter();
    findings
        .filter(|finding| finding.severity == severity)
        .collect()
}

fn warnings(interaction: &CheckedInteraction) -> Option<String> {
    let warnings = of(interaction, Severity::Warning);
    (!warnings.is_empty()).then(|| text(&warnings))
}

fn text(findings: &[&Finding]) -> String {
    let texts = findings.iter().map(|finding| {
        let expected = finding.expected.as_ref().map(shown).unwrap_or_default();
        format!(
            "{}: {}\n  rule {}\n  pact {} {expected}\n  document {}",
            place_of(finding),
            finding.message,
            finding.rule,
            spot(&finding.pact),
            spot(&finding.document)
        )
    });
    texts.collect::<Vec<_>>().join("\n")
}
