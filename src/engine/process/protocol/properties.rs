//! Nothing that comes over the socket, or lies in the file of a supervisor, makes its reader panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::damaged::{damaged_bytes, damaged_json};

const SOON: Duration = Duration::from_secs(5);
/// What means something in a message.
const WORDS: &[&str] = &[
    "protocol",
    "request",
    "start",
    "observe",
    "wait",
    "stop",
    "end",
    "done",
    "instances",
    "ended",
    "failed",
    "other-protocol",
    "name",
    "milliseconds",
    "id",
    "started",
    "supervisor",
    "endpoints",
    "",
];

fn envelope(request: Request) -> Value {
    let envelope = Envelope {
        protocol: PROTOCOL,
        request,
    };
    serde_json::to_value(envelope).unwrap()
}

fn child() -> ChildSpec {
    ChildSpec {
        name: "orders".to_owned(),
        role: Role::Service,
        fingerprint: "first".to_owned(),
        program: PathBuf::from("/bin/orders"),
        arguments: vec!["serve".to_owned()],
        environment: BTreeMap::from([("HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned())]),
        directory: PathBuf::from("/"),
        owner: Some((65_534, 65_534)),
        log: PathBuf::from("/tmp/orders.log"),
        stop: StopSignal::Terminate,
        endpoints: endpoints(),
    }
}

fn endpoints() -> BTreeMap<String, Address> {
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: 8080,
    };
    BTreeMap::from([("http".to_owned(), address)])
}

fn process() -> ProcessKey {
    ProcessKey {
        id: 1,
        started: "1".to_owned(),
    }
}

fn record() -> Record {
    Record {
        process: process(),
        stop: StopSignal::Interrupt,
        log: PathBuf::from("/tmp/orders.log"),
        observed: Observed {
            name: "orders".to_owned(),
            role: Role::Service,
            fingerprint: "first".to_owned(),
            running: false,
            exit_code: Some(3),
            since: "2026-01-01T00:00:00Z".to_owned(),
            endpoints: endpoints(),
        },
    }
}

fn saved() -> Value {
    let state = SavedState {
        supervisor: process(),
        instances: vec![record()],
    };
    serde_json::to_value(state).unwrap()
}

/// Messages of both sides as lines, damaged as documents, and then as bytes.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let wait = Request::Wait {
        name: "orders".to_owned(),
        milliseconds: 10,
    };
    let answer = serde_json::to_value(Response::Instances(vec![record()])).unwrap();
    let message = prop_oneof![
        damaged_json(envelope(Request::Start(Box::new(child()))), WORDS),
        damaged_json(envelope(wait), WORDS),
        damaged_json(answer, WORDS),
        damaged_json(json!({"ended": 3}), WORDS),
    ];
    damaged_bytes(message.prop_map(|message| format!("{message}\n").into_bytes()))
}

fn received<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> io::Result<Option<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut reader = tokio::io::BufReader::new(bytes);
        receive(&mut reader, SOON).await
    })
}

#[test]
fn the_messages_that_are_damaged_below_are_sound() {
    let line = |message: &Value| format!("{message}\n").into_bytes();
    let start = line(&envelope(Request::Start(Box::new(child()))));
    assert!(received::<Envelope>(&start).unwrap().is_some());
    assert!(received::<SavedState>(&line(&saved())).unwrap().is_some());
}

proptest! {
    #[test]
    fn no_line_makes_either_side_panic(bytes in lines()) {
        let _ = received::<Envelope>(&bytes);
        let _ = received::<Response>(&bytes);
    }

    #[test]
    fn no_saved_state_makes_who_looks_for_its_processes_panic(state in damaged_json(saved(), WORDS)) {
        if let Ok(state) = serde_json::from_value::<SavedState>(state) {
            let _ = state.supervisor.lives();
            for record in &state.instances {
                let _ = record.process.lives();
            }
        }
    }
}
