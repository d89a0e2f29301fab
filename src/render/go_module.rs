//! go.mod and go.sum out of the chosen folders' fragments, as `go mod tidy` writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use semver::Version;

use super::made_once::MadeOnce;
use crate::error::{Error, Result};

/// The name of a folder's fragment.
pub const FRAGMENT: &str = "go.fragment.json";

/// What one folder needs of other modules, remade by a maintainer's command.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fragment {
    /// The lowest Go release that all of it builds with: `1.26.0`.
    #[serde(default)]
    pub go: Option<String>,
    /// Modules.
    #[serde(default)]
    pub require: Vec<Requirement>,
    /// Lines of go.sum.
    #[serde(default)]
    pub sum: Vec<String>,
    /// The same for tools.mod: code generators, whose dependencies stay out of the service.
    #[serde(default)]
    pub tools: Option<Tools>,
}

/// The part of a fragment that goes to tools.mod and tools.sum.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tools {
    /// Packages of programs.
    #[serde(default)]
    pub tool: Vec<String>,
    /// Modules.
    #[serde(default)]
    pub require: Vec<Requirement>,
    /// Lines of tools.sum.
    #[serde(default)]
    pub sum: Vec<String>,
}

/// A module at a version.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `github.com/jackc/pgx/v5`.
    pub path: String,
    /// `v5.7.6`.
    pub version: String,
    /// Whether no package of the folder's own imports it.
    #[serde(default)]
    pub indirect: bool,
}

/// The fragments of one service, in any order.
#[derive(Debug, Clone, Default)]
pub struct Composition {
    go: Option<Version>,
    service: Module,
    tools: Module,
}

#[derive(Debug, Clone, Default)]
struct Module {
    tool: BTreeSet<String>,
    require: BTreeMap<String, (String, bool)>,
    sum: BTreeSet<Arc<SumLine>>,
}

/// A fragment whose versions and lines were read.
struct ReadFragment {
    go: Option<Version>,
    require: Vec<Requirement>,
    sum: Vec<Arc<SumLine>>,
    tools: Option<ReadTools>,
}

/// What a fragment adds to the tools' module.
struct ReadTools {
    tool: Vec<String>,
    require: Vec<Requirement>,
    sum: Vec<Arc<SumLine>>,
}

impl ReadFragment {
    fn read(bytes: &[u8], broken: impl Fn() -> Error) -> Result<Self> {
        let fragment: Fragment =
            serde_json::from_slice(bytes).map_err(|error| broken().because(error))?;
        let go = match &fragment.go {
            Some(go) => Some(Version::parse(go).map_err(|error| {
                broken().since(format!("`go` is `{go}`, no full version: {error}"))
            })?),
            None => None,
        };
        let lines = |sum: &[String]| -> Result<Vec<Arc<SumLine>>> {
            let lines = sum
                .iter()
                .map(|line| SumLine::parse(line).map(Arc::new))
                .collect::<Result<_, String>>();
            lines.map_err(|cause| broken().since(cause))
        };
        let sum = lines(&fragment.sum)?;
        let tools = match fragment.tools {
            Some(tools) => Some(ReadTools {
                tool: tools.tool,
                require: tools.require,
                sum: lines(&tools.sum)?,
            }),
            None => None,
        };
        Ok(Self {
            go,
            require: fragment.require,
            sum,
            tools,
        })
    }
}

/// A line of go.sum, ordered as Go orders them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct SumLine {
    path: String,
    version: Version,
    /// Empty for the zip, `/go.mod` for its go.mod.
    file: String,
    line: String,
}

impl Composition {
    /// Adds a fragment, read from `bytes`; `source` names its folder in errors.
    ///
    /// # Errors
    /// When it is no fragment, or disagrees with another on a version or checksum.
    pub fn add(&mut self, source: &str, bytes: &[u8]) -> Result<()> {
        let broken = || {
            Error::invalid(format!("`{source}/{FRAGMENT}` is no valid fragment"))
                .hint("Remake the fragments with the maintainer's command; do not edit them")
        };
        static READ: MadeOnce<ReadFragment> = MadeOnce::new();
        let fragment = READ.get((source, bytes), || ReadFragment::read(bytes, broken))?;
        if let Some(go) = &fragment.go {
            self.go = self.go.take().max(Some(go.clone()));
        }
        let added = self.service.add(&fragment.require, &fragment.sum);
        added.map_err(|cause| broken().since(cause))?;
        if let Some(tools) = &fragment.tools {
            self.tools.tool.extend(tools.tool.iter().cloned());
            let added = self.tools.add(&tools.require, &tools.sum);
            added.map_err(|cause| broken().since(cause))?;
        }
        Ok(())
    }

