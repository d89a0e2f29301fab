//! Services to try a blueprint with: every allowed set of options, with names of several shapes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use semver::VersionReq;

use crate::error::{Error, Result};
use crate::model::blueprint::{Blueprint, Count, OptionValues, Selection};
use crate::model::container::{
    Container, DEFAULT_FOLDER_SIZE, Health, ImageName, Origin, User, VendorImage, WritableFolder,
};
use crate::model::file_set::{FileSet, TreePath};
use crate::model::name::Name;
use crate::model::project::{
    BlueprintReference, Compute, Exposure, Need, Ports, Project, Resource, Scale, Service,
    Workspace,
};
use crate::render::code::{CodeInput, Peer, service_files};

/// Names of one shape: gofmt aligns by length and sorts by letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// What tests call it.
    pub label: &'static str,
    /// The service.
    pub service: &'static str,
    /// What it keeps.
    pub entity: &'static str,
    /// What it calls, in order; and whose events it consumes.
    pub peers: [&'static str; 2],
    /// What the peers keep.
    pub peer_entities: [&'static str; 2],
    /// Events, in order.
    pub events: [&'static str; 2],
}

/// A short, a long and a late-sorting shape.
pub const SHAPES: [Shape; 3] = [
    Shape {
        label: "short",
        service: "ads",
        entity: "ad",
        peers: ["b", "c1"],
        peer_entities: ["bid", "cat"],
        events: ["ad-set", "up"],
    },
    Shape {
        label: "long",
        service: "international-order-processing",
        entity: "purchase-requisition-entry",
        peers: [
            "customer-relationship-directory",
            "warehouse-inventory-allocation",
        ],
        peer_entities: ["customer-contact-preference", "warehouse-stock-reservation"],
        events: [
            "purchase-requisition-entry-accepted",
            "inventory-allocation-withdrawn",
        ],
    },
    Shape {
        label: "late",
        service: "zz-top",
        entity: "zyzzyva",
        peers: ["zebra-2", "zoo"],
        peer_entities: ["zebu", "zygote"],
        events: ["zyzzyva-zipped", "zoo-zapped"],
    },
];

/// A set of options and relations that a blueprint allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Combination {
    /// Choices by option; options that take any name are absent.
    pub options: BTreeMap<String, String>,
    /// How many services it calls.
    pub needs: usize,
    /// How many events it publishes.
    pub publishes: usize,
    /// How many events it consumes.
    pub consumes: usize,
}

impl Combination {
    /// `store=postgres messaging=nats publishes=1`: what it brings beside the first choices.
    pub fn label(&self) -> String {
        let options = self
            .options
            .iter()
            .map(|(option, value)| format!("{option}={value}"));
        let relations = [
            ("needs", self.needs),
            ("publishes", self.publishes),
            ("consumes", self.consumes),
        ];
        let relations = relations
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(relation, count)| format!("{relation}={count}"));
        options.chain(relations).collect::<Vec<_>>().join(" ")
    }
}

/// Every combination that a blueprint allows, with none, one and several of each relation.
pub fn combinations(blueprint: &Blueprint) -> Vec<Combination> {
    let mut choices: Vec<BTreeMap<String, String>> = vec![BTreeMap::new()];
    for option in &blueprint.options {
        if let OptionValues::Choices(values) = &option.values {
            choices = choices
                .iter()
                .flat_map(|chosen| {
                    values.iter().map(|value| {
                        let mut chosen = chosen.clone();
                        chosen.insert(option.name.clone(), value.name.clone());
                        chosen
                    })
                })
                .collect();
        }
    }
    let relations = &blueprint.relations;
    let mut combinations = Vec::new();
    for options in choices {
        for needs in counts(&relations.needs) {
            for publishes in counts(&relations.publishes) {
                for consumes in counts(&relations.consumes) {
                    let selection = Selection {
                        options: &options,
                        publishes,
                        consumes,
                        needs,
                    };
                    if blueprint.refusal(&selection).is_none() {
                        combinations.push(Combination {
                            options: options.clone(),
                            needs,
                            publishes,
                            consumes,
                        });
                    }
                }
            }
        }
    }
    combinations
}

/// The numbers worth trying.
fn counts(count: &Count) -> Vec<usize> {
    (0..=2).filter(|number| count.allows(*number)).collect()
}

/// The files of a service with this combination and shape.
///
/// # Errors
/// When the blueprint cannot be rendered with it.
pub fn render(blueprint: &Blueprint, combination: &Combination, shape: &Shape) -> Result<FileSet> {
    let project = sample_project(blueprint, combination, shape)?;
    let name = name(shape.service)?;
    let service = project
        .services
        .get(&name)
        .ok_or_else(|| Error::invalid("the sample has no service"))?;
    let mut peers = BTreeMap::new();
    for (peer, entity) in shape.peers.iter().zip(shape.peer_entities) {
        // The first one keeps what it takes in, the others do not.
        let store = if peers.is_empty() { "postgres" } else { "none" };
        let described = Peer {
            entity: Some(self::name(entity)?),
            module: format!("{}/services/{peer}", project.workspace.module),
            called: Some(("http".to_owned(), 8080)),
            is_made: true,
            options: BTreeMap::from([("store".to_owned(), store.to_owned())]),
        };
        peers.insert(self::name(peer)?, described);
    }
    service_files(&CodeInput {
        blueprint,
        project: &project,
        service,
        peers,
    })
}

