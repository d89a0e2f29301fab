//! `gantline.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use semver::{Version, VersionReq};
use serde::Deserialize;

use super::raw::{ModuleText, NameText, PlatformText, RegistryText, ServicesText};
use super::reserved;
use super::yaml::Document;
use crate::error::{Error, ErrorKind, Result};
use crate::model::environment::{owner_secret, server_secret};
use crate::model::file_set::TreePath;
use crate::model::name::Name;
use crate::model::project::{Resource, Workspace};
use crate::model::resource_type::ResourceType;
use crate::model::suggest;

/// The name of the file.
pub const FILE: &str = "gantline.yaml";
/// The folder of services where a workspace names none.
const SERVICES: &str = "services";

/// A workspace: a repository of services and the resources they use.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "gantline.yaml")]
pub struct WorkspaceFile {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    #[allow(dead_code, reason = "the schema checks it")]
    version: u32,
    /// The gantline programs that may write here, such as ">=0.1, <0.2"; others say so and stop.
    #[schemars(extend("x-expected" = "a version requirement such as `>=0.1, <0.2`"))]
    #[allow(dead_code, reason = "read before anything else, by check_program")]
    gantline: Option<String>,
    /// The workspace's name.
    name: NameText,
    /// The prefix of every service's Go module: a service's module is MODULE/services/NAME.
    module: ModuleText,
    /// The prefix of every image: a service's image is REGISTRY/NAME.
    registry: RegistryText,
    /// Where the services are.
    #[serde(default = "default_services")]
    services: ServicesText,
    /// The platforms of images.
    #[serde(default = "default_platforms")]
    #[schemars(length(min = 1))]
    platforms: Vec<PlatformText>,
    /// Backing services by name; a type alone, or a map.
    #[serde(default)]
    resources: BTreeMap<NameText, ResourceEntry>,
}

/// A backing service: its type, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum ResourceEntry {
    /// The type alone.
    Type(NameText),
    /// All of it.
    Full(ResourceFields),
}

/// A backing service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResourceFields {
    /// Which resource type it is, such as postgres.
    r#type: NameText,
    /// The version, in quotes; the newest known one when absent.
    version: Option<String>,
    /// Who answers for it.
    owner: Option<String>,
    /// Whether it has a server of its own in the local stack.
    #[serde(default)]
    dedicated: bool,
}

fn default_services() -> ServicesText {
    ServicesText(format!("{SERVICES}/*"))
}

fn default_platforms() -> Vec<PlatformText> {
    vec![PlatformText("linux/amd64".to_owned())]
}

/// Reads the workspace file of a folder.
///
/// # Errors
/// All problems of the file at once; before them, that another program is asked for.
pub fn read(root: &Path, types: &BTreeMap<Name, ResourceType>) -> Result<(Workspace, Document)> {
    let document = Document::read(&root.join(FILE))?;
    let workspace = parse(&document, types)?;
    Ok((workspace, document))
}

/// Turns the document of a workspace file into the model.
///
/// # Errors
/// As [`read`].
pub fn parse(document: &Document, types: &BTreeMap<Name, ResourceType>) -> Result<Workspace> {
    let (requirement, file) = decoded(document)?;
    let mut problems = Vec::new();
    let mut resources = BTreeMap::new();
    for (name, entry) in file.resources {
        match resource(document, name.0, entry, types) {
            Ok(resource) => {
                resources.insert(resource.name.clone(), resource);
            }
            Err(mut found) => problems.append(&mut found),
        }
    }
    problems.extend(check_secrets(document, &resources));
    let name = file.name.0;
    if let Some(reason) = reserved::no_text_reason(&name) {
        problems.push(reserved::refused(&name, reason).at(document.place(&["name"])));
    }
    document.none_of(problems)?;
    let at = |key: &str| document.place(&[key]);
    Ok(Workspace {
        gantline: requirement,
        name,
        module: file.module.0,
        registry: file.registry.0,
        services: services_folder(&file.services.0).map_err(|error| error.at(at("services")))?,
        platforms: file
            .platforms
            .into_iter()
            .map(|platform| platform.0)
            .collect(),
        resources,
    })
}

fn services_folder(text: &str) -> Result<TreePath> {
    TreePath::new(text.trim_end_matches("/*")).map_err(|cause| Error::invalid(cause.to_string()))
}

/// Where the services of a workspace are whose file is faulty elsewhere; the usual folder when
/// that cannot be known.
///
/// # Errors
/// None for a workspace of any form.
pub fn likely_services(document: Option<&Document>) -> Result<TreePath> {
    let text = document.and_then(|document| document.text_at(&["services"]));
    text.map_or_else(|| services_folder(SERVICES), services_folder)
        .or_else(|_| services_folder(SERVICES))
}

