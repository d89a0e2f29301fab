//! `add environment`: a new `environments/NAME.yaml` with the identity of its cluster, and the
//! values of every chart there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::actions::generate;
use crate::config::edit::scalar;
use crate::config::project::{self, Selection};
use crate::config::schema::Kind;
use crate::config::yaml::Document;
use crate::config::{contexts, environment};
use crate::engine::files::{DiskTree, FileWrite};
use crate::engine::kubernetes::Cluster;
use crate::error::{Error, Result};
use crate::model::environment::{ClusterIdentity, Environment};
use crate::model::file_set::{FileSet, RenderedFile, TreePath};
use crate::model::name::Name;
use crate::model::plan::FilePlan;
use crate::model::project::Workspace;

/// The flags whose values stand in the file, called as its keys.
const FLAGS: [&str; 4] = ["namespace", "domain", "gateway", "registry"];
/// What stands for all resources.
const ALL: &str = "all";

/// An environment that shall be added.
#[derive(Debug, Clone)]
pub struct EnvironmentRequest {
    /// Its name.
    pub name: Name,
    /// The kube context that it is reached through.
    pub context: String,
    /// The namespace.
    pub namespace: String,
    /// The host of exposed services.
    pub domain: Option<String>,
    /// The Gateway: NAME or NAMESPACE/NAME.
    pub gateway: Option<String>,
    /// Resources that run in the cluster, or `all`.
    pub in_cluster: Vec<String>,
    /// The prefix of images, where it differs.
    pub registry: Option<String>,
}

/// An environment before it is added.
#[derive(Debug, Clone)]
pub struct EnvironmentPlan {
    /// The workspace's folder.
    pub root: PathBuf,
    /// The workspace's name.
    pub workspace: Name,
    /// The environment as it will be read.
    pub environment: Environment,
    /// The kube context.
    pub context: String,
    /// Its file, relative to the workspace.
    pub path: TreePath,
    /// The content.
    pub text: String,
    /// What is generated for it.
    pub plan: FilePlan,
}

/// Plans an environment: the cluster is asked which one it is, and nothing is written.
///
/// # Errors
/// When the name is taken, a value is wrong, or the cluster cannot be asked.
pub async fn plan(start: &Path, request: EnvironmentRequest) -> Result<EnvironmentPlan> {
    let project = project::load(start, &Selection::All)?;
    let root = project.root.clone();
    let name = request.name.clone();
    if environment::names(&root)?.contains(&name) {
        return Err(
            Error::invalid(format!("there is an environment `{name}` already"))
                .hint("Choose another name, or change its file"),
        );
    }
    let in_cluster = chosen(&request.in_cluster, &project.workspace)?;
    let around = (&project.workspace, &in_cluster);
    // What a flag gave wrongly is found before a cluster is waited for.
    read_back(&request, &ClusterIdentity::default(), around)?;
    let cluster = Cluster::connect(Some(&request.context)).await?;
    let (parsed, text) = read_back(&request, &cluster.identity().await?, around)?;
    let path = format!("{}/{name}.yaml", environment::FOLDER);
    let path = TreePath::new(path).map_err(|cause| Error::invalid(cause.to_string()))?;
    let mut changes = FileSet::default();
    let file = RenderedFile {
        bytes: text.clone().into_bytes(),
        ..RenderedFile::default()
    };
    changes.files.insert(path.clone(), file);
    let services: Vec<Name> = project.services.keys().cloned().collect();
    let rendered = generate::render_with((&project, &changes), &services)?;
    let tree = DiskTree::new(&root);
    let plan = generate::plan(&project, &services, rendered, &tree)?;
    Ok(EnvironmentPlan {
        workspace: project.workspace.name,
        environment: parsed,
        context: request.context,
        root,
        path,
        text,
        plan,
    })
}

/// The environment as it will be read, and its file.
fn read_back(
    request: &EnvironmentRequest,
    identity: &ClusterIdentity,
    (workspace, in_cluster): (&Workspace, &BTreeSet<Name>),
) -> Result<(Environment, String)> {
    let text = text(request, identity, (workspace, in_cluster));
    // It is not there yet, so that no place in it helps.
    let document = Document::parse(Path::new(environment::FOLDER), text.as_bytes())?;
    let parsed = environment::parse(&document, &request.name, workspace).map_err(|error| {
        let first = error.related().first().unwrap_or(&error).clone();
        let is_of = |flag: &&&str| first.message().starts_with(&format!("`{flag}"));
        let flag = FLAGS.iter().find(is_of);
        let flag = flag.map_or("the flag".to_owned(), |flag| format!("`--{flag}`"));
        Error::invalid(first.message().to_owned()).hint(format!("Give {flag} another value"))
    })?;
    Ok((parsed, text))
}

