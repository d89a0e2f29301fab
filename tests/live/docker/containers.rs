//! Services without a blueprint on a real daemon: images as they are, and existing Dockerfiles.

use super::workspace::{self, Workspace, docker};

/// A web server of BusyBox, which stops when it is asked to although it is the first process.
const SERVE: &str = "trap 'exit 0' TERM; echo hello > /tmp/index.html; \
                     httpd -f -p 8080 -h /tmp & wait";

/// The manifest of a service with an image, and the lines that are its own.
fn server(name: &str, rest: &str) -> (String, String) {
    let text = format!(
        "name: {name}\nimage: busybox:1.37\nports: {{http: 8080}}\n\
         command: [sh, -c, \"{SERVE}\"]\n{rest}"
    );
    (format!("services/{name}/service.yaml"), text)
}

/// Six services, each of which waits for the one before it.
fn chain() -> Workspace {
    let services = (0..6).map(|number| {
        let name = format!("link{number}");
        let before = match number {
            0 => String::new(),
            _ => format!("needs: [{{service: link{}, wait: true}}]\n", number - 1),
        };
        server(&name, &format!("health: /\n{before}"))
    });
    Workspace::with_files(&services.collect::<Vec<_>>())
}

#[test]
#[ignore = "needs Docker"]
fn a_chain_of_six_starts_in_order_and_again_only_where_it_differs() {
    let workspace = chain();
    let up = workspace.run(&["up", "--detach"]);
    let said = workspace::text(&up);
    assert!(up.status.success(), "{said}");
    let started: Vec<String> = (0..6)
        .map(|number| {
            let container = workspace.container(&format!("link{number}"));
            docker(&["inspect", "--format", "{{.State.StartedAt}}", &container])
        })
        .collect();
    assert!(started.is_sorted(), "{started:?}");
    assert_eq!(workspace.get("link5"), "hello\n");

    let again = workspace.run(&["up", "--detach"]);
    assert!(
        workspace::text(&again).contains("runs already"),
        "{again:?}"
    );
    workspace.edit_environment("link3", "EDITED");
    let edited = workspace.run(&["up", "--detach", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_slice(&edited.stdout).unwrap();
    let things = answer["things"].as_array().unwrap().iter();
    let changed: Vec<&str> = things
        .filter(|thing| thing["change"] != "unchanged")
        .map(|thing| thing["name"].as_str().unwrap())
        .collect();
    assert_eq!(changed, ["link3"]);

    let environment = workspace.run(&["env", "link1"]);
    let text = workspace::text(&environment);
    assert!(text.contains("LINK0_URL=http://127.0.0.1:"), "{text}");
    let restarted = workspace.run(&["restart", "link2"]);
    assert!(
        restarted.status.success(),
        "{}",
        workspace::text(&restarted)
    );
    assert_eq!(workspace.status()["link2"]["state"], "ready");
    workspace.run(&["down"]);
    assert_eq!(workspace.containers(), "");
}

#[test]
#[ignore = "needs Docker"]
fn who_waits_is_not_started_while_the_other_is_not_ready() {
    let never = server("never", "health: /nothing\n");
    let waits = server(
        "waits",
        "health: /\nneeds: [{service: never, wait: true}]\n",
    );
    let beside = server("beside", "health: /\nneeds: [never]\n");
    let workspace = Workspace::with_files(&[never, waits, beside]);
    let up = workspace.run(&["up", "--detach"]);
    assert_eq!(up.status.code(), Some(1));
    let said = workspace::text(&up);
    assert!(said.contains("/nothing answers 404"), "{said}");
    let status = workspace.status();
    assert_eq!(status["waits"]["state"], "stopped", "{status:?}");
    assert_eq!(
        status["waits"]["reason"],
        "not started: it needs never, which did not come up"
    );
    assert_eq!(status["beside"]["state"], "ready");
}

#[test]
#[ignore = "needs Docker"]
fn a_container_is_asked_in_each_way_and_confined() {
    let rest = "health: {tcp: http}\nuser: {id: 1234, group: 4321}\nwritable: [/var/cache]\n";
    let files = [
        server("tcp", rest),
        server("exec", "health: {exec: [test, -f, /tmp/index.html]}\n"),
        server("late", "health: {exec: [test, -f, /nothing]}\n"),
    ];
    let workspace = Workspace::with_files(&files);
    let up = workspace.run(&["up", "--detach", "tcp", "exec"]);
    assert!(up.status.success(), "{}", workspace::text(&up));
    let container = workspace.container("tcp");
    let format = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}";
    let found = docker(&["inspect", "--format", format, &container]);
    assert_eq!(found, "1234:4321 true [ALL]");
    let written = docker(&[
        "exec",
        &container,
        "sh",
        "-c",
        "echo x > /var/cache/x && id -u",
    ]);
    assert_eq!(written, "1234");
    workspace.run(&["up", "--detach", "late", "--dry-run"]);
    let status = workspace.status();
    assert_eq!(status["exec"]["state"], "ready", "{status:?}");
    let endpoint = &status["tcp"]["endpoints"]["http"];
    assert!(endpoint.as_str().unwrap().starts_with("http://127.0.0.1:"));
}

#[test]
#[ignore = "needs Docker"]
fn a_dockerfile_is_built_with_its_stage_and_arguments() {
    let dockerfile = "FROM busybox:1.37 AS site\nARG GREETING=none\n\
                      RUN mkdir /www && echo \"$GREETING\" > /www/index.html\nCOPY page.html /www/\n\
                      CMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n\
                      FROM site AS other\nCMD [\"false\"]\n";
    let manifest = "name: web\nbuild: {context: ../../web, target: site, args: {GREETING: hello}}\n\
                    ports: {http: 8080}\nhealth: /\n";
    let page = format!("{:?}", std::time::Instant::now());
    let owned = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let workspace = Workspace::with_files(&[
        owned("services/web/service.yaml", manifest),
        owned("web/Dockerfile", dockerfile),
        owned("web/page.html", &page),
    ]);
    let up = workspace.run(&["up", "--detach"]);
    let said = workspace::text(&up);
    assert!(up.status.success(), "{said}");
    assert!(said.contains("built by BuildKit"), "{said}");
    assert_eq!(workspace.get("web"), "hello\n");
    let again = workspace.run(&["up", "--detach"]);
    assert!(
        workspace::text(&again).contains("runs already"),
        "{again:?}"
    );

    workspace.append("web/page.html", "more");
    let edited = workspace.run(&["up", "--detach"]);
    let said = workspace::text(&edited);
    assert!(said.contains("its program changed"), "{said}");
    let images = docker(&["images", "--quiet", "ghcr.io/acme/live/web"]);
    for image in images.lines() {
        workspace.run(&["down"]);
        docker(&["rmi", "--force", image]);
    }
}

#[test]
#[ignore = "needs Docker"]
fn an_image_that_nobody_has_ends_with_the_way_out() {
    let (path, text) = server("absent", "health: /\n");
    let text = text.replace("busybox:1.37", "registry.invalid/none:1");
    let workspace = Workspace::with_files(&[(path, text)]);
    let up = workspace.run(&["up", "--detach"]);
    let said = workspace::text(&up);
    assert_eq!(up.status.code(), Some(4), "{said}");
    assert!(
        said.contains("docker pull registry.invalid/none:1"),
        "{said}"
    );
    assert!(!said.contains("--runtime process"), "{said}");
}
