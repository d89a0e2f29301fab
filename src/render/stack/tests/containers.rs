use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::container::{Container, Health, ImageName, Origin, User, VendorImage};
use crate::model::stack::ContainerImage;

fn container(health: Health) -> Container {
    Container {
        origin: Origin::Image(VendorImage {
            name: ImageName::parse("nginx:1.27").unwrap(),
            pull_secrets: Vec::new(),
        }),
        command: Vec::new(),
        args: vec!["serve".to_owned()],
        user: User {
            id: 101,
            group: 102,
        },
        writable: Vec::new(),
        health,
        owns: BTreeSet::new(),
    }
}

#[test]
fn a_service_without_a_blueprint_runs_as_it_is() {
    let mut case = Case::new();
    let mut web = service("web");
    web.ports = Ports {
        others: BTreeMap::from([("amqp".to_owned(), 5672)]),
        ..Ports::default()
    };
    web.container = Some(container(Health::Tcp {
        port: "amqp".to_owned(),
    }));
    web.uses.insert("store".to_owned(), name("orders-db"));
    web.needs.push(Need {
        service: name("orders"),
        wait: true,
    });
    let mut caller = service("caller");
    caller.needs.push(Need {
        service: name("web"),
        wait: false,
    });
    for service in [web, caller] {
        case.project.services.insert(service.name.clone(), service);
    }
    let spec = case.stack().unwrap();
    assert!(spec.jobs.iter().all(|job| job.name != "web-migrate"));
    let find = |name: &str| spec.services.iter().find(|it| it.name == name).unwrap();
    let web = find("web");
    let Program::Container(program) = &web.program else {
        panic!("{:?}", web.program);
    };
    assert_eq!(
        program.image,
        ContainerImage::Named("nginx:1.27".to_owned())
    );
    assert_eq!((program.user.id, program.user.group), (101, 102));
    assert!(web.after.contains(&"orders".to_owned()));
    assert!(web.environment.contains_key("STORE_URI"));
    let endpoint = &web.endpoints[0];
    assert_eq!(
        (endpoint.name.as_str(), &endpoint.variable),
        ("amqp", &None)
    );
    let ready = web.ready.as_ref().map(|it| &it.check);
    let port = "amqp".to_owned();
    assert_eq!(ready, Some(&ReadyCheck::Tcp { port }));
    let address = Address {
        host: "web".to_owned(),
        port: 5672,
    };
    let endpoints = BTreeMap::from([("amqp".to_owned(), address)]);
    let addresses = Addresses(BTreeMap::from([("web".to_owned(), endpoints)]));
    let url = find("caller").environment["WEB_URL"].resolve(&addresses);
    assert_eq!(url.as_deref(), Some("amqp://web:5672"));
}
