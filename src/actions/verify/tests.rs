use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::engine::harness::BuildFailure;
use crate::engine::harness::fake::{FakeHarnesses, FakeProvider};
use crate::error::{Error, ErrorKind};
use crate::model::exchange::{HttpAnswer, MessageAnswer};
use crate::model::verification::{Trouble, TroubleKind};
use crate::report::RecordingReporter;

/// A provider that knows two states, of which one gives an id, and answers all with that order.
fn orders() -> FakeProvider {
    let unknown = Trouble::new(
        TroubleKind::UnknownState,
        "orders knows no state `it rains`",
    );
    FakeProvider {
        build: None,
        start: None,
        states: BTreeMap::from([
            (
                "an order exists".to_owned(),
                Ok([("id".to_owned(), json!("42"))].into()),
            ),
            ("it rains".to_owned(), Err(unknown)),
        ]),
        respond: Arc::new(|call| {
            let id = call.path.trim_start_matches("/orders/");
            match id {
                "hang" => Err(Trouble::new(TroubleKind::Hangs, "orders did not answer")),
                id => Ok(HttpAnswer {
                    status: 200,
                    headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                    body: json!({"id": id}).to_string().into_bytes(),
                }),
            }
        }),
        messages: BTreeMap::from([(
            "order placed".to_owned(),
            Ok(MessageAnswer {
                contents: json!({"id": "42"}),
                content_type: Some("application/json".to_owned()),
                metadata: [("ce-type".to_owned(), json!("orders.order-placed"))].into(),
            }),
        )]),
    }
}

fn fake(provider: FakeProvider) -> FakeHarnesses {
    let mut harnesses = FakeHarnesses::default();
    harnesses.providers.insert("orders".to_owned(), provider);
    harnesses
}

fn get(description: &str, path: &str, expected: Value) -> Value {
    json!({
        "type": "Synchronous/HTTP", "description": description,
        "request": {"method": "GET", "path": path},
        "response": {"status": 200, "body": {"contentType": "application/json", "content": expected}}
    })
}

fn given(mut interaction: Value, state: &str) -> Value {
    interaction["providerStates"] = json!([{"name": state}]);
    interaction
}

fn pact(provider: &str, interactions: &[Value]) -> String {
    json!({
        "consumer": {"name": "storefront"}, "provider": {"name": provider},
        "interactions": interactions,
        "metadata": {"pactSpecification": {"version": "4.0"}}
    })
    .to_string()
}

/// A workspace of two services, with these files in storefront's `contracts`.
fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "gantline.yaml",
        "version: 1\ngantline: \">=0.1\"\nname: shop\nmodule: example.com/shop\nregistry: localhost:5000/shop\nservices: services/*\n",
    );
    for (service, entity) in [("orders", "order"), ("storefront", "checkout")] {
        write(
            &format!("services/{service}/service.yaml"),
            &format!("name: {service}\nblueprint: go-service@1\noptions: {{entity: {entity}}}\n"),
        );
    }
    for (file, text) in files {
        write(&format!("services/storefront/contracts/{file}"), text);
    }
    folder
}

const PACT: &str = "storefront--orders.json";

async fn run(
    folder: &tempfile::TempDir,
    harnesses: &FakeHarnesses,
    jobs: usize,
) -> Result<Verification> {
    let request = VerifyRequest {
        directory: folder.path().to_path_buf(),
        services: Vec::new(),
        jobs,
    };
    verify(&request, harnesses, Arc::new(RecordingReporter::default())).await
}

fn verdicts(verification: &Verification) -> Vec<String> {
    let interactions = verification
        .pacts
        .iter()
        .flat_map(|pact| &pact.interactions);
    interactions
        .map(|interaction| match &interaction.verdict {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Broken(breach) => format!("broken {}", breach.mismatches[0].path),
            Verdict::Unknown(trouble) => format!("{:?}: {}", trouble.kind, trouble.message),
            Verdict::Skipped => "skipped".to_owned(),
        })
        .collect()
}

