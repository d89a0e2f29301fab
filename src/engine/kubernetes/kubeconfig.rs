//! What the files of KUBECONFIG hold together, as kubectl reads them: the first file that says
//! something wins, and one that is not there says nothing.

use std::env;
use std::io::ErrorKind;
use std::path::PathBuf;

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::error::{Error, Result};
use crate::model::suggest::nearest;

/// What to do without a kubeconfig.
const REMEDY: &str = "Point KUBECONFIG at the file that your cluster's provider gave you";

/// The files, and what they hold together.
pub(super) struct Contexts {
    merged: Kubeconfig,
    files: Vec<File>,
}

/// One file.
struct File {
    path: PathBuf,
    /// The contexts that it has; `None` when it is not there.
    contexts: Option<Vec<String>>,
}

/// The files that KUBECONFIG lists, or the usual one.
pub(super) fn files() -> Vec<PathBuf> {
    let listed = env::var_os("KUBECONFIG").unwrap_or_default();
    let mut files: Vec<PathBuf> = env::split_paths(&listed).collect();
    files.retain(|path| !path.as_os_str().is_empty());
    if files.is_empty() {
        files.extend(env::home_dir().map(|home| home.join(".kube/config")));
    }
    files
}

impl Contexts {
    /// Reads files; those that are not there are passed over.
    ///
    /// # Errors
    /// When one that is there cannot be read, or is no kubeconfig.
    pub(super) fn read(paths: Vec<PathBuf>) -> Result<Self> {
        let mut contexts = Self {
            merged: Kubeconfig::default(),
            files: Vec::new(),
        };
        for path in paths {
            let unusable = |error: KubeconfigError| {
                Error::missing(format!("cannot use the kubeconfig {}", path.display()))
                    .because(error)
                    .hint("See what it holds: `kubectl config view`")
            };
            let mut held = None;
            match Kubeconfig::read_from(&path) {
                Ok(mut config) => {
                    held = Some(config.contexts.iter().map(|it| it.name.clone()).collect());
                    config.current_context.take_if(|name| name.is_empty());
                    let merged = std::mem::take(&mut contexts.merged);
                    contexts.merged = merged.merge(config).map_err(unusable)?;
                }
                Err(KubeconfigError::ReadConfig(error, _))
                    if error.kind() == ErrorKind::NotFound => {}
                Err(KubeconfigError::ReadConfig(error, _)) => {
                    let message = format!("cannot read the kubeconfig {}", path.display());
                    return Err(Error::missing(message).because(error).hint(REMEDY));
                }
                Err(error) => return Err(unusable(error)),
            }
            contexts.files.push(File {
                path,
                contexts: held,
            });
        }
        Ok(contexts)
    }

    /// Whether any file is there.
    pub(super) fn are_there(&self) -> bool {
        self.files.iter().any(|file| file.contexts.is_some())
    }

    /// The configuration of a context, of the current one when `None`; and its name.
    ///
    /// # Errors
    /// When there is no such context, or no current one, or it cannot be used.
    pub(super) async fn choose(self, context: Option<&str>) -> Result<(Config, String)> {
        let name = match (context, &self.merged.current_context) {
            _ if !self.are_there() => return Err(self.absent("")),
            (Some(""), _) => {
                let error = Error::invalid("`--context` names no context: it is empty");
                return Err(error.with_causes(self.held()).hint("Choose one of these"));
            }
            (Some(context), _) => context.to_owned(),
            (None, Some(current)) => current.clone(),
            (None, None) => {
                let error = Error::invalid("the kubeconfig has no current context");
                let error = error.with_causes(self.held());
                return Err(error.hint("Choose one with `--context`"));
            }
        };
        let known = self.merged.contexts.iter().map(|it| it.name.as_str());
        if !known.clone().any(|it| it == name) {
            let hint = match nearest(&name, known) {
                Some(nearest) => format!("Did you mean `{nearest}`?"),
                None => {
                    "Choose another context, or point KUBECONFIG at the file that has it".into()
                }
            };
            let error = Error::invalid(format!("there is no context `{name}`"));
            return Err(error.with_causes(self.held()).hint(hint));
        }
        let options = KubeConfigOptions {
            context: Some(name.clone()),
            ..KubeConfigOptions::default()
        };
        let config = Config::from_custom_kubeconfig(self.merged, &options).await;
        let config = config.map_err(|error| {
            Error::missing(format!("cannot use the context `{name}` of the kubeconfig"))
                .because(error)
                .hint("See what it holds: `kubectl config view`")
        })?;
        Ok((config, name))
    }

