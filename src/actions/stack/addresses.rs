//! Who is reached where: inside the stack, and from the host.

use std::collections::BTreeMap;

use crate::engine::ports::PortAllocator;
use crate::error::Result;
use crate::model::stack::{
    Address, Addresses, Endpoint, Instance, Observed, RuntimeKind, StackSpec,
};

/// Where containers publish and processes listen.
const LOOPBACK: &str = "127.0.0.1";

/// Ports on the host, by instance and endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostPorts(pub BTreeMap<String, BTreeMap<String, u16>>);

impl HostPorts {
    /// Gives every endpoint a port: what exists keeps its own, the others get free ones.
    pub fn assign(spec: &StackSpec, observed: &BTreeMap<String, Observed>) -> Result<Self> {
        let kept = |instance: &Instance, endpoint: &Endpoint| {
            let there = observed.get(&instance.name).filter(|it| it.running)?;
            Some(there.endpoints.get(&endpoint.name)?.port)
        };
        let running = observed.values().filter(|it| it.running);
        let taken = running.flat_map(|it| it.endpoints.values().map(|address| address.port));
        let mut allocator = PortAllocator::new(&spec.id, taken);
        let mut ports = BTreeMap::new();
        for instance in spec.instances() {
            let mut own = BTreeMap::new();
            for endpoint in &instance.endpoints {
                let port = match kept(instance, endpoint) {
                    Some(port) => port,
                    None => allocator.allocate(&instance.name, &endpoint.name)?,
                };
                own.insert(endpoint.name.clone(), port);
            }
            ports.insert(instance.name.clone(), own);
        }
        Ok(Self(ports))
    }

    /// The ports of one instance.
    pub fn of(&self, instance: &str) -> BTreeMap<String, u16> {
        self.0.get(instance).cloned().unwrap_or_default()
    }

    /// Addresses from the host's view.
    pub fn outside(&self) -> Addresses {
        let instances = self.0.iter().map(|(instance, ports)| {
            let endpoints = ports.iter().map(|(endpoint, port)| {
                let address = Address {
                    host: LOOPBACK.to_owned(),
                    port: *port,
                };
                (endpoint.clone(), address)
            });
            (instance.clone(), endpoints.collect())
        });
        Addresses(instances.collect())
    }

    /// Addresses as instances of the stack see each other.
    pub fn inside(&self, kind: RuntimeKind, spec: &StackSpec) -> Addresses {
        match kind {
            RuntimeKind::Process => self.outside(),
            RuntimeKind::Docker => network_addresses(spec),
        }
    }
}

/// In a network of containers each has its name as host and its own ports.
fn network_addresses(spec: &StackSpec) -> Addresses {
    let instances = spec.instances().map(|instance| {
        let endpoints = instance.endpoints.iter().map(|endpoint| {
            let address = Address {
                host: instance.name.clone(),
                port: endpoint.port,
            };
            (endpoint.name.clone(), address)
        });
        (instance.name.clone(), endpoints.collect())
    });
    Addresses(instances.collect())
}

/// Where an endpoint listens, as its variable says it.
pub fn listen(kind: RuntimeKind, endpoint: &Endpoint, host_port: u16) -> String {
    match kind {
        // All interfaces: the container's own network is the border.
        RuntimeKind::Docker => format!(":{}", endpoint.port),
        RuntimeKind::Process => format!("{LOOPBACK}:{host_port}"),
    }
}