    /// The files for a Go module of this path: go.mod, go.sum, and the tools' where there are any.
    ///
    /// `go` is the Go release when no fragment names one.
    ///
    /// # Errors
    /// When neither names a full Go version.
    pub fn files(&self, module: &str, go: Option<&str>) -> Result<Vec<(&'static str, String)>> {
        let go = match (&self.go, go) {
            (Some(version), _) => version.to_string(),
            (None, Some(pinned)) => Version::parse(pinned)
                .map(|version| version.to_string())
                .map_err(|error| {
                    Error::invalid(format!(
                        "the pinned Go version `{pinned}` is not a full one"
                    ))
                    .because(error)
                })?,
            (None, None) => {
                return Err(Error::invalid("the blueprint pins no Go version")
                    .hint("Name `go: 1.26.0` in the fragments, or `go` in pins.yaml"));
            }
        };
        let mut files = vec![
            ("go.mod", self.service.module_file(module, &go)),
            ("go.sum", self.service.checksum_file()),
        ];
        if !self.tools.require.is_empty() {
            files.push(("tools.mod", self.tools.module_file(module, &go)));
            files.push(("tools.sum", self.tools.checksum_file()));
        }
        Ok(files)
    }
}

impl Module {
    fn add(&mut self, require: &[Requirement], sum: &[Arc<SumLine>]) -> Result<(), String> {
        for new in require {
            let known = self
                .require
                .entry(new.path.clone())
                .or_insert_with(|| (new.version.clone(), new.indirect));
            if known.0 != new.version {
                return Err(format!(
                    "it requires {} {}, and another fragment {}",
                    new.path, new.version, known.0
                ));
            }
            known.1 &= new.indirect;
        }
        self.sum.extend(sum.iter().cloned());
        Ok(())
    }

    fn module_file(&self, module: &str, go: &str) -> String {
        let mut text = format!("module {module}\n\ngo {go}\n");
        let tools: Vec<String> = self.tool.iter().cloned().collect();
        push_block(&mut text, "tool", &tools);
        for indirect in [false, true] {
            let comment = if indirect { " // indirect" } else { "" };
            let lines: Vec<String> = self
                .require
                .iter()
                .filter(|(_, (_, is_indirect))| *is_indirect == indirect)
                .map(|(path, (version, _))| format!("{path} {version}{comment}"))
                .collect();
            push_block(&mut text, "require", &lines);
        }
        text
    }

    fn checksum_file(&self) -> String {
        self.sum
            .iter()
            .fold(String::new(), |text, sum| text + &sum.line + "\n")
    }
}

/// A block of a go.mod; one line alone stands without parentheses.
fn push_block(text: &mut String, keyword: &str, lines: &[String]) {
    match lines {
        [] => {}
        [line] => text.push_str(&format!("\n{keyword} {line}\n")),
        lines => {
            let body = lines.join("\n\t");
            text.push_str(&format!("\n{keyword} (\n\t{body}\n)\n"));
        }
    }
}

