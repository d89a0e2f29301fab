//! Deployment on a real API server with a real kubelet: the cluster of `tests/cluster`.

mod admission;
mod api_server;
mod command;
mod containers;
mod deploy;
mod failures;
mod gateway;
pub mod namespace;
mod rollout;
mod schema;
