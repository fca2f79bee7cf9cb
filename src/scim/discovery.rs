//! What the server says about itself (RFC 7644 §4, RFC 7643 §5 to §7).

use serde_json::{Value, json};

use super::message::LIST_RESPONSE;
use super::schema::{Registry, ResourceType, SERVICE_PROVIDER_CONFIG};

/// The limits a server works with, told as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most resources of one page.
    pub max_results: u64,
    /// Resources of a page when the client names no number; at most `max_results`.
    pub default_page_size: u64,
    /// Whether lists can be paged by cursor (RFC 9865), and for how long a cursor lasts.
    pub cursor: Option<CursorLimits>,
    /// Limits of bulk requests; `None` when there are none.
    pub bulk: Option<BulkLimits>,
    /// Security events; `None` when there are none.
    pub events: Option<EventLimits>,
    /// Where people find help.
    pub documentation: Option<String>,
    /// Whether discovery tells of more than the standards define.
    pub listing: Listing,
}

/// What the discovery endpoints list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listing {
    /// What RFC 7643 defines.
    #[default]
    Standard,
    /// The derived types, too, and `RolesAndEntitlements` (draft-ietf-scim-roles-entitlements-01). Clients that take the
    /// standards at their word fail on these.
    Drafts,
}

/// Limits of paging by cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorLimits {
    /// Seconds for which a cursor is good; `None` when it does not end.
    pub timeout: Option<u64>,
}

/// Security events that the server tells (RFC 9967 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLimits {
    /// Whether changes are done later for clients that ask for it.
    pub requests: bool,
    /// URIs of the events that it can tell.
    pub uris: Vec<&'static str>,
}

/// Limits of bulk requests (RFC 7644 §3.7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkLimits {
    /// Most operations of one request.
    pub max_operations: u64,
    /// Largest body in bytes.
    pub max_payload_size: u64,
}

/// The `ServiceProviderConfig` resource; `base_url` is the URL above it.
#[must_use]
pub fn service_provider_config(limits: &Limits, base_url: &str) -> Value {
    let base_url = base_url.trim_end_matches('/');
    // Without bulk the numbers mean nothing, and a small one is taken for a limit by some clients.
    let bulk = limits
        .bulk
        .map_or((0, 0), |bulk| (bulk.max_operations, bulk.max_payload_size));
    let mut pagination = json!({
        "cursor": limits.cursor.is_some(),
        "index": true,
        "defaultPaginationMethod": "index",
        "defaultPageSize": limits.default_page_size,
        "maxPageSize": limits.max_results,
    });
    if let Some(timeout) = limits.cursor.and_then(|cursor| cursor.timeout) {
        pagination["cursorTimeout"] = timeout.into();
    }
    let mut config = json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": { "supported": true },
        "bulk": { "supported": limits.bulk.is_some(), "maxOperations": bulk.0, "maxPayloadSize": bulk.1 },
        "filter": { "supported": true, "maxResults": limits.max_results },
        "changePassword": { "supported": true },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": pagination,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A token of the connection, sent in the Authorization header",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base_url}/ServiceProviderConfig"),
        },
    });
    if let Some(events) = &limits.events {
        let requests = if events.requests { "request" } else { "none" };
        config["securityEvents"] = json!({ "asyncRequest": requests, "eventUris": events.uris });
    }
    if let Some(address) = &limits.documentation {
        config["documentationUri"] = address.as_str().into();
    }
    if limits.listing == Listing::Drafts {
        config["RolesAndEntitlements"] = json!({
            "roles": {
                "supported": true,
                "multipleRolesSupported": true,
                "primarySupported": true,
                "typeSupported": true,
            },
            "entitlements": {
                "supported": true,
                "multipleEntitlementsSupported": true,
                "primarySupported": true,
                "typeSupported": true,
            },
        });
    }
    config
}

/// Every schema, as a list; discovery lists have one page (RFC 7644 §4).
#[must_use]
pub fn schemas(registry: &Registry, listing: Listing, base_url: &str) -> Value {
    let derived = derived(registry, listing).iter().map(ResourceType::schema);
    let schemas = registry.schemas().chain(derived);
    list(schemas.map(|schema| schema.to_json(base_url)))
}

