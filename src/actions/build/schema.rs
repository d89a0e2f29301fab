//! What an image states about its schema: read from the source that it is built from.
//!
//! `sqlc.yaml` says where migrations and queries lie. Only files of the image's source are read, so
//! that the same source gives the same statement.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::config::yaml::{Document, shown_path};
use crate::contract::schema::{Reading, SchemaFile, read, write_label};
use crate::engine::source::{SourceKind, source_paths};
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::name::Name;

/// The names that sqlc's configuration has.
const CONFIGURATION: [&str; 3] = ["sqlc.yaml", "sqlc.yml", "sqlc.json"];
/// The engine whose SQL is read.
const ENGINE: &str = "postgresql";
/// A file that is longer is not read whole, in bytes: one more than is understood.
const LONGEST: u64 = (1 << 20) + 1;

/// The text of the label that states the schema of a service in this folder; `None` when it has
/// none. What is not understood is said.
pub(super) async fn stated(
    directory: &Path,
    service: &Name,
    events: &dyn EventSink,
) -> Option<String> {
    let unstated = |why: String| {
        events.warn(format!(
            "the image of {service} does not state its schema, so deployments cannot judge it: {why}"
        ));
    };
    let folder = directory.to_path_buf();
    let read = match tokio::task::spawn_blocking(move || of_source(&folder)).await {
        Ok(Ok(reading)) => reading,
        Ok(Err(error)) => {
            unstated(error.to_string());
            return None;
        }
        Err(error) => {
            unstated(error.to_string());
            return None;
        }
    };
    for finding in &read.findings {
        let place = format!("{}:{}", finding.file, finding.line);
        events.warn(format!("{place} {}", finding.message));
    }
    match write_label(&read.statement?) {
        Ok(text) => Some(text),
        Err(error) => {
            unstated(error.to_string());
            None
        }
    }
}

/// What the source in a folder states.
fn of_source(directory: &Path) -> Result<Reading> {
    let named = CONFIGURATION.map(|name| directory.join(name));
    let Some(configuration) = named.iter().find(|path| path.is_file()) else {
        return Ok(Reading::default());
    };
    let document = Document::read(configuration)?.faultless()?;
    let document = document.root().to_json(false);
    let places = Places::of(&document);
    let mut files = [Vec::new(), Vec::new()];
    for source in source_paths(directory)? {
        if !matches!(source.kind, SourceKind::File { .. }) {
            continue;
        }
        if places.has_migration(&source.path) {
            files[0].push(content(directory, &source.path)?);
        } else if places.has_query(&source.path) {
            files[1].push(content(directory, &source.path)?);
        }
    }
    let [migrations, queries] = files;
    Ok(read(&migrations, &queries))
}

/// Folders and files, relative to the service's folder.
#[derive(Debug, Default, PartialEq, Eq)]
struct Places {
    migrations: BTreeSet<PathBuf>,
    queries: BTreeSet<PathBuf>,
}

impl Places {
    /// What sqlc's configuration names for PostgreSQL; version 1 calls the list `packages`.
    fn of(document: &Value) -> Self {
        let lists = ["sql", "packages"].map(|member| document[member].as_array());
        let mut places = Self::default();
        for entry in lists.into_iter().flatten().flatten() {
            if entry["engine"]
                .as_str()
                .is_none_or(|engine| engine == ENGINE)
            {
                places.migrations.extend(paths(&entry["schema"]));
                places.queries.extend(paths(&entry["queries"]));
            }
        }
        places
    }

    /// Whether this is a migration: SQL, or a program in Go that Goose runs.
    fn has_migration(&self, path: &Path) -> bool {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let in_go = name.ends_with(".go")
            && !name.ends_with("_test.go")
            && name.starts_with(|first: char| first.is_ascii_digit());
        (has_ending(path, "sql") || in_go) && is_among(&self.migrations, path)
    }

    fn has_query(&self, path: &Path) -> bool {
        has_ending(path, "sql") && is_among(&self.queries, path)
    }
}

/// One path or a list of them, without `.`.
fn paths(value: &Value) -> Vec<PathBuf> {
    let several = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let all = several.iter().chain(std::iter::once(value));
    let texts = all.filter_map(Value::as_str);
    texts
        .map(|text| {
            let parts = Path::new(text).components();
            parts.filter(|part| *part != Component::CurDir).collect()
        })
        .collect()
}

