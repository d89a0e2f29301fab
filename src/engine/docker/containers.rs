//! Containers, the network and the volumes of one stack.

use std::collections::HashMap;

use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, EndpointSettings, HostConfig,
    HostConfigLogConfig, Mount, MountType, NetworkCreateRequest, NetworkingConfig, PortBinding,
    VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder, StopContainerOptionsBuilder,
    UploadToContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures::StreamExt;
use futures::future::join_all;

use super::{archive, failure, has_status, is_absent};
use crate::engine::runtime::{Launch, RuntimeContext};
use crate::error::{Error, Result};
use crate::model::container::WritableFolder;
use crate::model::stack::{Address, ContainerProgram, Observed, Program, ServerProgram};

/// The label whose value is the stack's id.
const STACK: &str = "dev.gantline.stack";
/// The label that says where the workspace is, for people.
const ROOT: &str = "dev.gantline.root";
/// The label with the instance's name.
const INSTANCE: &str = "dev.gantline.instance";
/// The label with the instance's role.
const ROLE: &str = "dev.gantline.role";
/// The label with the fingerprint.
const FINGERPRINT: &str = "dev.gantline.fingerprint";
/// The label with the endpoints: `admin=9090,http=8080`.
const ENDPOINTS: &str = "dev.gantline.endpoints";

/// The user of services: as in their images, and in Kubernetes.
const SERVICE_USER: &str = "65532:65532";
/// How long a service may take to stop, in seconds: its own time-out and a little more.
const GRACE_SECONDS: i32 = 25;
/// Where containers publish their ports.
const LOOPBACK: &str = "127.0.0.1";
/// The exit code of a container that was removed while it ran: 128 + SIGKILL.
const KILLED: i32 = 137;

/// Names and labels of one stack.
#[derive(Debug, Clone)]
pub struct Names {
    context: RuntimeContext,
}

impl Names {
    /// The names of a stack.
    pub fn new(context: RuntimeContext) -> Self {
        Self { context }
    }

    /// The container of an instance.
    pub fn container(&self, instance: &str) -> String {
        format!("{}-{instance}", self.context.stack)
    }

    /// The volume of a server.
    pub fn volume(&self, instance: &str) -> String {
        format!("{}-{instance}", self.context.stack)
    }

    /// The network.
    pub fn network(&self) -> &str {
        &self.context.stack
    }

    fn labels(&self, further: &[(&str, String)]) -> HashMap<String, String> {
        let root = self.context.root.display().to_string();
        let common = [(STACK, self.context.stack.clone()), (ROOT, root)];
        common
            .iter()
            .chain(further)
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    }

    fn filter(&self) -> HashMap<String, Vec<String>> {
        let label = format!("{STACK}={}", self.context.stack);
        HashMap::from([("label".to_owned(), vec![label])])
    }
}

/// Makes the stack's network unless it is there.
pub async fn ensure_network(client: &Docker, names: &Names) -> Result<()> {
    let doing = || format!("cannot make the network {}", names.network());
    match client.inspect_network(names.network(), None).await {
        Ok(_) => return Ok(()),
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(failure(doing(), error)),
    }
    let request = NetworkCreateRequest {
        name: names.network().to_owned(),
        driver: Some("bridge".to_owned()),
        labels: Some(names.labels(&[])),
        ..NetworkCreateRequest::default()
    };
    let made = client.create_network(request).await;
    made.map(drop).map_err(|error| failure(doing(), error))
}

/// Removes the stack's network if it is there.
pub async fn remove_network(client: &Docker, names: &Names) -> Result<()> {
    match client.remove_network(names.network()).await {
        Err(error) if !is_absent(&error) => Err(failure(
            format!("cannot remove the network {}", names.network()),
            error,
        )),
        _ => Ok(()),
    }
}

/// Removes the stack's volumes, and returns the servers whose they were.
pub async fn remove_volumes(client: &Docker, names: &Names) -> Result<Vec<String>> {
    let options = ListVolumesOptionsBuilder::new().filters(&names.filter());
    let listed = client
        .list_volumes(Some(options.build()))
        .await
        .map_err(|error| failure("cannot list volumes", error))?;
    let mut removed = Vec::new();
    for volume in listed.volumes.unwrap_or_default() {
        let options = RemoveVolumeOptionsBuilder::new().force(true).build();
        client
            .remove_volume(&volume.name, Some(options))
            .await
            .map_err(|error| failure(format!("cannot remove the volume {}", volume.name), error))?;
        let server = volume.labels.get(INSTANCE).cloned();
        removed.push(server.unwrap_or(volume.name));
    }
    Ok(removed)
}

/// Everything that exists of the stack.
pub async fn observe(client: &Docker, names: &Names) -> Result<Vec<Observed>> {
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&names.filter());
    let listed = client
        .list_containers(Some(options.build()))
        .await
        .map_err(|error| failure("cannot list containers", error))?;
    let ids = listed.into_iter().filter_map(|container| container.id);
    let inspections = ids.map(|id| async move { client.inspect_container(&id, None).await });
    let mut observed = Vec::new();
    for inspection in join_all(inspections).await {
        match inspection {
            Ok(container) => observed.extend(observed_of(container)),
            // Removed between the two requests.
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(failure("cannot inspect a container", error)),
        }
    }
    observed.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(observed)
}

