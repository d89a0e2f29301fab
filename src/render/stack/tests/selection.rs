//! Some of the services.

use super::*;

#[test]
fn what_is_selected_comes_with_what_it_needs_and_no_more() {
    let spec = Case::new().select(&["storefront"]).stack().unwrap();
    assert_eq!(names(&spec.services), ["orders", "storefront"]);
    assert_eq!(names(&spec.jobs), ["orders-migrate"]);
    assert_eq!(names(&spec.servers), ["nats-2-12", "postgres-17"]);
}

#[test]
fn a_server_is_the_same_whatever_is_selected() {
    let all = Case::new().stack().unwrap();
    let some = Case::new().select(&["orders"]).stack().unwrap();
    assert_eq!(all.servers, some.servers);
}

#[test]
fn an_unknown_service_is_refused_with_those_that_exist() {
    let error = Case::new().select(&["order"]).stack().unwrap_err();
    assert_eq!(error.message(), "there is no service `order`");
    assert_eq!(error.hints(), ["Did you mean `orders`?"]);
}

#[test]
fn a_resource_in_place_of_a_service_is_refused_with_the_services_that_use_it() {
    let error = Case::new().select(&["orders-db"]).stack().unwrap_err();
    assert_eq!(error.message(), "`orders-db` is a resource, not a service");
    assert_eq!(error.hints(), ["Name a service that uses it: `orders`"]);
}
