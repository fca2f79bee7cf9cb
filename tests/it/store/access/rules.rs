//! Rules, their versions, and the versions that are being prepared.

use muster::access::{Outcome, Reach, State, Validity};
use muster::base::clock::Timestamp;
use muster::base::id::{RuleKey, ScopeKey};
use muster::store::Error;
use muster::store::access::hanging::{Holding, Removal};
use muster::store::access::rules::{Condition, RuleContent, Standing};
use muster::store::error::Unique;

use super::super::shelf::Shelf;
use super::{READ_ONLY, content, on, record};

async fn standings(shelf: &Shelf, rule: RuleKey) -> Vec<(i64, Standing)> {
    let versions = shelf.reader().rules().versions(rule, None, 100).await.unwrap();
    versions.into_iter().map(|one| (one.version, one.standing)).collect()
}

const ACTIVE: Standing = Standing::Entered(State::Active);

each_database! {
    async fn a_rule_is_kept_as_it_was_written_with_its_first_version(shelf: Shelf) {
        let emea = shelf.scope("EMEA", None).await;
        let (sales, _) = shelf.group("Sales").await;
        let then = [
            on(READ_ONLY, emea), Outcome::Member(emea), Outcome::Group(sales),
            Outcome::Role { role: READ_ONLY, reach: Reach::All },
            Outcome::Role { role: READ_ONLY, reach: Reach::Record(record("lead", "\"1\"")) },
        ];
        let validity = Validity { from: Some(Timestamp(1)), to: Some(Timestamp(2)) };
        let said = RuleContent { name: "Sales people", when: "title eq \"Ünïted\"", then: &then, validity, examples: "[{\"user\":1}]" };
        let id = shelf.ids.next();
        let by = shelf.by();
        let mut unit = shelf.unit().await;
        let key = unit.rules().create(id.as_str(), said, State::Draft, by).await.unwrap();
        unit.save().await.unwrap();

        let stored = shelf.reader().rules().find(id.as_str()).await.unwrap().unwrap();

        assert_eq!((stored.key, stored.name.as_str(), stored.state, stored.version, stored.matched), (key, "Sales people", State::Draft, 1, 1));
        assert_eq!((stored.when.as_str(), stored.then.as_slice(), stored.validity), (said.when, then.as_slice(), validity));
        assert_eq!((stored.examples.as_str(), stored.created, stored.modified, stored.preparing), (said.examples, by.cause.at, by.cause.at, None));
        let versions = shelf.reader().rules().versions(key, None, 9).await.unwrap();
        assert_eq!(versions.len(), 1);
        assert_eq!((versions[0].when.as_str(), versions[0].then.as_slice(), versions[0].standing), (said.when, then.as_slice(), Standing::Entered(State::Draft)));
        assert_eq!((versions[0].made.actor_name.as_str(), versions[0].made.request_id.as_deref()), ("root", Some("r-1")));
        let second = shelf.rule("Second", &[], State::Active).await;
        let list = async |state, after, limit| -> Vec<RuleKey> {
            shelf.reader().rules().list(state, after, limit).await.unwrap().into_iter().map(|one| one.key).collect()
        };
        assert_eq!(list(None, RuleKey(0), 1).await, [key]);
        assert_eq!(list(None, key, 9).await, [second]);
        assert_eq!(list(Some(State::Active), RuleKey(0), 9).await, [second]);
        let mut unit = shelf.unit().await;
        let taken = unit.rules().create(shelf.ids.next().as_str(), RuleContent { name: "SALES people", ..said }, State::Draft, by).await;
        assert!(matches!(taken, Err(Error::Taken(Unique::RuleName))), "{taken:?}");
    }

    async fn every_change_is_a_version_and_only_a_new_condition_needs_new_matches(shelf: Shelf) {
        let emea = shelf.scope("EMEA", None).await;
        let rule = shelf.rule("R", &[on(READ_ONLY, emea)], State::Active).await;
        let version = shelf.version().await;
        let mut unit = shelf.unit().await;
        assert_eq!(unit.rules().change((rule, 1), content("R2", "title pr", &[Outcome::Member(emea)]), State::Active, Condition::Same, shelf.by()).await.unwrap(), 2);
        unit.save().await.unwrap();
        let stored = shelf.reader().rules().get(rule).await.unwrap().unwrap();
        assert_eq!((stored.version, stored.matched, stored.name.as_str()), (2, 1, "R2"));
        let mut unit = shelf.unit().await;
        assert_eq!(unit.rules().change((rule, 2), content("R2", "nickName pr", &[]), State::Retired, Condition::New, shelf.by()).await.unwrap(), 3);
        unit.save().await.unwrap();
        let stored = shelf.reader().rules().get(rule).await.unwrap().unwrap();
        assert_eq!((stored.version, stored.matched, stored.state, stored.when.as_str()), (3, 3, State::Retired, "nickName pr"));
        assert_eq!(standings(&shelf, rule).await, [(3, Standing::Entered(State::Retired)), (2, ACTIVE), (1, ACTIVE)]);
        let page = shelf.reader().rules().versions(rule, Some(3), 1).await.unwrap();
        assert_eq!(page.iter().map(|one| one.version).collect::<Vec<_>>(), [2]);
        let mut unit = shelf.unit().await;
        let stale = unit.rules().change((rule, 2), content("R2", "title pr", &[]), State::Active, Condition::Same, shelf.by()).await;
        assert!(matches!(stale, Err(Error::Stale)), "{stale:?}");
        drop(unit);
        assert_eq!(shelf.version().await, version + 2);
        // A retired rule holds nothing.
        let mut unit = shelf.unit().await;
        assert!(matches!(unit.scopes().delete(emea, Holding::Refuse, shelf.by()).await.unwrap(), Removal::Gone(_)));
    }

    async fn a_prepared_version_takes_the_place_of_the_one_in_force_at_once(shelf: Shelf) {
        let emea = shelf.scope("EMEA", None).await;
        let dach = shelf.scope("DACH", None).await;
        let rule = shelf.rule("R", &[on(READ_ONLY, emea)], State::Active).await;
        let mut unit = shelf.unit().await;
        let prepared = unit.rules().prepare((rule, 1), content("New name", "nickName pr", &[on(READ_ONLY, dach)]), shelf.by()).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(prepared, 2);
        let stored = shelf.reader().rules().get(rule).await.unwrap().unwrap();
        assert_eq!((stored.version, stored.name.as_str(), stored.preparing.map(|one| one.version)), (1, "R", Some(2)));
        for scope in [emea, dach] {
            let mut unit = shelf.unit().await;
            assert!(matches!(unit.scopes().delete(scope, Holding::Refuse, shelf.by()).await.unwrap(), Removal::Held(_)), "both count");
        }
        let before = shelf.version().await;
        let mut unit = shelf.unit().await;
        assert_eq!(unit.rules().put_in_force(rule, 7, shelf.now()).await.unwrap(), None);
        assert_eq!(unit.rules().put_in_force(rule, 2, shelf.now()).await.unwrap(), Some(2));
        assert_eq!(unit.rules().put_in_force(rule, 2, shelf.now()).await.unwrap(), None);
        unit.save().await.unwrap();
        let stored = shelf.reader().rules().get(rule).await.unwrap().unwrap();
        assert_eq!((stored.version, stored.matched, stored.name.as_str(), stored.when.as_str(), stored.preparing), (2, 2, "New name", "nickName pr", None));
        assert_eq!((stored.then, stored.state), (vec![on(READ_ONLY, dach)], State::Active));
        assert_eq!(standings(&shelf, rule).await, [(2, ACTIVE), (1, ACTIVE)]);
        assert!(shelf.version().await > before);
        let mut unit = shelf.unit().await;
        assert!(matches!(unit.scopes().delete(emea, Holding::Refuse, shelf.by()).await.unwrap(), Removal::Gone(_)));
        assert!(matches!(unit.scopes().delete(dach, Holding::Refuse, shelf.by()).await.unwrap(), Removal::Held(_)));
    }

    async fn another_word_meanwhile_gives_up_what_was_prepared_and_its_number(shelf: Shelf) {
        let rule = shelf.rule("R", &[], State::Draft).await;
        let by = shelf.by();
        let mut unit = shelf.unit().await;
        assert_eq!(unit.rules().prepare((rule, 1), content("R", "nickName pr", &[]), by).await.unwrap(), 2);
        unit.save().await.unwrap();
        let mut unit = shelf.unit().await;
        assert_eq!(unit.rules().prepare((rule, 1), content("R", "locale pr", &[]), by).await.unwrap(), 3);
        unit.save().await.unwrap();
        let mut unit = shelf.unit().await;
        assert!(!unit.rules().give_up((rule, 2)).await.unwrap(), "the one that came after stays");
        unit.save().await.unwrap();
        assert_eq!(standings(&shelf, rule).await[..2], [(3, Standing::Preparing), (2, Standing::Abandoned)]);
        let mut unit = shelf.unit().await;
        assert_eq!(unit.rules().change((rule, 1), content("R!", "title pr", &[]), State::Draft, Condition::Same, by).await.unwrap(), 4);
        unit.save().await.unwrap();
        let mut unit = shelf.unit().await;
        assert_eq!(unit.rules().put_in_force(rule, 3, shelf.now()).await.unwrap(), None);
        let stale = unit.rules().prepare((rule, 1), content("R", "locale pr", &[]), by).await;
        assert!(matches!(stale, Err(Error::Stale)), "{stale:?}");
        drop(unit);
        let stored = shelf.reader().rules().get(rule).await.unwrap().unwrap();
        assert_eq!((stored.name.as_str(), stored.matched), ("R!", 4), "nothing is kept of a draft, so its matches are to be found anew");
    }

    async fn what_is_taken_from_a_rule_is_taken_from_what_is_prepared_too(shelf: Shelf) {
        let emea = shelf.scope("EMEA", None).await;
        let dach = shelf.scope("DACH", None).await;
        let rule = shelf.rule("R", &[on(READ_ONLY, emea), on(READ_ONLY, dach)], State::Active).await;
        let mut unit = shelf.unit().await;
        unit.rules().prepare((rule, 1), content("R", "nickName pr", &[Outcome::Member(emea), Outcome::Member(dach)]), shelf.by()).await.unwrap();
        unit.save().await.unwrap();
        let mut unit = shelf.unit().await;
        assert!(matches!(unit.scopes().delete(emea, Holding::Detach, shelf.by()).await.unwrap(), Removal::Gone(_)));
        unit.save().await.unwrap();
        let stored = shelf.reader().rules().get(rule).await.unwrap().unwrap();
        assert_eq!((stored.then, stored.version, stored.matched, stored.preparing.map(|one| one.version)), (vec![on(READ_ONLY, dach)], 3, 1, Some(2)));
        let mut unit = shelf.unit().await;
        assert_eq!(unit.rules().put_in_force(rule, 2, shelf.now()).await.unwrap(), Some(4), "above what came meanwhile");
        unit.save().await.unwrap();
        let stored = shelf.reader().rules().get(rule).await.unwrap().unwrap();
        assert_eq!((stored.then, stored.version, stored.matched), (vec![Outcome::Member(dach)], 4, 2));
        assert_eq!(standings(&shelf, rule).await, [(4, ACTIVE), (3, ACTIVE), (1, ACTIVE)]);
    }

    async fn a_rule_that_is_deleted_holds_nothing_and_is_nowhere(shelf: Shelf) {
        let emea: ScopeKey = shelf.scope("EMEA", None).await;
        let rule = shelf.rule("R", &[on(READ_ONLY, emea)], State::Active).await;
        let version = shelf.version().await;
        let mut unit = shelf.unit().await;
        assert!(unit.rules().delete(rule).await.unwrap());
        assert!(!unit.rules().delete(rule).await.unwrap());
        unit.save().await.unwrap();
        assert!(shelf.version().await > version);
        assert_eq!(shelf.reader().rules().get(rule).await.unwrap(), None);
        assert!(standings(&shelf, rule).await.is_empty());
        let mut unit = shelf.unit().await;
        assert!(matches!(unit.scopes().delete(emea, Holding::Refuse, shelf.by()).await.unwrap(), Removal::Gone(_)));
        unit.save().await.unwrap();
        assert!(shelf.rule("R", &[], State::Active).await > rule, "numbers are not given again");
    }
}
