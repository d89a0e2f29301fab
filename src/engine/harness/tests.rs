mod life;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

use super::process::ProcessHarness;
use super::*;
use crate::model::verification::TroubleKind;

const SHORT: Deadlines = Deadlines {
    start: Duration::from_millis(1500),
    answer: Duration::from_millis(500),
    stop: Duration::from_millis(500),
};

/// Waits until its standard input is closed, as a harness does.
const WAIT: &str = "cat > /dev/null";

/// A server of the protocol, which gives every request the answer that `respond` makes of its
/// first line; `None` is silence.
async fn server(respond: fn(&str) -> Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = vec![0; 64 * 1024];
                let count = stream.read(&mut bytes).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                match respond(text.lines().next().unwrap_or_default()) {
                    Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                    None => tokio::time::sleep(Duration::from_secs(60)).await,
                }
            });
        }
    });
    address
}

fn http(status: u16, body: &serde_json::Value) -> Option<String> {
    let body = body.to_string();
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))
}

fn greeting(address: &str) -> String {
    let line = json!({"version": 1, "address": address, "http": true, "messages": true});
    format!("echo '{line}'")
}

async fn start(script: &str) -> Result<ProcessHarness, Trouble> {
    // As main does; a second time changes nothing.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    ProcessHarness::start("orders", command, SHORT).await
}

async fn harness(respond: fn(&str) -> Option<String>) -> ProcessHarness {
    let address = server(respond).await;
    start(&format!("echo noise; {}; {WAIT}", greeting(&address)))
        .await
        .unwrap()
}

fn states() -> Vec<ProviderState> {
    vec![ProviderState {
        name: "an order exists".to_owned(),
        params: [("id".to_owned(), json!(7))].into(),
    }]
}

#[tokio::test]
async fn states_requests_and_messages_are_answered() {
    let mut harness = harness(|line| match line {
        "POST /_contract/state HTTP/1.1" => http(200, &json!({"values": {"id": "7"}})),
        "POST /_contract/message HTTP/1.1" => http(
            200,
            &json!({"contents": {"id": 1}, "contentType": "application/json", "metadata": {"ce-type": "x"}}),
        ),
        "GET /orders/a%20b?x=1&y HTTP/1.1" => http(418, &json!({"tea": true})),
        other => http(500, &json!(other)),
    })
    .await;
    assert_eq!(harness.set_up(&states()).await.unwrap()["id"], "7");
    let call = HttpCall {
        method: "GET".to_owned(),
        path: "/orders/a b".to_owned(),
        query: vec![
            ("x".to_owned(), Some("1".to_owned())),
            ("y".to_owned(), None),
        ],
        ..HttpCall::default()
    };
    let answer = harness.call(&call).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (418, &br#"{"tea":true}"#[..])
    );
    let message = harness.message("an order placed", &[]).await.unwrap();
    assert_eq!(message.contents, json!({"id": 1}));
    assert_eq!(message.metadata["ce-type"], "x");
    harness.tear_down(&states()).await.unwrap();
    Box::new(harness).stop().await;
}

#[tokio::test]
async fn connections_are_closed_so_that_a_harness_that_ends_does_not_wait_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let (closed, ended) = (folder.path().join("closed"), folder.path().join("ended"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let told = closed.clone();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 1024];
        let _asked = stream.read(&mut bytes).await.unwrap();
        let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
        std::fs::write(told, "").unwrap();
    });
    let script = format!(
        "{}; while [ ! -e {} ]; do sleep 0.02; done; touch {}",
        greeting(&address),
        closed.display(),
        ended.display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    let patient = Deadlines {
        stop: Duration::from_secs(20),
        ..SHORT
    };
    let harness = ProcessHarness::start("orders", command, patient).await;
    Box::new(harness.unwrap()).stop().await;
    assert!(ended.exists(), "it was killed");
}

#[tokio::test]
async fn what_a_provider_does_not_know_is_told_with_what_it_knows() {
    let mut harness = harness(|line| {
        let known = json!(["no orders exist"]);
        match line.contains("/state") {
            true => http(
                404,
                &json!({"title": "unknown state", "state": "it rains", "known": known}),
            ),
            false => http(
                404,
                &json!({"title": "unknown message", "description": "rain", "known": known}),
            ),
        }
    })
    .await;
    let trouble = harness.set_up(&states()).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::UnknownState);
    assert_eq!(trouble.message, "orders knows no state `it rains`");
    assert_eq!(trouble.details, ["no orders exist"]);
    let trouble = harness.message("rain", &states()).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::UnknownMessage);
    assert_eq!(trouble.message, "orders knows no message `rain`");
}