/// A container in our terms; `None` when its labels are not ours.
fn observed_of(container: ContainerInspectResponse) -> Option<Observed> {
    let labels = container.config?.labels?;
    let role = serde_json::from_value(labels.get(ROLE)?.as_str().into()).ok()?;
    let state = container.state?;
    let running = state.running.unwrap_or(false);
    let started = state.started_at.filter(|at| !at.starts_with("0001"));
    let ended = !running && started.is_some();
    let since = if running { started } else { state.finished_at };
    let bindings = container.host_config.and_then(|host| host.port_bindings);
    let bindings = bindings.unwrap_or_default();
    let endpoints = labels.get(ENDPOINTS)?.split(',').filter_map(|endpoint| {
        let (name, port) = endpoint.split_once('=')?;
        let binding = bindings.get(&format!("{port}/tcp"))?.as_ref()?.first()?;
        let address = Address {
            host: LOOPBACK.to_owned(),
            port: binding.host_port.as_ref()?.parse().ok()?,
        };
        Some((name.to_owned(), address))
    });
    Some(Observed {
        name: labels.get(INSTANCE)?.clone(),
        role,
        fingerprint: labels.get(FINGERPRINT)?.clone(),
        running,
        exit_code: state
            .exit_code
            .filter(|_| ended)
            .and_then(|code| i32::try_from(code).ok()),
        since: since
            .or(container.created.map(|at| at.to_string()))
            .unwrap_or_default(),
        endpoints: endpoints.collect(),
    })
}

/// Creates and starts the container of an instance; one that ended is replaced.
pub async fn start(client: &Docker, names: &Names, launch: &Launch) -> Result<()> {
    let instance = &launch.instance.name;
    let container = names.container(instance);
    let doing = || format!("cannot start {instance}");
    remove(client, &container).await?;
    if let Program::Server(ServerProgram { data: Some(_), .. }) = &launch.instance.program {
        let request = VolumeCreateRequest {
            name: Some(names.volume(instance)),
            labels: Some(names.labels(&[(INSTANCE, instance.clone())])),
            ..VolumeCreateRequest::default()
        };
        let made = client.create_volume(request).await;
        made.map_err(|error| failure(doing(), error))?;
    }
    let options = CreateContainerOptionsBuilder::new()
        .name(&container)
        .build();
    let created = client.create_container(Some(options), body(names, launch)?);
    created.await.map_err(|error| failure(doing(), error))?;
    if !launch.files.is_empty() {
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        let files = archive::of_files(&launch.files)?;
        let upload =
            client.upload_to_container(&container, Some(options), bollard::body_full(files.into()));
        upload.await.map_err(|error| failure(doing(), error))?;
    }
    let started = client.start_container(&container, None).await;
    started.map_err(|error| failure(doing(), error))
}

fn body(names: &Names, launch: &Launch) -> Result<ContainerCreateBody> {
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
    let alias = EndpointSettings {
        aliases: Some(vec![instance.name.clone()]),
        ..EndpointSettings::default()
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
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(names.network().to_owned(), alias)])),
        }),
        ..ContainerCreateBody::default()
    })
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
        network_mode: Some(names.network().to_owned()),
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

/// Waits until a container ends; its exit code.
pub async fn wait_exit(client: &Docker, container: &str) -> Result<i32> {
    let options = WaitContainerOptionsBuilder::new().condition("not-running");
    let mut ends = client.wait_container(container, Some(options.build()));
    let code = match ends.next().await {
        Some(Ok(end)) => end.status_code,
        Some(Err(DockerError::DockerContainerWaitError { code, .. })) => code,
        Some(Err(error)) if is_absent(&error) => i64::from(KILLED),
        Some(Err(error)) => return Err(failure(format!("cannot wait for {container}"), error)),
        None => i64::from(KILLED),
    };
    Ok(i32::try_from(code).unwrap_or(KILLED))
}

/// Stops and removes a container if it is there.
pub async fn stop(client: &Docker, container: String) -> Result<()> {
    let options = StopContainerOptionsBuilder::new().t(GRACE_SECONDS).build();
    match client.stop_container(&container, Some(options)).await {
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) if !has_status(&error, 304) => {
            return Err(failure(format!("cannot stop {container}"), error));
        }
        _ => {}
    }
    remove(client, &container).await
}

async fn remove(client: &Docker, container: &str) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::new()
        .force(true)
        .v(true)
        .build();
    match client.remove_container(container, Some(options)).await {
        // 409: another request removes it already.
        Err(error) if !is_absent(&error) && !has_status(&error, 409) => {
            Err(failure(format!("cannot remove {container}"), error))
        }
        _ => Ok(()),
    }
}
