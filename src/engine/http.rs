//! Plain HTTP calls of our own: small JSON bodies, always with a deadline.

use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, Result};

/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 1 << 20;

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
pub async fn post_json(url: &str, document: &Value, deadline: Duration) -> Result<Answered> {
    let failed =
        |error: reqwest::Error| Error::failed(format!("no answer to POST {url}")).because(error);
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(deadline)
        .build()
        .map_err(failed)?;
    let mut response = client
        .post(url)
        .json(document)
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
