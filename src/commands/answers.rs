//! What programs read of each command, as `gantline schema` lists and prints it.

use serde_json::Value;

use super::{
    add, blueprint, build, completions, demo, deploy, destroy, diff, doctor, env, generate,
    history, new, render, restart, rollback, schema, stack, status, test, up, upgrade,
};
use crate::actions::stack::down::Removed;
use crate::actions::stack::logs::LogLine;
use crate::model::event::Event;
use crate::report::contract_check::Report as Checked;
use crate::report::schema::{address, of_document, of_line};
use crate::report::verification::Report;
use crate::report::{Answer, ErrorDocument};

/// A published schema of something that the program prints.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    /// Its name, and that of its file.
    pub name: &'static str,
    /// Whose answer it is, as it is typed.
    pub of: &'static str,
    make: fn(&str, &str) -> Value,
}

/// All of them, in the order of their names.
pub const ALL: &[Published] = &[
    answer::<add::client::AddedClient>("add-client", "gantline add client"),
    answer::<add::environment::Added>("add-environment", "gantline add environment"),
    answer::<add::resource::Added>("add-resource", "gantline add resource"),
    answer::<add::answer::AddedService>("add-service", "gantline add service"),
    answer::<blueprint::Sound>("blueprint-check", "gantline blueprint check"),
    answer::<blueprint::Listed>("blueprint-list", "gantline blueprint list"),
    answer::<blueprint::Shown>("blueprint-show", "gantline blueprint show"),
    answer::<build::Images>("build", "gantline build"),
    answer::<completions::Completions>("completions", "gantline completions"),
    answer::<Checked<'_>>("contract-check", "gantline contract check"),
    answer::<Report<'_>>("contract-verify", "gantline contract verify"),
    answer::<demo::answer::Demonstration>("demo", "gantline demo"),
    answer::<deploy::Deployed>("deploy", "gantline deploy"),
    answer::<deploy::Planned>("deploy-plan", "gantline deploy --plan"),
    answer::<destroy::Removed>("destroy", "gantline destroy"),
    answer::<diff::Differences>("diff", "gantline diff"),
    answer::<doctor::Diagnosis>("doctor", "gantline doctor"),
    answer::<Removed>("down", "gantline down"),
    answer::<stack::Foretold>("down-plan", "gantline down --dry-run"),
    answer::<env::Environment>("env", "gantline env"),
    Published {
        name: "error",
        of: "gantline, on standard error, when it fails",
        make: of_document::<ErrorDocument<'_>>,
    },
    Published {
        name: "event",
        of: "gantline, on standard error, one line each while it works",
        make: of_line::<Event>,
    },
    answer::<generate::Generated<'_>>("generate", "gantline generate"),
    answer::<history::History>("history", "gantline history"),
    Published {
        name: "logs",
        of: "gantline logs, one line each",
        make: of_line::<LogLine>,
    },
    answer::<new::Made>("new", "gantline new"),
    answer::<render::RenderedAnswer<'_>>("render", "gantline render"),
    answer::<restart::Restarted>("restart", "gantline restart"),
    answer::<stack::Foretold>("restart-plan", "gantline restart --dry-run"),
    answer::<rollback::RolledBack>("rollback", "gantline rollback"),
    answer::<deploy::Planned>("rollback-plan", "gantline rollback --dry-run"),
    answer::<schema::Schemas>("schema", "gantline schema"),
    answer::<schema::Schema>("schema-of", "gantline schema NAME"),
    answer::<status::Status>("status", "gantline status"),
    answer::<test::Verdict>("test", "gantline test"),
    answer::<up::Running>("up", "gantline up"),
    answer::<stack::Foretold>("up-plan", "gantline up --dry-run"),
    answer::<upgrade::Shown<'_>>("upgrade", "gantline upgrade"),
];

const fn answer<T: Answer>(name: &'static str, of: &'static str) -> Published {
    Published {
        name,
        of,
        make: of_document::<T>,
    }
}

impl Published {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|it| it.name == name)
    }

    /// The schema itself.
    pub fn schema(&self) -> Value {
        (self.make)(self.name, self.of)
    }

    /// Where it is published.
    pub fn address(&self) -> String {
        address(self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;
    use crate::config::schema::Kind;

    #[test]
    fn the_published_schemas_are_those_of_the_program() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas/v1");
        let files = Kind::ALL.map(|kind| (kind.name(), kind.schema()));
        let answers = ALL.iter().map(|it| (it.name, it.schema()));
        for (name, schema) in files.into_iter().chain(answers) {
            let path = folder.join(format!("{name}.json"));
            let expected = serde_json::to_string_pretty(&schema).unwrap() + "\n";
            if std::env::var_os("UPDATE").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &expected).unwrap();
            }
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                found == expected,
                "{} differs; write it with UPDATE=1 cargo test published_schemas",
                path.display()
            );
        }
    }

    #[test]
    fn every_schema_is_one_and_describes_every_member_of_its_document() {
        for published in ALL {
            let schema = published.schema();
            assert!(jsonschema::meta::is_valid(&schema), "{}", published.name);
            let members = schema["properties"].as_object();
            for (key, member) in members.into_iter().flatten() {
                let name = published.name;
                assert!(member.get("description").is_some(), "{name} {key}");
            }
        }
    }

    #[test]
    fn every_command_has_a_schema() {
        let mut without = Vec::new();
        let root = Cli::command();
        let mut open: Vec<(String, &clap::Command)> = vec![("gantline".to_owned(), &root)];
        while let Some((path, command)) = open.pop() {
            let visible = |it: &&clap::Command| !it.is_hide_set();
            let below: Vec<&clap::Command> = command.get_subcommands().filter(visible).collect();
            let has_schema = |path: &str| {
                let of = |it: &Published| it.of == path || it.of.starts_with(&format!("{path},"));
                ALL.iter().any(of)
            };
            if below.is_empty() && !has_schema(&path) {
                without.push(path.clone());
            }
            open.extend(
                below
                    .into_iter()
                    .map(|it| (format!("{path} {}", it.get_name()), it)),
            );
        }
        assert!(without.is_empty(), "list their answers in ALL: {without:?}");
    }
}
