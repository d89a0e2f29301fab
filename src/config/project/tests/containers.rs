use super::*;
use crate::model::container::{Health, Origin};

const WEB: &str = "services/web/service.yaml";

/// A front end with an existing Dockerfile, which calls the orders.
fn web(rest: &str) -> Shop {
    let shop = Shop::new();
    shop.write(WEB, &format!("name: web\n{rest}"));
    shop
}

#[test]
fn a_service_without_a_blueprint_says_what_runs_and_how_it_is_asked() {
    let shop = web(
        "image: nginx:1.27\nports: {http: 8080, metrics: 9113}\nhealth: /healthz\nuser: 101\n\
         writable: [/var/cache/nginx, {path: /run, size: 1Gi}]\nargs: [-g, daemon off;]\n\
         needs: [orders]\nenv: {HTTP_ADDR: x}\n",
    );
    let project = shop.load().unwrap();
    let web = &project.services["web"];
    let container = web.container.as_ref().unwrap();
    assert_eq!(web.blueprint.to_string(), "container@1");
    assert_eq!(web.image(&project.workspace), "nginx");
    assert!(!web.has_source());
    assert_eq!(web.ports.named(), [("http", 8080), ("metrics", 9113)]);
    assert_eq!((container.user.id, container.user.group), (101, 101));
    let sizes: Vec<u32> = container.writable.iter().map(|it| it.size).collect();
    assert_eq!(sizes, [64, 1024]);
    let health = Health::Http {
        port: "http".to_owned(),
        path: "/healthz".to_owned(),
        live: None,
    };
    assert_eq!(container.health, health);
}

#[test]
fn what_a_container_is_told_of_a_resource_is_not_said_again() {
    let shop = web(
        "image: nginx:1.27\nports: {http: 8080}\nhealth: /\nuser: 101\nuses: {store: orders-db}\n\
         env: {STORE_HOST: x, STORE_NAME: x, MEMORY_LIMIT_BYTES: \"1\"}\nsecrets: {STORE_PASSWORD: a/b}\n",
    );
    assert_eq!(
        shop.problems(),
        [
            "services/web/service.yaml:7:7 `STORE_HOST` is set by gantline",
            "services/web/service.yaml:8:11 `STORE_PASSWORD` is set by gantline",
        ]
    );
}

#[test]
fn an_existing_dockerfile_is_named_by_its_folder() {
    let shop = web(
        "build: {context: ../../web, dockerfile: docker/Dockerfile, target: app, args: {V: \"1\"}}\n\
         ports: {amqp: 5672}\nhealth: {tcp: amqp}\nuses: {store: {resource: orders-db, owner: true}}\n",
    );
    shop.write("web/docker/Dockerfile", "FROM scratch AS app\n");
    let project = shop.load().unwrap();
    let web = &project.services["web"];
    let container = web.container.as_ref().unwrap();
    let Origin::Build(source) = &container.origin else {
        panic!("{container:?}");
    };
    assert_eq!(source.context, Path::new("web"));
    assert_eq!(source.dockerfile, Path::new("docker/Dockerfile"));
    assert_eq!(source.target.as_deref(), Some("app"));
    assert_eq!(web.ports.called(), Some(("amqp", 5672)));
    assert!(container.owns.contains("store"));
    assert!(web.has_source());
}

#[test]
fn a_dockerfile_that_is_not_there_is_a_fault_of_the_manifest() {
    let shop = web("build: ../../web\nports: {http: 8080}\nhealth: /\n");
    assert_eq!(
        shop.problems(),
        ["services/web/service.yaml:2:8 there is no folder web"]
    );
    shop.write("web/index.html", "");
    assert_eq!(
        shop.problems(),
        ["services/web/service.yaml:2:8 there is no web/Dockerfile"]
    );
    shop.write("web/Dockerfile", "FROM scratch\n");
    assert!(shop.load().is_ok());
}

#[test]
fn a_path_is_exposed_by_one_service() {
    let shop = web("image: nginx:1.27\nports: {http: 8080}\nhealth: /\nexpose: [/, /orders/]\n");
    shop.replace(
        "services/orders/service.yaml",
        "publishes:",
        "expose: [{path: /orders}]\npublishes:",
    );
    assert_eq!(
        shop.problems(),
        ["services/web/service.yaml:5:13 `/orders/` is exposed twice"]
    );
}

