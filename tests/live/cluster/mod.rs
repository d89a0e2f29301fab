//! Deployment on a real API server with a real kubelet: the cluster of `tests/cluster`.

mod admission;
mod containers;
mod deploy;
mod gateway;
pub mod namespace;
mod rollout;
