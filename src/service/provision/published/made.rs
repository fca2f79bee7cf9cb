//! Resources that are made for an answer, and pages of them.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::cmp::Ordering;
use std::sync::Arc;

use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::scim::cursor::{Mark, Turn};
use crate::scim::dialect::Applied;
use crate::scim::filter::{eval, leaves};
use crate::scim::schema::ResourceType;
use crate::service::provision::query::Question;
use crate::service::provision::shown::{Relations, Shown};
use crate::service::provision::walk::Part;
use crate::store::query::Sort;

/// A resource out of its parts. Nobody counts its versions, so the version is one of its text.
pub(super) fn shown(
    kind: &Arc<ResourceType>,
    id: &str,
    attributes: Map<String, Value>,
    relations: Relations,
    [created, modified]: [Option<Timestamp>; 2],
) -> Shown {
    let mut document = Map::with_capacity(attributes.len() + 1);
    document.insert("schemas".to_owned(), vec![kind.schema().id.clone()].into());
    // What has no value is absent (RFC 7643 §2.5).
    document.extend(attributes.into_iter().filter(|(_, value)| !is_nothing(value)));
    let mut shown = Shown {
        kind: Arc::clone(kind),
        id: ResourceId::new(id),
        version: 0,
        created,
        modified,
        document: Value::Object(document).to_string(),
        external_id: None,
        relations,
        asked_for: Vec::new(),
        ignored: Vec::new(),
        effects: Vec::new(),
        tolerated: Applied::default(),
    };
    shown.version = digest(&shown.whole());
    shown
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// The same on every node and in every build.
fn digest(text: &str) -> i64 {
    let hash = Sha256::digest(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(first) & i64::MAX
}

/// The page that a question asks for, and how many it finds.
pub(super) fn page(all: Vec<Shown>, question: &Question) -> (Vec<Shown>, u64) {
    let mut found = matches(all, question);
    if let Some(sort) = &question.sort {
        // Stable: ties stay in the order they came in.
        found.sort_by(|one, two| order(one.0.as_deref(), two.0.as_deref(), sort.descending));
    }
    let total = found.len() as u64;
    let page = found.into_iter().skip(number(question.offset));
    let page = page.take(number(question.limit)).map(|(_, shown)| shown);
    (page.collect(), total)
}

/// The page of a walk that a turn leads to. Ties are in the order of ids, which is the same whoever comes and goes.
pub(super) fn walk(all: Vec<Shown>, question: &Question, turn: &Turn) -> Part {
    let descending = question.sort.as_ref().is_some_and(|sort| sort.descending);
    let compare = |key: Option<&str>, id: &str, mark: &Mark| {
        order(key, mark.key.as_deref(), descending).then_with(|| id.cmp(&mark.tie))
    };
    let wanted = if turn.is_back() {
        Ordering::Less
    } else {
        Ordering::Greater
    };
    let mut found: Vec<(Mark, Shown)> = matches(all, question)
        .into_iter()
        .map(|(key, shown)| {
            let tie = shown.id.as_str().to_owned();
            (Mark { key, tie }, shown)
        })
        .filter(|(mark, _)| {
            let place = turn.mark();
            let is_at = |place| compare(mark.key.as_deref(), &mark.tie, place);
            place.is_none_or(|place| match is_at(place) {
                Ordering::Equal => turn.is_with(),
                beyond => beyond == wanted,
            })
        })
        .collect();
    found.sort_by(|(one, _), (two, _)| compare(one.key.as_deref(), &one.tie, two));
    let limit = number(question.limit);
    let more = found.len() > limit;
    let past = if turn.is_back() {
        found.len().saturating_sub(limit)
    } else {
        0
    };
    let page: Vec<_> = found.into_iter().skip(past).take(limit).collect();
    let ends = page.first().zip(page.last());
    Part {
        ends: ends.map(|((first, _), (last, _))| [first.clone(), last.clone()]),
        items: page.into_iter().map(|(_, shown)| shown).collect(),
        more,
    }
}

/// What the filter finds, with what it is sorted by.
fn matches(all: Vec<Shown>, question: &Question) -> Vec<(Option<String>, Shown)> {
    let mut found: Vec<(Option<String>, Shown)> = Vec::new();
    for shown in all {
        let whole: Value = serde_json::from_str(&shown.whole()).unwrap_or_default();
        if question.filter.as_ref().is_none_or(|filter| eval(filter, &whole)) {
            let key = question.sort.as_ref().and_then(|sort| key(&whole, &shown.kind, sort));
            found.push((key, shown));
        }
    }
    found
}

fn number(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// What a resource is sorted by: its first value there.
fn key(whole: &Value, kind: &ResourceType, sort: &Sort) -> Option<String> {
    let mut first: Option<(u32, String)> = None;
    leaves(whole.as_object()?, kind, &mut |leaf| {
        if leaf.path == sort.path && first.as_ref().is_none_or(|(elem, _)| leaf.elem < *elem) {
            first = Some((leaf.elem, leaf.fold));
        }
    });
    first.map(|(_, fold)| fold)
}

/// Absent values are last ascending and first descending, as the store has it.
fn order(one: Option<&str>, two: Option<&str>, descending: bool) -> Ordering {
    let ascending = match (one, two) {
        (Some(one), Some(two)) => one.cmp(two),
        (one, two) => one.is_none().cmp(&two.is_none()),
    };
    if descending { ascending.reverse() } else { ascending }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_value_is_last_ascending_and_first_descending() {
        let sorted = |descending| {
            let mut keys = [Some("b"), None, Some("a")];
            keys.sort_by(|one, two| order(*one, *two, descending));
            keys
        };
        assert_eq!(sorted(false), [Some("a"), Some("b"), None]);
        assert_eq!(sorted(true), [None, Some("b"), Some("a")]);
    }

    #[test]
    fn a_version_is_a_number_that_follows_from_the_text() {
        assert!(digest("a") > 0);
        assert_eq!(digest("a"), digest("a"));
        assert_ne!(digest("a"), digest("b"));
    }
}
