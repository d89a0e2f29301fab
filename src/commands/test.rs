//! `test`: the Go tests of services, with the servers that they need.

use std::io::{self, Write};

use super::interrupt;
use crate::actions::test::{TestRequest, Tested, test};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::name::Name;
use crate::model::stack::RuntimeKind;
use crate::report::{Answer, Format, Style, write_table};

/// Run the Go tests of services with the servers that they need
///
/// Databases and brokers are started for the tests alone, with new data, beside a stack that may
/// run, and are gone afterwards. Tests find them in TEST_STORE_URI, TEST_MESSAGING_URI and so on,
/// and make a database each. What Go writes is passed on; with `--format json` each of its lines is
/// an event on standard error.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The services; all when none is named
    #[arg(value_name = "SERVICE")]
    services: Vec<Name>,
    /// Where the servers run
    #[arg(long, value_enum, default_value_t)]
    runtime: RuntimeKind,
    /// Arguments of `go test`, such as `-race` or `-run TestOrders ./internal/...`
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

/// How tests ended.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Verdict {
    /// Whether all tests passed.
    passed: bool,
    /// Each service.
    services: Vec<Tested>,
}

/// Runs the command.
///
/// # Errors
/// When a test fails, or something needed is missing.
pub async fn run(args: Args, app: &App) -> Result<()> {
    let interrupts = interrupt::listen()?;
    let request = TestRequest {
        directory: app.settings().directory.clone(),
        services: args.services,
        runtime: args.runtime,
        arguments: args.arguments,
        quiet_output: app.settings().format == Format::Json,
        events: app.events(),
    };
    let services = test(&request, interrupts.signal()).await?;
    let red: Vec<String> = services
        .iter()
        .filter(|tested| !tested.passed)
        .map(|tested| tested.service.to_string())
        .collect();
    let verdict = Verdict {
        passed: red.is_empty(),
        services,
    };
    match request.is_json_of_go() {
        // Documents alone stand on standard output, as from Go itself.
        true => verdict.note(app),
        false => app.answer(&verdict)?,
    }
    match verdict.passed {
        true => Ok(()),
        false => Err(Error::failed(format!("tests fail in {}", red.join(", ")))
            .hint("What Go wrote stands above")),
    }
}

impl Verdict {
    /// Says it beside standard output.
    fn note(&self, app: &App) {
        let events = app.events();
        for tested in &self.services {
            let verdict = if tested.passed { "passed" } else { "failed" };
            events.note(format!("{}: {verdict}", tested.service));
        }
    }
}

impl Answer for Verdict {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.services.is_empty() {
            return writeln!(out, "The workspace has no services");
        }
        let rows = self.services.iter().map(|tested| {
            let verdict = match tested.passed {
                true => "passed",
                false => "failed",
            };
            [
                tested.service.to_string(),
                verdict.to_owned(),
                format!("{:.1} s", tested.seconds),
                tested.variables.join(" "),
            ]
        });
        let rows: Vec<[String; 4]> = rows.collect();
        write_table((out, style), &rows, |column, cell| match (column, cell) {
            (0, _) => style.name(cell),
            (1, "passed") => style.good(cell),
            (1, _) => style.bad(cell),
            (3, _) => style.dim(cell),
            _ => cell.to_owned(),
        })
    }
}
