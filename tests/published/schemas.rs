//! Documents against the schemas that are published in docs/schemas/v1.

use serde_json::Value;

/// Fails unless a document has this published schema.
pub fn assert_valid(name: &str, document: &Value) {
    let path = format!("{}/docs/schemas/v1/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{document:#}");
}

/// Fails unless every line of a stderr is an event, or the error at the end.
pub fn assert_events(stderr: &str) {
    for line in stderr.lines() {
        let event: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}\n{stderr}"));
        let name = match event.get("error") {
            Some(_) => "error",
            None => "event",
        };
        assert_valid(name, &event);
    }
}