#[tokio::test]
async fn each_interaction_gets_its_states_its_answer_and_its_verdict() {
    let message = json!({
        "type": "Asynchronous/Messages", "description": "order placed",
        "contents": {"contentType": "application/json", "content": {"id": "42"}},
        "metadata": {"ce-type": "orders.order-placed"}
    });
    let mut by_id = given(
        get("by id", "/orders/0", json!({"id": "0"})),
        "an order exists",
    );
    by_id["request"]["generators"] =
        json!({"path": {"type": "ProviderState", "expression": "/orders/${id}"}});
    by_id["response"]["generators"] =
        json!({"body": {"$.id": {"type": "ProviderState", "expression": "${id}"}}});
    let interactions = [
        by_id,
        get("renamed", "/orders/1", json!({"number": "1"})),
        given(get("rain", "/orders/1", json!({})), "it rains"),
        message,
    ];
    let folder = workspace(&[(PACT, &pact("orders", &interactions))]);
    let harnesses = fake(orders());
    let verification = run(&folder, &harnesses, 1).await.unwrap();
    assert_eq!(
        verdicts(&verification),
        [
            "holds",
            "broken $.number",
            "UnknownState: orders knows no state `it rains`",
            "holds",
        ]
    );
    assert_eq!(
        harnesses.journal(),
        [
            "orders: start",
            "orders: set up [\"an order exists\"]",
            "orders: GET /orders/42",
            "orders: tear down",
            "orders: set up []",
            "orders: GET /orders/1",
            "orders: tear down",
            "orders: set up [\"it rains\"]",
            "orders: set up []",
            "orders: order placed",
            "orders: tear down",
            "orders: stop",
        ]
    );
    assert_eq!(harnesses.running(), 0);
    assert!(!verification.tally().is_green());
}

#[tokio::test]
async fn many_interactions_have_several_processes_and_no_more_than_allowed() {
    let interactions: Vec<Value> = (0..60)
        .map(|at| {
            get(
                &format!("order {at}"),
                &format!("/orders/{at}"),
                json!({"id": at.to_string()}),
            )
        })
        .collect();
    let folder = workspace(&[(PACT, &pact("orders", &interactions))]);
    let harnesses = fake(orders());
    let verification = run(&folder, &harnesses, 3).await.unwrap();
    assert_eq!(verification.tally().hold, 60);
    assert_eq!(harnesses.most_at_once(), 3);
}

#[tokio::test]
async fn a_harness_that_hangs_is_replaced_and_given_up_after_three() {
    let hang = |at: usize| get(&format!("hang {at}"), "/orders/hang", json!({}));
    let fine = |at: usize| get(&format!("order {at}"), "/orders/1", json!({"id": "1"}));
    let folder = workspace(&[(
        PACT,
        &pact("orders", &[hang(1), fine(1), hang(2), hang(3), fine(2)]),
    )]);
    let harnesses = fake(orders());
    let verification = run(&folder, &harnesses, 1).await.unwrap();
    let found = verdicts(&verification);
    assert_eq!(found[..2], ["Hangs: orders did not answer", "holds"]);
    assert!(
        found[4].contains("not asked: 3 harnesses of orders failed"),
        "{}",
        found[4]
    );
    assert_eq!(harnesses.running(), 0);
}

