//! The data set of the conformance vectors, and a way to ask it.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::scim::error::Error;
use crate::scim::filter::{Checked, Filter, check, eval};
use crate::scim::schema::{Registry, ResourceType, Schema};

/// The file of filter vectors.
pub static FILE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../../conformance/vectors/filters.json")).unwrap());

/// The built-in types, and the extension of the data set on User.
pub static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let badge = Schema::parse(&FILE["extensionSchema"]).unwrap();
    Registry::builtin().with_extension("User", badge).unwrap()
});

pub const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";
pub const ENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The types an endpoint searches.
pub fn types(endpoint: &str) -> Vec<&'static ResourceType> {
    REGISTRY
        .types()
        .iter()
        .filter(|ty| endpoint == "/" || ty.endpoint() == endpoint)
        .collect()
}

pub fn type_of(resource: &Value) -> &'static ResourceType {
    REGISTRY
        .resource_type(resource["meta"]["resourceType"].as_str().unwrap())
        .unwrap()
}

pub fn resources(endpoint: &str) -> impl Iterator<Item = &'static Value> {
    let types = types(endpoint);
    FILE["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(move |resource| types.contains(&type_of(resource)))
}

pub fn checked(endpoint: &str, text: &str) -> Result<Checked, Error> {
    check(&Filter::parse(text)?, &types(endpoint))
}

/// Ids of the resources a filter selects, in the order of the data set.
pub fn ask(endpoint: &str, text: &str) -> Result<Vec<&'static str>, Error> {
    let filter = checked(endpoint, text)?;
    let found = resources(endpoint).filter(|resource| eval(&filter, resource));
    Ok(found.map(|resource| resource["id"].as_str().unwrap()).collect())
}

/// The same for `/Users`, joined; the detail of the error where there is one.
pub fn users(text: &str) -> String {
    let text = text.replace("<BADGE>", BADGE).replace("<ENT>", ENT);
    ask("/Users", &text).map_or_else(|error| error.detail, |ids| ids.join(" "))
}

pub fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}
