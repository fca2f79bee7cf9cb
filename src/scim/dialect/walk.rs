//! Offers every value of a request, outermost first, to the rules that work on single values.

use serde_json::Value;

use super::{Applied, Rule, address, booleans, country, entra, reference, server_owned, single};
use crate::scim::schema::{Attribute, Type};

/// Which kind of request a value came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// The resource of a POST or PUT.
    Resource,
    /// The `value` of a PATCH operation.
    Operation,
}

/// A value on its way in, as the schema sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    /// Definition of the attribute the value is for.
    pub attribute: &'a Attribute,
    /// The complex attribute it is part of, for sub-attributes.
    pub parent: Option<&'a Attribute>,
    /// Kind of request.
    pub carrier: Carrier,
    /// Whether Microsoft Entra ID sent it.
    pub entra: bool,
}

/// A rule and the function that applies it to one value and says how often it did.
type Step = (&'static Rule, fn(&Site<'_>, &mut Value) -> u32);

/// In the order in which one habit may hide another: a list around a boolean in quotes is opened first.
const STEPS: &[Step] = &[
    (&single::SINGLE_VALUE_LISTED, single::list),
    (&entra::VALUE_IN_LIST, entra::take_out_of_list),
    (&reference::BLANK_REFERENCE_CLEARED, reference::clear_blank),
    (&reference::REFERENCE_AS_TEXT, reference::wrap_text),
    (&reference::NULL_REF_DROPPED, reference::drop_null_ref),
    (&entra::ROLE_AS_JSON_TEXT, entra::read_role),
    (&server_owned::READ_ONLY_DROPPED, server_owned::notice_sub_attributes),
    (&booleans::STRING_BOOLEANS, booleans::coerce),
    (&country::COUNTRY_AS_SENT, country::notice),
    (&address::URI_AS_SENT, address::notice),
];

/// Applies every step to the value and then to its parts. Depth is that of the schema: two levels.
pub(super) fn walk(site: &Site<'_>, value: &mut Value, applied: &mut Applied) {
    for (rule, step) in STEPS {
        applied.add(rule, step(site, value));
    }
    if site.attribute.kind != Type::Complex {
        return;
    }
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| descend(site, element, applied)),
        single => descend(site, single, applied),
    }
}

fn descend(site: &Site<'_>, value: &mut Value, applied: &mut Applied) {
    let Value::Object(parts) = value else { return };
    for (name, part) in parts.iter_mut() {
        if let Some(sub) = site.attribute.sub(name) {
            walk(
                &Site {
                    attribute: sub,
                    parent: Some(site.attribute),
                    ..*site
                },
                part,
                applied,
            );
        }
    }
}
