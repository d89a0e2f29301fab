//! Services that expose paths where an environment says too little for a route to be made.

use super::SpecRequest;
use crate::config::environment::FOLDER;
use crate::model::environment::Environment;

/// Warns of paths that nobody reaches: a route needs a host and a Gateway.
pub fn warn(request: &SpecRequest<'_>) {
    let Some(missing) = missing(request.environment) else {
        return;
    };
    let services = request.services.iter();
    let services = services.filter_map(|name| request.project.services.get(name));
    for service in services.filter(|service| !service.expose.is_empty()) {
        let paths: Vec<&str> = service.expose.iter().map(|it| it.path.as_str()).collect();
        request.events.warn(format!(
            "{} exposes {}, which nobody reaches: {FOLDER}/{}.yaml has no {}. Add {}",
            service.name,
            paths.join(", "),
            request.environment.name,
            missing.keys,
            missing.lines
        ));
    }
}

/// What an environment lacks for routes.
struct Missing {
    keys: &'static str,
    lines: &'static str,
}

fn missing(environment: &Environment) -> Option<Missing> {
    let (keys, lines) = match (&environment.domain, &environment.gateway) {
        (Some(_), Some(_)) => return None,
        (None, Some(_)) => ("`domain`", "`domain: HOST`"),
        (Some(_), None) => ("`gateway`", "`gateway: NAME`"),
        (None, None) => (
            "`domain` and no `gateway`",
            "`domain: HOST` and `gateway: NAME`",
        ),
    };
    Some(Missing { keys, lines })
}
