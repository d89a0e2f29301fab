//! Ports on the host: stable for a checkout, and never one that is taken.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The first port given out.
const FIRST: u16 = 20_000;
/// How many ports may be given out: they end below 32,768, where Linux begins to take ports for
/// outgoing connections.
const COUNT: u16 = 12_000;

/// Gives out ports on 127.0.0.1. Each endpoint of a stack prefers a port derived from its name,
/// so that it has the same one tomorrow, and two checkouts have different ones.
#[derive(Debug)]
pub struct PortAllocator {
    stack: String,
    taken: BTreeSet<u16>,
}

impl PortAllocator {
    /// An allocator for a stack. `taken` are the ports of what already runs, which keep them.
    pub fn new(stack: impl Into<String>, taken: impl IntoIterator<Item = u16>) -> Self {
        Self {
            stack: stack.into(),
            taken: taken.into_iter().collect(),
        }
    }

    /// A free port for an endpoint: the preferred one, or the next that is free.
    ///
    /// # Errors
    /// When all ports of the range are taken.
    pub fn allocate(&mut self, instance: &str, endpoint: &str) -> Result<u16> {
        let preferred = preferred_port(&self.stack, instance, endpoint);
        (0..COUNT)
            .map(|step| FIRST + (preferred - FIRST + step) % COUNT)
            .find(|port| !self.taken.contains(port) && is_free(*port))
            .inspect(|port| {
                self.taken.insert(*port);
            })
            .ok_or_else(|| {
                Error::missing(format!(
                    "no free port between {FIRST} and {} for {instance}",
                    FIRST + COUNT - 1
                ))
                .hint("Stop other stacks with `gantline down` in their folders")
            })
    }
}

/// The port that an endpoint prefers.
pub fn preferred_port(stack: &str, instance: &str, endpoint: &str) -> u16 {
    let digest = Sha256::digest(format!("{stack}\0{instance}\0{endpoint}"));
    FIRST + u16::from_be_bytes([digest[0], digest[1]]) % COUNT
}

/// Whether nobody on this host listens on the port.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_endpoint_prefers_the_same_port() {
        let port = preferred_port("shop-1", "orders", "http");
        assert_eq!(port, preferred_port("shop-1", "orders", "http"));
        assert_ne!(port, preferred_port("shop-2", "orders", "http"));
        assert_ne!(port, preferred_port("shop-1", "orders", "admin"));
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let preferred = preferred_port("taken", "orders", "http");
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, preferred));
        let mut ports = PortAllocator::new("taken", []);
        assert_ne!(ports.allocate("orders", "http").unwrap(), preferred);
    }

    #[test]
    fn what_runs_keeps_its_port() {
        let preferred = preferred_port("kept", "orders", "http");
        let mut ports = PortAllocator::new("kept", [preferred]);
        assert_ne!(ports.allocate("orders", "http").unwrap(), preferred);
    }

    #[test]
    fn no_port_is_given_twice() {
        let mut ports = PortAllocator::new("twice", []);
        let first = ports.allocate("orders", "http").unwrap();
        assert_ne!(ports.allocate("orders", "http").unwrap(), first);
    }
}
