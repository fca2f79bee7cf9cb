//! The way of a request through the rules.

use serde_json::{Map, Value};

use super::lookup::{Spot, member_mut, spot, spot_of, walk_spot};
use super::query::{self, Names};
use super::reference::is_reference;
use super::walk::Carrier;
use super::{
    Applied, Client, Hints, Setting, entra, flatten, operations, schemas, server_owned, short_names, undeclared,
};
use crate::scim::filter::Filter;
use crate::scim::path::PatchPath;
use crate::scim::schema::ResourceType;

/// How the requests of one caller are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    setting: Setting,
    client: Client,
}

impl Dialect {
    /// The dialect of a request, from the connection's setting and the head of the request.
    #[must_use]
    pub fn recognise(setting: &Setting, hints: &Hints<'_>) -> Self {
        let client = match setting {
            Setting::Named(client) => *client,
            Setting::Auto | Setting::Strict | Setting::InteropProfile => Client::recognise(hints),
        };
        Self {
            setting: *setting,
            client,
        }
    }

    /// The dialect of a request that was kept: by the connection's setting, and who called then.
    #[must_use]
    pub const fn remembered(setting: Setting, client: Client) -> Self {
        Self { setting, client }
    }

    /// Who is calling, as far as can be told; known under `strict` too.
    #[must_use]
    pub const fn client(&self) -> Client {
        self.client
    }

    /// Whether nothing is tolerated.
    #[must_use]
    pub const fn is_strict(&self) -> bool {
        matches!(self.setting, Setting::Strict | Setting::InteropProfile)
    }

    /// Whether the refusals of the interoperability profile hold.
    #[must_use]
    pub const fn is_interop_profile(&self) -> bool {
        matches!(self.setting, Setting::InteropProfile)
    }

    /// Whether what a client says of extensions that no schema declares is kept aside.
    #[must_use]
    pub const fn keeps_undeclared(&self) -> bool {
        !self.is_strict()
    }

    /// Rewrites the body of a POST of a resource.
    #[must_use]
    pub fn create(&self, ty: &ResourceType, body: Value) -> (Value, Applied) {
        self.resource(ty, body)
    }

    /// Rewrites the body of a PUT.
    #[must_use]
    pub fn replace(&self, ty: &ResourceType, body: Value) -> (Value, Applied) {
        self.resource(ty, body)
    }

    fn resource(self, ty: &ResourceType, mut body: Value) -> (Value, Applied) {
        let mut applied = Applied::default();
        let how = (Carrier::Resource, self.client.is_entra());
        if let Value::Object(members) = &mut body
            && !self.is_strict()
        {
            applied.add(&flatten::FLAT_KEYS_NESTED, flatten::nest(ty, members));
            applied.add(&schemas::SCHEMAS_ADDED, schemas::add(ty, members));
            applied.add(&schemas::UNKNOWN_SCHEMAS_DROPPED, schemas::drop_unknown(ty, members));
            applied.add(&undeclared::UNDECLARED_EXTENSION_KEPT, undeclared::count(ty, members));
            walk_members(ty, members, how, &mut applied);
        }
        (body, applied)
    }

    /// Rewrites the body of a PATCH.
    #[must_use]
    pub fn patch(&self, ty: &ResourceType, mut body: Value) -> (Value, Applied) {
        let mut applied = Applied::default();
        if let Value::Object(message) = &mut body
            && !self.is_strict()
        {
            applied.add(
                &schemas::UNKNOWN_SCHEMAS_DROPPED,
                schemas::drop_beside_patch_op(message),
            );
            if let Some(Value::Array(list)) = member_mut(message, "Operations") {
                let entra = self.speaks_entra(list);
                if entra {
                    applied.add(&entra::EMPTY_OPERATIONS, entra::fill_operations(list));
                }
                for operation in list.iter_mut().filter_map(Value::as_object_mut) {
                    rewrite_operation(ty, operation, entra, &mut applied);
                }
            }
        }
        (body, applied)
    }

    /// Rewrites a filter over resources of these types.
    #[must_use]
    pub fn filter(&self, types: &[&ResourceType], mut filter: Filter) -> (Filter, Applied) {
        let mut applied = Applied::default();
        if !self.is_strict() {
            query::rewrite(Names::Resources(types), &mut filter, &mut applied);
        }
        (filter, applied)
    }

    /// A caller that does not say who it is may still spell its operations as Entra ID does.
    fn speaks_entra(self, operations: &mut [Value]) -> bool {
        let nameless = self.setting == Setting::Auto && self.client == Client::Generic;
        self.client.is_entra() || (nameless && entra::spelled_by_entra(operations))
    }
}

