//! Maps in a query.

use serde_json::{Value, json};

use super::{Checked, Document, NOTHING, check_pact, listed, pact};

const DOCUMENT: &str = r##"
openapi: 3.1.0
paths:
  /filtered:
    get:
      operationId: filtered
      parameters:
        - {name: filter, in: query, required: true, style: deepObject, schema: {$ref: "#/components/schemas/Filter"}}
        - {name: page, in: query, schema: {type: object, additionalProperties: false, properties: {number: {type: integer}, size: {type: integer, maximum: 50}}}}
        - {name: sort, in: query, explode: false, schema: {type: object, properties: {by: {enum: [date]}}}}
      responses: {"200": {description: found}}
components:
  schemas:
    Filter:
      type: object
      required: [state]
      allOf: [{type: object, properties: {tags: {type: array, items: {type: string, minLength: 2}}}}]
      properties:
        state: {enum: [open, closed]}
        by: {type: object, properties: {age: {type: integer}}}
"##;

fn checked(query: &Value) -> Checked {
    let document = Document::new(serde_yaml::from_str(DOCUMENT).unwrap()).unwrap();
    let request = json!({"method": "GET", "path": "/filtered", "query": query});
    check_pact(&document, &pact(&request, &json!({"status": 200})))
}

/// What is found in a query of `/filtered`.
fn filtered(query: Value) -> Vec<String> {
    listed(&checked(&query))
}

#[test]
fn a_map_that_is_spread_over_a_query_is_held_to_its_schema() {
    let sound = json!({
        "filter[state]": ["open"], "filter[tags][]": ["ab", "cd"], "filter[by][age]": ["7"],
        "number": ["2"], "size": ["50"], "sort": ["by,date"]
    });
    assert_eq!(filtered(sound), NOTHING);
    let wrong = json!({
        "filter[state]": ["lost"], "filter[tags]": ["a"], "filter[by][age]": ["old"],
        "size": ["51"], "sort": ["by,name"]
    });
    assert_eq!(
        filtered(wrong),
        [
            "error query-parameter filter enum",
            "error query-parameter filter minLength",
            "error query-parameter filter type",
            "error query-parameter page maximum",
            "error query-parameter sort enum",
        ]
    );
}

#[test]
fn what_is_no_member_of_a_map_is_told_and_does_not_stand_in_for_one() {
    assert_eq!(
        filtered(json!({"filter[nope]": ["x"], "filter[state]": ["open"], "page": ["1"]})),
        [
            "warning query-parameter filter[nope] properties",
            "warning query-parameter page parameters",
        ]
    );
    assert_eq!(
        filtered(json!({"filter": ["open"], "filter[]": ["x"]})),
        [
            "error query-parameter filter required",
            "warning query-parameter filter parameters",
            "warning query-parameter filter[] parameters",
        ]
    );
    assert_eq!(
        filtered(json!({"filter[tags]": ["ab"]})),
        ["error query-parameter filter required"]
    );
}

#[test]
fn a_fault_in_a_map_stands_where_its_member_does() {
    let query = json!({"filter[state]": ["open"], "filter[by][age]": ["old"]});
    let checked = checked(&query);
    let [fault] = checked.found.as_slice() else {
        panic!("{checked:?}");
    };
    assert_eq!(fault.pact, ["request", "query", "filter[by][age]"]);
    assert!(
        fault.message.starts_with("`filter[by][age]`: "),
        "{}",
        fault.message
    );
}