/// Adds the environment, and keeps the name of its context for this user.
///
/// # Errors
/// When a file is not any more as the plan found it, or the disk refuses.
pub async fn apply(plan: &EnvironmentPlan) -> Result<()> {
    // The name comes first: without its environment it harms nothing, and the other way round
    // a command that is killed in between would leave an environment that is not found.
    let whose = (&plan.workspace, &plan.environment.name);
    contexts::keep(&contexts::file()?, whose, &plan.context)?;
    let also = vec![FileWrite::create(plan.path.clone(), plan.text.clone())];
    generate::apply(&plan.root, &plan.plan, also).await?;
    Ok(())
}

fn chosen(asked: &[String], workspace: &Workspace) -> Result<BTreeSet<Name>> {
    if asked.iter().any(|name| name == ALL) {
        return Ok(workspace.resources.keys().cloned().collect());
    }
    asked
        .iter()
        .map(|name| match workspace.resources.get(name.as_str()) {
            Some(resource) => Ok(resource.name.clone()),
            None => {
                let known: Vec<&str> = workspace.resources.keys().map(Name::as_str).collect();
                let error = Error::invalid(format!("there is no resource `{name}`"));
                Err(error.hint(format!("The resources are {}", known.join(", "))))
            }
        })
        .collect()
}

fn text(
    request: &EnvironmentRequest,
    identity: &ClusterIdentity,
    (workspace, in_cluster): (&Workspace, &BTreeSet<Name>),
) -> String {
    let mut lines = vec![
        Kind::Environment.line(),
        format!("namespace: {}", scalar(&request.namespace)),
    ];
    let known = [("uid", &identity.uid), ("ca", &identity.ca)];
    let known = known
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}: {}", quoted(value.as_deref()?))));
    lines.push(format!(
        "cluster: {{{}}}",
        known.collect::<Vec<_>>().join(", ")
    ));
    if let Some(domain) = &request.domain {
        lines.push(format!("domain: {}", scalar(domain)));
    }
    match request
        .gateway
        .as_deref()
        .map(|gateway| gateway.split_once('/'))
    {
        None => {}
        Some(None) => {
            let name = request.gateway.as_deref().unwrap_or_default();
            lines.push(format!("gateway: {}", scalar(name)));
        }
        Some(Some((namespace, name))) => lines.push(format!(
            "gateway: {{name: {}, namespace: {}}}",
            scalar(name),
            scalar(namespace)
        )),
    }
    if let Some(registry) = &request.registry {
        lines.push(format!("registry: {}", scalar(registry)));
    }
    if !workspace.resources.is_empty() {
        lines.push("resources:".to_owned());
    }
    for name in workspace.resources.keys() {
        lines.push(match in_cluster.contains(name) {
            true => format!("  {name}: {{}}  # in the cluster; add storage: 10Gi to keep its data"),
            false => format!("  {name}: {{secret: {name}}}  # outside; this Secret tells where"),
        });
    }
    lines.join("\n") + "\n"
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_as_it_was_meant() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("gantline.yaml"),
            "version: 1\nname: shop\nmodule: example.com/shop\nregistry: localhost/shop\n\
             resources:\n  orders-db: postgres\n  events: nats\n",
        )
        .unwrap();
        let project = project::load(folder.path(), &Selection::All).unwrap();
        let name = |text: &str| Name::new(text).unwrap();
        let request = EnvironmentRequest {
            name: name("staging"),
            context: "kind".to_owned(),
            namespace: "shop".to_owned(),
            domain: Some("staging.shop.example".to_owned()),
            gateway: Some("gateways/public".to_owned()),
            in_cluster: vec!["events".to_owned()],
            registry: Some("localhost:5000/shop".to_owned()),
        };
        let identity = ClusterIdentity {
            uid: Some("8f1c6f0e-1f3b-4a53-9c39-0c8a1d2e3f40".to_owned()),
            ca: Some(format!("sha256:{}", "0".repeat(64))),
        };
        let in_cluster = chosen(&request.in_cluster, &project.workspace).unwrap();
        let text = text(&request, &identity, (&project.workspace, &in_cluster));
        let document = Document::parse(Path::new("staging.yaml"), text.as_bytes()).unwrap();
        let read = environment::parse(&document, &request.name, &project.workspace).unwrap();
        assert_eq!(read.cluster, identity);
        assert_eq!(read.registry, request.registry);
        assert_eq!(read.gateway.unwrap().namespace.as_deref(), Some("gateways"));
        assert_eq!(read.resources.len(), 2);
        let all = chosen(&["all".to_owned()], &project.workspace).unwrap();
        assert_eq!(all.len(), 2);
        assert!(chosen(&["db".to_owned()], &project.workspace).is_err());
    }
}
