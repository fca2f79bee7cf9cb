//! What filters can find of a document: one row a value.

use serde_json::{Map, Value, json};
use std::collections::HashMap;

use crate::scim::filter;
use crate::scim::schema::ResourceType;
use crate::store::document::split;
use crate::store::error::{Error, Result};
use crate::store::sql::{Bind, Read, Statement, Tx};

/// Paths that are columns of every resource, so they need no rows.
const COLUMNS: [&str; 3] = ["id", "externalId", "meta"];

/// The same of users alone.
const OF_USERS: [&str; 2] = ["userName", "active"];

/// Every queryable value of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaves {
    leaves: Vec<Leaf>,
    unique: Claims,
}

/// Values that no other resource may have, each with the key that it is kept under, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims(Vec<(String, String)>);

impl Claims {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys, each once.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self.0.iter().map(|(key, _)| key.as_str()).collect();
        keys.dedup();
        keys
    }

    /// As a JSON array of pairs, which both engines read alike.
    pub(in crate::store) fn to_text(&self) -> String {
        json!(self.0).to_string()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Leaf {
    path: String,
    elem: u32,
    fold: String,
}

impl Leaves {
    /// Those of a document of this type.
    #[must_use]
    pub fn of(document: &Map<String, Value>, kind: &ResourceType) -> Self {
        let mut leaves = Self::default();
        filter::leaves(document, kind, &mut |leaf| {
            // Empty text is no value (RFC 7643 §2.5): any number of resources have none.
            if let Some(key) = kind.unique_key(leaf.path).filter(|_| !leaf.fold.is_empty()) {
                leaves.unique.0.push((key.to_owned(), leaf.fold.clone()));
            }
            if kind.is_own() || !OF_USERS.contains(&leaf.path) {
                leaves.push(leaf.path, leaf.elem, leaf.fold);
            }
        });
        leaves.unique.0.sort_unstable();
        leaves.unique.0.dedup();
        leaves
    }

    /// Those of them that no other resource may have.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.unique
    }

    fn push(&mut self, path: &str, elem: u32, fold: String) {
        if !COLUMNS.contains(&path) && !path.starts_with("meta.") {
            self.leaves.push(Leaf {
                path: path.to_owned(),
                elem,
                fold,
            });
        }
    }
}

/// Leaves as rows of the attribute table: `path_id, fold, elem, rest`.
pub(in crate::store) struct Rows {
    /// Rows to write; `None` when there are none.
    pub(in crate::store) written: Option<Vec<Vec<Bind>>>,
    /// Rows to remove.
    pub(in crate::store) removed: Option<Vec<Vec<Bind>>>,
    /// The same of the table of values that must be unique: `path_id, fold`.
    pub(in crate::store) taken: Option<Vec<Vec<Bind>>>,
    /// Those that are given up.
    pub(in crate::store) free: Option<Vec<Vec<Bind>>>,
}

type Key<'a> = (&'a str, &'a str, u32);

fn keyed(leaves: &Leaves) -> HashMap<Key<'_>, &str> {
    let mut keyed = HashMap::with_capacity(leaves.leaves.len());
    for leaf in &leaves.leaves {
        let (fold, rest) = split(&leaf.fold);
        keyed.insert((leaf.path.as_str(), fold, leaf.elem), rest);
    }
    keyed
}

impl Rows {
    /// What must be written and removed to get from the old leaves to the new.
    pub(in crate::store) async fn between(tx: &mut Tx, old: &Leaves, new: &Leaves) -> Result<Self> {
        let (taken, free) = unique(tx, &old.unique.0, &new.unique.0).await?;
        if old.leaves.is_empty() {
            let rows = Self::of_new(tx, new).await?;
            return Ok(Self { taken, free, ..rows });
        }
        let (old, new) = (keyed(old), keyed(new));
        let removed: Vec<_> = old.iter().filter(|(key, _)| !new.contains_key(*key)).collect();
        let written: Vec<_> = new.iter().filter(|(key, rest)| old.get(*key) != Some(rest)).collect();
        let paths: Vec<&str> = removed.iter().chain(&written).map(|((path, _, _), _)| *path).collect();
        let ids = write_paths(tx, &paths).await?;
        Ok(Self {
            written: rows(&ids, written)?,
            removed: rows(&ids, removed)?,
            taken,
            free,
        })
    }

    /// The same when there was nothing.
    async fn of_new(tx: &mut Tx, new: &Leaves) -> Result<Self> {
        let mut paths: Vec<&str> = new.leaves.iter().map(|leaf| leaf.path.as_str()).collect();
        paths.sort_unstable();
        paths.dedup();
        let ids = write_paths(tx, &paths).await?;
        let mut rows = Vec::with_capacity(new.leaves.len());
        for leaf in &new.leaves {
            let (fold, rest) = split(&leaf.fold);
            let id = ids.get(leaf.path.as_str()).ok_or(Error::Damaged("attribute path"))?;
            rows.push((*id, fold, leaf.elem, rest));
        }
        rows.sort_unstable();
        rows.dedup_by_key(|row| (row.0, row.1, row.2));
        let written = (!rows.is_empty()).then(|| rows.into_iter().map(row).collect());
        Ok(Self {
            written,
            removed: None,
            taken: None,
            free: None,
        })
    }
}

