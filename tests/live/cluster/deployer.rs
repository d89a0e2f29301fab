//! A user with no more rights than the documentation asks for: a ServiceAccount, known by its
//! token.

use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::namespace::{Namespace, kubectl};
use super::shop::PATIENCE;

/// The page that prints the Roles.
const PAGE: &str = include_str!("../../../docs/deployment.md");
/// The account's name.
const ACCOUNT: &str = "deployer";

/// A right, as RBAC and our errors name it: `patch`, `deployments.apps`.
pub type Right = (&'static str, &'static str);

/// The Roles as they are printed: the one that is needed, and the one that can be done without.
pub fn documented_roles() -> [Value; 2] {
    let blocks = PAGE.split("```yaml\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains("kind: Role"));
    let documents = block.expect("the page prints Roles").split("---\n");
    let roles: Vec<Value> = documents
        .map(|document| serde_yaml::from_str::<Value>(document).expect("YAML"))
        .collect();
    roles.try_into().expect("two Roles")
}

/// A Role without one of its rights.
pub fn without(role: &Value, (verb, resource): Right) -> Value {
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    let mut less = role.clone();
    for rule in less["rules"].as_array_mut().unwrap() {
        let has = |member: &str, word: &str| {
            let words = rule[member].as_array().unwrap();
            words.iter().any(|it| it == word)
        };
        if has("apiGroups", group) && has("resources", plural) {
            let verbs = rule["verbs"].as_array_mut().unwrap();
            verbs.retain(|it| it != verb);
        }
    }
    assert_ne!(*role, less, "the Role does not allow {verb} on {resource}");
    less
}

/// What `kubectl` wrote, which ended well. Failing, it does not show what may be a token.
fn written(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The account, and the kubeconfig of who acts as it.
pub struct Deployer {
    folder: tempfile::TempDir,
}

impl Deployer {
    /// Makes an account that may do nothing yet.
    pub fn new(namespace: &Namespace) -> Self {
        written(&namespace.kubectl(&["create", "serviceaccount", ACCOUNT], ""));
        let token = written(&namespace.kubectl(&["create", "token", ACCOUNT], ""));
        let view = ["config", "view", "--raw", "--output=json"];
        let mut config: Value = serde_json::from_str(&written(&kubectl(&view, ""))).unwrap();
        let user = config["users"][0]["name"].clone();
        config["users"] = json!([{"name": user, "user": {"token": token.trim()}}]);
        let folder = tempfile::tempdir().unwrap();
        let deployer = Self { folder };
        std::fs::write(deployer.kubeconfig(), config.to_string()).unwrap();
        deployer
    }

    /// Where its kubeconfig is.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Lets it do what these Roles say, besides what other Roles let it do already.
    pub fn may(&self, namespace: &Namespace, roles: &[&Value]) {
        let objects = roles.iter().flat_map(|role| {
            let mut role = (*role).clone();
            role["metadata"]["namespace"] = json!(namespace.name);
            let binding = json!({
                "apiVersion": role["apiVersion"],
                "kind": "RoleBinding",
                "metadata": {"name": role["metadata"]["name"]},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                    "name": role["metadata"]["name"],
                },
                "subjects": [
                    {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace.name},
                ],
            });
            [role, binding]
        });
        namespace.apply(&objects.collect::<Vec<Value>>());
        for role in roles {
            let rule = &role["rules"][0];
            let first = |member: &str| rule[member][0].as_str().unwrap();
            let resource = match first("apiGroups") {
                "" => first("resources").to_owned(),
                group => format!("{}.{group}", first("resources")),
            };
            self.await_right(namespace, (first("verbs"), resource.as_str()), true);
        }
    }

    /// Waits until the server says to the account that it has a right, or has it no more: its
    /// authorizer hears of a Role a moment after that is stored.
    pub fn await_right(
        &self,
        namespace: &Namespace,
        (verb, resource): (&str, &str),
        is_there: bool,
    ) {
        let kubeconfig = format!("--kubeconfig={}", self.kubeconfig().display());
        let asking = [kubeconfig.as_str(), "auth", "can-i", verb, resource];
        let expected = if is_there { "yes" } else { "no" };
        let began = Instant::now();
        loop {
            let output = namespace.kubectl(&asking, "");
            if output.stdout.starts_with(expected.as_bytes()) {
                return;
            }
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                began.elapsed() < PATIENCE,
                "never {expected} to {verb} {resource}: {said}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