/// A workspace that holds nothing but the sample service.
fn sample_project(
    blueprint: &Blueprint,
    combination: &Combination,
    shape: &Shape,
) -> Result<Project> {
    let mut workspace = Workspace {
        gantline: VersionReq::STAR,
        name: name("shop")?,
        module: "github.com/acme/shop".to_owned(),
        registry: "ghcr.io/acme/shop".to_owned(),
        services: tree_path("services")?,
        platforms: vec!["linux/amd64".to_owned()],
        resources: BTreeMap::new(),
    };
    let mut uses = BTreeMap::new();
    for resource in resources(blueprint, combination, shape)? {
        uses.insert(resource.0, resource.1.name.clone());
        workspace
            .resources
            .insert(resource.1.name.clone(), resource.1);
    }
    let service = sample_service(blueprint, combination, shape, uses)?;
    Ok(Project {
        root: PathBuf::from("/"),
        workspace,
        services: BTreeMap::from([(service.name.clone(), service)]),
        blueprints: BTreeMap::new(),
        types: Arc::default(),
    })
}

fn resources(
    blueprint: &Blueprint,
    combination: &Combination,
    shape: &Shape,
) -> Result<Vec<(String, Resource)>> {
    let mut resources = Vec::new();
    for (option, value) in &combination.options {
        let choice = blueprint
            .option(option)
            .and_then(|known| known.choice(value));
        let Some((kind, pattern)) = choice
            .and_then(|choice| Some((choice.resource.as_ref()?, choice.resource_name.as_ref())))
        else {
            continue;
        };
        let pattern = pattern.map_or(option.as_str(), String::as_str);
        let resource = Resource {
            name: name(&pattern.replace("{service}", shape.service))?,
            kind: name(kind)?,
            version: "1".to_owned(),
            owner: None,
            dedicated: false,
        };
        resources.push((option.clone(), resource));
    }
    Ok(resources)
}

/// A container that says all that one can.
fn sample_container() -> Result<Container> {
    let name = ImageName::parse("nginx:1.27")
        .map_err(|cause| Error::failed("the sample's image is wrong").because(cause))?;
    Ok(Container {
        origin: Origin::Image(VendorImage {
            name,
            pull_secrets: vec!["registry".to_owned()],
        }),
        command: vec!["nginx".to_owned()],
        args: vec!["-g".to_owned(), "daemon off;".to_owned()],
        user: User {
            id: 101,
            group: 101,
        },
        writable: vec![WritableFolder {
            path: "/var/cache/nginx".to_owned(),
            size: DEFAULT_FOLDER_SIZE,
        }],
        health: Health::Http {
            port: "http".to_owned(),
            path: "/healthz".to_owned(),
            live: None,
        },
        owns: std::collections::BTreeSet::new(),
    })
}

fn sample_service(
    blueprint: &Blueprint,
    combination: &Combination,
    shape: &Shape,
    uses: BTreeMap<String, Name>,
) -> Result<Service> {
    let mut options = combination.options.clone();
    for option in &blueprint.options {
        if option.values == OptionValues::Name {
            options.insert(option.name.clone(), shape.entity.to_owned());
        }
    }
    let peers = shape.peers.iter().take(combination.needs);
    let needs = peers.map(|peer| {
        Ok(Need {
            service: name(peer)?,
            wait: false,
        })
    });
    let events = shape.events.iter();
    let publishes = events
        .clone()
        .take(combination.publishes)
        .map(|event| name(event));
    let consumes = events
        .zip(shape.peers)
        .take(combination.consumes)
        .map(|(event, provider)| Ok((name(event)?, name(provider)?)));
    let reference = blueprint.reference.clone();
    let ports = &blueprint.ports;
    Ok(Service {
        name: name(shape.service)?,
        directory: tree_path(&format!("services/{}", shape.service))?,
        owner: None,
        blueprint: match reference {
            Some(reference) => reference,
            None => BlueprintReference {
                name: name("sample")?,
                version: 1,
            },
        },
        options,
        ports: match blueprint.container {
            true => Ports {
                http: Some(8080),
                ..Ports::default()
            },
            false => Ports {
                http: ports.get("http").copied(),
                admin: Some(ports.get("admin").copied().unwrap_or(9090)),
                ..Ports::default()
            },
        },
        container: blueprint.container.then(sample_container).transpose()?,
        uses,
        needs: needs.collect::<Result<_>>()?,
        publishes: publishes.collect::<Result<_>>()?,
        consumes: consumes.collect::<Result<_>>()?,
        env: BTreeMap::from([("LOG_LEVEL".to_owned(), "info".to_owned())]),
        secrets: BTreeMap::new(),
        compute: Compute {
            cpu: "100m".to_owned(),
            memory: "256Mi".to_owned(),
            cpu_limit: None,
        },
        scale: Scale {
            min: 2,
            max: 10,
            cpu: 70,
        },
        expose: Vec::<Exposure>::new(),
    })
}

fn name(text: &str) -> Result<Name> {
    Name::new(text)
        .map_err(|error| Error::invalid(format!("the sample's `{text}` is no name")).because(error))
}

fn tree_path(text: &str) -> Result<TreePath> {
    TreePath::new(text)
        .map_err(|error| Error::invalid(format!("the sample's `{text}` is no path")).because(error))
}
