use super::*;

fn problems(text: &str) -> Vec<String> {
    parse(text)
        .problems
        .into_iter()
        .map(|problem| problem.message)
        .collect()
}

fn written<'a>(text: &'a str, node: &Node) -> &'a str {
    &text[node.span.clone()]
}

#[test]
fn every_value_knows_where_it_stands_even_behind_wide_letters_and_crlf() {
    let text = "# é\r\nname: größe\r\nlist: [1, two]\r\n";
    let root = parse(text).faultless().unwrap();
    let Value::Map(entries) = &root.value else {
        panic!("no map");
    };
    assert_eq!(&text[entries[0].key_span.clone()], "name");
    assert_eq!(written(text, &entries[0].value), "größe");
    let Value::List(items) = &entries[1].value.value else {
        panic!("no list");
    };
    assert_eq!(written(text, &items[1]), "two");
}

#[test]
fn scalars_follow_yaml_1_2() {
    assert_eq!(plain_value("no"), Value::Text("no".to_owned()));
    assert_eq!(plain_value("on"), Value::Text("on".to_owned()));
    assert_eq!(plain_value("1_000"), Value::Text("1_000".to_owned()));
    assert_eq!(plain_value("true"), Value::Boolean(true));
    assert_eq!(plain_value("0x10"), Value::Integer(16));
    assert_eq!(plain_value("-3"), Value::Integer(-3));
    assert_eq!(plain_value("1.5"), Value::Float(1.5));
    assert_eq!(plain_value("nan"), Value::Text("nan".to_owned()));
    assert_eq!(plain_value("~"), Value::Null);
}

#[test]
fn a_key_written_twice_is_found_with_both_places() {
    let text = "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n";
    let found = parse(text).problems;
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].other, Some(10..11));
    assert_eq!(found[1].other, Some(0..1));
}

#[test]
fn the_first_of_equal_keys_is_kept() {
    let root = parse("a: 1\na: 2\nb: &x !!str 3\n").root.unwrap();
    let said = serde_json::json!({"a": 1, "b": "3"});
    assert_eq!(root.to_json(false), said);
}

#[test]
fn a_text_that_refers_to_another_place_of_it_has_no_tree() {
    assert_eq!(parse("a: &x 1\nb: *x\n").root, None);
    assert_eq!(parse("a: {<<: {b: 1}}\n").root, None);
}

#[test]
fn what_our_files_do_not_use_is_refused_in_words() {
    assert_eq!(problems("a: &x 1\nb: *x\n").len(), 2);
    assert!(problems("a: !!str 1\n")[0].contains("tags"));
    assert!(problems("a: {<<: {b: 1}}\n")[0].contains("merge keys"));
    assert!(problems("a: 1\n---\nb: 1\n")[0].contains("second document"));
    assert!(problems("? [a]\n: 1\n")[0].contains("key"));
}

#[test]
fn a_tab_in_the_indentation_is_named() {
    assert!(problems("a:\n\tb: 1\n")[0].contains("tab"));
}

#[test]
fn a_nesting_bomb_ends_at_the_limit() {
    for open in ["[", "{a: ", "- "] {
        let text = open.repeat(200_000);
        assert!(!problems(&text).is_empty(), "{open}");
    }
    assert!(problems(&"[".repeat(60))[0].contains("nested"));
}

#[test]
fn comments_alone_are_no_document() {
    for text in ["", "# nothing\n\n"] {
        let parsed = parse(text);
        assert!(parsed.root.is_none() && parsed.problems.is_empty());
    }
}
