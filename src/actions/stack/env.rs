//! `env`: what a service finds in its environment, from the host's view, for an editor or a
//! debugger that runs it outside the stack.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use super::Stack;
use super::addresses::HostPorts;
use crate::error::{Error, Result};
use crate::model::project::unknown_service;
use crate::model::secret::Secret;
use crate::model::stack::{Instance, Observed, Piece, Template};

/// The environment of a service, by variable. It holds passwords: that is its purpose.
///
/// # Errors
/// When the stack has no such service, or the runtime cannot be asked.
pub async fn environment(stack: &Stack, service: &str) -> Result<BTreeMap<String, Secret>> {
    let mut services = stack.spec.services.iter();
    let instance = services.find(|it| it.name == service).ok_or_else(|| {
        let known = stack.spec.services.iter().map(|it| it.name.as_str());
        unknown_service(service, known)
    })?;
    let observed = stack.runtime.observe().await?;
    let observed: BTreeMap<String, Observed> = observed
        .into_iter()
        .map(|it| (it.name.clone(), it))
        .collect();
    warn_of_absent(stack, instance, &observed);
    warn_of_empty(stack, instance);
    let outside = HostPorts::assign(&stack.spec, &observed)?.outside();
    let mut environment = BTreeMap::new();
    for (name, template) in &instance.environment {
        let value = template.resolve(&outside).ok_or_else(|| {
            Error::invalid(format!(
                "`{name}` needs an address that nothing in the stack has"
            ))
        })?;
        environment.insert(name.clone(), Secret::new(value));
    }
    // A port of the system's choice, so that it does not meet the one in the stack.
    for endpoint in &instance.endpoints {
        if let Some(variable) = &endpoint.variable {
            environment.insert(variable.clone(), Secret::new("127.0.0.1:0"));
        }
    }
    Ok(environment)
}

/// Warns of what the service's variables point to and nobody would answer for.
fn warn_of_absent(stack: &Stack, instance: &Instance, observed: &BTreeMap<String, Observed>) {
    let runs = |name: &str| observed.get(name).is_some_and(|it| it.running);
    let pointed_to: BTreeSet<&str> = instance.environment.values().flat_map(instances).collect();
    for name in pointed_to.into_iter().filter(|name| !runs(name)) {
        let mut services = stack.spec.services.iter();
        let command = match services.any(|service| service.name == name) {
            true => format!("gantline up --detach {name}"),
            false => format!("gantline up --detach {}", instance.name),
        };
        stack
            .events
            .warn(format!("{name} does not run: start it with `{command}`"));
    }
}

/// Warns of secrets without a value on this machine.
fn warn_of_empty(stack: &Stack, instance: &Instance) {
    for (variable, template) in &instance.environment {
        if matches!(template.0.as_slice(), [Piece::Secret(secret)] if secret.reveal().is_empty()) {
            stack.events.warn(format!(
                "the secret {variable} has no local value: add a line `{variable}=...` to .gantline/local.env"
            ));
        }
    }
}

/// The instances whose addresses a variable holds.
fn instances(template: &Template) -> impl Iterator<Item = &str> {
    template.0.iter().filter_map(|piece| match piece {
        Piece::Host { instance } | Piece::Port { instance, .. } => Some(instance.as_str()),
        Piece::Text(_) | Piece::Secret(_) => None,
    })
}

/// Variables in the form of a dotenv file: one a line, quoted where a shell would need it.
pub fn dotenv(environment: &BTreeMap<String, Secret>) -> String {
    environment
        .iter()
        .map(|(name, value)| format!("{name}={}\n", quoted(value.reveal())))
        .collect()
}

/// Writes a file that only its owner can read; one that is there is replaced.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let failed = || Error::failed(format!("cannot write {}", path.display()));
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|it| failed().because(it))?;
    file.write_all(text.as_bytes())
        .map_err(|it| failed().because(it))?;
    file.persist(path).map_err(|it| failed().because(it))?;
    Ok(())
}

fn quoted(value: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:@%+,=".contains(letter);
    match !value.is_empty() && value.chars().all(is_plain) {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_a_shell_would_read_otherwise_is_quoted() {
        let environment = BTreeMap::from([
            ("PLAIN".to_owned(), Secret::new("nats://u:p@127.0.0.1:1")),
            (
                "URI".to_owned(),
                Secret::new("postgres://h/d?sslmode=disable&x=$y"),
            ),
            ("WORDS".to_owned(), Secret::new("it's here")),
        ]);
        assert_eq!(
            dotenv(&environment),
            "PLAIN=nats://u:p@127.0.0.1:1\n\
             URI='postgres://h/d?sslmode=disable&x=$y'\n\
             WORDS='it'\\''s here'\n"
        );
    }
}
