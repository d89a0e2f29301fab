//! Finds the operation, the response and the media type that an exchange belongs to.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::Document;
use super::node::Node;

/// The methods that a path item may hold (OpenAPI 3.1, "Path Item Object").
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// An operation.
#[derive(Debug, Clone)]
pub(in crate::contract) struct Operation<'a> {
    /// Its `operationId`, or its method and path.
    pub(in crate::contract) name: String,
    /// Its method and path: `POST /orders`.
    pub(in crate::contract) title: String,
    /// What is said of it.
    pub(in crate::contract) node: Node<'a>,
    /// What is said of its path.
    item: Node<'a>,
    /// The values of the path's parameters, when it was found by a path.
    pub(in crate::contract) values: BTreeMap<String, String>,
}

/// Why there is no operation.
#[derive(Debug)]
pub(in crate::contract) enum NotFound<'a> {
    /// No path of the document fits; these are the paths.
    Path(Vec<&'a str>),
    /// The path is there, with other methods.
    Method {
        /// The path as the document has it.
        path: Node<'a>,
        /// The methods that it has, in capitals.
        methods: Vec<String>,
    },
}

impl Document {
    /// The operation of a method and a path; a path without parameters wins over one with.
    ///
    /// # Errors
    /// Why there is none.
    pub(in crate::contract) fn operation(
        &self,
        method: &str,
        path: &str,
    ) -> Result<Operation<'_>, NotFound<'_>> {
        let path = path.split('?').next().unwrap_or_default();
        let mut best: Option<Operation<'_>> = None;
        let mut other: Option<NotFound<'_>> = None;
        let templates = self.templates();
        for (template, item) in &templates {
            let bases = self.bases(item);
            let fits = bases.iter().find_map(|base| {
                let rest = path.strip_prefix(base.as_str())?;
                values_of(template, rest)
            });
            let Some(values) = fits else { continue };
            let Some(node) = item.get(&method.to_ascii_lowercase()) else {
                let methods = methods_of(item);
                other = other.or_else(|| {
                    Some(NotFound::Method {
                        path: item.clone(),
                        methods,
                    })
                });
                continue;
            };
            let fewer = |known: &Operation<'_>| values.len() < known.values.len();
            if best.as_ref().is_none_or(fewer) {
                let mut operation = operation(method, template, item, node);
                operation.values = values;
                best = Some(operation);
            }
        }
        let none = || {
            let known = templates.iter().map(|(template, _)| *template);
            other.unwrap_or(NotFound::Path(known.collect()))
        };
        best.ok_or_else(none)
    }

    /// Every operation, in the document's order.
    pub(in crate::contract) fn operations(&self) -> Vec<Operation<'_>> {
        let mut found = Vec::new();
        for (template, item) in self.templates() {
            for method in METHODS {
                if let Some(node) = item.get(method) {
                    found.push(operation(&method.to_uppercase(), template, &item, node));
                }
            }
        }
        found
    }

    fn templates(&self) -> Vec<(&str, Node<'_>)> {
        let paths = self.root().get("paths");
        let items = paths.iter().flat_map(Node::members);
        items
            .map(|(template, item)| (template, item.resolved()))
            .collect()
    }

    /// What may stand before a path: the paths of its servers, without a final slash, or nothing.
    fn bases(&self, item: &Node<'_>) -> Vec<String> {
        let servers = item
            .get("servers")
            .or_else(|| self.root().get("servers"))
            .map(|servers| servers.items())
            .unwrap_or_default();
        let mut bases: Vec<String> = servers.iter().filter_map(base).collect();
        bases.push(String::new());
        bases
    }
}

/// The path of a server, with the defaults of its variables.
fn base(server: &Node<'_>) -> Option<String> {
    let mut url = server.text("url")?.to_owned();
    for (name, variable) in server.get("variables").iter().flat_map(Node::members) {
        let default = variable.text("default").unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), default);
    }
    let path = url.split_once("://").map_or(url.as_str(), |(_, rest)| {
        rest.find('/').map_or("", |slash| &rest[slash..])
    });
    Some(path.trim_end_matches('/').to_owned())
}

fn operation<'a>(method: &str, template: &str, item: &Node<'a>, node: Node<'a>) -> Operation<'a> {
    let title = format!("{method} {template}");
    Operation {
        name: node.text("operationId").unwrap_or(&title).to_owned(),
        title,
        node,
        item: item.clone(),
        values: BTreeMap::new(),
    }
}

