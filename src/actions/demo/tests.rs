use std::sync::Mutex;

use super::*;
use crate::report::RecordingReporter;

const ORDER: Order<'static> = Order {
    front_door: "storefront",
    path: "/checkouts",
    reference: "first-light",
    worker: "billing",
};

/// A shop that is not whole for its first orders; it takes what comes after them.
struct FakeShop {
    unavailable: usize,
    keys: Mutex<Vec<String>>,
}

impl FakeShop {
    fn unavailable_for(orders: usize) -> Self {
        Self {
            unavailable: orders,
            keys: Mutex::default(),
        }
    }
}

#[async_trait]
impl Shop for FakeShop {
    async fn post(
        &self,
        service: &str,
        path: &str,
        post: &JsonPost<'_>,
    ) -> Result<(String, Answered)> {
        let mut keys = self.keys.lock().unwrap();
        let status = match keys.len() < self.unavailable {
            true => 503,
            false => 201,
        };
        keys.push(post.idempotency_key.to_owned());
        let body = post.document.clone();
        Ok((format!("http://{service}{path}"), Answered { status, body }))
    }

    async fn lines(&self) -> Result<Vec<LogLine>> {
        Ok(vec![line("billing", r#"{"reference":"first-light"}"#)])
    }
}

fn line(thing: &str, line: &str) -> LogLine {
    LogLine {
        thing: thing.to_owned(),
        line: line.to_owned(),
    }
}

#[tokio::test]
async fn an_order_is_repeated_with_its_key_while_the_shop_is_not_whole() {
    let shop = FakeShop::unavailable_for(2);
    let delivery = deliver(&shop, ORDER, &RecordingReporter::default())
        .await
        .unwrap();
    assert_eq!(delivery.status, 201);
    let keys = shop.keys.into_inner().unwrap();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test]
async fn a_shop_that_stays_unavailable_is_given_up_at_the_deadline() {
    let shop = FakeShop::unavailable_for(usize::MAX);
    let over = Instant::now();
    let refused = place(&shop, ORDER, &json!({}), over).await.unwrap_err();
    assert_eq!(refused.message(), "storefront answered 503 to the order");
    assert_eq!(shop.keys.into_inner().unwrap().len(), 1);
}

#[test]
fn the_trail_is_the_lines_of_one_trace_in_order_of_time() {
    let lines = [
        line("orders", r#"{"msg":"created","trace_id":"1"}"#),
        line("orders", r#"{"msg":"created","trace_id":"2"}"#),
        line("orders", "no JSON"),
        line("billing", r#"{"msg":"billed","trace_id":"1"}"#),
    ];
    assert_eq!(
        trail(&lines, &lines[3]),
        [lines[0].clone(), lines[3].clone()]
    );
}

#[test]
fn a_line_without_a_trace_is_the_whole_trail() {
    let lines = [line("billing", r#"{"msg":"billed"}"#), line("orders", "{}")];
    assert_eq!(trail(&lines, &lines[0]), lines[..1]);
}