#[tokio::test]
async fn a_state_that_fails_and_an_answer_out_of_the_protocol_are_told_apart() {
    let mut failing =
        harness(|_| http(422, &json!({"title": "no", "detail": "no such colour"}))).await;
    let trouble = failing.set_up(&states()).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::StateFailed);
    assert!(
        trouble.message.ends_with("no such colour"),
        "{}",
        trouble.message
    );
    let mut odd = harness(|_| http(200, &json!("fine"))).await;
    assert_eq!(
        odd.set_up(&[]).await.unwrap_err().kind,
        TroubleKind::Garbage
    );
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up() {
    let mut hanging = harness(|_| None).await;
    let trouble = hanging
        .call(&HttpCall {
            method: "GET".to_owned(),
            path: "/x".to_owned(),
            ..HttpCall::default()
        })
        .await
        .unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Hangs);
    assert_eq!(trouble.message, "orders did not answer GET /x within 0.5 s");
}

#[tokio::test]
async fn a_provider_that_answers_garbage_is_told_from_one_that_ended() {
    let mut garbage = harness(|_| Some("what?\r\n\r\n".to_owned())).await;
    assert_eq!(
        garbage.set_up(&[]).await.unwrap_err().kind,
        TroubleKind::Garbage
    );
    let address = server(|_| Some(String::new())).await;
    let script = format!(
        "{}; echo 'panic: at the disco' >&2; sleep 0.1; exit 3",
        greeting(&address)
    );
    let mut ended = start(&script).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let trouble = ended.set_up(&[]).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Exited);
    assert!(
        trouble.message.contains("exit status: 3"),
        "{}",
        trouble.message
    );
    assert_eq!(trouble.details, ["panic: at the disco"]);
}

#[tokio::test]
async fn a_provider_that_hangs_in_a_state_is_given_up() {
    let mut hanging = harness(|_| None).await;
    for trouble in [
        hanging.set_up(&states()).await.unwrap_err(),
        hanging.tear_down(&states()).await.unwrap_err(),
    ] {
        assert_eq!(trouble.kind, TroubleKind::Hangs);
        assert_eq!(
            trouble.message,
            "orders did not answer POST /_contract/state within 0.5 s"
        );
    }
}

#[tokio::test]
async fn a_provider_that_resets_the_connection_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // What is left unread makes the end of the connection a reset.
            let mut first = [0];
            let _read = stream.read(&mut first).await;
        }
    });
    let mut resetting = start(&format!("{}; {WAIT}", greeting(&address)))
        .await
        .unwrap();
    let trouble = resetting.set_up(&states()).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Garbage);
    assert!(trouble.message.contains("reset"), "{}", trouble.message);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let mut redirecting = harness(|line| match line {
        "GET /round HTTP/1.1" => Some(
            "HTTP/1.1 302 Found\r\nLocation: /followed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .to_owned(),
        ),
        other => http(500, &json!(other)),
    })
    .await;
    let call = HttpCall {
        method: "GET".to_owned(),
        path: "/round".to_owned(),
        ..HttpCall::default()
    };
    let answer = redirecting.call(&call).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location"), Some("/followed"));
}

/// A harness whose every answer has a body of a gigabyte, and how much of it was taken.
async fn flood(head: &'static str) -> (ProcessHarness, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                let mut request = vec![0; 64 * 1024];
                let _read = stream.read(&mut request).await;
                let _written = stream.write_all(head.as_bytes()).await;
                let block = vec![b'x'; 64 * 1024];
                while counter.load(Ordering::SeqCst) < 1 << 30
                    && stream.write_all(&block).await.is_ok()
                {
                    counter.fetch_add(block.len(), Ordering::SeqCst);
                }
            });
        }
    });
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{}; {WAIT}", greeting(&address))]);
    let patient = Deadlines {
        answer: Duration::from_secs(60),
        ..Deadlines::default()
    };
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let harness = ProcessHarness::start("orders", command, patient).await;
    (harness.unwrap(), taken)
}

#[tokio::test]
async fn of_a_body_that_is_too_large_only_the_beginning_is_taken() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ] {
        let (mut flooding, taken) = flood(head).await;
        let call = HttpCall {
            method: "GET".to_owned(),
            path: "/all".to_owned(),
            ..HttpCall::default()
        };
        let trouble = flooding.call(&call).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Garbage);
        assert_eq!(
            trouble.message,
            "the answer of orders to GET /all is larger than 8 MiB"
        );
        let taken = taken.load(Ordering::SeqCst);
        assert!(taken < 64 << 20, "{taken} bytes were taken");
    }
}
