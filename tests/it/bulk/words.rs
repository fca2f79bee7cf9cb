//! How a bulk request is asked, and what is looked at in its results.

use serde_json::{Value, json};

use crate::support::TestHouse;

pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// An operation that makes something.
pub fn create(bulk_id: &str, endpoint: &str, data: Value) -> Value {
    let mut operation = change("POST", endpoint, data);
    operation["bulkId"] = bulk_id.into();
    operation
}

/// Any other operation.
pub fn change(method: &str, path: &str, data: Value) -> Value {
    let mut operation = json!({"method": method, "path": path});
    operation["data"] = data;
    operation
}

/// One that deletes.
pub fn end(path: &str) -> Value {
    json!({"method": "DELETE", "path": path})
}

/// A request of these operations.
pub fn request(operations: &[Value]) -> Value {
    json!({"schemas": [BULK_REQUEST], "Operations": operations})
}

/// The results of these operations.
pub async fn bulk(house: &TestHouse, operations: &[Value]) -> Vec<Value> {
    results(house, request(operations)).await
}

/// The same until so many of them failed.
pub async fn until(house: &TestHouse, errors: u32, operations: &[Value]) -> Vec<Value> {
    let mut request = request(operations);
    request["failOnErrors"] = errors.into();
    results(house, request).await
}

/// The results of a bulk request, each of which has what it must.
pub async fn results(house: &TestHouse, request: Value) -> Vec<Value> {
    let answer = house.post("/Bulk", request).await.status(200);
    assert_eq!(answer.json["schemas"], json!([BULK_RESPONSE]));
    assert_eq!(answer.json.as_object().unwrap().len(), 2, "{}", answer.text);
    assert!(!answer.text.contains("\"bulkId:"), "{}", answer.text);
    let results = answer.json["Operations"].as_array().unwrap().clone();
    for result in &results {
        let status: u16 = result["status"].as_str().unwrap().parse().unwrap();
        if status >= 300 {
            assert_eq!(result["response"]["schemas"], json!([ERROR]), "{result}");
            assert_eq!(result["response"]["status"], result["status"], "{result}");
        }
    }
    results
}

/// The status of each.
pub fn statuses(results: &[Value]) -> Vec<&str> {
    results
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect()
}

/// The id in the location of a result.
#[track_caller]
pub fn id(result: &Value) -> String {
    let location = result["location"]
        .as_str()
        .unwrap_or_else(|| panic!("no location: {result}"));
    location.rsplit('/').next().unwrap().to_owned()
}

/// Members of a group as a request names them.
pub fn members(values: &[&str]) -> Value {
    values.iter().map(|value| json!({"value": value})).collect()
}
