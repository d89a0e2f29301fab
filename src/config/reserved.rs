//! Names that mean something already.

use crate::error::Error;
use crate::model::name::Name;

/// Names that no service, resource or workspace may have, and why.
const RESERVED: [(&str, &str); 12] = [
    ("all", "commands read it as every service"),
    ("base", "gantline keeps what it generated under it"),
    (
        "default",
        "Kubernetes has a namespace and a service account of this name",
    ),
    ("gantline", "it is this program"),
    ("gateway", "environments call their gateway so"),
    (
        "internal",
        "Go lets nobody outside import a folder of this name",
    ),
    ("kubernetes", "every cluster has a service of this name"),
    ("localhost", "it is the machine itself"),
    ("main", "Go gives it to the package of a program"),
    ("test", "Go gives it to binaries of tests"),
    ("testdata", "Go leaves out a folder of this name"),
    (
        "vendor",
        "Go keeps copies of modules in a folder of this name",
    ),
];

/// Beginnings that are taken.
const RESERVED_BEGINNINGS: [(&str, &str); 2] = [
    ("kube-", "Kubernetes uses names that begin so"),
    ("gantline-", "gantline names its own things so"),
];

/// Endings that are taken.
const RESERVED_ENDINGS: [(&str, &str); 1] = [(
    "-migrate",
    "the job that migrates a service's database is called so",
)];

/// Why a name is taken; `None` when it is free.
pub fn reason(name: &Name) -> Option<&'static str> {
    let text = name.as_str();
    let whole = RESERVED.iter().find(|(word, _)| *word == text);
    let beginning = RESERVED_BEGINNINGS
        .iter()
        .find(|(word, _)| text.starts_with(word));
    let ending = RESERVED_ENDINGS
        .iter()
        .find(|(word, _)| text.ends_with(word));
    whole.or(beginning).or(ending).map(|(_, reason)| *reason)
}

/// Why a service may not have this name: reserved, or what the local stack calls a server of a
/// resource type (`postgres-17`).
pub fn service_reason<'a>(
    name: &Name,
    resource_types: impl IntoIterator<Item = &'a Name>,
) -> Option<String> {
    if let Some(reason) = reason(name) {
        return Some(reason.to_owned());
    }
    let text = name.as_str();
    resource_types.into_iter().find_map(|kind| {
        let rest = text.strip_prefix(kind.as_str())?;
        let is_server = rest.is_empty()
            || rest.strip_prefix('-').is_some_and(|version| {
                version
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'-')
            });
        is_server.then(|| format!("servers of the resource type {kind} are called so"))
    })
}

/// The error of a reserved name.
pub fn refused(name: &Name, reason: impl Into<String>) -> Error {
    Error::invalid(format!("the name `{name}` is reserved"))
        .since(reason)
        .hint("Choose another name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_something_already_are_taken() {
        let name = |text: &str| Name::new(text).unwrap();
        for text in ["gantline", "kube-dns", "orders-migrate", "localhost"] {
            assert!(reason(&name(text)).is_some(), "{text}");
        }
        let types = [name("postgres"), name("nats")];
        for text in ["postgres", "postgres-17", "nats-2-12"] {
            assert!(service_reason(&name(text), &types).is_some(), "{text}");
        }
        for text in ["orders", "postgres-proxy", "kubernetes-operator"] {
            assert!(service_reason(&name(text), &types).is_none(), "{text}");
        }
    }
}
