//! A shop that runs in a cluster, reached through the API server.

use async_trait::async_trait;

use super::{LINES, Shop};
use crate::actions::stack::logs::LogLine;
use crate::engine::http::{Answered, JsonPost};
use crate::engine::kubernetes::Cluster;
use crate::engine::kubernetes::proxy::ServicePath;
use crate::error::Result;

/// A shop that runs in a cluster.
pub struct DeployedShop {
    cluster: Cluster,
    namespace: &'static str,
    services: &'static [&'static str],
}

impl DeployedShop {
    /// The shop in a namespace of the cluster of this context, and its services, whose logs are
    /// read.
    ///
    /// # Errors
    /// When there is no such context, or its credentials cannot be used.
    pub async fn connect(
        context: &str,
        namespace: &'static str,
        services: &'static [&'static str],
    ) -> Result<Self> {
        Ok(Self {
            cluster: Cluster::connect(Some(context)).await?,
            namespace,
            services,
        })
    }

    /// Makes sure that a deployment could begin: the cluster answers, is new enough, and can be told
    /// from others.
    ///
    /// # Errors
    /// When it does not answer, or it may not be asked.
    pub async fn check(&self) -> Result<()> {
        self.cluster.version().await?;
        self.cluster.identity().await?;
        Ok(())
    }
}

#[async_trait]
impl Shop for DeployedShop {
    async fn post(
        &self,
        service: &str,
        path: &str,
        post: &JsonPost<'_>,
    ) -> Result<(String, Answered)> {
        let to = ServicePath {
            namespace: self.namespace,
            service,
            port: "http",
            path,
        };
        let answered = self.cluster.post_to_service(&to, post).await?;
        Ok((
            format!("http://{service}.{}{path}", self.namespace),
            answered,
        ))
    }

    async fn lines(&self) -> Result<Vec<LogLine>> {
        let mut lines = Vec::new();
        for service in self.services {
            let labels =
                format!("app.kubernetes.io/name={service},app.kubernetes.io/component=service");
            let found = self
                .cluster
                .last_lines(self.namespace, &labels, i64::from(LINES))
                .await?;
            lines.extend(found.into_iter().map(|line| LogLine {
                thing: (*service).to_owned(),
                line,
            }));
        }
        Ok(lines)
    }
}
