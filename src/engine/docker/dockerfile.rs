//! What is read of a Dockerfile: the images that it is built on, and its last stage, as the native
//! builder uses it: the program comes from the host instead of from an earlier stage.

mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::engine::files::{BaseStore, ContentHash, DiskTree};
use crate::engine::image::Settings;
use crate::error::{Error, Result};
use crate::model::file_set::TreePath;

/// The name under which the program lies in the native builder's context.
pub const PROGRAM: &str = "program";

/// The last stage of a service's Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastStage {
    /// The image it begins with.
    pub base: String,
    /// Where the program goes: an absolute path.
    pub program: PathBuf,
    /// Its instructions, with the one `COPY --from=STAGE` of the program replaced.
    instructions: Vec<String>,
}

impl LastStage {
    /// Reads the last stage; `None` when it is not the plain one that is generated: a literal
    /// base, exactly one file copied from an earlier stage, nothing run or copied besides.
    pub fn of(dockerfile: &str) -> Option<Self> {
        let instructions = instructions(dockerfile);
        let start = instructions.iter().rposition(|it| keyword(it) == "FROM")?;
        let mut words = instructions[start].split_whitespace().skip(1);
        let base = words.find(|word| !word.starts_with("--"))?.to_owned();
        let mut rest = instructions[start + 1..].to_vec();
        let mut copied = Vec::new();
        for instruction in &mut rest {
            match keyword(instruction).as_str() {
                "COPY" => {
                    let target = copied_to(instruction)?;
                    *instruction = format!("COPY --chmod=0755 {PROGRAM} {target}");
                    copied.push(PathBuf::from(target));
                }
                "ADD" | "RUN" | "ARG" => return None,
                _ => {}
            }
        }
        let program = copied.pop().filter(|_| copied.is_empty())?;
        (program.is_absolute() && !base.contains('$')).then_some(Self {
            base,
            program,
            instructions: rest,
        })
    }

    /// What its instructions set in the image; `None` when only BuildKit knows.
    pub fn settings(&self) -> Option<Settings> {
        let others = self.instructions.iter().filter(|it| keyword(it) != "COPY");
        Settings::of(&others.cloned().collect::<Vec<_>>())
    }

    /// A Dockerfile that begins with another base: with `scratch`, `further` copies what the
    /// base would have brought.
    pub fn on(&self, base: &str, further: &[String]) -> String {
        let mut lines = vec![format!("FROM {base}")];
        lines.extend_from_slice(further);
        lines.extend_from_slice(&self.instructions);
        lines.join("\n") + "\n"
    }
}

/// Instructions with continued lines joined, without comments.
fn instructions(dockerfile: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut current = String::new();
    for line in dockerfile.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(part) => {
                current.push_str(part);
            }
            None => {
                current.push_str(line);
                all.push(std::mem::take(&mut current));
            }
        }
    }
    all
}

/// The images of registries that a Dockerfile names, with these arguments of the build: those of
/// its frontend, its stages and what is copied or mounted (Dockerfile reference, "syntax", "FROM",
/// "COPY --from", "RUN --mount").
pub fn named_images(dockerfile: &str, arguments: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut values = BTreeMap::new();
    let mut stages = BTreeSet::from(["scratch".to_owned()]);
    let mut images: BTreeSet<String> = frontend(dockerfile).into_iter().collect();
    for instruction in instructions(dockerfile) {
        let words = || instruction.split_whitespace().skip(1);
        let named = match keyword(&instruction).as_str() {
            // Before the first stage: what later stages declare is not for the names of images.
            "ARG" if stages.len() == 1 => {
                variables::declare(&mut values, words(), arguments);
                continue;
            }
            "FROM" => {
                let mut plain = words().filter(|word| !word.starts_with("--"));
                let image = plain.next().map(str::to_owned);
                let stage = plain.nth(1).unwrap_or("FROM").to_lowercase();
                let image = image.map(|image| variables::expand(&image, &values));
                let image = image.filter(|image| !stages.contains(&image.to_lowercase()));
                stages.insert(stage);
                image.into_iter().collect()
            }
            _ => words().filter_map(source_of).collect::<Vec<_>>(),
        };
        let is_stage =
            |name: &String| stages.contains(&name.to_lowercase()) || name.parse::<usize>().is_ok();
        images.extend(named.into_iter().filter(|name| !is_stage(name)));
    }
    images
}

