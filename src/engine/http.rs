//! Plain HTTP calls of our own: small JSON bodies, always with a deadline.

use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, Result};

/// The header under which a caller may repeat a request without doing the work twice
/// (draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 1 << 20;

/// A JSON document to post.
#[derive(Debug, Clone, Copy)]
pub struct JsonPost<'a> {
    /// The document.
    pub document: &'a Value,
    /// What makes it one request, however often it is sent.
    pub idempotency_key: &'a str,
    /// How long the answer may take.
    pub deadline: Duration,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// The body; a JSON string where it is no JSON.
    pub body: Value,
}

/// Posts a JSON document.
///
/// # Errors
/// When nothing answers within the deadline, or the body is larger than 1 MiB.
pub async fn post_json(url: &str, post: &JsonPost<'_>) -> Result<Answered> {
    let failed =
        |error: reqwest::Error| Error::failed(format!("no answer to POST {url}")).because(error);
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(post.deadline)
        .build()
        .map_err(failed)?;
    let mut response = client
        .post(url)
        .header(IDEMPOTENCY_KEY, post.idempotency_key)
        .json(post.document)
        .send()
        .await
        .map_err(failed)?;
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST_BODY {
            return Err(Error::failed(format!(
                "the answer to POST {url} is larger than 1 MiB"
            )));
        }
    }
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Ok(Answered { status, body })
}
