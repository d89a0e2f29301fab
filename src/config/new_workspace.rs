//! The first files of a workspace.

use super::edit::scalar;
use super::schema::Kind;
use crate::error::{Error, Result};
use crate::model::file_set::{FileSet, RenderedFile, TreePath};
use crate::model::name::Name;

/// Lines that git must know: what belongs to one checkout.
const IGNORED: [&str; 2] = ["/.gantline/run/", "/.gantline/local.env"];
/// Lines that git must know: what people do not read in reviews.
const ATTRIBUTES: [&str; 4] = [
    "/.gantline/** linguist-generated",
    "/.gantline/blueprints/*.tar.zst binary",
    "/.gantline/base/index/* text eol=lf merge=union",
    "/.gantline/base/objects/** binary",
];

/// What a new workspace is made from.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    /// Its name.
    pub name: Name,
    /// The prefix of every service's Go module.
    pub module: String,
    /// The prefix of every image.
    pub registry: String,
    /// The `.gitignore` that is there.
    pub ignored: Option<String>,
    /// The `.gitattributes` that is there.
    pub attributes: Option<String>,
}

/// The Go module that a workspace has when none is named: example.com is nobody's (RFC 2606).
pub fn default_module(name: &Name) -> String {
    format!("example.com/{name}")
}

/// The registry that goes with a module: the code host's own, where it has one.
pub fn default_registry(name: &Name, module: &str) -> String {
    let lower = module.to_lowercase();
    match lower.split_once('/') {
        Some(("github.com", rest)) => format!("ghcr.io/{rest}"),
        Some(("gitlab.com", rest)) => format!("registry.gitlab.com/{rest}"),
        _ => format!("localhost/{name}"),
    }
}

impl NewWorkspace {
    /// The files, by path.
    ///
    /// # Errors
    /// Never, unless a path of ours is none.
    pub fn files(&self) -> Result<FileSet> {
        let mut set = FileSet::default();
        let files = [
            ("gantline.yaml", Some(self.workspace())),
            (".gitignore", with_lines(self.ignored.as_deref(), &IGNORED)),
            (
                ".gitattributes",
                with_lines(self.attributes.as_deref(), &ATTRIBUTES),
            ),
        ];
        for (path, text) in files {
            let Some(text) = text else { continue };
            let path = TreePath::new(path).map_err(|cause| Error::failed(cause.to_string()))?;
            let file = RenderedFile {
                bytes: text.into_bytes(),
                ..RenderedFile::default()
            };
            set.files.insert(path, file);
        }
        Ok(set)
    }

    fn workspace(&self) -> String {
        let line = Kind::Workspace.line();
        let requirement = program_requirement();
        let Self { name, .. } = self;
        let module = scalar(&self.module);
        let registry = scalar(&self.registry);
        format!(
            "{line}\n\
             version: 1\n\
             gantline: \"{requirement}\"\n\
             name: {name}\n\
             module: {module}  # a service's Go module is MODULE/services/NAME\n\
             registry: {registry}  # an image is REGISTRY/NAME\n\
             services: services/*\n\
             platforms: [linux/amd64]\n\
             \n\
             resources: {{}}\n"
        )
    }
}

/// The programs that may write to what this one makes: this release and those that keep its
/// promises (the next minor version may not, before 1.0).
pub fn program_requirement() -> String {
    let number = |text: &str| text.parse::<u64>().unwrap_or_default();
    let major = number(env!("CARGO_PKG_VERSION_MAJOR"));
    let minor = number(env!("CARGO_PKG_VERSION_MINOR"));
    match major {
        0 => format!(">=0.{minor}, <0.{}", minor + 1),
        _ => format!(">={major}.{minor}, <{}", major + 1),
    }
}

/// A file with these lines added where they are missing; `None` when it has them all.
fn with_lines(before: Option<&str>, lines: &[&str]) -> Option<String> {
    let mut text = before.unwrap_or_default().to_owned();
    let missing: Vec<&&str> = lines
        .iter()
        .filter(|line| !text.lines().any(|known| known.trim() == **line))
        .collect();
    if missing.is_empty() {
        return None;
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in missing {
        text.push_str(line);
        text.push('\n');
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::yaml::Document;
    use crate::config::{catalog, workspace};

    fn shop() -> NewWorkspace {
        let name = Name::new("shop").unwrap();
        let module = "github.com/Acme/shop".to_owned();
        NewWorkspace {
            registry: default_registry(&name, &module),
            name,
            module,
            ignored: None,
            attributes: None,
        }
    }

    #[test]
    fn a_new_workspace_is_about_ten_lines_and_is_read_again() {
        let files = shop().files().unwrap();
        let text = &files.files[&TreePath::new("gantline.yaml").unwrap()].bytes;
        assert!(String::from_utf8_lossy(text).lines().count() <= 11);
        let document = Document::parse(Path::new("gantline.yaml"), text).unwrap();
        let types = catalog::resource_types().unwrap();
        let read = workspace::parse(&document, &types).unwrap();
        assert_eq!(read.registry, "ghcr.io/acme/shop");
        assert_eq!(read.module, "github.com/Acme/shop");
    }

    #[test]
    fn lines_that_git_knows_already_are_not_added_again() {
        assert_eq!(
            with_lines(Some("/.gantline/run/\n/.gantline/local.env\n"), &IGNORED),
            None
        );
        assert_eq!(
            with_lines(Some("bin"), &IGNORED).unwrap(),
            "bin\n/.gantline/run/\n/.gantline/local.env\n"
        );
    }
}