/// The image that reads the Dockerfile: `# syntax=docker/dockerfile:1`, among the first comments.
fn frontend(dockerfile: &str) -> Option<String> {
    let directives = dockerfile
        .lines()
        .map_while(|line| line.trim().strip_prefix('#'));
    let mut pairs = directives.filter_map(|line| line.split_once('='));
    let (_, image) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("syntax"))?;
    Some(image.trim().to_owned())
}

/// What a flag such as `--from=build` or `--mount=type=bind,from=build` takes files from.
fn source_of(word: &str) -> Option<String> {
    if let Some(mount) = word.strip_prefix("--mount=") {
        let source = mount.split(',').find_map(|it| it.strip_prefix("from="));
        return source.map(str::to_owned);
    }
    word.strip_prefix("--from=").map(str::to_owned)
}

fn keyword(instruction: &str) -> String {
    let word = instruction.split_whitespace().next().unwrap_or_default();
    word.to_ascii_uppercase()
}

/// Where `COPY --from=build /out/orders /app/orders` copies to; `None` when it does not copy one
/// path from another stage.
fn copied_to(instruction: &str) -> Option<String> {
    let (flags, paths): (Vec<&str>, Vec<&str>) = instruction
        .split_whitespace()
        .skip(1)
        .partition(|word| word.starts_with("--"));
    let from_stage = flags.iter().all(|flag| flag.starts_with("--from="));
    match paths.as_slice() {
        [_, target] if from_stage && !flags.is_empty() && !target.ends_with('/') => {
            Some((*target).to_owned())
        }
        _ => None,
    }
}

/// Whether the native builder can stand in for a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It means the same.
    Same(LastStage),
    /// The file is not as generated: only BuildKit knows what the edit means.
    Edited,
    /// It is as generated, and its last stage does more than hold a program.
    Unusual,
}

/// Whether the native builder can stand in for the Dockerfile of a service.
///
/// # Errors
/// When the file cannot be read.
pub fn standing(workspace: &Path, service: &str, directory: &Path) -> Result<Standing> {
    let path = directory.join("Dockerfile");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Error::invalid(format!("cannot read {}", path.display())).because(error)
    })?;
    if !is_as_generated(workspace, service, directory, &text) {
        return Ok(Standing::Edited);
    }
    let stage = LastStage::of(&text).filter(|stage| stage.settings().is_some());
    Ok(stage.map_or(Standing::Unusual, Standing::Same))
}

