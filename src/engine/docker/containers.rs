//! Containers, the network and the volumes of one stack.

use std::collections::HashMap;

use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::models::{ContainerInspectResponse, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder, StopContainerOptionsBuilder,
    UploadToContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures::StreamExt;
use futures::future::join_all;

use super::body::container;
use super::{archive, failure, has_status, is_absent};
use crate::engine::runtime::{Launch, RuntimeContext};
use crate::error::Result;
use crate::model::stack::{Address, Observed};

/// The label whose value is the stack's id.
const STACK: &str = "dev.gantline.stack";
/// The label that says where the workspace is, for people.
const ROOT: &str = "dev.gantline.root";
/// The label with the instance's name.
pub const INSTANCE: &str = "dev.gantline.instance";
/// The label with the instance's role.
pub const ROLE: &str = "dev.gantline.role";
/// The label with the fingerprint.
pub const FINGERPRINT: &str = "dev.gantline.fingerprint";
/// The label with the endpoints: `admin=9090,http=8080`.
pub const ENDPOINTS: &str = "dev.gantline.endpoints";

/// How long a service may take to stop, in seconds: its own time-out and a little more.
pub const GRACE_SECONDS: i32 = 25;
/// Where containers publish their ports.
pub const LOOPBACK: &str = "127.0.0.1";
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

    /// The labels of a part of the stack.
    pub fn labels(&self, further: &[(&str, String)]) -> HashMap<String, String> {
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
        remove_volume(client, &volume.name).await?;
        let server = volume.labels.get(INSTANCE).cloned();
        removed.push(server.unwrap_or(volume.name));
    }
    Ok(removed)
}

/// Removes a volume if it is there.
pub async fn remove_volume(client: &Docker, volume: &str) -> Result<()> {
    let options = RemoveVolumeOptionsBuilder::new().force(true).build();
    let removed = client.remove_volume(volume, Some(options)).await;
    removed.map_err(|error| failure(format!("cannot remove the volume {volume}"), error))
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
    // One that never ran has no end, for which the daemon says the year 1.
    let since = match ended {
        true => state.finished_at,
        false => started,
    };
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
        since: since.unwrap_or_default(),
        endpoints: endpoints.collect(),
    })
}

/// Makes the volume of a server unless it is there; whether it was made.
pub async fn ensure_volume(client: &Docker, names: &Names, instance: &str) -> Result<bool> {
    let volume = names.volume(instance);
    let failed = |error| failure(format!("cannot make the volume {volume}"), error);
    match client.inspect_volume(&volume).await {
        Ok(_) => return Ok(false),
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(failed(error)),
    }
    let request = VolumeCreateRequest {
        name: Some(volume.clone()),
        labels: Some(names.labels(&[(INSTANCE, instance.to_owned())])),
        ..VolumeCreateRequest::default()
    };
    let made = client.create_volume(request).await;
    made.map(|_| true).map_err(failed)
}

/// Creates the container of an instance; one that ended is replaced.
pub async fn make(client: &Docker, names: &Names, launch: &Launch) -> Result<()> {
    let name = names.container(&launch.instance.name);
    let doing = || format!("cannot start {}", launch.instance.name);
    remove(client, &name).await?;
    let options = CreateContainerOptionsBuilder::new().name(&name).build();
    let created = client.create_container(Some(options), container(names, launch)?);
    created.await.map_err(|error| failure(doing(), error))?;
    if !launch.files.is_empty() {
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        let files = archive::of_files(&launch.files)?;
        let upload =
            client.upload_to_container(&name, Some(options), bollard::body_full(files.into()));
        upload.await.map_err(|error| failure(doing(), error))?;
    }
    Ok(())
}

/// Starts the container of an instance; whether it was there.
pub async fn start(client: &Docker, names: &Names, instance: &str) -> Result<bool> {
    let container = names.container(instance);
    match client.start_container(&container, None).await {
        Ok(()) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(failure(format!("cannot start {instance}"), error)),
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

/// Removes a container if it is there, and kills what runs in it.
pub async fn remove(client: &Docker, container: &str) -> Result<()> {
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
