//! The runtime `docker` on a real daemon, through the real program.

mod containers;
mod faults;
mod flood;
mod service_tests;
pub mod workspace;

use gantline::error::ErrorKind;

use self::workspace::{Workspace, docker};

#[test]
#[ignore = "needs Docker"]
fn a_stack_comes_up_again_only_where_it_differs_and_leaves_nothing_behind() {
    let workspace = Workspace::new();
    let first = workspace.run(&["up", "--detach"]);
    assert!(first.status.success(), "{}", workspace::text(&first));
    let status = workspace.status();
    for (name, state) in [
        ("postgres-17", "ready"),
        ("nats-2-12", "ready"),
        ("orders-migrate", "done"),
        ("orders", "ready"),
        ("storefront", "ready"),
    ] {
        assert_eq!(status[name]["state"], state, "{status:?}");
    }
    assert!(workspace.get("storefront").contains("front door"));

    let again = workspace.run(&["up", "--detach", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    for thing in answer["things"].as_array().unwrap() {
        assert_eq!(thing["change"], "unchanged", "{thing}");
    }

    workspace.edit_environment("storefront", "FIXTURE_EDIT");
    let edited = workspace.run(&["up", "--detach", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_slice(&edited.stdout).unwrap();
    let things = answer["things"].as_array().unwrap().iter();
    let changed: Vec<&str> = things
        .filter(|thing| thing["change"] != "unchanged")
        .map(|thing| thing["name"].as_str().unwrap())
        .collect();
    assert_eq!(changed, ["storefront"]);

    let down = workspace.run(&["down"]);
    assert!(down.status.success(), "{}", workspace::text(&down));
    assert_eq!(workspace.containers(), "");
    assert_eq!(workspace.networks(), "");
    assert_ne!(workspace.volumes(), "", "data outlives `down`");
    workspace.run(&["down", "--volumes"]);
    assert_eq!(workspace.volumes(), "");
}

#[test]
#[ignore = "needs Docker"]
fn two_checkouts_run_side_by_side() {
    let (one, other) = (Workspace::new(), Workspace::new());
    for workspace in [&one, &other] {
        let up = workspace.run(&["up", "--detach"]);
        assert!(up.status.success(), "{}", workspace::text(&up));
    }
    for workspace in [&one, &other] {
        assert_eq!(workspace.status()["storefront"]["state"], "ready");
        assert!(workspace.get("storefront").contains("front door"));
    }
    one.run(&["down", "--volumes"]);
    assert_eq!(other.status()["storefront"]["state"], "ready");
}

#[test]
#[ignore = "needs Docker"]
fn a_service_that_exits_at_once_fails_with_its_last_lines_and_the_foreground_stops_the_rest() {
    let workspace = Workspace::new();
    workspace.edit_environment("storefront", "FIXTURE_EXIT");
    let up = workspace.run(&["up"]);
    assert_eq!(up.status.code(), Some(1));
    let said = workspace::text(&up);
    assert!(said.contains("storefront ended with exit code 3"), "{said}");
    assert!(said.contains("cannot go on: configuration"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
    assert_eq!(workspace.containers(), "");
}

#[test]
#[ignore = "needs Docker"]
fn a_failing_migration_starts_no_service() {
    let workspace = Workspace::new();
    workspace.edit_environment("orders", "FIXTURE_MIGRATE");
    let up = workspace.run(&["up", "--detach"]);
    assert_eq!(up.status.code(), Some(1));
    let said = workspace::text(&up);
    assert!(
        said.contains("orders-migrate failed with exit code 1"),
        "{said}"
    );
    assert!(said.contains("relation exists"), "{said}");
    let status = workspace.status();
    assert_eq!(status["orders-migrate"]["state"], "failed");
    assert_eq!(status["orders"]["state"], "stopped");
    assert_eq!(
        status["orders"]["reason"],
        "not started: it needs orders-migrate, which did not come up"
    );
}

#[test]
#[ignore = "needs Docker"]
fn services_are_confined_and_published_on_this_host_alone() {
    let workspace = Workspace::new();
    let up = workspace.run(&["up", "--detach"]);
    assert!(up.status.success(), "{}", workspace::text(&up));
    let format = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.SecurityOpt}} \
                  {{.HostConfig.PortBindings}}";
    let container = workspace.container("storefront");
    let found = docker(&["inspect", "--format", format, &container]);
    assert!(
        found.starts_with("65532:65532 true [no-new-privileges:true]"),
        "{found}"
    );
    assert!(!found.contains("0.0.0.0"), "{found}");
    assert!(found.contains("127.0.0.1"), "{found}");
}

#[test]
#[ignore = "needs Docker"]
fn the_native_builder_stands_in_for_a_generated_dockerfile_and_never_for_an_edited_one() {
    let workspace = Workspace::generated("quotes");
    // Images are found again by their source: this one must be new to the daemon.
    workspace.append(
        "services/quotes/cmd/quotes/main.go",
        &workspace.unique_comment(),
    );
    let native = workspace.run(&["up", "--detach", "--builder", "native"]);
    let said = workspace::text(&native);
    assert!(native.status.success(), "{said}");
    assert!(said.contains("built by Go of this host"), "{said}");
    assert_eq!(workspace.status()["quotes"]["state"], "ready");

    workspace.append("services/quotes/Dockerfile", "# Mine.\n");
    let edited = workspace.run(&["up", "--detach", "--builder", "native"]);
    let said = workspace::text(&edited);
    assert!(edited.status.success(), "{said}");
    assert!(
        said.contains("is not as generated: BuildKit builds it"),
        "{said}"
    );
    assert!(said.contains("built by BuildKit"), "{said}");
}

#[tokio::test]
#[ignore = "needs Docker"]
async fn an_image_that_cannot_be_had_ends_with_the_way_out() {
    // No name ends in `.invalid` (RFC 2606), so nobody can serve this image.
    let error = workspace::prepare_server("registry.invalid/none:1")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Missing);
    assert!(
        error.message().contains("registry.invalid/none:1"),
        "{error}"
    );
    let hints = error.hints().join("\n");
    assert!(hints.contains("--runtime process"), "{hints}");
}

#[test]
#[ignore = "needs Docker"]
fn a_base_image_that_cannot_be_had_is_named_once_with_the_way_out() {
    let workspace = Workspace::new();
    for service in ["orders", "storefront"] {
        workspace.replace(
            &format!("services/{service}/Dockerfile"),
            "golang:1.26-bookworm",
            "registry.invalid/golang:1",
        );
    }
    let up = workspace.run(&["up", "--detach", "--quiet"]);
    let said = workspace::text(&up);
    assert_eq!(up.status.code(), Some(4), "{said}");
    let named = "error: the image registry.invalid/golang:1, which is built on, cannot be had";
    assert_eq!(said.matches(named).count(), 1, "{said}");
    assert!(said.contains("--runtime process"), "{said}");
    let status = workspace.status();
    assert_eq!(status["orders"]["state"], "stopped");
    let reason = status["orders"]["reason"].as_str().unwrap();
    assert!(reason.contains("registry.invalid/golang:1"), "{reason}");
}

#[test]
#[ignore = "needs Docker"]
fn a_dry_run_tells_what_stays_and_what_would_be_replaced() {
    let workspace = Workspace::new();
    let up = workspace.run(&["up", "--detach"]);
    assert!(up.status.success(), "{}", workspace::text(&up));
    let foretold = |name: &str| {
        let said = workspace::text(&workspace.run(&["up", "--dry-run"]));
        let mut lines = said.lines();
        let line = lines.find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    for name in ["orders", "orders-migrate", "storefront", "postgres-17"] {
        assert!(foretold(name).ends_with("would stay as it is"));
    }
    workspace.append(
        "services/orders/cmd/orders/main.go",
        &workspace.unique_comment(),
    );
    assert!(foretold("orders").ends_with("changed, and would be replaced"));
    assert!(foretold("orders-migrate").ends_with("would be started"));
    assert!(foretold("storefront").ends_with("would stay as it is"));
}

#[test]
#[ignore = "needs Docker"]
fn ctrl_c_ends_a_running_stack_well_and_a_starting_one_with_130() {
    let workspace = Workspace::new();
    let running = workspace.interrupt_when(&["up"], &["orders: ready", "storefront: ready"]);
    assert_eq!(
        running.status.code(),
        Some(0),
        "{}",
        workspace::text(&running)
    );
    assert_eq!(workspace.containers(), "");

    let starting = workspace.interrupt_when(&["up"], &["start postgres-17"]);
    assert_eq!(
        starting.status.code(),
        Some(130),
        "{}",
        workspace::text(&starting)
    );
    assert_eq!(workspace.containers(), "");
    assert_eq!(workspace.networks(), "");
}

#[test]
#[ignore = "needs Docker"]
fn ctrl_c_while_a_database_is_made_ends_soon_and_leaves_no_half_of_it() {
    let workspace = Workspace::new();
    let running = |workspace: &Workspace| {
        let name = workspace.container("postgres-17");
        !docker(&["ps", "--quiet", "--filter", &format!("name=^{name}$")]).is_empty()
    };
    // Everything is built and the checkout has its names; the data goes again.
    workspace.run(&["up", "--detach"]);
    workspace.run(&["down", "--volumes"]);
    let cut_off = workspace.interrupt_once(&["up"], running);
    assert_eq!(
        cut_off.status.code(),
        Some(130),
        "{}",
        workspace::text(&cut_off)
    );
    let signals = workspace.signals("postgres-17");
    let said = workspace::text(&cut_off);
    assert_eq!(signals.last().unwrap(), "9", "{signals:?}: {said}");
    assert_eq!(workspace.containers(), "");
    // The broker may have been ready by then, and what is whole stays.
    let volumes = workspace.volumes();
    assert!(!volumes.contains("postgres"), "half a database: {volumes}");

    let up = workspace.run(&["up", "--detach"]);
    assert!(up.status.success(), "{}", workspace::text(&up));
    workspace.run(&["down"]);
    let kept = workspace.volumes();
    let cut_off = workspace.interrupt_once(&["up"], running);
    assert_eq!(
        cut_off.status.code(),
        Some(130),
        "{}",
        workspace::text(&cut_off)
    );
    assert_eq!(workspace.volumes(), kept, "a whole database");
    let up = workspace.run(&["up", "--detach"]);
    assert!(up.status.success(), "{}", workspace::text(&up));
}

#[test]
#[ignore = "needs Docker"]
fn up_and_down_killed_at_any_time_leave_nothing_after_the_next_down() {
    crate::kills::leave_nothing("docker");
}
