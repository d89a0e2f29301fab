//! Nothing that a harness writes or answers makes who reads it panic.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::damaged::{damaged_bytes, damaged_json};

/// What means something in a greeting or in an answer.
const WORDS: &[&str] = &[
    "version",
    "address",
    "http",
    "messages",
    "127.0.0.1:0",
    "[::1]:80",
    "192.0.2.1:1",
    "127.0.0.1",
    "description",
    "known",
    "title",
    "",
];

fn sound() -> Value {
    json!({"version": PROTOCOL, "address": "127.0.0.1:1", "http": true, "messages": true})
}

/// What a harness writes: greetings that are damaged, and other lines.
fn outputs() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        damaged_json(sound(), WORDS).prop_map(|greeting| format!("{greeting}\n")),
        ".{0,40}\\r?\\n?",
    ];
    let text = prop::collection::vec(line, 0..5).prop_map(|lines| lines.concat().into_bytes());
    damaged_bytes(text)
}

/// The greeting in what a harness writes, all of which is read.
fn greeting_in(output: Vec<u8>) -> Option<Greeting> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let words = LastWords::default();
        let (sender, lines) = mpsc::channel(16);
        let reader = follow(std::io::Cursor::new(output), words.clone(), Some(sender));
        let found = greeting(lines, &words).await;
        reader.await.unwrap();
        found
    })
}

#[test]
fn the_greeting_that_is_damaged_below_is_sound() {
    let found = greeting_in(format!("noise\n{}\n", sound()).into_bytes());
    assert_eq!(found.unwrap().address, "127.0.0.1:1");
}

proptest! {
    #[test]
    fn no_output_makes_who_waits_for_a_greeting_panic_or_leave_this_host(output in outputs()) {
        // As main does; a second time changes nothing.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        if let Some(greeting) = greeting_in(output)
            && let Ok(client) = connection("orders", &greeting, MOMENT)
        {
            prop_assert!(client.address().ip().is_loopback(), "{greeting:?}");
        }
    }

    #[test]
    fn no_body_of_an_answer_makes_who_shows_it_panic(
        body in damaged_bytes(damaged_json(sound(), WORDS).prop_map(|it| it.to_string().into_bytes())),
    ) {
        let answer = HttpAnswer { status: 404, headers: Vec::new(), body };
        let _ = of_message(&answer);
        prop_assert!(shortened(&answer.body).chars().count() <= SHOWN);
    }
}
