//! Names in templates and in paths: every form that a name takes in generated code.

use serde_json::{Map, Value, json};

use crate::model::name::Name;

/// A name and its plural in every form, as templates see it: `entity.pascal`, `entity.plural.snake`.
pub fn forms(name: &Name) -> Map<String, Value> {
    let mut forms = single_forms(name);
    forms.insert(
        "plural".to_owned(),
        Value::Object(single_forms(&name.plural())),
    );
    forms
}

/// The beginning of a name printed without a form, which is never what a template means.
pub const PRINTED_WITHOUT_FORM: &str = "{\"kebab\": \"";

fn single_forms(name: &Name) -> Map<String, Value> {
    let mut forms = Map::new();
    forms.insert("kebab".to_owned(), json!(name.as_str()));
    forms.insert("snake".to_owned(), json!(name.snake()));
    forms.insert("package".to_owned(), json!(name.package()));
    forms.insert("camel".to_owned(), json!(name.camel()));
    forms.insert("pascal".to_owned(), json!(name.pascal()));
    forms.insert("words".to_owned(), json!(name.words()));
    forms.insert("env".to_owned(), json!(name.env()));
    forms
}

/// Why a path of a blueprint cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A brace without its partner.
    #[error("`{0}` has a brace without its partner")]
    Unbalanced(String),
    /// A name that is not declared for paths.
    #[error("`{{{0}}}` names nothing: a path may hold {1}")]
    UnknownName(String, String),
    /// A form that names do not have.
    #[error(
        "`{{{0}}}` asks for a form that names do not have: kebab, snake, package, camel, pascal, words, env, or the same after `plural.`"
    )]
    UnknownForm(String),
}

/// The names that a path may hold in braces.
pub const NAMES_IN_PATHS: [&str; 5] = ["service", "entity", "peer", "event", "provider"];

/// A path with its names in braces replaced: `internal/{entity.package}/{entity.snake}.go`.
///
/// A name without a form stands for its kebab case.
///
/// # Errors
/// [`PathError`] when a brace, a name or a form is wrong.
pub fn render_path(path: &str, context: &Map<String, Value>) -> Result<String, PathError> {
    let mut rendered = String::new();
    let mut rest = path;
    while let Some(at) = rest.find(['{', '}']) {
        rendered.push_str(&rest[..at]);
        let inner = rest[at..]
            .strip_prefix('{')
            .and_then(|after| after.split_once('}'));
        let Some((reference, after)) = inner else {
            return Err(PathError::Unbalanced(path.to_owned()));
        };
        rendered.push_str(resolve(reference, context)?);
        rest = after;
    }
    rendered.push_str(rest);
    Ok(rendered)
}

fn resolve<'a>(reference: &str, context: &'a Map<String, Value>) -> Result<&'a str, PathError> {
    let (name, form) = reference.split_once('.').unwrap_or((reference, "kebab"));
    let known = NAMES_IN_PATHS.contains(&name);
    let Some(Value::Object(forms)) = context.get(name).filter(|_| known) else {
        let declared: Vec<_> = NAMES_IN_PATHS
            .into_iter()
            .filter(|name| context.contains_key(*name))
            .map(|name| format!("{{{name}}}"))
            .collect();
        return Err(PathError::UnknownName(
            reference.to_owned(),
            declared.join(", "),
        ));
    };
    let (forms, form) = match form.strip_prefix("plural.") {
        Some(form) => (forms.get("plural").and_then(Value::as_object), form),
        None => (Some(forms), form),
    };
    forms
        .and_then(|forms| forms.get(form))
        .filter(|_| form != "plural")
        .and_then(Value::as_str)
        .ok_or_else(|| PathError::UnknownForm(reference.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Map<String, Value> {
        let mut context = Map::new();
        for (key, name) in [("service", "order-desk"), ("entity", "order-line")] {
            let name = Name::new(name).unwrap();
            context.insert(key.to_owned(), Value::Object(forms(&name)));
        }
        context.insert("module".to_owned(), json!("github.com/acme/shop"));
        context
    }

    #[test]
    fn a_path_holds_names_in_any_form() {
        let render = |path| render_path(path, &context()).unwrap();
        assert_eq!(render("cmd/{service}/main.go"), "cmd/order-desk/main.go");
        assert_eq!(
            render("internal/{entity.package}/{entity.plural.snake}.go"),
            "internal/orderline/order_lines.go"
        );
        assert_eq!(render("Makefile"), "Makefile");
    }

    #[test]
    fn a_path_holds_nothing_but_declared_names() {
        let fails = |path| render_path(path, &context()).unwrap_err();
        assert!(matches!(fails("{module}/x"), PathError::UnknownName(..)));
        assert!(matches!(fails("{peer}/x"), PathError::UnknownName(..)));
        assert!(matches!(fails("{entity.title}"), PathError::UnknownForm(_)));
        assert!(matches!(
            fails("{entity.plural}"),
            PathError::UnknownForm(_)
        ));
        assert!(matches!(fails("a{entity"), PathError::Unbalanced(_)));
        assert!(matches!(fails("a}b"), PathError::Unbalanced(_)));
    }
}
