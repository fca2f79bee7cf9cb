//! Territories, programs, record groups, and the records in them.

use muster::access::{Outcome, Reach, RecordRef, ScopeKind, State, Subject};
use muster::base::clock::Timestamp;
use muster::base::id::ScopeKey;
use muster::store::Error;
use muster::store::access::hanging::{Holding, Removal};
use muster::store::access::scopes::ScopeContent;

use super::super::shelf::Shelf;
use super::{READ_ONLY, on, record};

async fn put(shelf: &Shelf, records: &[(ScopeKey, RecordRef)]) -> usize {
    let mut unit = shelf.unit().await;
    let new = unit.records().put(records).await.unwrap();
    unit.save().await.unwrap();
    new.len()
}

each_database! {
    async fn a_scope_is_kept_as_it_was_written(shelf: Shelf) {
        let mut unit = shelf.unit().await;
        let (starts, ends) = (Some(Timestamp(10)), Some(Timestamp(20)));
        let content = ScopeContent { name: "Spring", parent: None, starts, ends };
        let id = shelf.ids.next();
        let key = unit.scopes().create(id.as_str(), ScopeKind::Program, content, shelf.now()).await.unwrap();
        unit.save().await.unwrap();
        let stored = shelf.reader().scopes().find(id.as_str()).await.unwrap().unwrap();
        assert_eq!((stored.scope.key, stored.scope.kind, stored.scope.starts, stored.scope.ends), (key, ScopeKind::Program, starts, ends));
        assert_eq!(shelf.reader().scopes().get(key).await.unwrap(), Some(stored.clone()));
        assert_eq!(shelf.reader().scopes().named("SPRING").await.unwrap(), [stored]);
        let second = shelf.scope("Spring", None).await;
        assert_eq!(shelf.reader().scopes().named("spring").await.unwrap().len(), 2);
        let list = async |kind, after, limit| -> Vec<ScopeKey> {
            shelf.reader().scopes().list(kind, after, limit).await.unwrap().into_iter().map(|one| one.scope.key).collect()
        };
        assert_eq!(list(None, ScopeKey(0), 1).await, [key]);
        assert_eq!(list(None, key, 10).await, [second]);
        assert_eq!(list(Some(ScopeKind::Territory), ScopeKey(0), 10).await, [second]);
        let mut unit = shelf.unit().await;
        let taken = unit.scopes().create(id.as_str(), ScopeKind::Program, content, shelf.now()).await;
        assert!(matches!(taken, Err(Error::Taken(_))), "{taken:?}");
    }

    async fn what_is_above_is_found_through_the_tree(shelf: Shelf) {
        let emea = shelf.scope("EMEA", None).await;
        let dach = shelf.scope("DACH", Some(emea)).await;
        let bavaria = shelf.scope("Bavaria", Some(dach)).await;
        let below = async |a, b| shelf.reader().scopes().is_below(a, b).await.unwrap();
        assert!(below(bavaria, emea).await && below(emea, emea).await);
        assert!(!below(emea, bavaria).await);
        let version = shelf.version().await;
        let mut unit = shelf.unit().await;
        let content = ScopeContent { name: "Bavaria!", parent: Some(emea), starts: None, ends: None };
        assert!(unit.scopes().update(bavaria, content).await.unwrap());
        assert!(!unit.scopes().update(ScopeKey(9999), content).await.unwrap());
        unit.save().await.unwrap();
        assert!(!below(bavaria, dach).await);
        assert_eq!(shelf.reader().scopes().named("bavaria!").await.unwrap()[0].scope.parent, Some(emea));
        assert!(shelf.version().await > version);
    }

    async fn a_scope_that_is_used_stays_and_says_what_uses_it(shelf: Shelf) {
        let emea = shelf.scope("EMEA", None).await;
        let dach = shelf.scope("DACH", Some(emea)).await;
        let bavaria = shelf.scope("Bavaria", Some(dach)).await;
        let (ada, _) = shelf.user("ada").await;
        let grant = shelf.grant(Subject::User(ada), READ_ONLY, Reach::Scope(dach)).await;
        let rule = shelf.rule("R", &[Outcome::Member(dach), on(READ_ONLY, emea)], State::Active).await;
        put(&shelf, &[(dach, record("lead", "1")), (emea, record("lead", "1"))]).await;
        let mut unit = shelf.unit().await;

        let Removal::Held(hanging) = unit.scopes().delete(dach, Holding::Refuse, shelf.by()).await.unwrap() else { panic!() };

        assert_eq!((hanging.grants[0].key, hanging.rules[0].0, hanging.scopes[0].0), (grant, rule, bavaria));
        assert_eq!((hanging.grants.len(), hanging.rules.len(), hanging.scopes.len()), (1, 1, 1));
        let gone = unit.scopes().delete(dach, Holding::Detach, shelf.by()).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(gone, Removal::Gone(hanging));
        assert_eq!(shelf.reader().scopes().get(bavaria).await.unwrap().unwrap().scope.parent, Some(emea));
        assert_eq!(shelf.reader().records().scopes_of(&record("lead", "1")).await.unwrap(), [emea]);
        assert_eq!(shelf.reader().rules().get(rule).await.unwrap().unwrap().then, [on(READ_ONLY, emea)]);
        let mut unit = shelf.unit().await;
        assert_eq!(unit.scopes().delete(dach, Holding::Detach, shelf.by()).await.unwrap(), Removal::Absent);
        // Records alone do not hold a scope.
        put_after(&mut unit, bavaria).await;
        assert!(matches!(unit.scopes().delete(bavaria, Holding::Refuse, shelf.by()).await.unwrap(), Removal::Gone(_)));
        unit.save().await.unwrap();
    }

    async fn records_are_in_any_number_of_scopes_and_are_paged(shelf: Shelf) {
        let (a, b) = (shelf.scope("A", None).await, shelf.scope("B", None).await);
        let version = shelf.version().await;
        let all: Vec<_> = (1..=5).map(|at| (a, record("lead", &at.to_string()))).chain([(b, record("lead", "1")), (a, record("account", "9:x"))]).collect();
        assert_eq!(put(&shelf, &all).await, 7);
        assert_eq!(put(&shelf, &all[..2]).await, 0);
        assert_eq!(shelf.version().await, version, "records are not part of the policy");
        assert_eq!(shelf.reader().records().scopes_of(&record("lead", "1")).await.unwrap(), [a, b]);
        let mut seen = Vec::new();
        loop {
            let page = shelf.reader().records().of_scope(a, seen.last(), 4).await.unwrap();
            if page.is_empty() { break }
            seen.extend(page);
        }
        let texts: Vec<_> = seen.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["account:9:x", "lead:1", "lead:2", "lead:3", "lead:4", "lead:5"]);
        assert_eq!(shelf.reader().records().of_kind("lead", &[a, b], "", 2).await.unwrap(), ["1", "2"]);
        assert_eq!(shelf.reader().records().of_kind("lead", &[b, a], "4", 9).await.unwrap(), ["5"]);
        let mut unit = shelf.unit().await;
        assert_eq!(unit.records().remove(&[(a, record("lead", "1")), (b, record("lead", "2"))]).await.unwrap(), [record("lead", "1")]);
        unit.save().await.unwrap();
        assert_eq!(shelf.reader().records().scopes_of(&record("lead", "1")).await.unwrap(), [b]);
    }
}

async fn put_after(unit: &mut muster::store::Unit, scope: ScopeKey) {
    assert_eq!(
        unit.records().put(&[(scope, record("lead", "7"))]).await.unwrap(),
        [record("lead", "7")]
    );
}
