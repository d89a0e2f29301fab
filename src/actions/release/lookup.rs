//! Charts that ask the cluster by `lookup`. Where there is none to ask, Helm gives them an empty answer
//! without a word: a password that is made where none is found would be another one each time.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::model::release::Chart;

/// Bytes of an archive of a dependency that are looked at; Helm's limit for a chart.
const LARGEST: u64 = 100 * 1024 * 1024;

/// Who answers `lookup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookups {
    /// Nobody, so such a chart is refused.
    Refused,
    /// The cluster.
    Answered {
        /// The context through which it is reached; the kubeconfig's current one when `None`.
        context: Option<String>,
    },
}

/// The first file of a chart, or of what it depends on, that uses `lookup`.
pub fn first_use(chart: &Chart, config: &Value) -> Option<String> {
    let files = chart.templates.iter().chain(&chart.files);
    let mut using = files.filter_map(|file| match file.path.ends_with(".tgz") {
        true => first_use_within(&file.path, &file.bytes),
        false => uses(&file.bytes).then(|| file.path.clone()),
    });
    using.next().or_else(|| {
        // Templates may run texts of values by `tpl`.
        let values = [&chart.values, config].into_iter();
        values
            .map(Value::to_string)
            .any(|text| uses(text.as_bytes()))
            .then(|| "a text of its values".to_owned())
    })
}

/// The same of an archive. What cannot be read is left to Helm, which says why.
fn first_use_within(path: &str, archive: &[u8]) -> Option<String> {
    let unpacked = GzDecoder::new(archive).take(LARGEST);
    let mut archive = tar::Archive::new(unpacked);
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let name = entry.path().ok()?.display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).ok()?;
        if uses(&bytes) {
            return Some(format!("{path}: {name}"));
        }
    }
    None
}

/// Whether an action of a text calls `lookup`.
fn uses(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.split("{{").skip(1).any(|rest| {
        let action = rest.split("}}").next().unwrap_or_default();
        let action = action.trim_start_matches(['-', ' ', '\t', '\r', '\n']);
        // What stands behind a dot, a dollar sign or a quotation mark is no call.
        let in_word = |letter: char| letter.is_alphanumeric() || "_.$\"".contains(letter);
        !action.starts_with("/*") && action.split(|it| !in_word(it)).any(|it| it == "lookup")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::release::ChartFile;

    fn chart(path: &str, bytes: Vec<u8>) -> Chart {
        Chart {
            metadata: json!({"name": "orders"}),
            values: json!({}),
            schema: None,
            templates: Vec::new(),
            files: vec![ChartFile {
                path: path.to_owned(),
                bytes,
            }],
        }
    }

    fn archive(path: &str, text: &str) -> Vec<u8> {
        let compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(compressed);
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        archive
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn only_a_call_of_lookup_counts() {
        for (text, expected) in [
            ("{{ lookup \"v1\" \"Secret\" \"a\" \"b\" }}", true),
            (
                "{{- with (lookup \"v1\" \"Secret\" \"a\" \"b\") }}{{ end }}",
                true,
            ),
            ("{{ $x := lookup }}", true),
            ("{{/* lookup */}}", false),
            ("{{- /* lookup */ -}}", false),
            ("{{ .Values.lookup }}{{ $lookup }}", false),
            ("lookup {{ include \"lookup\" . }} lookup", false),
        ] {
            assert_eq!(uses(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn dependencies_and_values_are_looked_through() {
        let text = "{{ lookup \"v1\" \"Secret\" \"a\" \"b\" }}";
        let found = |chart: &Chart| first_use(chart, &json!({}));
        let folder = chart("charts/store/templates/a.yaml", text.into());
        assert_eq!(found(&folder).unwrap(), "charts/store/templates/a.yaml");
        let packed = chart(
            "charts/store-1.tgz",
            archive("store/templates/a.yaml", text),
        );
        let name = "charts/store-1.tgz: store/templates/a.yaml";
        assert_eq!(found(&packed).unwrap(), name);
        let innocent = chart(
            "charts/store-1.tgz",
            archive("store/templates/a.yaml", "{{ .x }}"),
        );
        assert_eq!(found(&innocent), None);
        assert!(first_use(&innocent, &json!({"extra": text})).is_some());
    }
}
