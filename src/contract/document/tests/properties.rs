//! No document and no path makes its reader panic.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn no_document_and_no_path_makes_the_lookup_panic(
        template in "/[a-c{}.%/]{0,12}", path in "[a-c{}.%?/]{0,12}", reference in "[#/~%a-c0-9]{0,12}",
    ) {
        let document = document(json!({
            template.as_str(): {"get": {
                "parameters": [{"$ref": reference}],
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": reference}}}}}
            }}
        }));
        if let Ok(operation) = document.operation("GET", &path) {
            let _parameters = operation.parameters();
            let _response = operation.response(200);
        }
    }
}
