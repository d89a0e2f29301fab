//! What the chart of a service without a blueprint is told of its container.

use serde_json::{Map, Value, json};

use crate::model::container::{Container, Health, Origin};
use crate::model::project::Service;

/// The variables about a service's image: what is empty is decided when it is deployed.
pub fn of_image(service: &Service) -> Map<String, Value> {
    let origin = service.container.as_ref().map(|it| &it.origin);
    let (tag, digest, secrets) = match origin {
        Some(Origin::Image(image)) => (
            image.name.tag.clone(),
            image.name.digest.as_ref().map(ToString::to_string),
            image.pull_secrets.clone(),
        ),
        _ => (String::new(), None, Vec::new()),
    };
    Map::from_iter([
        ("image_tag".to_owned(), json!(tag)),
        ("image_digest".to_owned(), json!(digest.unwrap_or_default())),
        ("pull_secrets".to_owned(), json!(secrets)),
    ])
}

/// How it is started, what it may write, and how it is asked.
pub fn described(container: &Container) -> Value {
    let folders = container.writable.iter();
    let writable = folders.map(|it| json!({"path": it.path, "size": format!("{}Mi", it.size)}));
    json!({
        "command": container.command,
        "args": container.args,
        "user": container.user,
        "writable": writable.collect::<Vec<_>>(),
        "probes": probes(&container.health),
    })
}

/// Handlers of probes. Whether it lives is asked in another way than whether it serves, where
/// there is one: a service that is only busy must not be restarted.
fn probes(health: &Health) -> Value {
    let get = |port: &str, path: &str| json!({"httpGet": {"path": path, "port": port}});
    let connect = |port: &str| json!({"tcpSocket": {"port": port}});
    let (ready, live) = match health {
        Health::Http { port, path, live } => {
            let live = live.as_ref().map(|path| get(port, path));
            (get(port, path), live.unwrap_or_else(|| connect(port)))
        }
        Health::Tcp { port } => (connect(port), connect(port)),
        Health::Exec(words) => {
            let exec = json!({"exec": {"command": words}});
            (exec.clone(), exec)
        }
    };
    json!({"ready": ready, "live": live})
}