    /// The error where no file is there, and something else neither.
    pub(super) fn absent(&self, neither: &str) -> Error {
        let paths = self
            .files
            .iter()
            .map(|file| file.path.display().to_string());
        let place = match paths.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => none,
            paths => format!(" at {paths}"),
        };
        Error::missing(format!("there is no kubeconfig{place}{neither}")).hint(REMEDY)
    }

    /// What each file has, one a line.
    fn held(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(|File { path, contexts }| {
            let has = match contexts.as_deref() {
                None => "is not there".to_owned(),
                Some([]) => "has no context".to_owned(),
                Some(contexts) => format!("has {}", contexts.join(", ")),
            };
            format!("{} {has}", path.display())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kubeconfig with these contexts and this current one.
    fn text(contexts: &[&str], current: &str) -> String {
        let contexts = contexts.iter().map(|name| {
            format!("- {{name: {name}, context: {{cluster: {name}, user: {name}}}}}\n")
        });
        let cluster = |name| format!("{{name: {name}, cluster: {{server: \"http://{name}:1\"}}}}");
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: \"{current}\"\n\
             clusters: [{}, {}]\nusers: [{{name: one, user: {{}}}}, {{name: two, user: {{}}}}]\n\
             contexts:\n{}",
            cluster("one"),
            cluster("two"),
            contexts.collect::<String>()
        )
    }

    /// What these files, the first of which is not there, hold together.
    fn read(files: &[String]) -> (tempfile::TempDir, Result<Contexts>) {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = vec![folder.path().join("none")];
        for (number, text) in files.iter().enumerate() {
            let path = folder.path().join(number.to_string());
            std::fs::write(&path, text).unwrap();
            paths.push(path);
        }
        (folder, Contexts::read(paths))
    }

    #[tokio::test]
    async fn the_contexts_of_all_files_are_found_past_those_that_are_absent_or_empty() {
        let files = [String::new(), text(&["one"], ""), text(&["two"], "two")];
        for (asked, expected) in [(Some("one"), "one"), (Some("two"), "two"), (None, "two")] {
            let (_folder, contexts) = read(&files);
            let (config, name) = contexts.unwrap().choose(asked).await.unwrap();
            assert_eq!(name, expected);
            assert_eq!(config.cluster_url.host(), Some(expected));
        }
    }

    #[tokio::test]
    async fn a_context_that_no_file_has_is_refused_with_what_each_of_them_has() {
        let (folder, contexts) = read(&[String::new(), text(&["one", "two"], "one")]);
        let error = contexts.unwrap().choose(Some("on")).await.unwrap_err();
        assert_eq!(error.message(), "there is no context `on`");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let expected = [
            format!("{} is not there", path("none")),
            format!("{} has no context", path("0")),
            format!("{} has one, two", path("1")),
        ];
        assert_eq!(error.causes(), expected);
        assert_eq!(error.hints(), ["Did you mean `one`?"]);
    }

    #[test]
    fn a_file_that_is_no_kubeconfig_is_named() {
        let (folder, contexts) = read(&[text(&["one"], "one"), "contexts: 1".to_owned()]);
        let error = contexts.err().unwrap();
        let path = folder.path().join("1");
        let expected = format!("cannot use the kubeconfig {}", path.display());
        assert_eq!(error.message(), expected);
    }
}
