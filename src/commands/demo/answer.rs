//! What the demonstration shows at its end.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::actions::demo::Delivery;
use crate::actions::demo::next_version::Upgraded;
use crate::model::stack::RuntimeKind;
use crate::report::file_plan::label;
use crate::report::{Answer, Style};

/// Where the shop ran.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Place {
    /// On this machine.
    Local {
        /// In containers, or as processes.
        runtime: RuntimeKind,
    },
    /// In a cluster.
    Cluster {
        /// The context.
        context: String,
        /// The namespace.
        namespace: String,
        /// Why a migration that drops what is in use was not deployed.
        kept: String,
        /// Why the bad version was rolled back.
        rolled_back: String,
    },
}

/// What was seen.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Demonstration {
    /// The workspace.
    pub directory: PathBuf,
    /// Where it ran.
    #[serde(flatten)]
    pub place: Place,
    /// Whether it still does.
    pub running: bool,
    /// Why the contract gate was shut after the break.
    pub refused: String,
    /// Why the gate was shut after the break of the API document.
    pub refused_document: String,
    /// What the next version of the blueprints brought to the services, which had been edited.
    pub upgraded: Upgraded,
    /// The order.
    #[serde(flatten)]
    pub delivery: Delivery,
}

impl Answer for Demonstration {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        self.order(out, style)?;
        let heading = style.strong("A contract was broken twice, and the gate said no");
        writeln!(out, "\n{heading}")?;
        writeln!(out, "  in the API document: {}", self.refused_document)?;
        writeln!(out, "  in the code: {}", self.refused)?;
        if let Place::Cluster {
            kept, rolled_back, ..
        } = &self.place
        {
            let heading = style.strong("A migration that drops what is in use was not deployed");
            writeln!(out, "\n{heading}\n  {kept}")?;
            let heading = style.strong("A bad version was rolled back by itself");
            writeln!(out, "\n{heading}\n  {rolled_back}")?;
        }
        self.upgrade(out, style)?;
        self.next_steps(out, style)?;
        if !self.running {
            writeln!(
                out,
                "\nEverything was stopped; the folder is yours to keep or remove."
            )?;
        }
        Ok(())
    }
}

impl Demonstration {
    fn order(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let delivery = &self.delivery;
        writeln!(out, "\n{}", style.strong("An order went through the shop"))?;
        writeln!(out, "  POST {}  {}", delivery.url, delivery.request)?;
        writeln!(out, "  {} {}", delivery.status, delivery.response)?;
        for line in &delivery.trail {
            let thing = style.name(format!("{} |", line.thing));
            writeln!(out, "  {thing} {}", line.line)?;
        }
        Ok(())
    }

    fn upgrade(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let heading = "The next version of the blueprints reached the services, and edits stayed";
        writeln!(out, "\n{}", style.strong(heading))?;
        for change in &self.upgraded.files {
            let word = style.good(format!("{:7}", label(&change.outcome)));
            writeln!(out, "  {word}  {}", change.path)?;
        }
        writeln!(out, "  your edit:   {}", self.upgraded.edited)?;
        writeln!(out, "  what is new: {}", self.upgraded.newer)
    }

    fn next_steps(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let directory = self.directory.display();
        writeln!(out, "\n{}\n  {directory}", style.strong("The workspace"))?;
        writeln!(out, "\n{}", style.strong("What to try next"))?;
        writeln!(out, "  {}", style.name(format!("cd {directory}")))?;
        for (command, what) in self.suggestions() {
            let command = style.name(format!("{command:<40}"));
            writeln!(out, "  {command}  {}", style.dim(what))?;
        }
        Ok(())
    }

    fn suggestions(&self) -> Vec<(String, &'static str)> {
        let suggestions: &[(&str, &str)] = match (&self.place, self.running) {
            (Place::Local { .. }, true) => &[
                ("gantline status", "what runs, and where"),
                ("gantline logs --follow", "what it says"),
                (
                    "gantline down --volumes",
                    "stop everything and leave nothing behind",
                ),
            ],
            (Place::Local { runtime }, false) => &[
                match runtime {
                    RuntimeKind::Docker => ("gantline up", "start it again"),
                    RuntimeKind::Process => ("gantline up --runtime process", "start it again"),
                },
                (
                    "(cd services/orders && go test ./...)",
                    "run a service's tests",
                ),
                ("gantline generate --check", "see that nothing drifted"),
            ],
            (Place::Cluster { context, .. }, running) => {
                return match running {
                    true => vec![
                        (
                            format!("gantline history demo orders --context {context}"),
                            "what was deployed when",
                        ),
                        (
                            format!("gantline destroy demo --context {context}"),
                            "remove everything again",
                        ),
                    ],
                    false => vec![(
                        format!("gantline deploy demo --plan --context {context}"),
                        "see what a deployment would do",
                    )],
                };
            }
        };
        suggestions
            .iter()
            .map(|(command, what)| ((*command).to_owned(), *what))
            .collect()
    }
}
