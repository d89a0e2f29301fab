//! `add client`: lets a service call another one, with a client made from the provider's own
//! document.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::design::callable;
use super::service::{path, read, rendered};
use crate::actions::{generate, pacts};
use crate::config::project::{self, Selection};
use crate::config::yaml::Document;
use crate::config::{edit_list, service_file};
use crate::contract::document;
use crate::engine::files::{DiskTree, FileTree, FileWrite, Found};
use crate::engine::program::{CallError, ProgramCall};
use crate::error::{Error, Result};
use crate::model::event::EventSink;
use crate::model::file_set::{FileSet, TreePath};
use crate::model::name::Name;
use crate::model::plan::FilePlan;
use crate::model::project::{Project, Service, address_variable};
use crate::render::code::{self, CodeInput};

/// Where a service describes what it offers.
const OFFERED: &str = "api/openapi.yaml";
/// Where a caller keeps the description that its client is made from.
const DOCUMENT: &str = "openapi.yaml";
/// What the generator of clients is told.
const SETTINGS: &str = "oapi-codegen.yaml";
/// Files that `go tool` needs around it.
const MODULE_FILES: [&str; 4] = ["go.mod", "go.sum", "tools.mod", "tools.sum"];
/// The generator is built on its first use, which may need the network.
const PATIENCE: Duration = Duration::from_secs(600);

/// Everything that adding a client does, before any of it is done.
#[derive(Debug, PartialEq)]
pub struct PreparedClient {
    /// The service that calls.
    pub service: Service,
    /// The service that is called.
    pub provider: Name,
    /// Generated files.
    pub plan: FilePlan,
    /// How a handler calls it.
    pub examples: Vec<String>,
    also: Vec<FileWrite>,
}

/// The services that a client in `caller` may be made of: they describe what they offer, and are
/// not called by it yet.
pub fn providers(project: &Project, caller: &Service) -> Vec<Name> {
    let tree = DiskTree::new(&project.root);
    let others = project.services.values().filter(|provider| {
        caller.container.is_none()
            && provider.container.is_none()
            && provider.ports.called().is_some()
            && check_caller(caller, &provider.name).is_ok()
            && offered(provider, &tree).is_ok()
    });
    others.map(|provider| provider.name.clone()).collect()
}

/// The services in which a client of `provider` may be made, or of any service.
pub fn callers(project: &Project, provider: Option<&Name>) -> Vec<Name> {
    let services = project.services.values().filter(|caller| {
        let providers = providers(project, caller);
        match provider {
            Some(provider) => providers.contains(provider),
            None => !providers.is_empty(),
        }
    });
    services.map(|caller| caller.name.clone()).collect()
}

/// Prepares a client of `provider` in `caller`; it is said when the generator begins.
///
/// # Errors
/// When the provider offers no document or not the operations that are called, or Go is absent.
pub async fn prepare(
    project: &Project,
    (provider, caller): (&Name, &Name),
    events: &dyn EventSink,
) -> Result<PreparedClient> {
    let tree = DiskTree::new(&project.root);
    let provided = callable(project, provider)?;
    for party in [provided, project.service(caller)?] {
        if party.container.is_some() {
            return Err(Error::invalid(format!(
                "a client of `{provider}` cannot be made in `{caller}`"
            ))
            .since(format!("`{}` is made from no blueprint", party.name))
            .hint(format!(
                "Add `needs: [{provider}]` to the service.yaml of `{caller}`: it finds the address in {}",
                address_variable(provider)
            )));
        }
    }
    check_caller(project.service(caller)?, provider)?;
    let offered = offered(provided, &tree)?;
    let operations = operations(&format!("{}/{OFFERED}", provided.directory), &offered)?;
    let (changes, write) = manifest(project, project.service(caller)?, provider, &tree)?;
    let after = project::load_with(&project.root, &changes, &Selection::All)?;
    let service = after.service(caller)?;
    let files = generate::Renderer::new(&after, &changes)?.files(service)?;
    let folder = format!("internal/clients/{}", provider.package());
    check_operations(provider, &operations, &files, &folder)?;
    events.note(format!(
        "generating the client of {provider} with oapi-codegen"
    ));
    let generated = generated(&files, &folder, &offered).await?;
    let mut plan = generate::plan(
        &after,
        std::slice::from_ref(caller),
        [(caller.clone(), files)].into(),
        &tree,
    )?;
    for (below, bytes) in generated {
        let path = path(&format!("{}/{folder}/{below}", service.directory))?;
        if let Some(change) = plan.changes.iter_mut().find(|change| change.path == path) {
            change.after = Some(bytes);
        }
    }
    let mut only = service.clone();
    only.needs.retain(|need| need.service == *provider);
    let examples = code::examples(&CodeInput::of(after.blueprint_of(&only)?, &after, &only)?)?;
    Ok(PreparedClient {
        service: service.clone(),
        provider: provider.clone(),
        plan,
        examples,
        also: vec![write],
    })
}

