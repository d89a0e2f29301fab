//! Many commands at once, and such as speak another protocol.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::connections::MOST_CONNECTIONS;
use super::*;
use crate::engine::process::protocol::PROTOCOL;

/// A supervisor that owns nothing, and its end of a connection.
fn supervisor(folder: &Path) -> Arc<Supervisor> {
    Arc::new(Supervisor::new(SupervisorSettings {
        stack: "shop-1".to_owned(),
        control: folder.to_path_buf(),
        socket: folder.join("socket"),
    }))
}

/// What a supervisor answers on a new connection.
async fn answer(supervisor: &Arc<Supervisor>, question: &str) -> (Value, UnixStream) {
    let (mut near, far) = UnixStream::pair().unwrap();
    supervisor.welcome(far);
    near.write_all(format!("{question}\n").as_bytes())
        .await
        .unwrap();
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        line.push(near.read_u8().await.unwrap());
    }
    (serde_json::from_slice(&line).unwrap(), near)
}

#[tokio::test]
async fn many_commands_are_served_at_once_and_one_too_many_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = supervisor(folder.path());
    let observe = format!(r#"{{"protocol": {PROTOCOL}, "request": "observe"}}"#);
    let mut kept = Vec::new();
    for _ in 0..100 {
        let (answer, connection) = answer(&supervisor, &observe).await;
        assert_eq!(answer, serde_json::json!({"instances": []}));
        kept.push(connection);
    }
    supervisor
        .connections
        .store(MOST_CONNECTIONS, Ordering::Relaxed);
    let (answer, _connection) = answer(&supervisor, &observe).await;
    let told = answer["failed"].as_str().unwrap();
    assert!(told.contains("serves 512 commands already"), "{told}");
}

#[tokio::test]
async fn another_protocol_is_told_also_where_its_question_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = supervisor(folder.path());
    let asked = r#"{"protocol": 99, "request": {"hibernate": {}}}"#;
    let (answer, _connection) = answer(&supervisor, asked).await;
    assert_eq!(answer, serde_json::json!({"other-protocol": PROTOCOL}));
}
