//! Charts on disk that are not what the manifests say.

use super::cluster::shop;

const WARNING: &str = "not as the manifests say, and used as it is";

#[test]
fn a_chart_that_lags_behind_its_manifest_is_warned_of_until_it_is_generated() {
    let workspace = shop("").file("services/orders/service.staging.yaml", "scale: {max: 7}\n");
    let render = ["render", "staging", "orders"];
    let lagging = workspace.gantline(&render).succeeds();
    let file = "services/orders/chart/values-staging.yaml";
    assert!(lagging.stderr.contains(WARNING), "{lagging}");
    assert!(lagging.stderr.contains(file), "{lagging}");
    assert!(!lagging.stdout.contains("maxReplicas: 7"), "{lagging}");

    workspace.gantline(&["generate"]).succeeds();
    let current = workspace.gantline(&render);
    assert!(!current.stderr.contains(WARNING), "{current}");
    assert!(current.stdout.contains("maxReplicas: 7"), "{current}");
}

#[test]
fn what_the_user_edited_in_a_chart_is_no_lag() {
    let workspace = shop("").replace(
        "services/orders/chart/values-staging.yaml",
        "# ",
        "# Mine. ",
    );
    let run = workspace.gantline(&["render", "staging", "orders"]);
    assert!(!run.stderr.contains(WARNING), "{run}");
}

#[test]
fn a_chart_that_makes_a_secret_with_values_is_refused_and_they_are_not_shown() {
    let workspace = shop("").file(
        "services/orders/chart/templates/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: mine}\nstringData: {password: hunter2}\n",
    );
    let run = workspace
        .gantline(&["render", "staging", "orders"])
        .fails(2);
    assert!(
        run.stderr
            .contains("the chart makes Secret/mine, with values in it"),
        "{run}"
    );
    assert!(
        !run.stdout.contains("hunter2") && !run.stderr.contains("hunter2"),
        "{run}"
    );
}
