//! How it is known that a container serves.

use super::place_of;
use crate::config::service::Manifest;
use crate::error::Error;
use crate::model::container::Health;
use crate::model::suggest;

/// Reads it; `None` when something is wrong with it.
pub(super) fn read(manifest: &Manifest, problems: &mut Vec<Error>) -> Option<Health> {
    let document = &manifest.document;
    let Some(entry) = &manifest.file.health else {
        problems.push(
            Error::invalid("the key `health` is missing")
                .since("of an image that gantline did not make, nobody else knows when it serves")
                .at(document.key_place(&[]))
                .hint("Add `health: /PATH` (HTTP), `health: {tcp: NAME}` with the name of a port, or `health: {exec: [PROGRAM, ...]}`"),
        );
        return None;
    };
    let fields = entry.fields();
    let only_with_path = [
        ("port", fields.port.is_some()),
        ("live", fields.live.is_some()),
    ];
    for (key, _) in only_with_path
        .iter()
        .filter(|(_, given)| *given && fields.path.is_none())
    {
        let hint = match fields.tcp.is_some() || fields.exec.is_some() {
            true => format!("Remove `{key}`"),
            false => "Add `path: /PATH`".to_owned(),
        };
        problems.push(
            Error::invalid(format!("`{key}` goes with `path`"))
                .at(document.key_place(&["health", *key]))
                .hint(hint),
        );
    }
    let error = Error::invalid("`health` is one of `path`, `tcp` and `exec`")
        .at(document.key_place(&["health"]));
    match (fields.path, fields.tcp, fields.exec) {
        (Some(path), None, None) => {
            let port = fields.port.map_or_else(|| "http".to_owned(), |port| port.0);
            check_port(manifest, ("port", &port), problems)?;
            Some(Health::Http {
                port,
                path: path.0,
                live: fields.live.map(|path| path.0),
            })
        }
        (None, Some(port), None) => {
            check_port(manifest, ("tcp", &port.0), problems)?;
            Some(Health::Tcp { port: port.0 })
        }
        (None, None, Some(words)) => Some(Health::Exec(words)),
        (None, None, None) if only_with_path.iter().any(|(_, given)| *given) => None,
        (None, None, None) => {
            problems.push(
                error.hint("Write `path: /PATH` (HTTP), `tcp: NAME` with the name of a port, or `exec: [PROGRAM, ...]`"),
            );
            None
        }
        _ => {
            problems.push(error.hint("Keep one of them"));
            None
        }
    }
}

/// Whether a port that the health names is one of the service's.
fn check_port(
    manifest: &Manifest,
    (key, port): (&str, &str),
    problems: &mut Vec<Error>,
) -> Option<()> {
    let ports = &manifest.file.ports;
    if ports.get(port).is_some() {
        return Some(());
    }
    let document = &manifest.document;
    let place = place_of(manifest, "health", key);
    let known = match document.has(&["health", key]) {
        true => suggest::hint(port, ports.names()),
        false => None,
    };
    let hint = known.unwrap_or_else(|| match ports.names().next() {
        Some(other) => format!(
            "Write `{port}` instead of `{other}` under `ports`, or say which port: `health: {{path: /PATH, port: {other}}}`"
        ),
        None if document.has(&["ports"]) => format!("Write `{port}: 8080` under `ports`"),
        None => format!("Add `ports: {{{port}: 8080}}`"),
    });
    let error = Error::invalid(format!("the service has no port `{port}`"));
    problems.push(error.at(place).hint(hint));
    None
}
