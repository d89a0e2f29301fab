//! A stack on the fake runtime, which the tests of the stack share.

use std::collections::BTreeMap;
use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;

use crate::actions::stack::up::{AfterFailure, Arrived, UpRequest, up};
use crate::actions::stack::{Failures, Stack};
use crate::engine::readiness::Servers;
use crate::engine::runtime::Runtime;
use crate::engine::runtime::fake::{Behaviour, Call, FakeRuntime};
use crate::error::Result;
use crate::model::event::EventSink;
use crate::model::name::Name;
use crate::model::resource_type::ReadyCheck;
use crate::model::secret::Secret;
use crate::model::stack::{
    Endpoint, Instance, Program, Readiness, Role, RuntimeKind, ServerProgram, StackSpec,
    TenantProvision,
};
use crate::report::RecordingReporter;

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn readiness() -> Readiness {
    Readiness {
        check: ReadyCheck::Sql("select 1".to_owned()),
        user: String::new(),
        password: Secret::default(),
    }
}

pub fn endpoint(text: &str) -> Endpoint {
    Endpoint {
        name: text.to_owned(),
        port: 8080,
        variable: Some(format!("{}_ADDR", text.to_uppercase())),
    }
}

pub fn server(text: &str) -> Instance {
    Instance {
        name: text.to_owned(),
        role: Role::Resource,
        program: Program::Server(ServerProgram {
            kind: name("postgres"),
            version: "17".to_owned(),
            image: text.to_owned(),
            arguments: Vec::new(),
            files: BTreeMap::new(),
            data: None,
            process: None,
            administrator: String::new(),
            administrator_password: Secret::default(),
        }),
        environment: BTreeMap::new(),
        endpoints: vec![endpoint("main")],
        ready: Some(readiness()),
        after: Vec::new(),
        deadline_seconds: 1,
    }
}

pub fn of_service(service: &str, role: Role, after: &[&str]) -> Instance {
    let is_job = role == Role::Job;
    Instance {
        name: match is_job {
            true => format!("{service}-migrate"),
            false => service.to_owned(),
        },
        role,
        program: Program::Service {
            service: name(service),
            directory: PathBuf::from("/shop").join(service),
            image: service.to_owned(),
            arguments: Vec::new(),
        },
        environment: BTreeMap::new(),
        endpoints: match is_job {
            true => Vec::new(),
            false => vec![endpoint("http"), endpoint("admin")],
        },
        ready: (!is_job).then(readiness),
        after: after.iter().map(|&text| text.to_owned()).collect(),
        deadline_seconds: 1,
    }
}

pub struct Bench {
    pub runtime: Arc<FakeRuntime>,
    pub reporter: Arc<RecordingReporter>,
    pub stack: Stack,
    pub request: UpRequest,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// A database, a broker, one service with a migration and one without.
    pub fn new() -> Self {
        let before = ["broker", "database", "orders-migrate"];
        let tenant = TenantProvision {
            resource: name("orders-db"),
            steps: Vec::new(),
        };
        let spec = StackSpec {
            id: "fake".to_owned(),
            workspace: name("shop"),
            servers: vec![server("broker"), server("database")],
            provisions: BTreeMap::from([("database".to_owned(), vec![tenant])]),
            jobs: vec![of_service("orders", Role::Job, &["database"])],
            services: vec![
                of_service("front", Role::Service, &before),
                of_service("orders", Role::Service, &before),
            ],
        };
        let folder = tempfile::tempdir().unwrap();
        let runtime = Arc::new(FakeRuntime::default());
        let reporter = Arc::new(RecordingReporter::default());
        Self {
            stack: Stack {
                spec,
                kind: RuntimeKind::Docker,
                runtime: Arc::clone(&runtime) as Arc<dyn Runtime>,
                servers: Arc::clone(&runtime) as Arc<dyn Servers>,
                failures: Failures::in_file(folder.path().join("failures.json")),
                events: Arc::clone(&reporter) as Arc<dyn EventSink>,
            },
            runtime,
            reporter,
            request: UpRequest {
                after_failure: AfterFailure::Keep,
                stop_others: true,
                force: Vec::new(),
                only: None,
            },
            _folder: folder,
        }
    }

    pub fn behave(self, instance: &str, change: impl FnOnce(&mut Behaviour)) -> Self {
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        self.runtime.behave(instance, behaviour);
        self
    }

    /// As [`Bench::new`], with a migration that ends as it should.
    pub fn working() -> Self {
        Self::new().behave("orders-migrate", |it| it.exits = Some(0))
    }

    pub async fn up(&self) -> Result<Vec<Arrived>> {
        up(&self.stack, &self.request, pending()).await
    }

    pub fn started(&self) -> Vec<String> {
        let calls = self.runtime.take_calls().into_iter();
        calls
            .filter_map(|call| match call {
                Call::Start(name) => Some(name),
                _ => None,
            })
            .collect()
    }
}
