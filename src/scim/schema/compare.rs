//! What a change of a resource type asks of the resources that are stored.

use super::attribute::{Attribute, Returned, Uniqueness};
use super::field::Field;
use super::resource_type::ResourceType;

/// What must hold of every stored resource of a type, so that the type can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Path of the attribute, or URN of the extension, that it is about.
    pub path: String,
    /// What must hold.
    pub holds: Holds,
    /// Why, for people: what would be wrong where it does not.
    pub why: &'static str,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// Nobody is among these.
    Nobody(Among),
    /// All of these have a value at the path.
    Given(Among),
    /// Every element of the complex attribute at this path has a value at the path.
    InElements(String),
    /// No two have the same value at the path. Among those of one type, or of any.
    Distinct {
        /// Whether values of other types count, too.
        any_type: bool,
    },
}

/// Some of the stored resources of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Among {
    /// All of them.
    All,
    /// Those with an extension of this URN.
    Extended(String),
    /// Those with a value at this path.
    With(String),
}

const ENDPOINT: &str = "its `endpoint` would change";
const CORE: &str = "its `schema` would change";
const REMOVED: &str = "it would not be defined any more";
const TYPE: &str = "its `type` would change";
const MULTIPLE: &str = "its `multiValued` would change";
const CASE: &str = "its `caseExact` would change";
const SHOWN: &str = "its `returned` would change from or to `never`";
const REQUIRED: &str = "it would be required, and is not there";
const UNIQUE: &str = "its value would have to be unique and at most 256 characters long";

impl ResourceType {
    /// What stored resources must be like so that this type can become the other one; all that is there goes if there is
    /// none.
    #[must_use]
    pub fn demands(&self, after: Option<&Self>) -> Vec<Demand> {
        let Some(after) = after else {
            return vec![Demand {
                path: self.name().to_owned(),
                holds: Holds::Nobody(Among::All),
                why: REMOVED,
            }];
        };
        let mut demands = Vec::new();
        for (same, why) in [
            (self.endpoint() == after.endpoint(), ENDPOINT),
            (self.schema().id == after.schema().id, CORE),
        ] {
            if !same {
                demands.push(Demand {
                    path: self.name().to_owned(),
                    holds: Holds::Nobody(Among::All),
                    why,
                });
            }
        }
        for extension in self.extensions() {
            if after.extension(&extension.schema.id).is_none() {
                demands.push(Demand {
                    path: extension.schema.id.clone(),
                    holds: Holds::Nobody(Among::Extended(extension.schema.id.clone())),
                    why: REMOVED,
                });
            }
        }
        let goes = |field: &&Field| field.extension().is_none_or(|urn| after.extension(urn).is_some());
        for field in self.fields().iter().filter(goes) {
            lost(field, find(after, field.path()), &mut demands);
        }
        for extension in after.extensions() {
            let before = self.extension(&extension.schema.id);
            if extension.required && before.is_none_or(|before| !before.required) {
                demands.push(Demand {
                    path: extension.schema.id.clone(),
                    holds: Holds::Given(Among::All),
                    why: REQUIRED,
                });
            }
        }
        for field in after.fields() {
            let old = find(self, field.path());
            gained(field, old, &mut demands);
            distinct(after, field, old, &mut demands);
        }
        demands
    }
}

/// By its exact spelling: documents are spelt so.
fn find<'a>(ty: &'a ResourceType, path: &str) -> Option<&'a Field> {
    ty.fields().iter().find(|field| field.path() == path)
}

/// Whoever has a value of it. What is never returned is not searched, so whoever could have one.
fn holders(field: &Field, path: &str, hidden: bool) -> Among {
    match field.extension() {
        Some(urn) if hidden => Among::Extended(urn.to_owned()),
        None if hidden => Among::All,
        _ => Among::With(path.to_owned()),
    }
}

fn is_hidden(attribute: &Attribute) -> bool {
    let never = |attribute: &Attribute| attribute.returned == Returned::Never;
    never(attribute) || !attribute.sub_attributes.is_empty() && attribute.sub_attributes.iter().all(never)
}

/// What may not be there of what the field was.
fn lost(field: &Field, after: Option<&Field>, demands: &mut Vec<Demand>) {
    let old = field.attribute();
    let why = after.map_or(Some(REMOVED), |after| differs(old, after.attribute()));
    if let Some(why) = why {
        demands.push(Demand {
            path: field.path().to_owned(),
            holds: Holds::Nobody(holders(field, field.path(), is_hidden(old))),
            why,
        });
        return;
    }
    let Some(after) = after else { return };
    for (sub, path) in field.subs() {
        let new = after.subs().find(|(_, other)| *other == path);
        let why = new.map_or(Some(REMOVED), |(new, _)| differs(sub, new));
        if let Some(why) = why {
            demands.push(Demand {
                path: path.to_owned(),
                holds: Holds::Nobody(holders(field, path, is_hidden(sub))),
                why,
            });
        }
    }
}

/// In what values of the one are none of the other.
fn differs(old: &Attribute, new: &Attribute) -> Option<&'static str> {
    let never = |attribute: &Attribute| attribute.returned == Returned::Never;
    if old.kind != new.kind {
        Some(TYPE)
    } else if old.multi_valued != new.multi_valued {
        Some(MULTIPLE)
    } else if old.case_exact != new.case_exact {
        Some(CASE)
    } else if never(old) != never(new) {
        Some(SHOWN)
    } else {
        None
    }
}

/// What must be there of what the field is.
fn gained(field: &Field, before: Option<&Field>, demands: &mut Vec<Demand>) {
    let new = field.attribute();
    let among = field
        .extension()
        .map_or(Among::All, |urn| Among::Extended(urn.to_owned()));
    if is_demanded(new) && !before.is_some_and(|before| is_demanded(before.attribute())) {
        demands.push(Demand {
            path: field.path().to_owned(),
            holds: if is_hidden(new) {
                Holds::Nobody(among)
            } else {
                Holds::Given(among)
            },
            why: REQUIRED,
        });
    }
    for (sub, path) in field.subs() {
        let old = before.and_then(|before| before.subs().find(|(_, other)| *other == path));
        if is_demanded(sub) && !old.is_some_and(|(old, _)| is_demanded(old)) {
            demands.push(Demand {
                path: path.to_owned(),
                holds: if is_hidden(sub) {
                    Holds::Nobody(Among::With(field.path().to_owned()))
                } else {
                    Holds::InElements(field.path().to_owned())
                },
                why: REQUIRED,
            });
        }
    }
}

fn is_demanded(attribute: &Attribute) -> bool {
    attribute.required && attribute.mutability != super::attribute::Mutability::ReadOnly
}

fn distinct(ty: &ResourceType, field: &Field, before: Option<&Field>, demands: &mut Vec<Demand>) {
    let leaves = std::iter::once((field.attribute(), field.path())).chain(field.subs());
    for (attribute, path) in leaves {
        if ty.unique_key(path).is_none() {
            continue;
        }
        let mut old = before
            .into_iter()
            .flat_map(|before| std::iter::once((before.attribute(), before.path())).chain(before.subs()));
        let was = old.any(|(old, other)| other == path && old.uniqueness != Uniqueness::None);
        if !was && attribute.uniqueness != Uniqueness::None {
            demands.push(Demand {
                path: path.to_owned(),
                holds: Holds::Distinct {
                    any_type: field.extension().is_some(),
                },
                why: UNIQUE,
            });
        }
    }
}