impl PreparedClient {
    /// Writes all of it, or nothing.
    ///
    /// # Errors
    /// When a file is not any more as the plan found it, or the disk refuses.
    pub async fn apply(&self, project: &Project, events: &dyn EventSink) -> Result<()> {
        generate::apply(&project.root, &self.plan, self.also.clone()).await?;
        generate::show_to_git(&project.root, &self.plan, events).await;
        Ok(())
    }
}

fn check_caller(caller: &Service, provider: &Name) -> Result<()> {
    if caller.name == *provider {
        return Err(Error::invalid(format!("`{provider}` cannot call itself")));
    }
    let mut needs = caller.needs.iter();
    if needs.any(|need| need.service == *provider) {
        return Err(
            Error::invalid(format!("`{}` calls `{provider}` already", caller.name))
                .since(format!(
                    "{}/service.yaml names it in `needs`",
                    caller.directory
                ))
                .hint("To follow a change of its document, copy it and run `go generate ./...`"),
        );
    }
    Ok(())
}

/// The provider's document.
fn offered(provider: &Service, tree: &dyn FileTree) -> Result<String> {
    let path = path(&format!("{}/{OFFERED}", provider.directory))?;
    let refused = || Error::invalid(format!("a client of `{}` cannot be made", provider.name));
    let Found::File(content) = tree.read(&path)? else {
        return Err(refused()
            .since(format!("it has no {path}, which says what it offers"))
            .hint("Describe its operations there (OpenAPI 3.1)"));
    };
    String::from_utf8(content.bytes)
        .map_err(|error| refused().since(format!("{path} is no text")).because(error))
}

/// The caller's manifest with one more need.
fn manifest(
    project: &Project,
    caller: &Service,
    provider: &Name,
    tree: &dyn FileTree,
) -> Result<(FileSet, FileWrite)> {
    let path = path(&format!("{}/{}", caller.directory, service_file::FILE))?;
    let before = read(&path, tree)?;
    let document = Document::parse(&project.root.join(path.as_str()), &before)?;
    let text = edit_list::add_need(&document, provider)?;
    let mut changes = FileSet::default();
    changes.files.insert(path.clone(), rendered(&text));
    Ok((changes, FileWrite::replace(path, &before, text)))
}

/// The operations of a document by operationId, each as `POST /orders`.
fn operations(file: &str, text: &str) -> Result<BTreeMap<String, String>> {
    let written = Document::parse_api(Path::new(file), text.as_bytes())?.faultless()?;
    let document = document::Document::new(written.root().to_json(false))
        .map_err(|error| pacts::unusable(&written, "OpenAPI", error))?;
    let offers = document.offers().into_iter();
    // Without an operationId an operation is called by its method and path.
    Ok(offers.filter(|(id, operation)| id != operation).collect())
}

