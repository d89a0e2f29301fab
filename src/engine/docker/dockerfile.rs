//! The last stage of a Dockerfile, as the native builder uses it: the program comes from the
//! host instead of from an earlier stage.

/// The name under which the program lies in the native builder's context.
pub const PROGRAM: &str = "program";

/// The last stage of a service's Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastStage {
    /// The image it begins with.
    pub base: String,
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
        let mut copied = 0;
        for instruction in &mut rest {
            match keyword(instruction).as_str() {
                "COPY" => {
                    *instruction = copy_from_host(instruction)?;
                    copied += 1;
                }
                "ADD" | "RUN" | "ARG" => return None,
                _ => {}
            }
        }
        (copied == 1 && !base.contains('$')).then_some(Self {
            base,
            instructions: rest,
        })
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

fn keyword(instruction: &str) -> String {
    let word = instruction.split_whitespace().next().unwrap_or_default();
    word.to_ascii_uppercase()
}

/// `COPY --from=build /out/orders /app/orders` as `COPY program /app/orders`; `None` when it
/// does not copy one path from another stage.
fn copy_from_host(instruction: &str) -> Option<String> {
    let (flags, paths): (Vec<&str>, Vec<&str>) = instruction
        .split_whitespace()
        .skip(1)
        .partition(|word| word.starts_with("--"));
    let from_stage = flags.iter().any(|flag| flag.starts_with("--from="));
    match paths.as_slice() {
        [_, target] if from_stage && !target.ends_with('/') => {
            Some(format!("COPY --chmod=0755 {PROGRAM} {target}"))
        }
        _ => None,
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