impl SumLine {
    fn parse(line: &str) -> Result<Self, String> {
        let broken = || format!("`{line}` is no line of go.sum");
        let mut words = line.split_whitespace();
        let (Some(path), Some(version), Some(_), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(broken());
        };
        let (version, file) = match version.find('/') {
            Some(at) => version.split_at(at),
            None => (version, ""),
        };
        let plain = version.strip_prefix('v').ok_or_else(broken)?;
        Ok(Self {
            path: path.to_owned(),
            version: Version::parse(plain).map_err(|_| broken())?,
            file: file.to_owned(),
            line: line.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#"{"go": "1.26.0",
        "require": [
            {"path": "golang.org/x/sync", "version": "v0.18.0"},
            {"path": "github.com/a/a", "version": "v1.10.0", "indirect": true},
            {"path": "github.com/b/b", "version": "v0.0.0-20240101000000-0123456789ab", "indirect": true}
        ],
        "sum": [
            "golang.org/x/sync v0.18.0/go.mod h1:s2=",
            "golang.org/x/sync v0.18.0 h1:s1=",
            "github.com/a/a v1.10.0 h1:a10=",
            "github.com/a/a v1.9.0/go.mod h1:a9="
        ]}"#;
    const STORE: &str = r#"{
        "require": [
            {"path": "github.com/a/a", "version": "v1.10.0"},
            {"path": "github.com/c/c", "version": "v2.0.0+incompatible", "indirect": true}
        ],
        "sum": ["github.com/a/a v1.10.0 h1:a10=", "github.com/a/a v1.10.0/go.mod h1:a10m="],
        "tools": {"tool": ["github.com/t/t/cmd/t"],
            "require": [{"path": "github.com/t/t", "version": "v1.0.0", "indirect": true}],
            "sum": ["github.com/t/t v1.0.0 h1:t="]}}"#;

    fn files(fragments: &[&str]) -> BTreeMap<&'static str, String> {
        let mut composition = Composition::default();
        for fragment in fragments {
            composition
                .add("go-service/base", fragment.as_bytes())
                .unwrap();
        }
        let files = composition.files("github.com/acme/shop/services/orders", None);
        files.unwrap().into_iter().collect()
    }

    #[test]
    fn a_module_is_the_union_of_its_fragments() {
        let files = files(&[BASE, STORE]);
        assert_eq!(
            files["go.mod"],
            "module github.com/acme/shop/services/orders\n\ngo 1.26.0\n\nrequire (\n\
             \tgithub.com/a/a v1.10.0\n\tgolang.org/x/sync v0.18.0\n)\n\nrequire (\n\
             \tgithub.com/b/b v0.0.0-20240101000000-0123456789ab // indirect\n\
             \tgithub.com/c/c v2.0.0+incompatible // indirect\n)\n"
        );
        assert_eq!(
            files["go.sum"],
            "github.com/a/a v1.9.0/go.mod h1:a9=\ngithub.com/a/a v1.10.0 h1:a10=\n\
             github.com/a/a v1.10.0/go.mod h1:a10m=\ngolang.org/x/sync v0.18.0 h1:s1=\n\
             golang.org/x/sync v0.18.0/go.mod h1:s2=\n"
        );
        assert_eq!(
            files["tools.mod"],
            "module github.com/acme/shop/services/orders\n\ngo 1.26.0\n\n\
             tool github.com/t/t/cmd/t\n\nrequire github.com/t/t v1.0.0 // indirect\n"
        );
        assert_eq!(files["tools.sum"], "github.com/t/t v1.0.0 h1:t=\n");
    }

    #[test]
    fn the_order_of_fragments_changes_nothing() {
        assert_eq!(files(&[BASE, STORE]), files(&[STORE, BASE]));
    }

    #[test]
    fn a_service_without_tools_has_no_files_for_them() {
        assert!(!files(&[BASE]).contains_key("tools.mod"));
    }

    #[test]
    fn fragments_that_disagree_are_refused() {
        let mut composition = Composition::default();
        composition.add("a", BASE.as_bytes()).unwrap();
        let other = r#"{"require": [{"path": "golang.org/x/sync", "version": "v0.17.0"}]}"#;
        let error = composition.add("b", other.as_bytes()).unwrap_err();
        assert!(
            error.to_string().contains("golang.org/x/sync v0.17.0"),
            "{error}"
        );
        for broken in [
            "{",
            r#"{"sum": ["x"]}"#,
            r#"{"requires": []}"#,
            r#"{"go": "1.26"}"#,
        ] {
            let error = composition.add("b", broken.as_bytes()).unwrap_err();
            assert!(error.message().contains("b/go.fragment.json"));
        }
    }
}

#[cfg(test)]
mod properties;
