//! `env`: what a service finds in its environment, from the host's view, for an editor or a
//! debugger that runs it outside the stack.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use super::Stack;
use super::addresses::HostPorts;
use crate::error::{Error, Result};
use crate::model::project::unknown_service;
use crate::model::secret::Secret;
use crate::model::stack::{Observed, Role};

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
    warn_of_absent(stack, &observed);
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

fn warn_of_absent(stack: &Stack, observed: &BTreeMap<String, Observed>) {
    let servers = stack
        .spec
        .instances()
        .filter(|it| it.role == Role::Resource);
    for server in servers {
        if observed.get(&server.name).is_none_or(|it| !it.running) {
            let name = &server.name;
            stack.events.warn(format!(
                "{name} does not run: start it with `gantline up --detach`"
            ));
        }
    }
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
