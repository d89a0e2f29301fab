use std::path::Path;

use serde_json::json;

use super::read_chart;

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn a_chart_is_read_as_helm_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("Chart.yaml", "name: orders\nversion: 0.1.0\n"),
            ("values.yaml", "mode: 0440\non: yes\n"),
            ("values.schema.json", "{}"),
            ("templates/a.yaml", "a"),
            ("templates/tests/b.yaml", "b"),
            ("templates/.hidden", "x"),
            (".helmignore", "*.bak\n"),
            ("config/c.txt", "c"),
            ("config/c.bak", "old"),
        ],
    );
    let chart = read_chart(folder.path()).unwrap();
    assert_eq!(chart.text("name"), "orders");
    assert_eq!(chart.values, json!({"mode": 288, "true": true}));
    let paths = |files: &[crate::model::release::ChartFile]| -> Vec<String> {
        files.iter().map(|file| file.path.clone()).collect()
    };
    assert_eq!(
        paths(&chart.templates),
        ["templates/a.yaml", "templates/tests/b.yaml"]
    );
    assert_eq!(paths(&chart.files), [".helmignore", "config/c.txt"]);
}

#[test]
fn a_chart_that_is_none_or_leads_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_chart(folder.path()).unwrap_err();
    assert_eq!(error.kind().exit_code(), 4);
    write(
        folder.path(),
        &[("Chart.yaml", "name: orders\n"), ("values.yaml", "a: [\n")],
    );
    let error = read_chart(folder.path()).unwrap_err();
    assert!(error.place().is_some(), "{error:?}");
    write(folder.path(), &[("values.yaml", "")]);
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("link")).unwrap();
    let error = read_chart(folder.path()).unwrap_err();
    assert!(error.message().contains("neither"), "{error}");
}
