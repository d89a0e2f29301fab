//! Carrying out the recipe of a server: placeholders, first-time preparation, start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::folders::{Folders, PREPARING, VERSION, write_private};
use super::obtain::find;
use super::process_table::{INSTANCE_VARIABLE, STACK_VARIABLE};
use crate::engine::program::ProgramCall;
use crate::engine::runtime::Launch;
use crate::error::{Error, Result};
use crate::model::resource_type::ProcessRecipe;
use crate::model::stack::ServerProgram;

/// How long one step of a preparation may take.
const PREPARE: Duration = Duration::from_secs(300);

/// A server about to run: its recipe with all that the placeholders stand for.
pub struct ServerRun<'a> {
    folders: &'a Folders,
    stack: &'a str,
    launch: &'a Launch,
    server: &'a ServerProgram,
    recipe: &'a ProcessRecipe,
    values: BTreeMap<String, String>,
}

impl<'a> ServerRun<'a> {
    /// Makes the server's folders and files, and knows its placeholders.
    ///
    /// # Errors
    /// When it has no recipe, or a folder or file cannot be made.
    pub fn new(
        folders: &'a Folders,
        stack: &'a str,
        launch: &'a Launch,
        server: &'a ServerProgram,
    ) -> Result<Self> {
        let recipe = recipe_of(server)?;
        let name = &launch.instance.name;
        let work = folders.work(name);
        let files = work.join("files");
        for folder in [&folders.data(name), &work, &files] {
            folders.make_private(folder)?;
        }
        for (path, content) in &launch.files {
            let file_name = Path::new(path).file_name().ok_or_else(|| {
                Error::invalid(format!(
                    "the resource type {} has a file without a name",
                    server.kind
                ))
            })?;
            let place = files.join(file_name);
            write_private(&place, content.reveal().as_bytes(), folders.identity())
                .map_err(|error| cannot_write(&place, error))?;
        }
        let mut values = BTreeMap::from([
            ("data".to_owned(), text(&folders.data(name))),
            ("run".to_owned(), text(&work)),
            ("files".to_owned(), text(&files)),
            ("admin.user".to_owned(), server.administrator.clone()),
            (
                "admin.password_file".to_owned(),
                text(&work.join("password")),
            ),
        ]);
        for (endpoint, port) in &launch.ports {
            values.insert(format!("port.{endpoint}"), port.to_string());
        }
        if let Some(port) = launch.ports.get("main").or(launch.ports.values().next()) {
            values.insert("port".to_owned(), port.to_string());
        }
        Ok(Self {
            folders,
            stack,
            launch,
            server,
            recipe,
            values,
        })
    }

    /// Prepares the data folder before the first start. A preparation that was interrupted is
    /// done again from the beginning: nobody has used its data yet.
    ///
    /// # Errors
    /// When a step fails, with the last lines that it wrote.
    pub async fn prepare(&self) -> Result<()> {
        let name = &self.launch.instance.name;
        let data = self.folders.data(name);
        let mark = self.folders.beside_data(name, PREPARING);
        let version_file = self.folders.beside_data(name, VERSION);
        let version = self.version();
        if mark.exists() {
            std::fs::remove_dir_all(&data).map_err(|error| cannot_write(&data, error))?;
            self.folders.make_private(&data)?;
        }
        if !is_empty(&data) {
            return Ok(());
        }
        write_private(&mark, b"", None).map_err(|error| cannot_write(&mark, error))?;
        let password = self.folders.work(name).join("password");
        write_private(
            &password,
            self.server.administrator_password.reveal().as_bytes(),
            self.folders.identity(),
        )
        .map_err(|error| cannot_write(&password, error))?;
        let prepared = self.run_steps().await;
        let _removed = std::fs::remove_file(&password);
        prepared?;
        write_private(&version_file, version.as_bytes(), None)
            .map_err(|error| cannot_write(&version_file, error))?;
        std::fs::remove_file(&mark).map_err(|error| cannot_write(&mark, error))
    }

    /// The version of the programs: the first word of the artifact's identity.
    fn version(&self) -> &str {
        let identity = self.launch.artifact.identity.as_str();
        identity.split(' ').next().unwrap_or(identity)
    }

