//! How a parameter's value is written (OpenAPI 3.1, "Style Values").

use serde_json::Value;

use super::{Parameter, Subject};

impl Parameter<'_> {
    pub(super) fn style(&self) -> &str {
        self.node.text("style").unwrap_or(match self.subject {
            Subject::QueryParameter | Subject::Cookie => "form",
            _ => "simple",
        })
    }

    pub(super) fn is_exploded(&self) -> bool {
        match self.node.get("explode") {
            Some(explode) => explode.value == &Value::Bool(true),
            None => self.style() == "form",
        }
    }

    /// The items of a list, as the parameter's style writes them.
    pub(super) fn items(&self, texts: &[String]) -> Vec<String> {
        if texts.len() > 1 {
            return texts.to_vec();
        }
        let separator = match self.style() {
            "spaceDelimited" => ' ',
            "pipeDelimited" => '|',
            "form" if self.is_exploded() => return texts.to_vec(),
            _ => ',',
        };
        let text = texts.first().map(String::as_str).unwrap_or_default();
        text.split(separator)
            .map(|item| item.trim().to_owned())
            .collect()
    }

    /// The texts of a path's value, without what its style puts before them: `.5`, `;id=5`.
    pub(super) fn texts_of_path(&self, value: &str) -> Vec<String> {
        let own = |text: &str| text.to_owned();
        match self.style() {
            "label" => {
                let bare = value.strip_prefix('.').unwrap_or(value);
                match self.is_exploded() {
                    true => bare.split('.').map(own).collect(),
                    false => vec![own(bare)],
                }
            }
            "matrix" => {
                let prefix = format!("{}=", self.name);
                let bare = value.strip_prefix(';').unwrap_or(value).split(';');
                bare.map(|it| own(it.strip_prefix(&prefix).unwrap_or(it)))
                    .collect()
            }
            _ => vec![own(value)],
        }
    }
}
