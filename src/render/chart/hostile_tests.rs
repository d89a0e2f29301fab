//! Charts that would never end, or fill the memory.

use serde_json::json;

use super::render;
use super::tests::{chart, complaint, input, try_render};
use crate::error::Error;

#[test]
fn hostile_charts_end() {
    let recursion = "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}";
    assert!(complaint(recursion).message().contains("deeper"));
    let loops = "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}";
    assert!(complaint(loops).message().contains("steps"));
    let large = "{{ range until 1000 }}{{ repeat 1000000 \"x\" }}{{ end }}";
    assert!(complaint(large).message().contains("steps"));
    let circle = "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ toYaml $d }}";
    assert!(complaint(circle).message().contains("nested"));
    let circle = "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d }}";
    let _ = try_render(&[("x.yaml", circle)], &json!({}));
    let deep = format!("{}x{}", "{{ if 1 }}".repeat(500), "{{ end }}".repeat(500));
    assert!(complaint(&deep).message().contains("depth"));
    let both = format!(
        "{{{{ define \"x\" }}}}{}{{{{ include \"x\" . }}}}{}{{{{ end }}}}{{{{ include \"x\" . }}}}",
        "{{ if 1 }}".repeat(90),
        "{{ end }}".repeat(90)
    );
    assert!(complaint(&both).message().contains("deeper"));
}

#[test]
fn charts_that_double_something_end() {
    let tree = "{{ define \"a\" }}{{ if lt . 60 }}{{ $x := include \"a\" (add1 .) }}\
        {{ $x = include \"a\" (add1 .) }}{{ end }}{{ end }}{{ include \"a\" 0 }}";
    assert!(complaint(tree).message().contains("steps"), "{tree}");
    for doubled in [
        "print $x $x",
        "printf \"%s%s\" $x $x",
        "cat $x $x",
        "join $x (list $x $x $x)",
        "replace \"0\" $x $x",
        "regexReplaceAll \"0\" $x $x",
        "tpl (print $x $x) $",
    ] {
        let template = format!(
            "{{{{ $x := \"0123456789\" }}}}{{{{ range until 60 }}}}{{{{ $x = {doubled} }}}}{{{{ end }}}}"
        );
        let error = complaint(&template);
        let says = |words: &str| error.message().contains(words);
        assert!(says("steps") || says("more than"), "{doubled}: {error}");
    }
    let list = "{{ $x := list 1 }}{{ range until 60 }}{{ $x = concat $x $x }}{{ end }}";
    assert!(complaint(list).message().contains("steps"), "{list}");
    for looks in [
        "toJson $x",
        "toYaml $x",
        "print $x",
        "dict $x 1",
        "deepCopy $x",
        "deepEqual $x $y",
        "has $y (list $x)",
        "sortAlpha $x",
        "merge (dict \"a\" (dict \"b\" 1)) (dict \"a\" $z)",
    ] {
        let template = format!(
            "{{{{ $x := list 1 }}}}{{{{ $y := list 1 }}}}{{{{ $z := dict }}}}{{{{ range until 90 }}}}\
             {{{{ $x = list $x $x }}}}{{{{ $y = list $y $y }}}}{{{{ $z = dict \"b\" $z \"c\" $z }}}}\
             {{{{ end }}}}{{{{ $_ := {looks} }}}}"
        );
        let error = complaint(&template);
        assert!(error.message().contains("steps"), "{looks}: {error}");
    }
    let printed = "{{ $x := list 1 }}{{ range until 90 }}{{ $x = list $x $x }}{{ end }}{{ $x }}";
    assert!(complaint(printed).message().contains("steps"), "{printed}");
}

#[test]
fn what_large_charts_do_is_within_the_budget() {
    let template = "{{ range $i := until 2000 }}{{ $d := dict \"root\" $ \"i\" $i }}\
        {{ include \"x\" $d | nindent 4 }}{{ end }}{{ define \"x\" }}{{ with .root.Values }}\
        {{ toYaml . }}{{ printf \"%s-%d\" $.root.Release.Name $.i | quote }}{{ end }}{{ end }}";
    let rendered = try_render(&[("NOTES.txt", template)], &json!({}));
    assert!(rendered.unwrap().notes.contains("orders-1999"));
    let file =
        "{{ range until 4 }}{{ $.Files.Get \"config/a.txt\" | repeat 50000 | indent 2 }}{{ end }}";
    assert!(try_render(&[("NOTES.txt", file)], &json!({})).is_ok());
}

#[test]
fn a_schema_that_doubles_itself_is_refused() {
    let mut definitions = json!({"a60": {"type": "string"}});
    for number in 0..60 {
        let next = json!({"$ref": format!("#/definitions/a{}", number + 1)});
        definitions[format!("a{number}")] = json!({"allOf": [next, next]});
    }
    let schema = json!({"definitions": definitions, "$ref": "#/definitions/a0"});
    let mut chart = chart(&[]);
    chart.schema = Some(schema.to_string().into_bytes());
    let error = Error::from(render(&chart, &input(&json!({}))).unwrap_err());
    assert!(error.message().contains("too large"), "{error:?}");
}
