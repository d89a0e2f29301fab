mod containers;
mod selection;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::model::file_set::TreePath;
use crate::model::project::{
    BlueprintReference, Compute, Need, Ports, Resource, Scale, SecretReference, Workspace,
};
use crate::model::resource_type::{Provision, ReadyCheck, ResourceType, ResourceVersion, Support};
use crate::model::stack::{Address, Addresses, Instance, Program, Role};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn resource(text: &str, kind: &str, version: &str) -> (Name, Resource) {
    let resource = Resource {
        name: name(text),
        kind: name(kind),
        version: version.to_owned(),
        owner: None,
        dedicated: false,
    };
    (name(text), resource)
}

fn service(text: &str) -> Service {
    Service {
        name: name(text),
        directory: TreePath::new(format!("services/{text}")).unwrap(),
        owner: None,
        blueprint: BlueprintReference {
            name: name("go-service"),
            version: 1,
        },
        options: BTreeMap::new(),
        ports: Ports {
            http: Some(8080),
            admin: Some(9090),
            ..Ports::default()
        },
        container: None,
        uses: BTreeMap::new(),
        needs: Vec::new(),
        publishes: Vec::new(),
        consumes: BTreeMap::new(),
        env: BTreeMap::new(),
        secrets: BTreeMap::new(),
        compute: Compute {
            cpu: "100m".to_owned(),
            memory: "256Mi".to_owned(),
            cpu_limit: None,
        },
        scale: Scale {
            min: 1,
            max: 1,
            cpu: 70,
        },
        expose: Vec::new(),
    }
}

fn shop() -> Project {
    let mut storefront = service("storefront");
    storefront.needs.push(Need {
        service: name("orders"),
        wait: false,
    });
    let mut orders = service("orders");
    orders.uses.insert("store".to_owned(), name("orders-db"));
    orders.uses.insert("messaging".to_owned(), name("events"));
    orders.env.insert("LOG_LEVEL".to_owned(), "info".to_owned());
    let mut billing = service("billing");
    billing.ports.http = None;
    billing.uses.insert("store".to_owned(), name("billing-db"));
    billing.uses.insert("messaging".to_owned(), name("events"));
    let services = [storefront, orders, billing];
    Project {
        root: PathBuf::from("/shop"),
        workspace: Workspace {
            gantline: semver::VersionReq::STAR,
            name: name("shop"),
            module: "example.com/shop".to_owned(),
            registry: "ghcr.io/acme/shop".to_owned(),
            services: TreePath::new("services").unwrap(),
            platforms: Vec::new(),
            resources: BTreeMap::from([
                resource("orders-db", "postgres", "17"),
                resource("billing-db", "postgres", "17"),
                resource("events", "nats", "2.12"),
            ]),
        },
        services: services
            .into_iter()
            .map(|service| (service.name.clone(), service))
            .collect(),
        blueprints: BTreeMap::new(),
        types: Arc::new(types()),
    }
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    owned.collect()
}

fn resource_type(kind: &str, version: &str, port: u16) -> ResourceType {
    ResourceType {
        name: name(kind),
        summary: String::new(),
        support: Support::Compiled,
        versions: vec![ResourceVersion {
            version: version.to_owned(),
            image: format!("{kind}:{version}"),
        }],
        port,
        ports: BTreeMap::new(),
        data: None,
        environment: BTreeMap::new(),
        arguments: Vec::new(),
        files: BTreeMap::new(),
        tenants: BTreeMap::new(),
        administrator: "admin".to_owned(),
        exports: BTreeMap::new(),
        owner_exports: BTreeMap::new(),
        test_exports: BTreeMap::new(),
        ready: ReadyCheck::Sql("select 1".to_owned()),
        provision: Vec::new(),
        process: None,
        kubernetes: None,
    }
}

