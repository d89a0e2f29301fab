//! A user who may do what the documentation's Roles say, and nothing else.

use super::deployer::{Deployer, Right, documented_roles, without};
use super::namespace::Namespace;
use super::shop::{IMAGE, QUICK, Shop, USES_EVENTS, of_release, titles};
use crate::docker::workspace::text;

const PLAN: [&str; 3] = ["deploy", "live", "--plan"];
const DEPLOY: [&str; 2] = ["deploy", "live"];
const HISTORY: [&str; 3] = ["history", "live", "pages"];
const DESTROY: [&str; 3] = ["destroy", "live", "--yes"];
/// What a release makes and keeps.
const MADE: &str = "deployments,statefulsets,services,secrets,leases";
/// A Job that runs before each version of `pages`, as migrations do.
const STEP: &str = "\
apiVersion: batch/v1
kind: Job
metadata:
  name: pages-step
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: step
          image: IMAGE
          command: [sh, -c, \"SCRIPT\"]
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
";

/// Adds the Job to the chart of `pages`.
fn add_step(shop: &Shop, script: &str) {
    let step = STEP.replace("IMAGE", IMAGE).replace("SCRIPT", script);
    shop.write("services/pages/chart/templates/step.yaml", &step);
}

#[test]
#[ignore = "needs the cluster"]
fn the_documented_roles_are_enough_for_the_whole_life_of_a_release() {
    let shop = Shop::with_events(Namespace::new());
    let deployer = Deployer::new(&shop.namespace);
    let [needed, helpful] = documented_roles();
    deployer.may(&shop.namespace, &[&needed, &helpful]);
    let shop = shop.acting_as(deployer.kubeconfig());
    add_step(&shop, "echo prepared");

    let secrets = ["Secret/events-server", "Secret/events"];
    let planned = shop.answer("deploy-plan", 3, &PLAN);
    assert_eq!(titles(&planned, "creates"), secrets);
    let installed = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(titles(&installed, "created"), secrets);
    assert_eq!(of_release(&installed, "events", "change"), "installed");
    assert_eq!(of_release(&installed, "pages", "change"), "installed");

    shop.service_and("pages", &format!("echo second; {QUICK}"), USES_EVENTS);
    shop.done(&["generate"]);
    let differs = shop.answer("diff", 3, &["diff", "live"]);
    assert_eq!(of_release(&differs, "pages", "install"), false);
    let upgraded = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(of_release(&upgraded, "pages", "change"), "upgraded");
    let back = shop.answer("rollback", 0, &["rollback", "live", "pages"]);
    assert_eq!(of_release(&back, "pages", "restored"), 1);
    let expected = ["superseded", "superseded", "deployed"];
    assert_eq!(shop.statuses("pages"), expected);

    let removed = shop.answer("destroy", 0, &DESTROY[..2]);
    assert_eq!(of_release(&removed, "pages", "existed"), true);
    let mut kept = titles(&removed, "kept");
    kept.sort();
    assert_eq!(kept, ["Secret/events", "Secret/events-server"]);
    assert_eq!(
        shop.found(&[MADE]),
        ["secret/events", "secret/events-server"]
    );
}

#[test]
#[ignore = "needs the cluster"]
fn the_documented_roles_let_a_failure_be_told_with_its_log() {
    let shop = Shop::new(&["pages"]);
    let deployer = Deployer::new(&shop.namespace);
    let [needed, helpful] = documented_roles();
    deployer.may(&shop.namespace, &[&needed, &helpful]);
    let shop = shop.acting_as(deployer.kubeconfig());
    add_step(&shop, "echo no such table; exit 3");
    let failed = shop.gantline(&DEPLOY);
    let said = text(&failed);
    assert_eq!(failed.status.code(), Some(1), "{said}");
    assert!(said.contains("log   | no such table"), "{said}");
    assert_eq!(shop.found(&[MADE]), [""; 0]);
}

#[test]
#[ignore = "needs the cluster"]
fn without_the_second_role_a_release_is_deployed_and_removed_all_the_same() {
    let shop = Shop::new(&["pages"]);
    let deployer = Deployer::new(&shop.namespace);
    let [needed, _] = documented_roles();
    deployer.may(&shop.namespace, &[&needed]);
    let shop = shop.acting_as(deployer.kubeconfig());
    add_step(&shop, "echo prepared");
    let installed = shop.answer("deploy", 0, &DEPLOY);
    assert_eq!(of_release(&installed, "pages", "change"), "installed");
    shop.done(&DESTROY);
    assert_eq!(shop.found(&[MADE]), [""; 0]);
}

#[test]
#[ignore = "needs the cluster"]
fn a_right_that_is_missing_ends_a_command_with_its_verb_and_its_resource() {
    let shop = Shop::new(&["pages"]);
    let deployer = Deployer::new(&shop.namespace);
    let [needed, _] = documented_roles();
    deployer.may(&shop.namespace, &[&needed]);
    let shop = shop.acting_as(deployer.kubeconfig());
    let ends_without = |right: Right, command: &[&str]| {
        deployer.may(&shop.namespace, &[&without(&needed, right)]);
        deployer.await_right(&shop.namespace, right, false);
        let run = shop.gantline(command);
        let (verb, resource) = right;
        let said = text(&run);
        assert_eq!(run.status.code(), Some(4), "{verb} {resource}: {said}");
        let missing = format!("not allowed to {verb} {resource}");
        assert!(said.contains(&missing), "{missing}: {said}");
        let way_out = format!("Ask for a Role that allows `{verb}` on `{resource}`");
        assert!(said.contains(&way_out), "{way_out}: {said}");
    };
    let with_all_again = |right: Right| {
        deployer.may(&shop.namespace, &[&needed]);
        deployer.await_right(&shop.namespace, right, true);
    };

    let before_anything_is_made = [
        (("list", "secrets"), &HISTORY[..]),
        (("list", "secrets"), &DEPLOY[..]),
        (("create", "leases.coordination.k8s.io"), &DEPLOY[..]),
        (("get", "deployments.apps"), &DEPLOY[..]),
        (("patch", "deployments.apps"), &DEPLOY[..]),
        // To apply what is not there takes both rights.
        (("create", "deployments.apps"), &DEPLOY[..]),
        (("create", "secrets"), &DEPLOY[..]),
    ];
    for (right, command) in before_anything_is_made {
        ends_without(right, command);
        assert_eq!(shop.found(&[MADE]), [""; 0], "{right:?}");
    }
    // What is made by then is gone on from.
    ends_without(("update", "secrets"), &DEPLOY);
    with_all_again(("update", "secrets"));
    shop.done(&DEPLOY);

    ends_without(("delete", "deployments.apps"), &DESTROY);
    ends_without(("delete", "secrets"), &DESTROY);
    with_all_again(("delete", "secrets"));
    shop.done(&DESTROY);
    assert_eq!(shop.found(&[MADE]), [""; 0]);
}
