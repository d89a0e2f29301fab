//! A Kubernetes cluster (1.30 and newer): the connection, which cluster it is, and its objects.

pub mod connection;
#[cfg(test)]
pub mod fake;
pub mod hand_over;
pub mod identity;
mod kubeconfig;
pub mod lease;
pub mod manifest;
pub mod objects;
pub mod ownership;
pub mod proxy;
pub mod records;
mod request;
pub mod rollout;

pub use connection::Cluster;