fn types() -> BTreeMap<Name, ResourceType> {
    let mut postgres = resource_type("postgres", "17", 5432);
    postgres.exports = texts(&[(
        "uri",
        "postgres://${user}:${password}@${host}:${port}/${database}",
    )]);
    postgres.owner_exports = texts(&[("uri", "postgres://${owner.user}@${host}:${port}")]);
    postgres.test_exports = texts(&[("uri", "postgres://${admin.user}@${host}:${port}/postgres")]);
    postgres.environment = texts(&[("POSTGRES_PASSWORD", "${admin.password}")]);
    postgres.provision = vec![Provision::Sql {
        database: "postgres".to_owned(),
        unless: Some("select '${user}'".to_owned()),
        statement: "create role ${owner.user}".to_owned(),
    }];
    let mut nats = resource_type("nats", "2.12", 4222);
    nats.ports.insert("monitor".to_owned(), 8222);
    nats.files = texts(&[("/etc/nats.conf", "accounts {\n${tenants.accounts}}\n")]);
    nats.tenants = texts(&[("accounts", "${resource}: ${user}\n")]);
    nats.exports = texts(&[("uri", "nats://${user}@${host}:${port}")]);
    [postgres, nats]
        .into_iter()
        .map(|kind| (kind.name.clone(), kind))
        .collect()
}

struct Case {
    project: Project,
    key: Secret,
    secrets: BTreeMap<String, Secret>,
    selected: Vec<Name>,
}

impl Case {
    fn new() -> Self {
        Self {
            project: shop(),
            key: Secret::new("key"),
            secrets: BTreeMap::new(),
            selected: Vec::new(),
        }
    }

    fn select(mut self, names: &[&str]) -> Self {
        self.selected = names.iter().map(|text| name(text)).collect();
        self
    }

    fn stack(&self) -> Result<StackSpec> {
        stack(&self.input())
    }

    fn input(&self) -> StackInput<'_> {
        StackInput {
            project: &self.project,
            id: "shop-1",
            key: &self.key,
            secrets: &self.secrets,
            selected: &self.selected,
        }
    }
}

fn names(instances: &[Instance]) -> Vec<&str> {
    instances
        .iter()
        .map(|instance| instance.name.as_str())
        .collect()
}

fn inside() -> Addresses {
    let at = |host: &str, endpoints: &[(&str, u16)]| {
        let endpoints = endpoints.iter().map(|(endpoint, port)| {
            let address = Address {
                host: host.to_owned(),
                port: *port,
            };
            ((*endpoint).to_owned(), address)
        });
        (host.to_owned(), endpoints.collect())
    };
    Addresses(BTreeMap::from([
        at("postgres-17", &[("main", 5432)]),
        at("nats-2-12", &[("main", 4222), ("monitor", 8222)]),
        at("orders", &[("http", 8080), ("admin", 9090)]),
    ]))
}

fn variable(instance: &Instance, variable: &str) -> String {
    instance.environment[variable].resolve(&inside()).unwrap()
}

#[test]
fn resources_of_one_type_and_version_share_a_server() {
    let spec = Case::new().stack().unwrap();
    assert_eq!(names(&spec.servers), ["nats-2-12", "postgres-17"]);
    assert_eq!(names(&spec.jobs), ["billing-migrate", "orders-migrate"]);
    assert_eq!(names(&spec.services), ["billing", "orders", "storefront"]);
    let provisions = &spec.provisions["postgres-17"];
    assert_eq!(provisions.len(), 2);
    assert_eq!(provisions[1].resource, name("orders-db"));
    assert_eq!(
        provisions[1].steps,
        [Provision::Sql {
            database: "postgres".to_owned(),
            unless: Some("select 'orders_db'".to_owned()),
            statement: "create role orders_db_owner".to_owned(),
        }]
    );
}

#[test]
fn a_dedicated_resource_has_a_server_of_its_own() {
    let mut case = Case::new();
    let resources = &mut case.project.workspace.resources;
    resources.get_mut("orders-db").unwrap().dedicated = true;
    let spec = case.stack().unwrap();
    assert_eq!(
        names(&spec.servers),
        ["nats-2-12", "postgres-17", "postgres-17-orders-db"]
    );
}

