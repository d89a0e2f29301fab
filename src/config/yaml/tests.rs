use proptest::prelude::*;

use super::*;
use crate::config::service_file::ServiceFile;

fn error_of(bytes: &[u8]) -> Error {
    Document::parse(Path::new("gantline.yaml"), bytes).expect_err("should be refused")
}

#[test]
fn a_text_that_is_no_utf_8_is_refused_with_its_place() {
    let error = error_of(b"name: shop\nowner: \xff\n");
    assert!(error.message().contains("no UTF-8"));
    assert_eq!(error.place().unwrap().to_string(), "gantline.yaml:2:8");
    assert!(error_of(b"\xff\xfen\0").message().contains("UTF-16"));
    assert!(error_of(b"name: a\0b\n").message().contains("zero byte"));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let document = Document::parse(Path::new("x.yaml"), b"\xef\xbb\xbfname: shop\n").unwrap();
    assert_eq!(document.text_at(&["name"]), Some("shop"));
    assert_eq!(document.key_place(&["name"]).column, 1);
}

#[test]
fn an_empty_file_is_said_to_be_empty() {
    assert!(error_of(b"").message().ends_with("is empty"));
    assert!(error_of(b"# later\n").message().ends_with("is empty"));
}

#[test]
fn both_places_of_a_duplicate_key_are_named() {
    let document = Document::parse(Path::new("gantline.yaml"), b"name: a\nname: b\n");
    let error = document.unwrap().faultless().unwrap_err();
    assert_eq!(error.place().unwrap().line, 2);
    assert_eq!(error.causes(), ["it is first written at gantline.yaml:1:1"]);
}

#[test]
fn a_duplicate_key_hides_no_other_problem_of_the_file() {
    let text = "blueprnt: go-service\nname: orders\nname: order\nneeds: x\n";
    let document = Document::parse(Path::new("service.yaml"), text.as_bytes()).unwrap();
    let error = document.decode::<ServiceFile>().unwrap_err();
    let related = error.related().iter();
    let found: Vec<(usize, &str)> = related
        .map(|problem| (problem.place().unwrap().line, problem.message()))
        .collect();
    assert_eq!(
        found,
        [
            (1, "unknown key `blueprnt`"),
            (3, "the key `name` is written twice"),
            (4, "`needs`: expected a list, found the text `x`"),
        ]
    );
    assert!(document.faultless().is_err());
}

#[test]
fn both_files_of_a_document_tell_their_problems() {
    let parse = |file: &str, text: &str| Document::parse(Path::new(file), text.as_bytes());
    let manifest = parse("service.yaml", "name: orders\nname: order\n").unwrap();
    let mut over = parse("service.staging.yaml", "env: {A: a, A: b}\n").unwrap();
    over.refuse(vec![Error::invalid("refused").at(over.place(&["env"]))]);
    let error = manifest.overlaid(over).decode::<ServiceFile>().unwrap_err();
    assert_eq!(error.related().len(), 3, "{:?}", error.related());
}

#[test]
fn a_file_of_ten_megabytes_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gantline.yaml");
    std::fs::write(&path, vec![b'a'; 10 * 1024 * 1024]).unwrap();
    assert!(
        Document::read(&path)
            .unwrap_err()
            .message()
            .contains("larger than")
    );
}

#[test]
fn an_api_document_may_be_larger_and_deeper_than_a_file_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openapi.yaml");
    let deep = format!("{}a{}", "[".repeat(40), "]".repeat(40));
    std::fs::write(&path, format!("a: {deep}\n{}", "# long\n".repeat(200_000))).unwrap();
    assert!(Document::read_api(&path).unwrap().faultless().is_ok());
    assert!(Document::read(&path).is_err());
    std::fs::write(&path, vec![b'#'; (16 << 20) + 1]).unwrap();
    let error = Document::read_api(&path).unwrap_err();
    assert!(error.message().ends_with("larger than 16777216 bytes"));
    assert!(error.hints()[0].contains("long examples"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Document::parse(Path::new("x.yaml"), &bytes);
    }

    #[test]
    fn texts_that_look_like_yaml_never_panic(
        text in "[ \\n\\t\\r:{}\\[\\],&*!|>'\"#%@a-c0-9?<~.\u{e9}\u{feff}\u{85}-]{0,120}"
    ) {
        if let Ok(document) = Document::parse(Path::new("x.yaml"), text.as_bytes()) {
            let _ = document.place(&["a", "b"]);
            let _ = document.root().to_json(true);
        }
    }
}
