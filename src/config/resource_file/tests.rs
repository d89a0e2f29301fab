use std::path::Path;

use super::*;

#[test]
fn the_newest_version_comes_first_by_number() {
    let text = concat!(
        "type: x\nsummary: X\nsupport: compiled\nport: 1\nready: {sql: select 1}\n",
        "exports: {uri: x}\n",
        "versions: {\"9\": {image: \"x:9\"}, \"17\": {image: \"x:17\"}, \"2.12\": {image: \"x:2\"}}\n"
    );
    let document = Document::parse(Path::new("x.yaml"), text.as_bytes()).unwrap();
    let versions: Vec<String> = parse(&document)
        .unwrap()
        .versions
        .into_iter()
        .map(|version| version.version)
        .collect();
    assert_eq!(versions, ["17", "9", "2.12"]);
}