#[test]
fn a_service_finds_addresses_in_its_environment_and_its_job_the_owners() {
    let spec = Case::new().stack().unwrap();
    let orders = &spec.services[1];
    let uri = variable(orders, "STORE_URI");
    assert!(uri.starts_with("postgres://orders_db:"), "{uri}");
    assert!(uri.ends_with("@postgres-17:5432/orders_db"), "{uri}");
    assert_eq!(
        variable(orders, "MESSAGING_URI"),
        "nats://events@nats-2-12:4222"
    );
    assert_eq!(variable(orders, "OTEL_SERVICE_NAME"), "orders");
    assert_eq!(variable(orders, "LOG_LEVEL"), "info");
    assert_eq!(
        variable(&spec.services[2], "ORDERS_URL"),
        "http://orders:8080"
    );
    let job = &spec.jobs[1];
    assert_eq!(
        variable(job, "STORE_URI"),
        "postgres://orders_db_owner@postgres-17:5432"
    );
    assert!(!job.environment.contains_key("MESSAGING_URI"));
    assert_eq!(job.role, Role::Job);
}

#[test]
fn services_start_when_all_servers_and_jobs_are_done_and_not_in_the_order_of_calls() {
    let spec = Case::new().stack().unwrap();
    for service in &spec.services {
        assert_eq!(
            service.after,
            [
                "nats-2-12",
                "postgres-17",
                "billing-migrate",
                "orders-migrate"
            ]
        );
    }
    assert_eq!(spec.jobs[1].after, ["postgres-17"]);
}

#[test]
fn a_need_that_waits_orders_two_services() {
    let mut case = Case::new();
    let storefront = case.project.services.get_mut("storefront").unwrap();
    storefront.needs[0].wait = true;
    let spec = case.stack().unwrap();
    assert_eq!(spec.services[2].after.last().unwrap(), "orders");
}

#[test]
fn a_servers_file_holds_a_section_for_each_resource() {
    let spec = Case::new().stack().unwrap();
    let Program::Server(server) = &spec.servers[0].program else {
        panic!("a server")
    };
    assert_eq!(
        server.files["/etc/nats.conf"].resolve(&inside()).unwrap(),
        "accounts {\nevents: events\n}\n"
    );
}

#[test]
fn a_secret_without_a_local_value_is_refused_and_one_with_it_is_given() {
    let mut case = Case::new();
    let orders = case.project.services.get_mut("orders").unwrap();
    let reference = SecretReference {
        secret: "payment".to_owned(),
        key: "api-key".to_owned(),
    };
    orders.secrets.insert("PAYMENT_KEY".to_owned(), reference);
    let error = case.stack().unwrap_err();
    assert!(error.message().contains("`PAYMENT_KEY`"), "{error}");
    case.secrets
        .insert("PAYMENT_KEY".to_owned(), Secret::new("local"));
    let spec = case.stack().unwrap();
    assert_eq!(variable(&spec.services[1], "PAYMENT_KEY"), "local");
    assert!(!format!("{spec:?}").contains("local\""));
}

#[test]
fn a_service_called_like_a_server_is_refused() {
    let mut case = Case::new();
    let twin = service("postgres-17");
    case.project.services.insert(twin.name.clone(), twin);
    let error = case.stack().unwrap_err();
    assert_eq!(
        error.message(),
        "two things of the local stack would be called `postgres-17`"
    );
}

#[test]
fn tests_get_the_servers_that_the_service_itself_uses_and_nothing_of_its_peers() {
    let case = Case::new().select(&["storefront"]);
    let stack = test_stack(&case.input()).unwrap();
    assert!(stack.spec.servers.is_empty(), "{stack:?}");
    assert!(stack.environments[&name("storefront")].is_empty());

    let case = Case::new().select(&["orders"]);
    let stack = test_stack(&case.input()).unwrap();
    let servers: Vec<&str> = stack
        .spec
        .servers
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(servers, ["nats-2-12", "postgres-17"]);
    assert_eq!(stack.spec.instances().count(), 2);
    let address = |port| {
        let host = "127.0.0.1".to_owned();
        BTreeMap::from([("main".to_owned(), Address { host, port })])
    };
    let addresses = Addresses(BTreeMap::from([
        ("nats-2-12".to_owned(), address(4001)),
        ("postgres-17".to_owned(), address(4002)),
    ]));
    let found: Vec<String> = stack.environments[&name("orders")]
        .iter()
        .map(|(name, value)| format!("{name}={}", value.resolve(&addresses).unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            "TEST_MESSAGING_URI=nats://events@127.0.0.1:4001",
            "TEST_STORE_URI=postgres://admin@127.0.0.1:4002/postgres",
        ]
    );
}