fn walk_members(ty: &ResourceType, members: &mut Map<String, Value>, how: (Carrier, bool), applied: &mut Applied) {
    for (name, value) in members.iter_mut() {
        if let Some(spot) = spot(ty, name) {
            walk_spot(ty, &spot, value, how, applied);
        }
    }
}

fn rewrite_operation(ty: &ResourceType, operation: &mut Map<String, Value>, entra: bool, applied: &mut Applied) {
    applied.add(&operations::OPERATION_CASE, operations::lower_verb(operation));
    applied.add(&operations::BLANK_PATH, operations::drop_blank_path(operation));
    applied.add(
        &operations::REMOVE_BY_VALUE,
        operations::count_removal_by_value(operation),
    );
    let path = member_mut(operation, "path").map(|path| path.as_str().map(PatchPath::parse));
    match path {
        None => {
            applied.add(
                &schemas::UNKNOWN_SCHEMAS_DROPPED,
                schemas::drop_unknown_in(ty, operation),
            );
            if let Some(Value::Object(value)) = member_mut(operation, "value") {
                let short = short_names::qualify_members(ty, value);
                applied.add(&short_names::SHORT_EXTENSION_NAMES, short);
                let flat = flatten::nest(ty, value) + flatten::count_selecting(ty, value);
                // A short name got its URN just now; that is one habit.
                applied.add(&flatten::FLAT_KEYS_NESTED, flat.saturating_sub(short));
                applied.add(&undeclared::UNDECLARED_EXTENSION_KEPT, undeclared::count(ty, value));
                applied.add(
                    &server_owned::READ_ONLY_DROPPED,
                    server_owned::drop_attributes(ty, value),
                );
                walk_members(ty, value, (Carrier::Operation, entra), applied);
            }
        }
        Some(Some(Ok(path))) => rewrite_targeted(ty, operation, (path, entra), applied),
        Some(_) => {}
    }
}

/// Rewrites an operation that has a path, and the path where a rule changed it.
fn rewrite_targeted(
    ty: &ResourceType,
    operation: &mut Map<String, Value>,
    (mut path, entra): (PatchPath, bool),
    applied: &mut Applied,
) {
    let before = path.clone();
    applied.add(
        &short_names::SHORT_EXTENSION_NAMES,
        short_names::qualify(&[ty], &mut path.attr),
    );
    let Some(spot) = spot_of(ty, &path.attr) else {
        applied.add(
            &undeclared::UNDECLARED_EXTENSION_KEPT,
            undeclared::drop_path(ty, operation, &path),
        );
        return;
    };
    match &spot {
        Spot::Attribute(place) if place.path() == "schemas" && path.filter.is_none() => applied.add(
            &schemas::UNKNOWN_SCHEMAS_DROPPED,
            schemas::drop_unknown_in(ty, operation),
        ),
        Spot::Container(schema) => applied.add(
            &server_owned::READ_ONLY_DROPPED,
            server_owned::drop_within(ty, &schema.id, operation),
        ),
        Spot::Attribute(_) => {}
    }
    if let (Some(filter), Spot::Attribute(place)) = (&mut path.filter, &spot) {
        query::rewrite(Names::Element(place.leaf()), filter, applied);
    }
    if entra {
        applied.add(&entra::REPLACE_CREATES, entra::replace_creates(operation, &path));
    }
    let spot = match (&spot, path.sub.as_deref()) {
        (Spot::Attribute(place), Some(sub)) => place.with_sub(sub).map(Spot::Attribute),
        _ => Some(spot),
    };
    if let (Some(spot), Some(value)) = (spot, member_mut(operation, "value")) {
        let given = !value.is_null() && matches!(&spot, Spot::Attribute(place) if is_reference(place.top()));
        walk_spot(ty, &spot, value, (Carrier::Operation, entra), applied);
        // A blank reference, named by itself or by its `value`: in both cases the reference goes.
        if given && value.is_null() && make_removal(operation) {
            path.attr.sub = None;
        }
    }
    if path != before
        && let Some(text) = member_mut(operation, "path")
    {
        *text = Value::String(path.to_string());
    }
}

/// Turns an operation that sets a value into one that removes it, if it is such an operation.
fn make_removal(operation: &mut Map<String, Value>) -> bool {
    let Some(Value::String(verb)) = member_mut(operation, "op") else {
        return false;
    };
    if !operations::VERBS.contains(&verb.as_str()) {
        return false;
    }
    "remove".clone_into(verb);
    operation.retain(|name, _| !name.eq_ignore_ascii_case("value"));
    true
}