/// Whether the provider offers what the client calls: by operation, method and path.
fn check_operations(
    provider: &Name,
    offered: &BTreeMap<String, String>,
    files: &FileSet,
    folder: &str,
) -> Result<()> {
    let document = format!("{folder}/{DOCUMENT}");
    let expected = operations(&document, &text_of(files, &document)?)?;
    let settings = text_of(files, &format!("{folder}/{SETTINGS}"))?;
    let called = |id: &String| settings.contains(id.as_str());
    for (id, operation) in expected.iter().filter(|(id, _)| called(id)) {
        if offered.get(id) != Some(operation) {
            let found: Vec<String> = offered
                .iter()
                .map(|(id, operation)| format!("{id} ({operation})"))
                .collect();
            return Err(
                Error::invalid(format!("a client of `{provider}` cannot be made"))
                    .since(format!(
                        "the client calls {id} ({operation}), and {OFFERED} offers {}",
                        if found.is_empty() {
                            "nothing".to_owned()
                        } else {
                            found.join(", ")
                        }
                    ))
                    .hint(format!("Offer it in the {OFFERED} of `{provider}`")),
            );
        }
    }
    Ok(())
}

/// The document and the client that oapi-codegen makes from it, by path below the client's folder.
async fn generated(
    files: &FileSet,
    folder: &str,
    offered: &str,
) -> Result<Vec<(&'static str, Vec<u8>)>> {
    const CLIENT: &str = "gen/client.gen.go";
    let fails = |error: std::io::Error| {
        Error::failed("the client cannot be generated in a temporary folder").because(error)
    };
    let scratch = tempfile::tempdir().map_err(fails)?;
    let root = scratch.path();
    let work = root.join(folder);
    fs::create_dir_all(work.join("gen")).map_err(fails)?;
    for name in MODULE_FILES {
        fs::write(root.join(name), text_of(files, name)?).map_err(fails)?;
    }
    let settings = text_of(files, &format!("{folder}/{SETTINGS}"))?;
    fs::write(work.join(SETTINGS), settings).map_err(fails)?;
    fs::write(work.join(DOCUMENT), offered).map_err(fails)?;
    run_generator(root, &work).await?;
    let client = fs::read(work.join(CLIENT)).map_err(fails)?;
    Ok(vec![
        (DOCUMENT, offered.as_bytes().to_vec()),
        (CLIENT, client),
    ])
}

async fn run_generator(root: &Path, work: &Path) -> Result<()> {
    let finished = ProgramCall::new("go", PATIENCE)
        .argument("tool")
        .argument(format!("-modfile={}", root.join("tools.mod").display()))
        .arguments(["oapi-codegen", &format!("--config={SETTINGS}"), DOCUMENT])
        .directory(work)
        .run(|_line| {})
        .await
        .map_err(|error| match error {
            CallError::Absent(_) => Error::missing("Go is not installed, and the client is generated with it")
                .hint("Install Go 1.26 or newer: https://go.dev/dl/")
                .hint("Or add the peer when the service is made: `gantline add service ... --needs SERVICE` needs no Go"),
            other => Error::failed("oapi-codegen cannot be run").because(other),
        })?;
    if finished.code == 0 {
        return Ok(());
    }
    Err(
        Error::failed("oapi-codegen cannot make a client from the document")
            .since(finished.last_words(12))
            .hint("Nothing was written; correct the document and try again"),
    )
}

fn text_of(files: &FileSet, name: &str) -> Result<String> {
    let path = TreePath::new(name).map_err(|error| Error::invalid(error.to_string()))?;
    let file = files.files.get(&path).ok_or_else(|| {
        Error::invalid("the caller's blueprint makes no clients from OpenAPI documents")
            .since(format!("it has no {name}"))
    })?;
    String::from_utf8(file.bytes.clone())
        .map_err(|error| Error::invalid(format!("{name} is no text")).because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_found_by_their_id() {
        let document = "openapi: 3.1.0\npaths:\n  /orders:\n    summary: x\n    get: {operationId: listOrders}\n    post: {operationId: createOrder}\n    put: {}\n";
        let found = operations("api/openapi.yaml", document).unwrap();
        assert_eq!(found["createOrder"], "POST /orders");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_place() {
        for text in [
            "",
            "a: b",
            "swagger: \"2.0\"\npaths: {}",
            "openapi: 3.1.0",
            "{",
        ] {
            let error = operations("api/openapi.yaml", text).unwrap_err();
            assert!(error.place().is_some(), "{text}");
        }
    }
}
