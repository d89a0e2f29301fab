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

/// Names that Kubernetes and Helm, which read YAML 1.1, take for something else than a text. They
/// stand in every file of a chart.
const NO_TEXTS: [&str; 9] = ["false", "n", "no", "null", "off", "on", "true", "y", "yes"];

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
    let taken = whole.or(beginning).or(ending).map(|(_, reason)| *reason);
    taken.or_else(|| no_text_reason(name))
}

/// Why a chart cannot hold a name; `None` when it can.
pub fn no_text_reason(name: &Name) -> Option<&'static str> {
    NO_TEXTS
        .contains(&name.as_str())
        .then_some("Kubernetes and Helm read YAML 1.1, where it is no text")
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
    use crate::model::kubernetes_yaml::read;

    #[test]
    fn no_word_of_yaml_is_the_name_of_a_chart() {
        for text in ["y", "yes", "on", "true", "n", "no", "off", "false", "null"] {
            assert_ne!(read(text), Ok(text.into()), "{text}");
            assert!(
                no_text_reason(&Name::new(text).unwrap()).is_some(),
                "{text}"
            );
        }
        for text in ["nan", "inf", "none", "nil", "e1", "x0", "nope"] {
            assert_eq!(read(text), Ok(text.into()), "{text}");
            assert!(
                no_text_reason(&Name::new(text).unwrap()).is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn names_that_mean_something_already_are_taken() {
        let name = |text: &str| Name::new(text).unwrap();
        for text in ["gantline", "kube-dns", "orders-migrate", "localhost", "no"] {
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

#[cfg(test)]
mod properties {
    use proptest::{prop_assert_eq, proptest};

    use super::*;
    use crate::model::kubernetes_yaml::read;

    proptest! {
        #[test]
        fn what_kubernetes_reads_as_no_text_is_no_name_of_a_chart(text in "[a-z][a-z0-9-]{0,5}") {
            if let Ok(name) = Name::new(text.as_str()) {
                let is_text = read(&text) == Ok(text.as_str().into());
                prop_assert_eq!(is_text, no_text_reason(&name).is_none());
            }
        }
    }
}
