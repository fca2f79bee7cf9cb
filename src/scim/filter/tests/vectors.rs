//! Every vector of the data set, in its recommended reading.

use serde_json::Value;

use super::world::{FILE, ask};
use crate::scim::error::Error;

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

fn meets(expect: &Value, answer: &Result<Vec<&str>, Error>) -> bool {
    match answer {
        Ok(ids) => {
            let (mut found, mut wanted) = (ids.clone(), strings(&expect["match"]));
            found.sort_unstable();
            wanted.sort_unstable();
            expect.get("match").is_some() && found == wanted
        }
        Err(error) => {
            let keyword = error.scim_type.map_or("", |keyword| keyword.as_str());
            expect["error"]["status"] == error.status && strings(&expect["error"]["scimType"]).contains(&keyword)
        }
    }
}

#[test]
fn every_vector_is_answered_as_recommended() {
    let mut wrong = Vec::new();
    for vector in FILE["vectors"].as_array().unwrap() {
        let answer = ask(vector["endpoint"].as_str().unwrap(), vector["filter"].as_str().unwrap());
        if !meets(&vector["expect"], &answer) {
            wrong.push(format!("{} {} gave {answer:?}", vector["id"], vector["filter"]));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
