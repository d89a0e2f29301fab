//! A shop that runs in the local stack.

use async_trait::async_trait;
use futures::StreamExt;
use futures::future::ready;

use super::{LINES, Shop};
use crate::actions::stack::Stack;
use crate::actions::stack::logs::{LogLine, logs};
use crate::actions::stack::status::status;
use crate::engine::http::{Answered, JsonPost, post_json};
use crate::engine::runtime::LogRequest;
use crate::error::{Error, Result};

/// A shop that runs in the local stack.
pub struct LocalShop<'a>(pub &'a Stack);

#[async_trait]
impl Shop for LocalShop<'_> {
    async fn post(
        &self,
        service: &str,
        path: &str,
        post: &JsonPost<'_>,
    ) -> Result<(String, Answered)> {
        let things = status(self.0, false).await?;
        let thing = things.iter().find(|thing| thing.name == service);
        let door = thing
            .and_then(|thing| thing.endpoints.get("http").cloned())
            .ok_or_else(|| Error::failed(format!("{service} has no address")))?;
        let url = format!("{door}{path}");
        let answered = post_json(&url, post).await?;
        Ok((url, answered))
    }

    async fn lines(&self) -> Result<Vec<LogLine>> {
        let services = self.0.spec.services.iter();
        let services: Vec<String> = services.map(|it| it.name.clone()).collect();
        let request = LogRequest {
            tail: Some(usize::from(LINES)),
            follow: false,
            last_start_only: false,
        };
        let lines = logs(self.0, &services, request).await?;
        Ok(lines.filter_map(|line| ready(line.ok())).collect().await)
    }
}
