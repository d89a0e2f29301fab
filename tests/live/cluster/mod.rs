//! Deployment on a real API server with a real kubelet: the cluster of `tests/cluster`.

mod admission;
mod api_server;
mod autoscaled;
mod command;
mod containers;
mod created;
mod deploy;
mod deployer;
mod failures;
mod gateway;
mod killed;
mod kubeconfigs;
mod least_privilege;
mod left_by_helm;
pub mod namespace;
mod other_cluster;
mod own_templates;
mod refused;
mod releases;
mod rollout;
mod schema;
mod shop;
mod storage;
