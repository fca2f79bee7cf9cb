//! A stored resource as a client sees it.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::sync::Arc;

use super::effect::Effect;
use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::scim::dialect::Applied;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;

/// Members above which the answer to a PATCH has no body: reading more would cost more than the change.
pub const MAX_MEMBERS_IN_PATCH_ANSWER: usize = 50;

/// One entry of `User.groups` or `Group.members`, or who and what a role assignment names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Id of the group or member.
    pub id: String,
    /// Endpoint of its type, with the slash: `/Groups`; empty where it is found at none.
    pub endpoint: &'static str,
    /// `direct` or `indirect` for a group, the resource type for a member; empty where there is one type only.
    pub kind: &'static str,
    /// Its display name.
    pub display: String,
}

/// The computed multi-valued attribute of a type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Relations {
    /// Not loaded, because the projection leaves it out.
    #[default]
    Unread,
    /// `groups` of a user.
    Groups(Vec<Related>),
    /// `members` of a group.
    Members(Vec<Related>),
    /// More members than an answer to a PATCH carries.
    TooMany,
    /// `subject` and `role` of a role assignment.
    Assigned(Box<[Related; 2]>),
}

/// A resource and what its answer needs.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its type.
    pub kind: Arc<ResourceType>,
    /// Its id.
    pub id: ResourceId,
    /// Its version.
    pub version: i64,
    /// When it was created, where that is known.
    pub created: Option<Timestamp>,
    /// When it last changed, where that is known.
    pub modified: Option<Timestamp>,
    /// The stored document, as JSON text: `schemas` and what the client wrote.
    pub document: String,
    /// The caller's own `externalId` for it.
    pub external_id: Option<String>,
    /// Groups or members.
    pub relations: Relations,
    /// Attributes that the request named, which shows those with `returned: request`.
    pub asked_for: Vec<String>,
    /// Names in the request body that mean nothing here.
    pub ignored: Vec<String>,
    /// What became of each operation of a PATCH.
    pub effects: Vec<Effect>,
    /// The client habits that the request needed.
    pub tolerated: Applied,
}

impl Shown {
    /// Its version.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Whether the answer to a PATCH should have no body.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.relations == Relations::TooMany
    }

    /// Its entity tag: `meta.version`, byte for byte.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }

    /// Its URL under a base URL.
    #[must_use]
    pub fn location(&self, base: &str) -> String {
        format!("{base}{}/{}", self.kind.endpoint(), self.id)
    }

    /// The JSON text that `view` shows of it.
    #[must_use]
    pub fn render(&self, base: &str, view: &View) -> String {
        if view.is_plain() && self.kind.is_plain() {
            return self.full(base, Display::OnRequest);
        }
        let full = self.full(base, Display::Shown);
        match serde_json::from_str::<Map<String, Value>>(&full) {
            Ok(map) => Value::Object(view.project(map, &self.kind, &self.asked_for)).to_string(),
            Err(_) => full,
        }
    }

    /// The whole representation as text, under no base URL: what filters are asked of, and versions made of.
    pub(super) fn whole(&self) -> String {
        self.full("", Display::Shown)
    }

    /// Everything, spliced around the stored text without reading it.
    fn full(&self, base: &str, display: Display) -> String {
        // The stored text is one object: without its outer braces it can stand among other members.
        let inner = self
            .document
            .get(1..self.document.len().saturating_sub(1))
            .unwrap_or_default();
        let mut out = String::with_capacity(inner.len() + 512);
        let _ = write!(out, "{{\"id\":{}", quoted(self.id.as_str()));
        if let Some(external_id) = &self.external_id {
            let _ = write!(out, ",\"externalId\":{}", quoted(external_id));
        }
        if !inner.is_empty() {
            out.push(',');
            out.push_str(inner);
        }
        match &self.relations {
            Relations::Groups(groups) => relation(&mut out, base, "groups", groups, Display::Shown),
            Relations::Members(members) => relation(&mut out, base, "members", members, display),
            Relations::Assigned(both) => {
                for (name, entry) in ["subject", "role"].iter().zip(both.iter()) {
                    let _ = write!(out, ",\"{name}\":");
                    related(&mut out, base, entry, Display::Shown);
                }
            }
            Relations::Unread | Relations::TooMany => {}
        }
        let _ = write!(out, ",\"meta\":{{\"resourceType\":\"{}\"", self.kind.name());
        for (name, at) in [("created", self.created), ("lastModified", self.modified)] {
            if let Some(at) = at {
                let _ = write!(out, ",\"{name}\":\"{}\"", at.rfc3339());
            }
        }
        let _ = write!(
            out,
            ",\"location\":{},\"version\":\"W/\\\"{}\\\"\"}}}}",
            quoted(&self.location(base)),
            self.version
        );
        out
    }
}

/// Whether `display` of an entry is part of the text: `members.display` is `returned: request`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Display {
    Shown,
    OnRequest,
}

fn relation(out: &mut String, base: &str, name: &str, entries: &[Related], display: Display) {
    if entries.is_empty() {
        return;
    }
    let _ = write!(out, ",\"{name}\":[");
    for (at, entry) in entries.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        related(out, base, entry, display);
    }
    out.push(']');
}

fn related(out: &mut String, base: &str, entry: &Related, display: Display) {
    let _ = write!(out, "{{\"value\":{}", quoted(&entry.id));
    if !entry.endpoint.is_empty() {
        let reference = quoted(&format!("{base}{}/{}", entry.endpoint, entry.id));
        let _ = write!(out, ",\"$ref\":{reference}");
    }
    if !entry.kind.is_empty() {
        let _ = write!(out, ",\"type\":\"{}\"", entry.kind);
    }
    if display == Display::Shown {
        let _ = write!(out, ",\"display\":{}", quoted(&entry.display));
    }
    out.push('}');
}

/// The text as a JSON string.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}