fn decoded(document: &Document) -> Result<(VersionReq, WorkspaceFile)> {
    match (check_program(document), document.decode()) {
        // That program knows what this one would refuse.
        (Err(error), _) if error.kind() == ErrorKind::Missing => Err(error),
        (Err(error), Err(others)) => {
            let all = std::iter::once(error).chain(others.clone().parts());
            Err(document.all_of(all.collect()).unwrap_or(others))
        }
        (requirement, file) => Ok((requirement?, file?)),
    }
}

/// Resources whose Secret in a cluster would be one of another resource.
fn check_secrets(document: &Document, resources: &BTreeMap<Name, Resource>) -> Vec<Error> {
    // A resource in a cluster has these beside the Secret of its own name.
    let beside = |owner: &Name| [owner_secret, server_secret].map(|of| of(owner.as_str()));
    let owner = |name: &Name| {
        let mut owners = resources.keys();
        owners.find(|owner| beside(owner).iter().any(|secret| secret == name.as_str()))
    };
    let taken = resources
        .keys()
        .filter_map(|name| Some((name, owner(name)?)));
    taken
        .map(|(name, owner)| {
            Error::invalid(format!("the name `{name}` is taken"))
                .at(document.key_place(&["resources", name.as_str()]))
                .since(format!("a Secret of `{owner}` is called so in a cluster"))
                .hint("Choose another name")
        })
        .collect()
}

/// The versions of gantline that may write here; an error when this is none of them.
fn check_program(document: &Document) -> Result<VersionReq> {
    let Some(text) = document.text_at(&["gantline"]) else {
        return Ok(VersionReq::STAR);
    };
    let place = || document.place(&["gantline"]);
    let requirement = VersionReq::parse(text).map_err(|cause| {
        Error::invalid(format!("`{text}` is no version requirement"))
            .at(place())
            .because(cause)
            .hint("Write it as `\">=0.1, <0.2\"`")
    })?;
    let current = Version::parse(env!("CARGO_PKG_VERSION"))
        .map_err(|cause| Error::failed("this program has no version").because(cause))?;
    // A pre-release counts as the release that it leads to.
    let comparable = Version::new(current.major, current.minor, current.patch);
    if requirement.matches(&comparable) {
        return Ok(requirement);
    }
    Err(Error::missing(format!(
        "this workspace asks for gantline {requirement}, and this is {current}"
    ))
    .at(place())
    .hint(format!(
        "Install gantline {requirement}, or change the line when the whole team moves"
    )))
}

fn resource(
    document: &Document,
    name: Name,
    entry: ResourceEntry,
    types: &BTreeMap<Name, ResourceType>,
) -> Result<Resource, Vec<Error>> {
    let scalar = matches!(entry, ResourceEntry::Type(_));
    let fields = match entry {
        ResourceEntry::Type(kind) => ResourceFields {
            r#type: kind,
            version: None,
            owner: None,
            dedicated: false,
        },
        ResourceEntry::Full(fields) => fields,
    };
    let key = ["resources", name.as_str()];
    let kind_path = ["resources", name.as_str(), "type"];
    let kind_place = || document.place(if scalar { &key } else { &kind_path });
    let mut problems = Vec::new();
    if let Some(reason) = reserved::reason(&name) {
        problems.push(reserved::refused(&name, reason).at(document.key_place(&key)));
    }
    let Some(kind) = types.get(&fields.r#type.0) else {
        problems.push(unknown_type(fields.r#type.0.as_str(), types).at(kind_place()));
        return Err(problems);
    };
    let version = version_of(kind, fields.version.as_deref())
        .map_err(|error| error.at(document.place(&["resources", name.as_str(), "version"])));
    match version {
        Ok(version) if problems.is_empty() => Ok(Resource {
            name,
            kind: kind.name.clone(),
            version,
            owner: fields.owner,
            dedicated: fields.dedicated,
        }),
        version => {
            problems.extend(version.err());
            Err(problems)
        }
    }
}

/// The error of a resource type that the catalogue does not know.
pub fn unknown_type(text: &str, types: &BTreeMap<Name, ResourceType>) -> Error {
    let error = Error::invalid(format!("there is no resource type `{text}`"));
    match suggest::hint(text, types.keys().map(Name::as_str)) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The version asked for, or the newest known one.
///
/// # Errors
/// When the catalogue does not know it.
pub fn version_of(kind: &ResourceType, asked: Option<&str>) -> Result<String> {
    let known = || kind.versions.iter().map(|version| version.version.as_str());
    match asked {
        None => known()
            .next()
            .map(str::to_owned)
            .ok_or_else(|| Error::invalid(format!("{} has no version", kind.name))),
        Some(asked) if known().any(|version| version == asked) => Ok(asked.to_owned()),
        Some(asked) => {
            let words: Vec<String> = known().map(|version| format!("\"{version}\"")).collect();
            Err(
                Error::invalid(format!("version `{asked}` of {} is not known", kind.name))
                    .hint(format!("Known here: {}", words.join(", "))),
            )
        }
    }
}