/// Every resource type, as a list.
#[must_use]
pub fn resource_types(registry: &Registry, listing: Listing, base_url: &str) -> Value {
    let types = registry.types().iter().chain(derived(registry, listing));
    list(types.map(|ty| ty.to_json(base_url)))
}

fn derived(registry: &Registry, listing: Listing) -> &[ResourceType] {
    match listing {
        Listing::Standard => &[],
        Listing::Drafts => registry.derived(),
    }
}

fn list(resources: impl Iterator<Item = Value>) -> Value {
    let resources: Vec<Value> = resources.collect();
    json!({
        "schemas": [LIST_RESPONSE],
        "totalResults": resources.len(),
        "itemsPerPage": resources.len(),
        "startIndex": 1,
        "Resources": resources,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            max_results: 200,
            default_page_size: 100,
            cursor: None,
            bulk: None,
            events: None,
            documentation: None,
            listing: Listing::Standard,
        }
    }

    #[test]
    fn every_feature_says_whether_it_is_there() {
        let config = service_provider_config(&limits(), "https://idp.example/scim/v2/");
        for feature in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
            assert!(config[feature]["supported"].is_boolean(), "{feature}");
        }
        assert_eq!(
            config["bulk"],
            json!({ "supported": false, "maxOperations": 0, "maxPayloadSize": 0 })
        );
        assert_eq!(config["filter"]["maxResults"], 200);
        assert_eq!(config["pagination"]["cursor"], false);
        assert_eq!(
            config["meta"]["location"],
            "https://idp.example/scim/v2/ServiceProviderConfig"
        );
        for member in ["type", "name", "description", "specUri"] {
            assert!(config["authenticationSchemes"][0][member].is_string(), "{member}");
        }
    }

    #[test]
    fn limits_are_told_as_they_are() {
        let bulk = Some(BulkLimits {
            max_operations: 1000,
            max_payload_size: 1 << 20,
        });
        let cursor = Some(CursorLimits { timeout: Some(600) });
        let config = service_provider_config(
            &Limits {
                cursor,
                bulk,
                ..limits()
            },
            "https://idp.example",
        );
        assert_eq!(
            config["bulk"],
            json!({ "supported": true, "maxOperations": 1000, "maxPayloadSize": 1 << 20 })
        );
        assert_eq!(
            (&config["pagination"]["cursor"], &config["pagination"]["cursorTimeout"]),
            (&json!(true), &json!(600))
        );
    }

    #[test]
    fn every_schema_a_resource_can_name_is_listed() {
        let registry = Registry::builtin();
        for (listing, types) in [(Listing::Standard, 2), (Listing::Drafts, 5)] {
            let listed = schemas(&registry, listing, "https://idp.example");
            let resources = listed["Resources"].as_array().unwrap();
            let ids: Vec<_> = resources.iter().map(|schema| &schema["id"]).collect();
            assert_eq!(listed["totalResults"], ids.len());
            let listed = resource_types(&registry, listing, "https://idp.example");
            assert_eq!(listed["totalResults"], types);
            for ty in listed["Resources"].as_array().unwrap() {
                assert!(ids.contains(&&ty["schema"]));
                for extension in ty["schemaExtensions"].as_array().unwrap() {
                    assert!(ids.contains(&&extension["schema"]));
                }
            }
        }
    }

    #[test]
    fn what_a_draft_defines_is_told_to_who_wants_drafts() {
        let told = |listing| {
            let config = service_provider_config(&Limits { listing, ..limits() }, "https://idp.example");
            config.get("RolesAndEntitlements").cloned()
        };
        assert_eq!(told(Listing::Standard), None);
        let told = told(Listing::Drafts).unwrap();
        assert_eq!(
            (&told["roles"]["supported"], &told["entitlements"]["supported"]),
            (&json!(true), &json!(true))
        );
    }

    #[test]
    fn derived_types_are_found_by_name_whatever_is_listed() {
        let registry = Registry::builtin();
        for ty in registry.derived() {
            assert!(ty.is_read_only() && ty.is_plain(), "{}", ty.name());
            assert_eq!(registry.resource_type(ty.name()), Some(ty));
            assert_eq!(registry.by_endpoint(ty.endpoint()), Some(ty));
            assert_eq!(registry.schema(&ty.schema().id), Some(ty.schema()));
        }
        assert!(!registry.types().iter().any(ResourceType::is_read_only));
    }
}
