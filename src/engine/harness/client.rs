//! What goes over the wire to a harness.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Request, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::exchange::{HttpAnswer, HttpCall, ProviderState};

/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 8 << 20;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Silence {
    /// None came in time.
    TimedOut,
    /// The connection failed, or what came is no HTTP.
    Failed(String),
    /// The request cannot be written down.
    Unspeakable(String),
    /// It is larger than what is read.
    TooLarge,
}

/// A connection to a harness.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    address: SocketAddr,
}

/// The line in which a harness says where it listens.
#[derive(Debug, Deserialize)]
pub(super) struct Greeting {
    pub(super) version: u32,
    pub(super) address: String,
    #[serde(default)]
    pub(super) http: bool,
    #[serde(default)]
    pub(super) messages: bool,
}

impl Client {
    pub(super) fn new(address: SocketAddr, patience: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(patience)
            .build()?;
        Ok(Self { http, address })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Posts a document to one of the harness's own paths.
    pub(super) async fn control(
        &self,
        path: &str,
        document: &Value,
    ) -> Result<HttpAnswer, Silence> {
        self.send(&HttpCall {
            method: "POST".to_owned(),
            path: format!("/_contract/{path}"),
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: Some(document.to_string().into_bytes()),
            ..HttpCall::default()
        })
        .await
    }

    pub(super) async fn send(&self, call: &HttpCall) -> Result<HttpAnswer, Silence> {
        let request = self.request(call).map_err(Silence::Unspeakable)?;
        let mut response = self.http.execute(request).await.map_err(silence)?;
        let announced = response.content_length().unwrap_or_default();
        if announced > LARGEST_ANSWER as u64 {
            return Err(Silence::TooLarge);
        }
        let mut answer = HttpAnswer {
            status: response.status().as_u16(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            answer.headers.push((name.as_str().to_owned(), value));
        }
        while let Some(chunk) = response.chunk().await.map_err(silence)? {
            answer.body.extend_from_slice(&chunk);
            if answer.body.len() > LARGEST_ANSWER {
                return Err(Silence::TooLarge);
            }
        }
        Ok(answer)
    }

    fn request(&self, call: &HttpCall) -> Result<Request, String> {
        let mut url = Url::parse(&format!("http://{}", self.address)).map_err(text)?;
        url.set_path(&call.path);
        for (name, value) in &call.query {
            let mut pairs = url.query_pairs_mut();
            match value {
                Some(value) => pairs.append_pair(name, value),
                None => pairs.append_key_only(name),
            };
        }
        let method = Method::from_bytes(call.method.as_bytes()).map_err(text)?;
        let mut request = Request::new(method, url);
        for (name, value) in &call.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(text)?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(text)?;
            request.headers_mut().append(name, value);
        }
        *request.body_mut() = call.body.clone().map(reqwest::Body::from);
        Ok(request)
    }
}

/// The document that asks for states.
pub(super) fn states(states: &[ProviderState], action: &str) -> Value {
    json!({ "states": of(states), "action": action })
}

/// The document that asks for a message.
pub(super) fn message(description: &str, states: &[ProviderState]) -> Value {
    json!({ "description": description, "states": of(states) })
}

fn of(states: &[ProviderState]) -> Vec<Value> {
    let states = states.iter();
    states
        .map(|state| match state.params.is_empty() {
            true => json!({ "name": state.name }),
            false => json!({ "name": state.name, "params": state.params }),
        })
        .collect()
}

fn silence(error: reqwest::Error) -> Silence {
    if error.is_timeout() {
        return Silence::TimedOut;
    }
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        reason = inner.to_string();
        source = inner.source();
    }
    Silence::Failed(reason)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
