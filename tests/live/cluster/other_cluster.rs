//! An environment that records another cluster than the one that answers.

use super::namespace::{Namespace, kubectl};
use super::shop::{QUICK, Shop};
use crate::docker::workspace::text;

const ENVIRONMENT: &str = "environments/live.yaml";
/// The UID of no cluster.
const OTHER: &str = "0f0e0d0c-0000-4000-8000-000000000002";

/// The objects of a release and their versions. The status of a Deployment belongs to its
/// controller, so that of these the version of what was asked for counts.
fn state(namespace: &Namespace) -> String {
    let of = |kinds: &str, version: &str| {
        let columns = "--output=custom-columns=KIND:.kind,NAME:.metadata.name,VERSION:.metadata.";
        let columns = format!("{columns}{version}");
        let output = namespace.kubectl(&["get", kinds, &columns], "");
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    of("deployments", "generation") + &of("services,secrets,leases", "resourceVersion")
}

#[test]
#[ignore = "needs the cluster"]
fn a_cluster_with_another_uid_than_the_recorded_one_is_refused_and_stays_as_it_is() {
    let shop = Shop::new(&["pages"]);
    shop.done(&["deploy", "live"]);
    shop.change("pages", &format!("echo second; {QUICK}"));
    let before = state(&shop.namespace);

    let get = ["get", "namespace", "kube-system"];
    let uid = kubectl(
        &[&get[..], &["--output=jsonpath={.metadata.uid}"]].concat(),
        "",
    );
    let uid = String::from_utf8(uid.stdout).unwrap();
    let recorded = shop.read(ENVIRONMENT);
    assert!(!uid.is_empty() && recorded.contains(&uid), "{recorded}");
    shop.write(ENVIRONMENT, &recorded.replace(&uid, OTHER));

    for command in [
        &["deploy", "live", "--yes"][..],
        &["deploy", "live", "--plan"],
        &["diff", "live"],
        &["history", "live", "pages"],
        &["rollback", "live", "pages", "--yes"],
        &["destroy", "live", "--yes"],
    ] {
        let run = shop.gantline(command);
        let said = text(&run);
        assert_eq!(run.status.code(), Some(2), "{command:?}: {said}");
        let both = format!("recorded is uid {OTHER}, and found is uid {uid}");
        assert!(said.contains(&both), "{command:?}: {said}");
    }
    assert_eq!(state(&shop.namespace), before);
}
