//! The operations of an OpenAPI document.

use std::collections::BTreeMap;

use serde_yaml::Value;

/// The methods that a path item may hold (OpenAPI 3.1, "Path Item Object").
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Why a text is no OpenAPI document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is no YAML.
    #[error("it is no YAML")]
    Syntax(#[from] serde_yaml::Error),
    /// It is something else.
    #[error("it has no `openapi: 3...` and `paths`")]
    NotOpenApi,
}

/// The operations of a document by operationId, each as `POST /orders`.
///
/// # Errors
/// When it is no OpenAPI 3 document.
pub fn operations(document: &str) -> Result<BTreeMap<String, String>, DocumentError> {
    let document: Value = serde_yaml::from_str(document)?;
    let version = document.get("openapi").and_then(Value::as_str);
    let paths = document.get("paths").and_then(Value::as_mapping);
    let (Some(paths), true) = (paths, version.is_some_and(|text| text.starts_with("3."))) else {
        return Err(DocumentError::NotOpenApi);
    };
    let mut operations = BTreeMap::new();
    for (path, item) in paths {
        for method in METHODS {
            let id = item
                .get(method)
                .and_then(|operation| operation.get("operationId"));
            if let (Some(path), Some(id)) = (path.as_str(), id.and_then(Value::as_str)) {
                let shown = format!("{} {path}", method.to_uppercase());
                operations.insert(id.to_owned(), shown);
            }
        }
    }
    Ok(operations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_found_by_their_id() {
        let document = "openapi: 3.1.0\npaths:\n  /orders:\n    summary: x\n    get: {operationId: listOrders}\n    post: {operationId: createOrder}\n";
        let found = operations(document).unwrap();
        assert_eq!(found["createOrder"], "POST /orders");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in [
            "",
            "a: b",
            "swagger: \"2.0\"\npaths: {}",
            "openapi: 3.1.0",
            "{",
        ] {
            assert!(operations(text).is_err(), "{text}");
        }
    }
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::damaged::damaged_json;

    /// What means something in a document.
    const WORDS: &[&str] = &[
        "openapi",
        "3.1.0",
        "paths",
        "/orders",
        "get",
        "operationId",
        "",
    ];

    proptest! {
        #[test]
        fn no_document_makes_who_lists_its_operations_panic(
            document in damaged_json(
                json!({
                    "openapi": "3.1.0",
                    "paths": {"/orders": {"summary": "x", "get": {"operationId": "list"}}}
                }),
                WORDS,
            ),
            text in "[a-c:{}\\[\\]\"'&*! \\n-]{0,60}",
        ) {
            // JSON is YAML.
            let _ = operations(&document.to_string());
            let _ = operations(&text);
            let _ = operations(&format!("openapi: 3.1.0\npaths:\n  /a: {text}\n"));
        }
    }
}
