//! Charts to which their owners added templates of their own.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::namespace::{kubeconfig, kubectl};
use super::shop::{IMAGE, PATIENCE, QUICK, Shop, of_release};
use crate::docker::workspace::text;

const DEPLOY: [&str; 2] = ["deploy", "live"];
const CHART: &str = "services/pages/chart";

/// Makes a value once, and keeps it from then on.
const TOKEN: &str = r#"{{- $found := lookup "v1" "ConfigMap" .Release.Namespace "token" }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: token
data:
  token: {{ if $found }}{{ $found.data.token }}{{ else }}{{ randAlphaNum 20 }}{{ end }}
"#;

/// A hook that goes on for long.
fn endless_hook(event: &str) -> String {
    format!(
        "apiVersion: batch/v1
kind: Job
metadata:
  name: endless
  annotations: {{helm.sh/hook: {event}}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: endless
          image: {IMAGE}
          command: [sleep, \"600\"]
          resources: {{requests: {{cpu: 1m, memory: 8Mi}}}}
          securityContext:
            runAsNonRoot: true
            runAsUser: 65532
            allowPrivilegeEscalation: false
            capabilities: {{drop: [ALL]}}
            seccompProfile: {{type: RuntimeDefault}}
"
    )
}

fn shop_with(template: &str) -> Shop {
    let shop = Shop::new(&["pages"]);
    shop.write(&format!("{CHART}/templates/own.yaml"), template);
    shop
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "never {what}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs the cluster"]
fn a_template_that_looks_into_the_cluster_finds_what_it_made_before() {
    let shop = shop_with(TOKEN);
    shop.done(&DEPLOY);
    let token = || {
        let get = [
            "get",
            "configmap",
            "token",
            "--output=jsonpath={.data.token}",
        ];
        text(&shop.namespace.kubectl(&get, ""))
    };
    let first = token();
    assert_eq!(first.trim().len(), 20, "{first}");

    shop.service_and("pages", QUICK, "env: {LOG_LEVEL: debug}\n");
    shop.done(&["generate"]);
    let done = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(of_release(&done, "pages", "change"), "upgraded");
    assert_eq!(token(), first);

    let refused = shop.gantline(&["render", "live"]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused));
    assert!(text(&refused).contains("lookup"), "{}", text(&refused));
}

/// A kind of the test's own; it goes with the test.
struct Kind {
    group: String,
}

impl Kind {
    fn new() -> Self {
        Self {
            group: format!("live-{}.example.com", std::process::id()),
        }
    }

    fn definition(&self) -> String {
        let group = &self.group;
        format!(
            "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: notes.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Note, listKind: NoteList, plural: notes, singular: note}}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {{text: {{type: string}}}}
"
        )
    }

    fn object(&self) -> String {
        let group = &self.group;
        format!("apiVersion: {group}/v1\nkind: Note\nmetadata: {{name: first}}\ntext: hello\n")
    }
}

impl Drop for Kind {
    fn drop(&mut self) {
        let name = format!("notes.{}", self.group);
        let delete = ["delete", "customresourcedefinition", &name, "--wait=false"];
        kubectl(&delete, "");
    }
}

#[test]
#[ignore = "needs the cluster"]
fn a_kind_that_a_chart_defines_is_served_before_its_objects_and_outlives_the_release() {
    let kind = Kind::new();
    let shop = shop_with(&kind.object());
    shop.write(&format!("{CHART}/crds/notes.yaml"), &kind.definition());
    let done = shop.done(&DEPLOY);
    let definition = format!("notes.{}", kind.group);
    assert!(
        done.contains(&format!("made CustomResourceDefinition/{definition}")),
        "{done}"
    );
    let resource = format!("{definition}/first");
    assert_eq!(shop.found(&[&resource]).len(), 1);

    shop.done(&["destroy", "live", "--yes"]);
    let crd = ["customresourcedefinition", definition.as_str()];
    assert_eq!(shop.found(&crd).len(), 1);
    assert_eq!(shop.found(&[&resource]).len(), 0);

    let again = shop.done(&DEPLOY);
    assert!(!again.contains("made CustomResourceDefinition"), "{again}");
}

/// Helm, which removes a release.
struct Removing(Child);

impl Drop for Removing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs the cluster"]
fn a_release_that_helm_is_removing_is_left_to_helm() {
    let shop = shop_with(&endless_hook("pre-delete"));
    shop.done(&DEPLOY);
    let mut helm = Command::new("helm");
    helm.env("KUBECONFIG", kubeconfig())
        .args(["--namespace", &shop.namespace.name, "uninstall", "pages"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _removing = Removing(helm.spawn().expect("helm is there: tests/setup cluster"));
    until("uninstalling", || {
        shop.has_revision("pages", "uninstalling")
    });

    shop.change("pages", "echo other; exit 1");
    let refused = shop.gantline(&DEPLOY);
    let said = text(&refused);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    let expected = "Helm may be at work on pages: its revision 1 is uninstalling";
    assert!(said.contains(expected), "{said}");
    assert!(shop.has_revision("pages", "uninstalling"));
}

#[test]
#[ignore = "needs the cluster"]
fn a_hook_that_is_under_way_ends_when_the_user_interrupts() {
    let shop = shop_with(&endless_hook("pre-install"));
    let mut deploying = shop.command(&DEPLOY);
    let deploying = deploying.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = deploying.stderr(Stdio::piped()).spawn().unwrap();
    let job = ["job", "endless"];
    until("made", || shop.found(&job).len() == 1);
    kill(
        Pid::from_raw(i32::try_from(child.id()).unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", text(&ended));
    until("deleted", || shop.found(&job).is_empty());
    assert!(shop.found(&["deployment"]).is_empty());
}