/// Whether the base has this text for the service's Dockerfile.
fn is_as_generated(workspace: &Path, service: &str, directory: &Path, text: &str) -> bool {
    let folder = directory.strip_prefix(workspace).ok();
    let path =
        folder.and_then(|folder| TreePath::new(format!("{}/Dockerfile", folder.display())).ok());
    let tree = DiskTree::new(workspace);
    let known = BaseStore::new(&tree).index(service);
    match (path, known) {
        (Some(path), Ok((index, _))) => index
            .entries
            .get(&path)
            .is_some_and(|entry| entry.hashes.contains(&ContentHash::of(text.as_bytes()))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATED: &str = "\
# The builder.
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
RUN --mount=type=cache,target=/go/pkg/mod \\
    go build -o /out/orders ./cmd/orders

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/orders /app/orders
USER 65532:65532
ENTRYPOINT [\"/app/orders\"]
";

    #[test]
    fn the_program_comes_from_the_host() {
        let stage = LastStage::of(GENERATED).unwrap();
        assert_eq!(stage.base, "gcr.io/distroless/static-debian12:nonroot");
        assert_eq!(
            stage.on("scratch", &["COPY certificates /etc/ssl/certs".to_owned()]),
            "FROM scratch\nCOPY certificates /etc/ssl/certs\n\
             COPY --chmod=0755 program /app/orders\nUSER 65532:65532\n\
             ENTRYPOINT [\"/app/orders\"]\n"
        );
    }

    #[test]
    fn images_are_those_of_registries_with_the_arguments_filled_in() {
        let dockerfile = "\
# syntax=registry.example/dockerfile:1
ARG HOST=docker.io GO=1.26
ARG SUFFIX
FROM ${HOST}/golang:$GO$SUFFIX AS build
ARG HOST=elsewhere.example
RUN --mount=type=bind,from=tools.example/lint:2,target=/lint true
FROM Build AS test
FROM scratch
COPY --from=build /a /a
COPY --from=0 /a /a
COPY --from=certificates.example/roots:1 /certificates /
";
        let arguments = BTreeMap::from([
            ("HOST".to_owned(), "mirror.example:5000".to_owned()),
            ("SUFFIX".to_owned(), "-alpine".to_owned()),
        ]);
        let found = named_images(dockerfile, &arguments);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(
            found,
            [
                "certificates.example/roots:1",
                "mirror.example:5000/golang:1.26-alpine",
                "registry.example/dockerfile:1",
                "tools.example/lint:2",
            ]
        );
    }

    #[test]
    fn a_last_stage_that_does_more_is_left_to_docker() {
        for edit in [
            "RUN apt-get update\n",
            "COPY assets /assets\n",
            "COPY --from=build /out/a /out/b /app/\n",
        ] {
            assert_eq!(LastStage::of(&format!("{GENERATED}{edit}")), None, "{edit}");
        }
        assert_eq!(LastStage::of("FROM $BASE\nCOPY --from=x /a /b\n"), None);
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;

    /// What a Dockerfile is made of, also where it makes no sense.
    const LINES: &[&str] = &[
        "FROM golang:1.26 AS build\n",
        "from --platform=$BUILDPLATFORM scratch\n",
        "FROM\n",
        "FROM --\n",
        "FROM $BASE\n",
        "COPY --from=build /out/orders /app/orders\n",
        "COPY --from=build /out/orders app/\n",
        "COPY --from= / /\n",
        "copy\n",
        "COPY --chown=1 a b c\n",
        "ADD a b\n",
        "RUN <<END\n",
        "ARG A\n",
        "ARG A= B=${A:-x}\n",
        "FROM ${A:-${B}\n",
        "FROM $\u{e9}${\n",
        "ENV A=1 B='\n",
        "LABEL a=\"b\n",
        "USER 65532\n",
        "ENTRYPOINT [\"/app/orders\"]\n",
        "HEALTHCHECK --interval=\n",
        "# a comment\n",
        "\\\n",
        "\\",
        "\n",
        "\t",
        "\u{a0}",
        "\u{e9}",
    ];

    /// A last stage that the native builder can stand in for.
    const PLAIN: &str = "FROM scratch\nCOPY --from=build /a /b\n";

    fn dockerfiles() -> impl Strategy<Value = String> {
        let lines = prop::collection::vec(prop::sample::select(LINES), 0..20);
        (any::<bool>(), lines).prop_map(|(is_plain, lines)| {
            let begun = if is_plain { PLAIN } else { "" };
            format!("{begun}{}", lines.concat())
        })
    }

    proptest! {
        #[test]
        fn no_dockerfile_makes_its_reader_panic(text in dockerfiles()) {
            let _ = named_images(&text, &BTreeMap::new());
            if let Some(stage) = LastStage::of(&text) {
                prop_assert!(stage.program.is_absolute() && !stage.base.contains('$'));
                let rewritten = stage.on("scratch", &["COPY a b".to_owned()]);
                // What names an earlier stage would name one that is not there.
                let is_known = stage.settings().is_some();
                prop_assert!(!(is_known && rewritten.contains("--from=")), "{rewritten}");
            }
        }
    }
}
