//! What a container is made of.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, HostConfigLogConfig, Mount, MountType,
    NetworkingConfig, PortBinding,
};

use super::containers::{ENDPOINTS, FINGERPRINT, GRACE_SECONDS, INSTANCE, LOOPBACK, Names, ROLE};
use crate::engine::runtime::Launch;
use crate::error::{Error, Result};
use crate::model::container::WritableFolder;
use crate::model::stack::{ContainerProgram, Instance, Program, Role};

/// The user of services: as in their images, and in Kubernetes.
const SERVICE_USER: &str = "65532:65532";

/// The container of a launch, as the daemon is asked to make it.
///
/// # Errors
/// When it cannot be labelled.
pub fn container(names: &Names, launch: &Launch) -> Result<ContainerCreateBody> {
    let instance = &launch.instance;
    let endpoints: Vec<String> = instance
        .endpoints
        .iter()
        .map(|endpoint| format!("{}={}", endpoint.name, endpoint.port))
        .collect();
    let role = serde_json::to_value(instance.role)
        .map_err(|error| Error::failed(format!("cannot label {}", instance.name)).because(error))?;
    let labels = names.labels(&[
        (INSTANCE, instance.name.clone()),
        (ROLE, role.as_str().unwrap_or_default().to_owned()),
        (FINGERPRINT, launch.fingerprint.clone()),
        (ENDPOINTS, endpoints.join(",")),
    ]);
    let environment = launch
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={}", value.reveal()));
    let none = Vec::new();
    let (user, command, arguments) = match &instance.program {
        Program::Service { arguments, .. } => (Some(SERVICE_USER.to_owned()), &none, arguments),
        Program::Server(server) => (None, &none, &server.arguments),
        Program::Container(ContainerProgram {
            user,
            command,
            arguments,
            ..
        }) => {
            let user = format!("{}:{}", user.id, user.group);
            (Some(user), command, arguments)
        }
    };
    Ok(ContainerCreateBody {
        image: Some(launch.artifact.location.clone()),
        entrypoint: (!command.is_empty()).then(|| command.clone()),
        cmd: (!arguments.is_empty()).then(|| arguments.clone()),
        env: Some(environment.collect()),
        user,
        labels: Some(labels),
        stop_timeout: Some(i64::from(GRACE_SECONDS)),
        exposed_ports: Some(instance.endpoints.iter().map(|it| tcp(it.port)).collect()),
        host_config: Some(host_config(names, launch)),
        networking_config: host_of(instance)
            .is_none()
            .then(|| own_place(names, instance)),
        ..ContainerCreateBody::default()
    })
}

/// The server in whose network namespace an instance runs: a job's, which serves nobody and ends
/// soon. A place of its own in the network takes the daemon longer than many a job.
fn host_of(instance: &Instance) -> Option<&String> {
    instance
        .after
        .first()
        .filter(|_| instance.role == Role::Job)
}

/// A place in the stack's network, under the instance's name.
fn own_place(names: &Names, instance: &Instance) -> NetworkingConfig {
    let alias = EndpointSettings {
        aliases: Some(vec![instance.name.clone()]),
        ..EndpointSettings::default()
    };
    NetworkingConfig {
        endpoints_config: Some(HashMap::from([(names.network().to_owned(), alias)])),
    }
}

fn tcp(port: u16) -> String {
    format!("{port}/tcp")
}

fn host_config(names: &Names, launch: &Launch) -> HostConfig {
    let instance = &launch.instance;
    let published = instance.endpoints.iter().map(|endpoint| {
        let port = launch.ports.get(&endpoint.name);
        let binding = PortBinding {
            host_ip: Some(LOOPBACK.to_owned()),
            host_port: port.map(u16::to_string),
        };
        (tcp(endpoint.port), Some(vec![binding]))
    });
    let common = HostConfig {
        network_mode: Some(match host_of(instance) {
            Some(server) => format!("container:{}", names.container(server)),
            None => names.network().to_owned(),
        }),
        port_bindings: Some(published.collect()),
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        log_config: Some(log_config()),
        ..HostConfig::default()
    };
    match &instance.program {
        // As a pod of Kubernetes' `restricted` standard would be, so that what works here works
        // there: no capabilities, nothing to write to but /tmp.
        Program::Service { .. } => HostConfig {
            readonly_rootfs: Some(true),
            cap_drop: Some(vec!["ALL".to_owned()]),
            tmpfs: Some(temporary(&[])),
            ..common
        },
        Program::Container(container) => HostConfig {
            readonly_rootfs: Some(true),
            cap_drop: Some(vec!["ALL".to_owned()]),
            tmpfs: Some(temporary(&container.writable)),
            ..common
        },
        Program::Server(server) => HostConfig {
            mounts: server.data.as_ref().map(|folder| {
                vec![Mount {
                    target: Some(folder.clone()),
                    source: Some(names.volume(&instance.name)),
                    typ: Some(MountType::VOLUME),
                    ..Mount::default()
                }]
            }),
            ..common
        },
    }
}

/// What can be written and goes with the container: /tmp, and these folders.
fn temporary(folders: &[WritableFolder]) -> HashMap<String, String> {
    let tmp = "rw,nosuid,nodev,noexec,size=64m".to_owned();
    let folders = folders.iter().map(|folder| {
        let options = format!("rw,nosuid,nodev,exec,mode=1777,size={}m", folder.size);
        (folder.path.clone(), options)
    });
    folders.chain([("/tmp".to_owned(), tmp)]).collect()
}

/// Logs are kept by the daemon, bounded, and readable through its API.
fn log_config() -> HostConfigLogConfig {
    let options = [("max-size", "10m"), ("max-file", "3")];
    HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(
            options
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;
    use crate::engine::runtime::{Artifact, RuntimeContext};
    use crate::model::name::Name;

    fn launch(role: Role, after: &[&str]) -> Launch {
        Launch {
            instance: Instance {
                name: "orders".to_owned(),
                role,
                program: Program::Service {
                    service: Name::new("orders").unwrap(),
                    directory: PathBuf::from("/shop/orders"),
                    image: "orders".to_owned(),
                    arguments: Vec::new(),
                },
                environment: BTreeMap::new(),
                endpoints: Vec::new(),
                ready: None,
                after: after.iter().map(|&name| name.to_owned()).collect(),
                deadline_seconds: 1,
            },
            artifact: Artifact {
                location: "orders:1".to_owned(),
                identity: String::new(),
                outcome: String::new(),
            },
            environment: BTreeMap::new(),
            files: BTreeMap::new(),
            ports: BTreeMap::new(),
            fingerprint: String::new(),
        }
    }

    #[test]
    fn a_job_runs_in_the_network_namespace_of_its_server_and_nothing_else_does() {
        let names = Names::new(RuntimeContext {
            stack: "shop-1".to_owned(),
            root: PathBuf::from("/shop"),
            run: PathBuf::from("/shop/.gantline/run"),
        });
        let network = |role, after: &[&str]| {
            let made = container(&names, &launch(role, after)).unwrap();
            let has_own_place = made.networking_config.is_some();
            (
                made.host_config.unwrap().network_mode.unwrap(),
                has_own_place,
            )
        };
        let job = network(Role::Job, &["postgres-17"]);
        assert_eq!(job, ("container:shop-1-postgres-17".to_owned(), false));
        let service = network(Role::Service, &["postgres-17"]);
        assert_eq!(service, ("shop-1".to_owned(), true));
    }
}
