//! A schema that shrinks, with a real PostgreSQL: refused while it is in use, in two steps, and
//! never taken for reversible.

use std::process::Output;

use super::namespace::{Namespace, kubeconfig};
use crate::docker::workspace::{Workspace, text};

const CONTEXT: &str = "gantline-test";
const MIGRATIONS: &str = "services/quotes/internal/postgres/migrations";
const QUERIES: &str = "services/quotes/internal/postgres/queries/quotes.sql";

/// A service of a namespace.
struct Deployed {
    namespace: Namespace,
    workspace: Workspace,
}

impl Deployed {
    fn new() -> Self {
        let namespace = Namespace::new();
        let workspace = Workspace::with_a_store("quotes");
        workspace.push_to(&format!("localhost:5000/{}", namespace.name));
        let deployed = Self {
            namespace,
            workspace,
        };
        let name = deployed.namespace.name.clone();
        let add = ["add", "environment", "live", "--context", CONTEXT];
        let details = ["--namespace", &name, "--in-cluster", "all", "--yes"];
        deployed.done(&[&add[..], &details].concat());
        deployed
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let kubeconfig = kubeconfig().display().to_string();
        self.workspace
            .run_with(&[("KUBECONFIG", &kubeconfig)], arguments)
    }

    fn done(&self, arguments: &[&str]) {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    }

    fn deploy(&self, more: &[&str]) -> Output {
        let deploy = ["deploy", "live", "--build", "--context", CONTEXT];
        self.run(&[&deploy[..], more].concat())
    }

    fn deployed(&self) {
        let output = self.deploy(&[]);
        assert!(output.status.success(), "{}", text(&output));
    }

    fn rollback(&self, revision: &str) -> Output {
        self.run(&["rollback", "live", "quotes", revision, "--context", CONTEXT])
    }

    fn migration(&self, file: &str, up: &str) {
        let path = self.workspace.path(&format!("{MIGRATIONS}/{file}"));
        std::fs::write(path, format!("-- +goose Up\n{up}\n")).unwrap();
    }

    fn revisions(&self) -> usize {
        let arguments = [
            "history",
            "live",
            "quotes",
            "--context",
            CONTEXT,
            "--format",
            "json",
        ];
        let output = self.run(&arguments);
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["revisions"].as_array().unwrap().len()
    }
}

#[test]
#[ignore = "needs a cluster"]
fn a_column_in_use_is_dropped_in_two_steps_or_when_that_is_allowed_and_never_comes_back_by_itself()
{
    let shop = Deployed::new();
    shop.migration(
        "00002_add_note.sql",
        "alter table quotes add column note text;",
    );
    shop.deployed();

    shop.migration(
        "00003_drop_note.sql",
        "alter table quotes drop column note;",
    );
    let refused = shop.deploy(&[]);
    let said = text(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    let lost = "00003_drop_note.sql:2 drops quotes.note, which the running revision 1 uses in";
    assert!(said.contains(lost), "{said}");
    assert!(
        said.contains("first deploy a version that no longer uses it"),
        "{said}"
    );
    assert_eq!(shop.revisions(), 1);
    let plan = shop.run(&["deploy", "live", "--plan", "--context", CONTEXT]);
    let said = text(&plan);
    assert_eq!(plan.status.code(), Some(1), "{said}");
    assert!(
        said.contains("! 00003_drop_note.sql:2 drops quotes.note"),
        "{said}"
    );

    // The first step: a version that names what it reads.
    let drop = shop
        .workspace
        .path(&format!("{MIGRATIONS}/00003_drop_note.sql"));
    std::fs::remove_file(drop).unwrap();
    let queries = shop.workspace.path(QUERIES);
    let all = std::fs::read_to_string(&queries).unwrap();
    let named = all
        .replace(
            "returning *",
            "returning id, reference, quantity, created_at, idempotency_key",
        )
        .replace(
            "select *",
            "select id, reference, quantity, created_at, idempotency_key",
        );
    assert_ne!(all, named);
    std::fs::write(&queries, named).unwrap();
    shop.deployed();

    // The second: what nobody uses goes.
    shop.migration(
        "00003_drop_note.sql",
        "alter table quotes drop column note;",
    );
    shop.deployed();
    assert_eq!(shop.revisions(), 3);

    let refused = shop.rollback("1");
    let said = text(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("the schema has gone past it"), "{said}");
    assert_eq!(shop.revisions(), 3);
    let back = shop.rollback("2");
    assert!(back.status.success(), "{}", text(&back));

    // What is in use goes all the same when that is said.
    shop.migration(
        "00004_drop_reference.sql",
        "alter table quotes drop column reference;",
    );
    let refused = shop.deploy(&[]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    let allowed = shop.deploy(&["--allow-contraction"]);
    let said = text(&allowed);
    assert!(allowed.status.success(), "{said}");
    assert!(said.contains("drops quotes.reference"), "{said}");
    let told = "going on all the same (`--allow-contraction`)";
    assert!(said.contains(told), "{said}");
}
