//! What `add` says when it is done.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::actions::scaffold::service::Prepared;
use crate::model::container::Origin;
use crate::model::plan::FilePlan;
use crate::model::project::Service;
use crate::report::{Answer, Style};

/// A service that was added, or would be.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct AddedService {
    /// Its name.
    service: String,
    /// Its folder, relative to the workspace.
    directory: String,
    /// The blueprint of its files.
    blueprint: String,
    /// What it is made from: the blueprint, an image or a Dockerfile.
    from: String,
    /// Files that were written, relative to the workspace.
    files: Vec<String>,
    /// Resources that came along.
    resources: Vec<AddedResource>,
    /// How its own code uses what was generated.
    examples: Vec<String>,
    /// Commands to try next.
    next: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
struct AddedResource {
    /// Its name.
    name: String,
    /// Its type, such as `postgres`.
    r#type: String,
    /// The version of its server.
    version: String,
}

impl AddedService {
    /// The answer for what was prepared.
    pub fn of(prepared: &Prepared) -> Self {
        let service = &prepared.service;
        let manifest = prepared.manifest.to_string();
        let resources = prepared.resources.iter();
        let mut files = vec![manifest];
        files.extend(written(&prepared.plan));
        files.sort();
        Self {
            service: service.name.to_string(),
            directory: service.directory.to_string(),
            blueprint: service.blueprint.to_string(),
            from: origin_of(service),
            files,
            resources: resources
                .map(|resource| AddedResource {
                    name: resource.name.to_string(),
                    r#type: resource.kind.to_string(),
                    version: resource.version.clone(),
                })
                .collect(),
            examples: prepared.examples.clone(),
            next: match service.container {
                Some(_) => vec![format!("gantline up {}", service.name)],
                None => vec![
                    format!("cd {} && go test ./...", service.directory),
                    "gantline up".to_owned(),
                ],
            },
            dry_run: false,
        }
    }

    /// One line on what is about to be written.
    pub fn summary(&self) -> String {
        let resources: Vec<&str> = self.resources.iter().map(|added| &*added.name).collect();
        let with = match resources.is_empty() {
            true => String::new(),
            false => format!(", and {} in gantline.yaml", resources.join(" and ")),
        };
        format!("{} files in {}{with}", self.files.len(), self.directory)
    }
}

fn origin_of(service: &Service) -> String {
    match service.container.as_ref().map(|it| &it.origin) {
        None => service.blueprint.to_string(),
        Some(Origin::Image(image)) => image.name.to_string(),
        Some(Origin::Build(source)) => source
            .context
            .join(&source.dockerfile)
            .display()
            .to_string(),
    }
}

/// The files that a plan writes, relative to the workspace.
pub fn written(plan: &FilePlan) -> impl Iterator<Item = String> + '_ {
    let changes = plan.changes.iter().filter(|change| change.outcome.writes());
    changes.map(|change| change.path.to_string())
}

impl Answer for AddedService {
    fn human(&self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        let verb = if self.dry_run { "Would add" } else { "Added" };
        writeln!(
            out,
            "{} {} from {} in {}",
            style.good(verb),
            style.name(&self.service),
            self.from,
            style.name(&self.directory)
        )?;
        write_folders(out, &self.directory, &self.files)?;
        for added in &self.resources {
            writeln!(
                out,
                "{} {} ({} {}) in gantline.yaml",
                style.good(verb),
                style.name(&added.name),
                added.r#type,
                added.version
            )?;
        }
        write_examples(out, &self.examples, style)?;
        if !self.dry_run {
            writeln!(out, "\nNext:")?;
            for command in &self.next {
                writeln!(out, "  {}", style.name(command))?;
            }
        }
        Ok(())
    }
}

/// How the service's own code uses what was generated.
pub fn write_examples(out: &mut dyn Write, examples: &[String], style: &Style) -> io::Result<()> {
    if !examples.is_empty() {
        writeln!(out, "\nIn a handler:")?;
    }
    for example in examples {
        for line in example.trim_end().lines() {
            // Templates carry the indentation that the code has in a function.
            let line = line.strip_prefix('\t').unwrap_or(line);
            match line.trim_start().starts_with("//") {
                true => writeln!(out, "  {}", style.dim(line))?,
                false => writeln!(out, "  {line}")?,
            }
        }
    }
    Ok(())
}

/// How many files each folder holds, by its first two levels.
fn write_folders(out: &mut dyn Write, directory: &str, files: &[String]) -> io::Result<()> {
    let mut folders: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for file in files {
        let below = file
            .strip_prefix(directory)
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(file);
        let mut parts: Vec<&str> = below.split('/').collect();
        let name = parts.pop().unwrap_or(below);
        parts.truncate(2);
        folders.entry(parts.join("/")).or_default().push(name);
    }
    let width = folders.keys().map(String::len).max().unwrap_or_default() + 1;
    for (folder, names) in &folders {
        let shown = match folder.as_str() {
            "" => "./".to_owned(),
            folder => format!("{folder}/"),
        };
        let listed: Vec<&str> = names.iter().take(4).copied().collect();
        let more = match names.len().saturating_sub(listed.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        writeln!(out, "  {shown:<width$}  {}{more}", listed.join(" "))?;
    }
    Ok(())
}
