//! What a resource row holds of a document, and how it is read back.

use sha2::{Digest as _, Sha256};

use super::error::{Error, Result};
use super::filter::Leaves;
use super::kind::Kind;
use super::sql::{FromRow, Row};
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId, Version};

/// Characters of a value that are part of an index: PostgreSQL's entries are at most 2,704 bytes.
pub(super) const INDEXED_CHARS: usize = 256;

/// Whether a name may occur once in the tenant only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// Among all resources of the kind for which it is enforced.
    Enforced,
    /// Not at all.
    Free,
}

/// The content of a resource, ready to be written.
#[derive(Debug, Clone)]
pub struct Content {
    /// What `userName` or a group's `displayName` compares as: `user_name_key` or `fold` of it.
    pub name_key: String,
    /// Whether another resource may have the same `name_key`.
    pub unique: Uniqueness,
    /// What is shown of it as a member, or as the group of a user.
    pub label: String,
    /// The value of `active`.
    pub active: Option<bool>,
    /// The document as JSON text, without `id`, `externalId`, `meta`, `members`, `groups`.
    pub document: String,
    /// What filters can find of the document.
    pub leaves: Leaves,
}

/// A resource as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Row number.
    pub pk: Pk,
    /// Id on the wire.
    pub id: ResourceId,
    /// User or group.
    pub kind: Kind,
    /// How often it changed; the first state is 1.
    pub version: Version,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// The value of `active`.
    pub active: Option<bool>,
    /// The connection that created it.
    pub connection: Option<ConnectionId>,
    /// Its display name among members and groups.
    pub label: String,
    /// The document as JSON text.
    pub document: String,
    /// The key of the person, sealed; none of a group.
    pub seal: Option<String>,
    /// What the asking connection calls it.
    pub external_id: Option<String>,
    /// The groups of a user by stored memberships, direct and indirect, if they were asked for; ordered by creation.
    pub groups: Vec<GroupOf>,
    /// The version of the policy when the groups were read: rules of that version may give more of them. `None` when no
    /// rule names a group, so that there is nothing more to be known.
    pub policy_version: Option<i64>,
    /// Whether the mass-change fuse holds a request about it; false where that was not asked for.
    pub held_back: bool,
}

/// A group that a user belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOf {
    /// Its id.
    pub id: ResourceId,
    /// Its display name.
    pub display: String,
    /// Whether the user is a member itself, rather than through another group.
    pub direct: bool,
}

/// Columns of [`Stored`], but for those that need more than the row of the resource.
macro_rules! stored_columns {
    () => {
        "r.pk, r.id, r.kind, r.version, r.created, r.modified, r.active, r.connection_id, r.label, r.doc, r.seal"
    };
}

/// `externalId` for the connection of the bind that is written after it, which must be followed by `)`.
macro_rules! external_id_column {
    () => {
        "(SELECT coalesce(e.sent, e.value || e.rest) FROM external_id e WHERE e.tenant_id = r.tenant_id AND e.resource_pk = r.pk \
         AND e.connection_id = "
    };
}

/// The groups of `r`, when it is a user with any, as a JSON array of `[id, label, 0 or 1]`; and the version of the
/// policy, when some rule names a group. `CROSS JOIN` keeps SQLite to the order of the tables: it knows nothing of their sizes.
macro_rules! groups_columns {
    () => {
        "CASE WHEN r.kind = 1 AND EXISTS (\
         SELECT 1 FROM member m WHERE m.tenant_id = r.tenant_id AND m.member_pk = r.pk) THEN (\
         SELECT CAST([collect]([array](g.id, g.label, x.direct) ORDER BY g.pk) AS TEXT) FROM (\
         SELECT u.pk AS pk, max(u.direct) AS direct FROM (\
         SELECT m.group_pk AS pk, 1 AS direct FROM member m WHERE m.tenant_id = r.tenant_id AND m.member_pk = r.pk \
         UNION ALL SELECT c.ancestor_pk, 0 FROM member m CROSS JOIN group_closure c WHERE m.tenant_id = r.tenant_id \
         AND m.member_pk = r.pk AND c.tenant_id = m.tenant_id AND c.group_pk = m.group_pk\
         ) u GROUP BY u.pk) x CROSS JOIN resource g WHERE g.tenant_id = r.tenant_id AND g.pk = x.pk) END, \
         CASE WHEN EXISTS (SELECT 1 FROM rule_link l WHERE l.tenant_id = r.tenant_id AND l.kind = 3) \
         THEN (SELECT p.version FROM policy p WHERE p.tenant_id = r.tenant_id) END"
    };
}

