use super::*;

#[test]
fn every_embedded_resource_type_is_read_and_named_as_its_file() {
    let types = resource_types().unwrap();
    for name in ["postgres", "nats"] {
        assert!(types.contains_key(name), "{name}");
    }
    for path in EmbeddedResources::iter() {
        let stem = path.trim_end_matches(".yaml");
        assert!(types.contains_key(stem), "{stem}");
    }
}

#[test]
fn every_embedded_resource_type_fits_its_schema() {
    for document in embedded_resources() {
        resource_file::parse(&document.unwrap()).unwrap();
    }
}

#[test]
fn every_embedded_blueprint_is_read() {
    let names: Vec<String> = blueprints(None)
        .unwrap()
        .into_iter()
        .filter_map(|blueprint| Some(blueprint.reference?.name.to_string()))
        .collect();
    assert!(names.contains(&"go-service".to_owned()), "{names:?}");
    assert!(!names.contains(&"go-base".to_owned()), "{names:?}");
}

#[test]
fn an_unknown_blueprint_is_answered_with_the_nearest() {
    let error = newest(None, "go-servise").unwrap_err();
    assert_eq!(error.hints(), ["Did you mean `go-service`?"]);
}

#[test]
fn a_pinned_blueprint_is_the_one_that_was_embedded() {
    let root = tempfile::tempdir().unwrap();
    let reference = newest(None, "go-service").unwrap();
    let embedded = blueprint(None, &reference).unwrap();
    let files = pins(root.path(), std::slice::from_ref(&reference)).unwrap();
    for (path, file) in &files.files {
        let path = root.path().join(path.as_str());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.bytes).unwrap();
    }
    assert_eq!(files.files.len(), 2);
    assert_eq!(blueprint(Some(root.path()), &reference).unwrap(), embedded);
    assert!(pins(root.path(), &[reference]).unwrap().files.is_empty());
}

#[test]
fn a_pinned_archive_that_was_touched_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let reference = newest(None, "go-service").unwrap();
    let files = pins(root.path(), std::slice::from_ref(&reference)).unwrap();
    for path in files.files.keys() {
        let path = root.path().join(path.as_str());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let content = &files.files[&tree_path(lock_file::PATH).unwrap()];
        fs::write(path, &content.bytes).unwrap();
    }
    let error = blueprint(Some(root.path()), &reference).unwrap_err();
    assert!(error.message().contains("refused"), "{error}");
}