#[test]
fn a_service_is_made_from_one_thing() {
    for (rest, expected) in [
        ("", "1:1 nothing says what the service is made from"),
        (
            "image: nginx:1.27\nbuild: .\n",
            "3:1 `image` and `build` cannot stand side by side",
        ),
        (
            "blueprint: container\n",
            "2:12 `container` stands for an image that is not named",
        ),
        (
            "image: nginx\nhealth: {exec: [x]}\n",
            "2:8 `nginx` names no image that stays the same",
        ),
        (
            "build: ../../..\nhealth: {exec: [x]}\n",
            "2:8 `../../..` lies outside the workspace",
        ),
    ] {
        let problems = web(rest).problems();
        assert_eq!(problems, [format!("{WEB}:{expected}")], "{rest}");
    }
}

#[test]
fn what_belongs_to_the_other_kind_of_service_is_refused() {
    let shop = web("image: nginx:1.27\noptions: {entity: x}\nhealth: {exec: [x]}\n");
    let expected = format!("{WEB}:3:1 `options` are for services made from a blueprint");
    assert_eq!(shop.problems(), [expected]);
    let shop = Shop::new();
    shop.replace(
        "services/storefront/service.yaml",
        "needs",
        "health: /\nports: {htpp: 8081}\nneeds",
    );
    assert_eq!(
        shop.problems(),
        [
            "services/storefront/service.yaml:4:1 `health` is for services with `image` or `build`",
            "services/storefront/service.yaml:5:9 unknown key `htpp`",
        ]
    );
}

#[test]
fn how_a_container_is_asked_is_never_guessed() {
    for (rest, expected) in [
        ("", "1:1 the key `health` is missing"),
        ("health: /\n", "3:9 the service has no port `http`"),
        (
            "ports: {http: 8080}\nhealth: {tcp: htpp}\n",
            "4:15 the service has no port `htpp`",
        ),
        (
            "ports: {http: 8080}\nhealth: {path: /, tcp: http}\n",
            "4:1 `health` is one of `path`, `tcp` and `exec`",
        ),
        (
            "ports: {http: 8080}\nhealth: {exec: [x], live: /}\n",
            "4:21 `live` goes with `path`",
        ),
        (
            "ports: {http: 8080, web: 8080}\nhealth: /\n",
            "3:26 `http` and `web` are both port 8080",
        ),
        (
            "health: {exec: [x]}\nwritable: [/a, /tmp, /a, /a/../b]\n",
            "4:16 `/tmp` can be written to already",
        ),
        (
            "health: {exec: [x]}\nexpose: [/]\n",
            "4:1 a service without a port `http` cannot be exposed",
        ),
        (
            "health: {exec: [x]}\nuses: {store: order-db}\n",
            "4:15 there is no resource `order-db`",
        ),
    ] {
        let problems = web(&format!("image: nginx:1.27\n{rest}")).problems();
        assert_eq!(problems[0], format!("{WEB}:{expected}"), "{rest}");
    }
}

#[test]
fn root_and_low_ports_are_refused() {
    let shop = web("image: nginx:1.27\nports: {http: 80}\nhealth: /\nuser: 0\n");
    assert_eq!(
        shop.problems(),
        [
            format!(
                "{WEB}:3:15 `ports.http`: expected a number from 1024 to 65535, found the number 80"
            ),
            format!("{WEB}:5:7 `user`: expected a number from 1 to 2147483647, found the number 0"),
        ]
    );
}

#[test]
fn who_is_called_has_a_port_for_it() {
    let shop = web("image: nginx:1.27\nhealth: {exec: [x]}\n");
    shop.replace(
        "services/storefront/service.yaml",
        "[orders]",
        "[orders, web]",
    );
    assert_eq!(
        shop.problems(),
        ["services/storefront/service.yaml:4:17 `web` cannot be called"]
    );
}

#[test]
fn services_that_wait_for_one_another_are_refused_with_the_whole_circle() {
    let waits = |name: &str, called: &str| {
        format!(
            "name: {name}\nimage: nginx:1.27\nports: {{http: 8080}}\nhealth: /\n\
             needs: [{{service: {called}, wait: true}}]\n"
        )
    };
    let shop = Shop::new();
    for (name, called) in [("a", "b"), ("b", "c"), ("c", "b")] {
        let path = format!("services/{name}/service.yaml");
        shop.write(&path, &waits(name, called));
    }
    assert_eq!(
        shop.problems(),
        [
            "services/b/service.yaml:5:19 these services wait for one another, and none would start: b -> c -> b"
        ]
    );
    let causes = shop.load().unwrap_err().causes().join("\n");
    for cause in [
        "b waits for c",
        "services/b/service.yaml:5",
        "c waits for b",
    ] {
        assert!(causes.contains(cause), "{causes}");
    }
    // A call without waiting closes no circle.
    shop.write(
        "services/c/service.yaml",
        &waits("c", "b").replace(", wait: true", ""),
    );
    shop.load().unwrap();
}