/// Values of these pairs of path and text.
type Values = Option<Vec<Vec<Bind>>>;

/// What is taken and what is given up to get from the old values to the new.
async fn unique(tx: &mut Tx, old: &[(String, String)], new: &[(String, String)]) -> Result<(Values, Values)> {
    if old == new {
        return Ok((None, None));
    }
    let paths: Vec<&str> = old.iter().chain(new).map(|(path, _)| path.as_str()).collect();
    let ids = write_paths(tx, &paths).await?;
    let missing = |these: &[(String, String)], others: &[(String, String)]| {
        let these = these.iter().filter(|pair| !others.contains(pair));
        let row = |(path, fold): &(String, String)| -> Result<Vec<Bind>> {
            let id = *ids.get(path.as_str()).ok_or(Error::Damaged("attribute path"))?;
            Ok(vec![id.into(), fold.clone().into()])
        };
        let rows = these.map(row).collect::<Result<Vec<_>>>()?;
        Ok::<Values, Error>((!rows.is_empty()).then_some(rows))
    };
    Ok((missing(new, old)?, missing(old, new)?))
}

/// The number of a path, which is added where nothing has it yet.
pub(in crate::store) async fn intern(tx: &mut Tx, path: &str) -> Result<i64> {
    let ids = write_paths(tx, &[path]).await?;
    ids.get(path).copied().ok_or(Error::Damaged("attribute path"))
}

fn row((path_id, fold, elem, rest): (i64, &str, u32, &str)) -> Vec<Bind> {
    vec![
        path_id.into(),
        fold.to_owned().into(),
        i64::from(elem).into(),
        rest.to_owned().into(),
    ]
}

/// Sorted by the key of the table, so that neighbours are written together.
fn rows(ids: &HashMap<&str, i64>, leaves: Vec<(&Key<'_>, &&str)>) -> Result<Option<Vec<Vec<Bind>>>> {
    if leaves.is_empty() {
        return Ok(None);
    }
    let mut rows = Vec::with_capacity(leaves.len());
    for (&(path, fold, elem), &rest) in leaves {
        let path_id = ids.get(path).ok_or(Error::Damaged("attribute path"))?;
        rows.push((*path_id, fold, elem, rest));
    }
    rows.sort_unstable();
    Ok(Some(rows.into_iter().map(row).collect()))
}

/// The numbers of attribute paths; new ones are added.
async fn write_paths<'a>(mut tx: &mut Tx, paths: &[&'a str]) -> Result<HashMap<&'a str, i64>> {
    const ADD: &str = "INSERT INTO attribute_path (name) SELECT j.value ->> 0 FROM [each $1] AS j WHERE 1 = 1 \
                       ORDER BY 1 ON CONFLICT (name) DO NOTHING";
    let mut ids = read_paths(&mut tx, paths).await?;
    let new: Vec<&str> = paths.iter().copied().filter(|path| !ids.contains_key(path)).collect();
    if !new.is_empty() {
        tx.write(Statement::new(ADD).bind(as_rows(&new))).await?;
        ids.extend(read_paths(&mut tx, &new).await?);
    }
    Ok(ids)
}

/// The numbers of those attribute paths that any document of any tenant ever had.
pub(in crate::store) async fn read_paths<'a>(
    source: &mut impl Read,
    paths: &[&'a str],
) -> Result<HashMap<&'a str, i64>> {
    const FIND: &str = "SELECT p.name, p.id FROM [each $1] AS j JOIN attribute_path p ON p.name = j.value ->> 0";
    let mut ids = HashMap::with_capacity(paths.len());
    let mut unknown = Vec::new();
    for &path in paths {
        match source.names().get(path).or_else(|| source.learned(path)) {
            Some(id) => drop(ids.insert(path, id)),
            None => unknown.push(path),
        }
    }
    if unknown.is_empty() {
        return Ok(ids);
    }
    unknown.sort_unstable();
    unknown.dedup();
    let found: Vec<(String, i64)> = source.rows(Statement::new(FIND).bind(as_rows(&unknown))).await?;
    for path in unknown {
        if let Some((_, id)) = found.iter().find(|(name, _)| name == path) {
            ids.insert(path, *id);
        }
    }
    source.learn(found);
    Ok(ids)
}

/// Texts as a JSON array of arrays, which both engines read alike.
pub(in crate::store) fn as_rows<T: AsRef<str>>(texts: &[T]) -> String {
    json!(texts.iter().map(|text| [text.as_ref()]).collect::<Vec<_>>()).to_string()
}
