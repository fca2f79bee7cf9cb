//! The catalogue of tolerances.

use super::{
    address, booleans, country, entra, flatten, operations, reference, schemas, server_owned, short_names, single,
    undeclared,
};

/// One tolerance: a habit of clients that is rewritten into RFC form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Kebab-case name under which it is counted and reported.
    pub name: &'static str,
    /// Who is known to do it.
    pub clients: &'static str,
    /// What is done about it, for people.
    pub does: &'static str,
    /// The text it departs from.
    pub departs: &'static str,
}

/// Every rule, those for everybody first.
pub const RULES: &[&Rule] = &[
    &schemas::SCHEMAS_ADDED,
    &schemas::UNKNOWN_SCHEMAS_DROPPED,
    &booleans::STRING_BOOLEANS,
    &operations::OPERATION_CASE,
    &operations::BLANK_PATH,
    &operations::REMOVE_BY_VALUE,
    &flatten::FLAT_KEYS_NESTED,
    &short_names::SHORT_EXTENSION_NAMES,
    &server_owned::READ_ONLY_DROPPED,
    &single::SINGLE_VALUE_LISTED,
    &reference::REFERENCE_AS_TEXT,
    &reference::BLANK_REFERENCE_CLEARED,
    &reference::NULL_REF_DROPPED,
    &country::COUNTRY_AS_SENT,
    &address::URI_AS_SENT,
    &undeclared::UNDECLARED_EXTENSION_KEPT,
    &entra::REPLACE_CREATES,
    &entra::ROLE_AS_JSON_TEXT,
    &entra::VALUE_IN_LIST,
    &entra::EMPTY_OPERATIONS,
];