    async fn run_steps(&self) -> Result<()> {
        for step in &self.recipe.prepare {
            let (program, arguments) = self.command(step)?;
            let finished = ProgramCall::new(&program, PREPARE)
                .arguments(arguments)
                .directory(self.folders.work(&self.launch.instance.name))
                .bare()
                .owner(self.owner())
                .variable(STACK_VARIABLE, self.stack)
                .variable(INSTANCE_VARIABLE, &self.launch.instance.name)
                .variables(self.environment())
                .run(|_line| {})
                .await;
            let failed = || {
                Error::failed(format!(
                    "{} cannot be prepared: {} failed",
                    self.launch.instance.name,
                    program.display()
                ))
            };
            let finished = finished.map_err(|error| failed().because(error))?;
            if finished.code != 0 {
                return Err(failed().since(finished.last_words(8)));
            }
        }
        Ok(())
    }

    /// The program that serves, with its arguments.
    ///
    /// # Errors
    /// When the recipe names an unknown placeholder, or the program is gone.
    pub fn serve(&self) -> Result<(PathBuf, Vec<String>)> {
        self.command(&self.recipe.run)
    }

    /// What a server finds in its environment besides what the launch gives it.
    pub fn environment(&self) -> BTreeMap<String, String> {
        base_environment(&self.folders.work(&self.launch.instance.name))
    }

    fn owner(&self) -> Option<(u32, u32)> {
        self.folders
            .identity()
            .map(|identity| (identity.user, identity.group))
    }

    fn command(&self, words: &[String]) -> Result<(PathBuf, Vec<String>)> {
        let resolved: Vec<String> = words
            .iter()
            .map(|word| resolve(word, &self.values))
            .collect::<Result<_, String>>()
            .map_err(|unknown| {
                Error::invalid(format!(
                    "the process recipe of {} names ${{{unknown}}}, which is unknown",
                    self.server.kind
                ))
            })?;
        let Some((program, arguments)) = resolved.split_first() else {
            return Err(Error::invalid(format!(
                "the process recipe of {} has a step without a program",
                self.server.kind
            )));
        };
        let program = find(&self.launch.artifact.location, program)?;
        Ok((program, arguments.to_vec()))
    }
}

/// How a server runs without Docker.
///
/// # Errors
/// When its catalogue file does not say.
pub fn recipe_of(server: &ServerProgram) -> Result<&ProcessRecipe> {
    server.process.as_ref().ok_or_else(|| {
        Error::missing(format!("{} runs in Docker only", server.kind))
            .since("its catalogue file has no `process` part")
            .hint("Leave `--runtime process` out")
    })
}

/// What every process of a stack finds in its environment: enough to run, nothing personal.
pub fn base_environment(work: &Path) -> BTreeMap<String, String> {
    const KEPT: [&str; 8] = [
        "PATH",
        "LANG",
        "LC_ALL",
        "TZ",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
    ];
    let mut environment: BTreeMap<String, String> = KEPT
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
        .collect();
    environment.insert("HOME".to_owned(), text(work));
    environment.insert("TMPDIR".to_owned(), text(work));
    environment
}

/// The version of the programs that made a server's data; `None` where there is none yet.
pub fn data_version(folders: &Folders, instance: &str) -> Option<String> {
    std::fs::read_to_string(folders.beside_data(instance, VERSION)).ok()
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    Error::failed(format!("cannot write {}", path.display())).because(error)
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The text with its placeholders filled in; the name of one that is unknown otherwise.
fn resolve(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or_else(|| after.to_owned())?;
        resolved.push_str(before);
        resolved.push_str(values.get(name).ok_or_else(|| name.to_owned())?);
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_once() {
        let values = BTreeMap::from([
            ("port".to_owned(), "5432".to_owned()),
            ("data".to_owned(), "/tmp/${port}".to_owned()),
        ]);
        assert_eq!(resolve("port=${port}", &values).unwrap(), "port=5432");
        assert_eq!(resolve("${data}/x", &values).unwrap(), "/tmp/${port}/x");
        assert_eq!(resolve("${nothing}", &values).unwrap_err(), "nothing");
        assert_eq!(resolve("${open", &values).unwrap_err(), "open");
    }
}
