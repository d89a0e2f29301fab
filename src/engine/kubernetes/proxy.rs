//! Reaching into a cluster through its API server: no port has to be open, and nothing but the
//! user's own rights counts.

use std::time::Duration;

use http::Request;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, LogParams};
use kube::client::Body;
use serde_json::Value;
use tokio::time::timeout;

use super::Cluster;
use super::request::Access;
use crate::engine::http::{Answered, IDEMPOTENCY_KEY, JsonPost};
use crate::engine::runtime::clean_line;
use crate::error::{Error, Result};

/// How long a node may take to answer with a log.
const LOG: Duration = Duration::from_secs(10);
/// How many pods' logs are read.
const MOST_PODS: u32 = 20;

/// A path at a Service of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePath<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The Service.
    pub service: &'a str,
    /// The name of its port.
    pub port: &'a str,
    /// The path, beginning with `/`.
    pub path: &'a str,
}

impl Cluster {
    /// Posts a JSON document to a Service through the API server.
    ///
    /// # Errors
    /// When it may not be done, or nothing answers within the deadline.
    pub async fn post_to_service(
        &self,
        to: &ServicePath<'_>,
        post: &JsonPost<'_>,
    ) -> Result<Answered> {
        let access = Access::new("create", "services/proxy")
            .named(to.service)
            .within(Some(to.namespace));
        let uri = format!(
            "/api/v1/namespaces/{}/services/{}:{}/proxy{}",
            to.namespace, to.service, to.port, to.path
        );
        let request = Request::post(uri)
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(IDEMPOTENCY_KEY, post.idempotency_key)
            .body(Body::from(post.document.to_string().into_bytes()))
            .map_err(|error| Error::failed(format!("cannot {access}")).because(error))?;
        let exchange = async {
            let response = self.client.send(request).await?;
            let status = response.status().as_u16();
            Ok((status, response.into_body().collect_bytes().await?))
        };
        let (status, bytes) = match timeout(post.deadline, exchange).await {
            Ok(answer) => answer.map_err(|error| self.failure(&access, error))?,
            Err(elapsed) => {
                return Err(
                    Error::failed(format!("{} does not answer", to.service)).because(elapsed)
                );
            }
        };
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok(Answered { status, body })
    }

    /// The last lines of every pod with these labels.
    ///
    /// # Errors
    /// When the pods may not be listed. A pod that has no log yet is passed over.
    pub async fn last_lines(
        &self,
        namespace: &str,
        labels: &str,
        tail: i64,
    ) -> Result<Vec<String>> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let access = Access::new("list", "pods").within(Some(namespace));
        let chosen = ListParams::default().labels(labels).limit(MOST_PODS);
        let listed = self.send(&access, || pods.list(&chosen)).await?;
        let request = LogParams {
            tail_lines: Some(tail),
            ..LogParams::default()
        };
        let mut lines = Vec::new();
        for name in listed.into_iter().filter_map(|pod| pod.metadata.name) {
            if let Ok(Ok(log)) = timeout(LOG, pods.logs(&name, &request)).await {
                lines.extend(log.lines().map(|line| clean_line(line.as_bytes())));
            }
        }
        Ok(lines)
    }
}
