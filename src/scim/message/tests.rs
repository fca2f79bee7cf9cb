//! Reading queries and searches, and writing lists.

use super::*;
use crate::scim::ScimType;

fn get(pairs: &[(&str, &str)]) -> Result<Query, Error> {
    Query::from_pairs(pairs.iter().copied())
}

fn search(mut body: Value) -> Result<Query, Error> {
    body["schemas"] = json!([SEARCH_REQUEST]);
    Query::from_search(&body)
}

#[test]
fn an_error_body_carries_its_status_as_text() {
    let body = error_body(&Error::invalid_filter("expected an operator at column 14"));
    let detail = "expected an operator at column 14";
    let expected = json!({ "schemas": [ERROR], "scimType": "invalidFilter", "detail": detail, "status": "400" });
    assert_eq!(body, expected);
    assert!(error_body(&Error::plain(404, "gone")).get("scimType").is_none());
}

#[test]
fn a_list_copies_its_resources() {
    let page = Page {
        total: 7,
        start_index: Some(3),
        ..Page::default()
    };
    let text = list_response(&page, &["{\"id\":\"a\"}".to_owned(), "{\"id\":\"b\"}".to_owned()]);
    let expected = json!({
        "schemas": [LIST_RESPONSE], "totalResults": 7, "itemsPerPage": 2, "startIndex": 3,
        "Resources": [{ "id": "a" }, { "id": "b" }]
    });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    let page = Page {
        next_cursor: Some("a\"b".to_owned()),
        ..Page::default()
    };
    let read: Value = serde_json::from_str(&list_response(&page, &[])).unwrap();
    assert_eq!((&read["nextCursor"], &read["Resources"]), (&json!("a\"b"), &json!([])));
    assert!(read.get("startIndex").is_none());
}

#[test]
fn small_and_huge_numbers_are_clamped() {
    assert_eq!(get(&[("startIndex", "0")]).unwrap().start_index, 1);
    assert_eq!(get(&[("startIndex", "-5")]).unwrap().start_index, 1);
    assert_eq!(get(&[("count", "-1")]).unwrap().count, Some(0));
    let huge = get(&[
        ("startIndex", "99999999999999999999999"),
        ("count", "99999999999999999999999"),
    ])
    .unwrap();
    assert_eq!((huge.start_index, huge.count), (i64::MAX as u64, Some(i64::MAX as u64)));
    assert_eq!(
        search(json!({ "startIndex": -1, "count": u64::MAX })).unwrap().count,
        Some(i64::MAX as u64)
    );
}

#[test]
fn what_is_no_integer_is_refused() {
    for text in ["abc", "", "1.0", "1e2", "--1", "\u{663}", "1 2"] {
        assert_eq!(
            get(&[("count", text)]).unwrap_err().scim_type,
            Some(ScimType::InvalidValue),
            "{text}"
        );
    }
    for value in [json!("ten"), json!(1.5), json!(true), json!([1]), json!("5")] {
        assert_eq!(
            search(json!({ "count": value })).unwrap_err().scim_type,
            Some(ScimType::InvalidValue)
        );
    }
}

#[test]
fn a_get_and_a_search_read_the_same_query() {
    let pairs = [
        ("filter", "userName pr"),
        ("sortBy", "name.familyName"),
        ("sortOrder", "DESCENDING"),
        ("startIndex", "4"),
        ("count", "2"),
        ("attributes", "userName, emails.value,"),
        ("foo", "bar"),
    ];
    let body = json!({
        "filter": "userName pr", "sortBy": "name.familyName", "sortOrder": "descending", "startIndex": 4, "count": 2,
        "ATTRIBUTES": ["userName", "emails.value"], "foo": 1, "excludedAttributes": null
    });
    assert_eq!(get(&pairs).unwrap(), search(body).unwrap());
}

#[test]
fn a_search_request_needs_its_urn() {
    for schemas in [json!(null), json!([PATCH_OP]), json!(SEARCH_REQUEST)] {
        let error = Query::from_search(&json!({ "schemas": schemas, "count": 1 })).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidSyntax));
    }
    assert_eq!(
        Query::from_search(&json!([])).unwrap_err().scim_type,
        Some(ScimType::InvalidSyntax)
    );
}

#[test]
fn a_query_that_says_two_things_is_refused() {
    assert!(get(&[("filter", "a pr"), ("filter", "b pr")]).is_err());
    assert!(search(json!({ "count": 1, "Count": 2 })).is_err());
    assert!(get(&[("sortOrder", "up")]).is_err());
}

#[test]
fn an_empty_cursor_starts_a_list_and_an_empty_name_list_is_none() {
    let query = get(&[("cursor", ""), ("attributes", " , ")]).unwrap();
    assert_eq!((query.cursor.as_deref(), query.attributes), (Some(""), None));
}

#[test]
fn beside_a_cursor_a_count_that_is_no_number_has_a_name_of_its_own() {
    let told = |query: Result<Query, Error>| query.unwrap_err().scim_type;
    for text in ["ten", "", "1.5"] {
        assert_eq!(
            told(get(&[("count", text), ("cursor", "")])),
            Some(ScimType::InvalidCount)
        );
    }
    assert_eq!(
        told(search(json!({ "count": "2", "cursor": "" }))),
        Some(ScimType::InvalidCount)
    );
    assert_eq!(get(&[("cursor", ""), ("count", "-3")]).unwrap().count, Some(0));
    assert_eq!(
        told(get(&[("cursor", ""), ("startIndex", "1")])),
        Some(ScimType::InvalidValue)
    );
    assert_eq!(
        told(search(json!({ "startIndex": 2, "cursor": "x" }))),
        Some(ScimType::InvalidValue)
    );
}
