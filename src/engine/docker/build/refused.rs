//! What BuildKit says of a build that it ends, as an error about the user's Dockerfile.

use std::path::Path;

use bollard::errors::Error as DockerError;

use crate::error::{Error, Place};
use crate::model::container::BuildSource;
use crate::model::shell::quoted;

/// What BuildKit puts before a reason, and what says nothing to people.
const PREFIXES: [&str; 3] = [
    "failed to solve: ",
    "failed to solve with frontend dockerfile.v0: ",
    "failed to create LLB definition: ",
];
/// With what the reason of a Dockerfile that cannot be read begins; older ones leave out the `on`.
const UNREADABLE: &str = "dockerfile parse error ";

/// A build that BuildKit ended: a Dockerfile that it cannot read is shown with its line.
pub(super) fn refused(failed: Error, source: &BuildSource, error: &DockerError) -> Error {
    let text = match error {
        DockerError::DockerStreamError { error } => error,
        DockerError::DockerResponseServerError { message, .. } => message,
        other => return failed.because(other),
    };
    let mut reason = text.as_str();
    while let Some(rest) = PREFIXES.iter().find_map(|it| reason.strip_prefix(it)) {
        reason = rest;
    }
    match place_of(reason, &source.context.join(&source.dockerfile)) {
        Some((place, reason)) => Error::invalid(failed.message()).since(reason).at(place),
        None => failed.since(reason),
    }
}

/// The line that a reason names, and what is wrong with it: `on line 2: unknown instruction: NOPE`.
fn place_of<'a>(reason: &'a str, path: &Path) -> Option<(Place, &'a str)> {
    let rest = reason.strip_prefix(UNREADABLE)?;
    let rest = rest.strip_prefix("on ").unwrap_or(rest);
    let (number, reason) = rest.strip_prefix("line ")?.split_once(": ")?;
    let number: usize = number.parse().ok()?;
    let text = std::fs::read_to_string(path).ok()?;
    let before = text.split_inclusive('\n').take(number.checked_sub(1)?);
    let start: usize = before.map(str::len).sum();
    let line = text.get(start..)?.lines().next()?;
    Some((Place::of_offset(path, &text, start, line.len()), reason))
}

/// The command that builds the same by hand.
pub(super) fn by_hand(source: &BuildSource) -> String {
    let mut words = vec!["docker build".to_owned()];
    if source.dockerfile != Path::new("Dockerfile") {
        let file = source.context.join(&source.dockerfile);
        words.push(format!("--file {}", quoted(&file.to_string_lossy())));
    }
    words.extend(
        source
            .target
            .iter()
            .map(|it| format!("--target {}", quoted(it))),
    );
    let arguments = source.args.iter();
    words.extend(
        arguments
            .map(|(name, value)| format!("--build-arg {}", quoted(&format!("{name}={value}")))),
    );
    words.push(quoted(&source.context.to_string_lossy()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::source::plain_source;
    use crate::error::ErrorKind;

    fn told(source: &BuildSource, reason: &str) -> Error {
        let failed = Error::failed("the image of pages cannot be built");
        let error = reason.to_owned();
        refused(failed, source, &DockerError::DockerStreamError { error })
    }

    #[test]
    fn a_dockerfile_that_cannot_be_read_is_shown_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Dockerfile"), "FROM scratch\nNOPE x\n").unwrap();
        let source = plain_source(folder.path());
        for reason in [
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: \
             dockerfile parse error line 2: unknown instruction: NOPE",
            "failed to solve: dockerfile parse error on line 2: unknown instruction: NOPE",
        ] {
            let error = told(&source, reason);
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let place = error.place().unwrap();
            assert_eq!((place.line, &*place.source_line), (2, "NOPE x"));
            assert_eq!(error.causes(), ["unknown instruction: NOPE"]);
        }
    }

    #[test]
    fn what_is_no_fault_of_a_line_is_told_without_what_buildkit_puts_before_it() {
        let source = plain_source(Path::new("/nonexistent"));
        for (reason, cause) in [
            (
                "failed to solve: the Dockerfile cannot be empty",
                "the Dockerfile cannot be empty",
            ),
            (
                "dockerfile parse error line x: y",
                "dockerfile parse error line x: y",
            ),
            (
                "dockerfile parse error line 7: y",
                "dockerfile parse error line 7: y",
            ),
        ] {
            let error = told(&source, reason);
            assert_eq!(
                (error.kind(), error.causes()),
                (ErrorKind::Failed, &[cause.to_owned()][..])
            );
        }
    }

    #[test]
    fn the_command_by_hand_builds_the_same() {
        let mut source = plain_source(Path::new("/src/my shop"));
        assert_eq!(by_hand(&source), "docker build '/src/my shop'");
        source.context = "/src".into();
        source.dockerfile = "build/Dockerfile.web".into();
        source.target = Some("web".to_owned());
        source.args = BTreeMap::from([("A".to_owned(), "it's".to_owned())]);
        assert_eq!(
            by_hand(&source),
            r"docker build --file /src/build/Dockerfile.web --target web --build-arg 'A=it'\''s' /src"
        );
    }
}