#[tokio::test]
async fn a_harness_that_cannot_be_made_leaves_its_interactions_unknown() {
    let compile = Trouble::new(
        TroubleKind::DoesNotCompile,
        "the harness of orders does not compile",
    );
    let start = Trouble::new(TroubleKind::DoesNotStart, "the harness of orders ended");
    let folder = workspace(&[(PACT, &pact("orders", &[get("it", "/orders/1", json!({}))]))]);
    let provider = FakeProvider {
        build: Some(BuildFailure::Trouble(compile)),
        ..orders()
    };
    let found = verdicts(&run(&folder, &fake(provider), 1).await.unwrap());
    assert_eq!(
        found,
        ["DoesNotCompile: the harness of orders does not compile"]
    );
    let provider = FakeProvider {
        start: Some(start),
        ..orders()
    };
    let found = verdicts(&run(&folder, &fake(provider), 1).await.unwrap());
    assert_eq!(found, ["DoesNotStart: the harness of orders ended"]);
    let missing = BuildFailure::GoIsMissing(Error::missing("Go is not on PATH"));
    let provider = FakeProvider {
        build: Some(missing),
        ..orders()
    };
    let error = run(&folder, &fake(provider), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
}

#[tokio::test]
async fn a_value_that_no_state_gives_is_named() {
    let mut interaction = get("by id", "/orders/0", json!({}));
    interaction["request"]["generators"] =
        json!({"path": {"type": "ProviderState", "expression": "/orders/${number}"}});
    let folder = workspace(&[(PACT, &pact("orders", &[interaction]))]);
    let found = verdicts(&run(&folder, &fake(orders()), 1).await.unwrap());
    assert!(
        found[0].starts_with("MissingValue: no state gave the value `number`"),
        "{}",
        found[0]
    );
}

#[tokio::test]
async fn a_pending_interaction_is_shown_and_does_not_count() {
    let mut interaction = get("new", "/orders/1", json!({"number": 1}));
    interaction["pending"] = json!(true);
    let folder = workspace(&[(PACT, &pact("orders", &[interaction]))]);
    let tally = run(&folder, &fake(orders()), 1).await.unwrap().tally();
    assert_eq!((tally.broken, tally.pending), (1, 1));
    assert!(tally.is_green());
}

#[tokio::test]
async fn what_is_not_verified_is_red_unless_it_is_pending() {
    let both = |pending: bool| {
        json!({
            "type": "Synchronous/Messages", "description": "a question", "pending": pending,
            "request": {"contents": {}}, "response": [{"contents": {}}]
        })
    };
    for (pending, green) in [(false, false), (true, true)] {
        let folder = workspace(&[(PACT, &pact("orders", &[both(pending)]))]);
        let verification = run(&folder, &fake(orders()), 1).await.unwrap();
        assert_eq!(
            verdicts(&verification),
            ["Unsupported: only Synchronous/HTTP and Asynchronous/Messages are verified"]
        );
        assert_eq!(verification.tally().is_green(), green);
    }
}

#[tokio::test]
async fn a_response_is_held_to_the_providers_own_document_too() {
    let folder = workspace(&[(
        PACT,
        &pact("orders", &[get("it", "/orders/1", json!({"id": "1"}))]),
    )]);
    let api = folder.path().join("services/orders/api");
    fs::create_dir_all(&api).unwrap();
    fs::write(
        api.join("openapi.yaml"),
        "openapi: 3.1.0\npaths:\n  /orders/{id}:\n    get:\n      responses:\n        '200': {content: {application/json: {schema: {required: [reference]}}}}\n",
    )
    .unwrap();
    let found = verdicts(&run(&folder, &fake(orders()), 1).await.unwrap());
    assert_eq!(found, ["broken $.reference"]);
    fs::write(api.join("openapi.yaml"), "openapi: 2.0\n").unwrap();
    let error = run(&folder, &fake(orders()), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_provider_of_another_workspace_is_skipped_and_said() {
    let pact = pact("payments", &[get("it", "/", json!({}))]);
    let folder = workspace(&[("storefront--payments.json", &pact)]);
    let verification = run(&folder, &fake(orders()), 1).await.unwrap();
    let reason = verification.pacts[0].skipped.as_deref().unwrap();
    assert_eq!(reason, "payments is no service of this workspace");
    assert!(verification.tally().is_green());
}

#[tokio::test]
async fn a_workspace_without_pacts_is_green() {
    let verification = run(&workspace(&[]), &fake(orders()), 1).await.unwrap();
    assert!(verification.pacts.is_empty() && verification.tally().is_green());
}

#[tokio::test]
async fn every_invalid_pact_is_told_before_anything_is_compiled() {
    let folder = workspace(&[
        (PACT, "{"),
        ("storefront--billing.json", &pact("bills", &[])),
        ("orders--storefront.json", &pact("storefront", &[])),
        ("notes.json", "{}"),
    ]);
    let harnesses = fake(orders());
    let error = run(&folder, &harnesses, 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let messages: Vec<&str> = error.related().iter().map(Error::message).collect();
    assert_eq!(
        messages,
        [
            "services/storefront/contracts/orders--storefront.json lies in the folder of storefront",
            "the provider is `billing` by the file's name, and `bills` in it",
            "services/storefront/contracts/storefront--orders.json is no JSON",
        ]
    );
    assert!(harnesses.journal().is_empty());
}