fn methods_of(item: &Node<'_>) -> Vec<String> {
    let methods = METHODS.iter().filter(|method| item.get(method).is_some());
    methods.map(|method| method.to_uppercase()).collect()
}

impl<'a> Operation<'a> {
    /// The statuses that it answers.
    pub(in crate::contract) fn statuses(&self) -> Vec<String> {
        let responses = self.node.get("responses");
        let members = responses.iter().flat_map(Node::members);
        members.map(|(status, _)| status.to_owned()).collect()
    }

    /// The response of a status: the status itself, its range, or the default.
    pub(in crate::contract) fn response(&self, status: u16) -> Option<Node<'a>> {
        let responses = self.node.get("responses")?;
        responses
            .get(&status.to_string())
            .or_else(|| responses.get(&format!("{}XX", status / 100)))
            .or_else(|| responses.get("default"))
            .map(|response| response.resolved())
    }

    /// What is said of it elsewhere than in this document, or nowhere: its parameters, its body and
    /// its response of a status, whose references lead to nothing that could be read.
    pub(in crate::contract) fn unread(&self, status: u16) -> Vec<Node<'a>> {
        let lists = [self.node.get("parameters"), self.item.get("parameters")];
        let parameters = lists.iter().flatten().flat_map(Node::items);
        let parameters = parameters.map(|parameter| parameter.resolved());
        let all = parameters
            .chain(self.request_body())
            .chain(self.response(status));
        all.filter(|node| node.text("$ref").is_some()).collect()
    }

    /// The body that it takes.
    pub(in crate::contract) fn request_body(&self) -> Option<Node<'a>> {
        Some(self.node.get("requestBody")?.resolved())
    }

    /// Its parameters; its own win over those of its path.
    pub(in crate::contract) fn parameters(&self) -> Vec<Node<'a>> {
        let mut found: Vec<Node<'a>> = Vec::new();
        let lists = [self.node.get("parameters"), self.item.get("parameters")];
        for parameter in lists.iter().flatten().flat_map(Node::items) {
            let parameter = parameter.resolved();
            let same = |known: &Node<'_>| {
                known.text("name") == parameter.text("name")
                    && known.text("in") == parameter.text("in")
            };
            if !found.iter().any(same) {
                found.push(parameter);
            }
        }
        found
    }
}

/// The values of a template's parameters when it fits the path.
fn values_of(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let wanted: Vec<&str> = template.split('/').collect();
    let given: Vec<&str> = path.split('/').collect();
    if wanted.len() != given.len() {
        return None;
    }
    let mut values = BTreeMap::new();
    for (wanted, given) in wanted.into_iter().zip(given) {
        fit_segment(wanted, given, &mut values)?;
    }
    Some(values)
}

/// Fits `{name}.{kind}` to `report.pdf`: each parameter ends where the text after it begins.
fn fit_segment(template: &str, text: &str, values: &mut BTreeMap<String, String>) -> Option<()> {
    let Some((before, rest)) = template.split_once('{') else {
        return (decoded(template) == decoded(text)).then_some(());
    };
    let text = text.strip_prefix(before)?;
    let (name, after) = rest.split_once('}')?;
    let next = after.split('{').next().unwrap_or_default();
    let end = match next.is_empty() {
        true => text.len(),
        false if next.len() == after.len() => text.len().checked_sub(next.len())?,
        false => text.find(next)?,
    };
    let value = text.get(..end).filter(|value| !value.is_empty())?;
    values.insert(name.to_owned(), decoded(value));
    match next.is_empty() {
        true => Some(()),
        false => fit_segment(after, &text[end..], values),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The most exact media range of a `content` map that a media type is in.
pub(in crate::contract) fn media_of<'a>(
    content: &Node<'a>,
    kind: &str,
) -> Option<(&'a str, Node<'a>)> {
    if kind.is_empty() {
        return None;
    }
    let main = kind.split('/').next().unwrap_or_default();
    let ranges = [kind.to_owned(), format!("{main}/*"), "*/*".to_owned()];
    let members = content.members();
    ranges.iter().find_map(|range| {
        members.iter().find_map(|(name, media)| {
            let essence = name.split(';').next().unwrap_or_default();
            let same = essence.trim().eq_ignore_ascii_case(range);
            same.then(|| (*name, media.clone()))
        })
    })
}
