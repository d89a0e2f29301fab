//! Services without a blueprint: a vendor's image, or an existing Dockerfile.

use snapbox::{assert_data_eq, str};

use crate::workspace::Workspace;

/// A daemon that is not there.
const NO_DOCKER: (&str, &str) = ("DOCKER_HOST", "unix:///nonexistent/docker.sock");
const WEB: &str = "services/web/service.yaml";

fn with_nginx() -> Workspace {
    let shop = Workspace::shop();
    shop.gantline(&[
        "add",
        "service",
        "web",
        "--image",
        "nginx:1.27",
        "--port",
        "http=8080",
        "--health",
        "/healthz",
        "--quiet",
    ])
    .succeeds();
    shop
}

/// A front end that brings its own Dockerfile.
fn with_front_end() -> Workspace {
    Workspace::shop()
        .file("web/Dockerfile", "FROM busybox:1.37\n")
        .file("web/index.html", "<h1>Shop</h1>\n")
}

#[test]
fn an_image_becomes_a_service_with_a_manifest_and_a_chart() {
    let shop = Workspace::shop();
    let run = shop.gantline(&[
        "add",
        "service",
        "web",
        "--image",
        "nginx:1.27",
        "--port",
        "http=8080",
    ]);
    assert_data_eq!(
        run.to_string(),
        str![[r#"
exit code 0
--- stdout
Added web from nginx:1.27 in services/web
  ./                service.yaml
  chart/            Chart.yaml values.schema.json values.yaml
  chart/templates/  NOTES.txt _program.tpl _service.tpl deployment.yaml and 6 more

Next:
  gantline up web

"#]]
    );
    assert_data_eq!(
        shop.read(WEB),
        str![[r#"
# yaml-language-server: $schema=https://raw.githubusercontent.com/gantline/gantline/main/docs/schemas/v1/service.json
name: web
image: nginx:1.27
ports: {http: 8080}
health: {tcp: http}

"#]]
    );
    assert_data_eq!(
        shop.read("services/web/chart/values.yaml"),
        str![[r##"
# yaml-language-server: $schema=values.schema.json
# Derived from service.yaml: change it there. What differs in an environment belongs into a
# file of its own: helm upgrade --install web chart --values FILE

workspace: shop
owner: ""

image:
  repository: "nginx"
  # Empty: the chart's appVersion. A digest, where there is one, decides.
  tag: "1.27"
  digest: ""
  pullPolicy: IfNotPresent
  # Names of Secrets.
  pullSecrets: []

# Where the container listens.
ports:
  http: 8080

# What runs in place of the image's own entry point and its arguments; empty: those.
command: []
args: []

# The root file system is read-only: /tmp and these folders can be written, until the pod ends.
writable: []

# Who it runs as. Not root, which the Pod Security Standard refuses that namespaces enforce.
user: {id: 65532, group: 65532}

# What proves that it serves, and that it lives: handlers of probes.
probes:
  ready:
    tcpSocket:
      port: http
  live:
    tcpSocket:
      port: http

# Requests of one replica. Memory is also the limit; CPU has none unless one is named.
compute:
  cpu: "100m"
  cpuLimit: null
  memory: "256Mi"
  # What /tmp may hold. Logs come on top of it.
  temporary: 64Mi

# Replicas, and the CPU in percent of the request above which there are more.
scale:
  min: 2
  max: 10
  cpu: 70

# Plain settings, and keys of Secrets by variable.
env: {}
secrets: {}

# Resources by the role that they play. Each has a Secret with the keys of the Service Binding
# specification (uri, host, ...), of its own name or the one named here as secret.
uses: {}

# Services that are called, each at http://NAME:PORT or at the url named here.
needs:

# Paths that are reachable from outside, once the environment names a gateway.
expose:
  routes: []
  hosts: []
  gateway: {name: "", namespace: ""}

# Where traces go, such as http://collector.monitoring:4318. Empty: nowhere.
telemetry:
  endpoint: ""

# The pause before a stop lets load balancers notice; the time-out bounds the stop itself.
shutdown: {pauseSeconds: 5, timeoutSeconds: 20}

# Who may talk to whom, as an object that the cluster's network has to enforce.
networkPolicy:
  enabled: false
  # The namespace that collects metrics and receives traces.
  monitoringNamespace: monitoring
  # What lies outside the cluster: rules of a NetworkPolicy, for instance for a database.
  egress: []

podAnnotations: {}
podLabels: {}

"##]]
    );
    shop.gantline(&["generate", "--check"]).succeeds();
    assert!(shop.read(".gantline/lock.yaml").contains("container@1"));
}

#[test]
fn a_dockerfile_anywhere_in_the_workspace_becomes_a_service() {
    let shop = with_front_end();
    let run = shop
        .gantline(&[
            "add",
            "service",
            "web",
            "--build",
            "web",
            "--port",
            "http=8080",
            "--health",
            "/",
        ])
        .succeeds();
    assert!(run.stdout.contains("web/Dockerfile"), "{run}");
    assert_data_eq!(
        shop.read(WEB),
        str![[r##"
# yaml-language-server: $schema=https://raw.githubusercontent.com/gantline/gantline/main/docs/schemas/v1/service.json
name: web
build: "../../web"
ports: {http: 8080}
health: /

"##]]
    );
    let values = shop.read("services/web/chart/values.yaml");
    assert!(
        values.contains("repository: \"ghcr.io/acme/shop/web\""),
        "{values}"
    );
}

#[test]
fn a_dockerfile_in_the_services_own_folder_stays_where_it_is() {
    let shop = Workspace::shop()
        .file("services/web/Dockerfile", "FROM busybox:1.37\n")
        .file("services/web/src/main.js", "");
    let arguments = [
        "add",
        "service",
        "web",
        "--build",
        "services/web",
        "--port",
        "http=8080",
    ];
    shop.gantline(&arguments).succeeds();
    assert!(
        shop.read(WEB).contains("\nbuild: \".\"\n"),
        "{}",
        shop.read(WEB)
    );
    assert_eq!(shop.read("services/web/Dockerfile"), "FROM busybox:1.37\n");
    shop.gantline(&arguments).fails(2);
}

#[test]
fn what_cannot_be_taken_in_is_refused_and_nothing_is_written() {
    for (flags, expected) in [
        (&["--image", "nginx"][..], "stays the same"),
        (&["--image", "nginx:1.27"], "--port http=8080"),
        (
            &["--image", "nginx:1.27", "--port", "http"],
            "--port NAME=PORT",
        ),
        (&["--image", "nginx:1.27", "--port", "http=80"], "from 1024"),
        (
            &[
                "--image",
                "nginx:1.27",
                "--port",
                "http=8080",
                "--health",
                "x",
            ],
            "--health /PATH",
        ),
        (&["--build", "nothing"], "cannot be read"),
        (
            &["--build", "services", "--port", "http=8080"],
            "no Dockerfile",
        ),
        (&["--build", "/", "--port", "http=8080"], "no Dockerfile"),
        (
            &["--image", "nginx:1.27", "--blueprint", "go-service"],
            "does not go with",
        ),
        (
            &["--blueprint", "go-service", "--port", "http=8080"],
            "does not go with",
        ),
        (&["--port", "http=8080"], "go with `--image` or `--build`"),
        (&["--blueprint", "container"], "--image NAME:TAG"),
        (&["--blueprint", "container@1"], "--image NAME:TAG"),
        (
            &[
                "--image",
                "nginx:1.27",
                "--port",
                "http=8080",
                "--needs",
                "x",
            ],
            "no service `x`",
        ),
    ] {
        let shop = Workspace::shop_with_orders();
        let run = shop.gantline(&[&["add", "service", "web"], flags].concat());
        assert_eq!(run.code, 2, "{flags:?}: {run}");
        assert!(run.stderr.contains(expected), "{flags:?}: {run}");
        assert!(!shop.path("services/web").exists(), "{flags:?}");
    }
}

#[test]
fn a_service_made_from_a_blueprint_may_call_one_that_is_not() {
    let shop = with_nginx();
    shop.gantline(&[
        "add",
        "service",
        "front",
        "--blueprint",
        "go-service",
        "--with",
        "entity=leaflet",
        "--needs",
        "web",
        "--quiet",
    ])
    .succeeds();
    let values = shop.read("services/front/chart/values.yaml");
    assert!(values.contains("\n  web: {port: 8080}\n"), "{values}");
    assert!(!shop.path("services/front/internal/clients").exists());
    let client = shop
        .gantline(&["add", "client", "web", "--in", "front"])
        .fails(2);
    assert!(client.stderr.contains("WEB_URL"), "{client}");
}

#[test]
fn services_that_wait_for_one_another_are_refused_with_the_circle() {
    let waits = |name: &str, called: &str| {
        format!(
            "name: {name}\nimage: nginx:1.27\nports: {{http: 8080}}\nhealth: /\n\
             needs: [{{service: {called}, wait: true}}]\n"
        )
    };
    let shop = Workspace::shop()
        .file("services/a/service.yaml", waits("a", "b"))
        .file("services/b/service.yaml", waits("b", "a"));
    assert_data_eq!(
        shop.gantline_with(&[NO_DOCKER], &["up"]).to_string(),
        str![[r#"
exit code 2
--- stderr
error: these services wait for one another, and none would start: a -> b -> a
 --> services/a/service.yaml:5:19
  |
5 | needs: [{service: b, wait: true}]
  |                   ^
  why: a waits for b (services/a/service.yaml:5)
  why: b waits for a (services/b/service.yaml:5)
 next: Take `wait: true` from one of them: services start together and try again

"#]]
    );
}

#[test]
fn an_image_cannot_run_as_a_process_and_the_others_can() {
    let shop = with_nginx().file(
        "services/orders/service.yaml",
        "name: orders\nblueprint: go-service\noptions: {entity: order}\n",
    );
    let up = ["up", "--dry-run", "--runtime", "process"];
    assert_data_eq!(
        shop.gantline(&up).to_string(),
        str![[r#"
exit code 4
--- stderr
error: `web` cannot run as processes of this host
  why: Docker alone runs what is made from an image or a Dockerfile
 next: Start everything in Docker: `--runtime docker`
 next: Or only services that do not need it: `gantline up SERVICE... --runtime process`

"#]]
    );
    shop.gantline(&["up", "orders", "--dry-run", "--runtime", "process"])
        .succeeds();
}

#[test]
fn an_image_that_cannot_be_had_ends_with_the_way_out() {
    let shop = with_nginx();
    shop.gantline_with(&[NO_DOCKER], &["up"]).fails(4);
}

#[test]
fn what_has_no_go_tests_is_said_when_it_is_named() {
    let run = with_nginx().gantline(&["test", "web"]).fails(2);
    assert!(run.stderr.contains("no Go tests"), "{run}");
}

#[test]
fn an_image_is_not_built() {
    let shop = with_nginx();
    let run = shop
        .gantline(&["build", "web", "--push", "--dry-run"])
        .fails(2);
    assert!(run.stderr.contains("not built here"), "{run}");
}

#[test]
fn a_file_that_the_tests_of_several_services_would_overwrite_is_refused() {
    let manifest = with_nginx().read("services/web/service.yaml");
    let shop = with_nginx()
        .file("services/web/go.mod", "module example.com/web\n")
        .file(
            "services/pages/service.yaml",
            manifest.replace("name: web", "name: pages"),
        )
        .file("services/pages/go.mod", "module example.com/pages\n");
    let flags = ["-run", "TestX", "-coverprofile", "/tmp/cover.out"];
    let of_all = [&["test", "--"][..], &flags].concat();
    let run = shop.gantline(&of_all).fails(2);
    assert!(run.stderr.contains("the tests of 2 services"), "{run}");
    assert!(run.stderr.contains("gantline test pages"), "{run}");
}

#[test]
fn a_prefix_of_images_is_the_same_on_the_command_line_as_in_a_manifest() {
    for prefix in ["https://ghcr.io/acme", "ghcr.io/acme/", "ghcr.io/acme:1"] {
        let run = with_nginx()
            .gantline(&["build", "--push", "--registry", prefix])
            .fails(2);
        assert!(run.stderr.contains("without `https://`"), "{run}");
    }
}