fn is_among(places: &BTreeSet<PathBuf>, path: &Path) -> bool {
    let folder = path.parent().is_some_and(|parent| places.contains(parent));
    folder || places.contains(path)
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

fn content(directory: &Path, path: &Path) -> Result<SchemaFile> {
    use std::io::Read as _;
    let absolute = directory.join(path);
    let shown = shown_path(&absolute).display().to_string();
    let mut bytes = Vec::new();
    std::fs::File::open(&absolute)
        .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
        .map_err(|error| Error::failed(format!("cannot read {shown}")).because(error))?;
    Ok(SchemaFile { path: shown, bytes })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::event::Event;
    use crate::report::RecordingReporter;

    const MIGRATION: &str = "-- +goose Up\ncreate table quotes (id uuid primary key, note text);\n";
    const QUERY: &str = "-- name: Get :one\nselect * from quotes where id = $1;\n";

    fn service(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    async fn label(folder: &tempfile::TempDir) -> (Option<String>, Vec<String>) {
        let events = RecordingReporter::default();
        let service = Name::new("quotes").unwrap();
        let text = stated(folder.path(), &service, &events).await;
        let told = events.events().into_iter().filter_map(|event| match event {
            Event::Warned { message } => Some(message),
            _ => None,
        });
        (text, told.collect())
    }

    #[tokio::test]
    async fn migrations_and_queries_lie_where_sqlc_is_told() {
        let folder = service(&[
            (
                "sqlc.yaml",
                "version: \"2\"\nsql:\n  - {engine: postgresql, schema: ./db/migrations, queries: [db/queries]}\n",
            ),
            ("db/migrations/00001_a.sql", MIGRATION),
            ("db/migrations/README.md", "no SQL"),
            ("db/queries/q.sql", QUERY),
            ("other/00002_b.sql", "-- +goose Up\ndrop table quotes;"),
        ]);
        let (text, told) = label(&folder).await;
        let expected = concat!(
            r#"{"version":1,"schema":1,"queries":["Get"],"uses":{"quotes":{"queries":[0],"#,
            r#""columns":{"id":[0],"note":[0]}}}}"#
        );
        assert_eq!((text.as_deref(), told), (Some(expected), Vec::new()));
    }

    #[tokio::test]
    async fn what_is_not_in_the_image_is_not_read() {
        let folder = service(&[
            (
                "sqlc.yaml",
                "version: \"2\"\nsql:\n  - {engine: postgresql, schema: db, queries: db}\n",
            ),
            (".dockerignore", "db/00002*\n"),
            ("db/00001_a.sql", MIGRATION),
            ("db/00002_b.sql", "-- +goose Up\ndrop table quotes;"),
        ]);
        let (text, _) = label(&folder).await;
        assert!(text.unwrap().contains(r#""schema":1"#));
    }

    #[tokio::test]
    async fn a_service_without_migrations_states_nothing_and_says_nothing() {
        let bare = service(&[("main.go", "package main")]);
        assert_eq!(label(&bare).await, (None, Vec::new()));
        let other = service(&[
            (
                "sqlc.yaml",
                "version: \"2\"\nsql:\n  - {engine: mysql, schema: db, queries: db}\n",
            ),
            ("db/00001_a.sql", MIGRATION),
        ]);
        assert_eq!(label(&other).await, (None, Vec::new()));
    }

    #[tokio::test]
    async fn what_is_not_understood_is_told_with_its_place() {
        let folder = service(&[
            (
                "sqlc.yaml",
                "version: \"2\"\nsql:\n  - {engine: postgresql, schema: db, queries: db}\n",
            ),
            ("db/00001_a.sql", "-- +goose Up\ndo $$ begin end $$;\n"),
        ]);
        let (text, told) = label(&folder).await;
        assert!(text.is_some());
        assert!(
            told[0].contains("db/00001_a.sql:2 is not understood"),
            "{told:?}"
        );
        let broken = service(&[("sqlc.yaml", "sql: [")]);
        let (text, told) = label(&broken).await;
        assert_eq!(text, None);
        assert!(told[0].contains("does not state its schema"), "{told:?}");
    }

    #[test]
    fn paths_may_be_one_or_several() {
        let document = json!({"packages": [{"schema": ["a", "./b/c.sql"], "queries": "d"}]});
        let places = Places::of(&document);
        assert!(places.has_migration(Path::new("b/c.sql")));
        assert!(places.has_migration(Path::new("a/00001_x.go")));
        assert!(!places.has_migration(Path::new("a/00001_x_test.go")));
        assert!(places.has_query(Path::new("d/q.sql")));
        assert!(!places.has_query(Path::new("d/e/q.sql")));
    }
}