/// What stands for [`groups_columns`] where groups are left out.
macro_rules! no_groups {
    () => {
        "NULL, NULL"
    };
}

pub(super) use {external_id_column, groups_columns, no_groups, stored_columns};

impl Stored {
    /// Reads the columns of [`stored_columns`], `externalId` and [`groups_columns`], which begin at `first`.
    pub(super) fn read(row: &Row, first: usize) -> Result<Self> {
        let groups = row.get::<Option<String>>(first + 12)?;
        Ok(Self {
            pk: Pk(row.get(first)?),
            id: ResourceId::new(row.get::<String>(first + 1)?),
            kind: Kind::from_code(row.get(first + 2)?).ok_or(Error::Damaged("kind of a resource"))?,
            version: Version(row.get(first + 3)?),
            created: Timestamp(row.get(first + 4)?),
            modified: Timestamp(row.get(first + 5)?),
            active: row.get::<Option<i64>>(first + 6)?.map(|active| active != 0),
            connection: row.get::<Option<i64>>(first + 7)?.map(ConnectionId),
            label: row.get(first + 8)?,
            document: row.get(first + 9)?,
            seal: row.get(first + 10)?,
            external_id: row.get(first + 11)?,
            groups: groups.map_or(Ok(Vec::new()), |text| parse_groups(&text))?,
            policy_version: row.get(first + 13)?,
            held_back: false,
        })
    }
}

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self> {
        Self::read(row, 0)
    }
}

fn parse_groups(text: &str) -> Result<Vec<GroupOf>> {
    if text == "[]" {
        return Ok(Vec::new());
    }
    let groups: Vec<(String, String, i64)> =
        serde_json::from_str(text).map_err(|_| Error::Damaged("groups of a user"))?;
    let group = |(id, display, direct)| GroupOf {
        id: ResourceId::new(id),
        display,
        direct: direct != 0,
    };
    Ok(groups.into_iter().map(group).collect())
}

/// The indexed part of a text and the rest.
pub(super) fn split(text: &str) -> (&str, &str) {
    if text.len() <= INDEXED_CHARS {
        return (text, "");
    }
    match text.char_indices().nth(INDEXED_CHARS) {
        Some((at, _)) => text.split_at(at),
        None => (text, ""),
    }
}

/// The column that makes a name unique or not: see the comment at the table.
pub(super) fn twin(unique: Uniqueness, rest: &str, pk: Pk) -> i64 {
    match unique {
        Uniqueness::Free => pk.0,
        Uniqueness::Enforced if rest.is_empty() => 0,
        Uniqueness::Enforced => {
            let mut first = [0; 8];
            first.copy_from_slice(&Sha256::digest(rest.as_bytes())[..8]);
            // INVARIANT: negative, so neither 0 nor the row number of another resource.
            i64::from_be_bytes(first) | i64::MIN
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_behind_256_characters() {
        let long: String = "é".repeat(300);
        let (key, rest) = split(&long);
        assert_eq!((key.chars().count(), rest.chars().count()), (256, 44));
        assert_eq!(split("short"), ("short", ""));
        let exact = "é".repeat(256);
        assert_eq!(split(&exact), (exact.as_str(), ""));
    }

    #[test]
    fn long_unique_names_differ_by_what_is_not_indexed() {
        let twin = |rest| twin(Uniqueness::Enforced, rest, Pk(7));
        assert_eq!(twin(""), 0);
        assert!(twin("a") < 0);
        assert_ne!(twin("a"), twin("b"));
    }
}
