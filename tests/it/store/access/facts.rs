//! What decisions read of users.

use std::collections::BTreeMap;

use muster::access::{Outcome, Reach, RuleBits, State, Subject};
use muster::base::fold::user_name_key;
use muster::base::id::{Pk, ResourceId};
use muster::store::Kind;
use muster::store::access::facts::{DecisionRow, Detail, MOST_REPORTS, UserKey};
use muster::store::access::matches::Range;
use muster::store::access::rules::Condition;
use serde_json::json;

use super::super::shelf::Shelf;
use super::{READ_ONLY, content, on, record};

async fn read(shelf: &Shelf, id: &ResourceId) -> DecisionRow {
    shelf
        .reader()
        .facts()
        .for_decision(UserKey::Id(id), None)
        .await
        .unwrap()
        .unwrap()
}

/// What is kept of a user that counts: of rules that are in force, under the version that has had the condition first.
async fn counting(shelf: &Shelf, id: &ResourceId) -> Vec<(i64, u64)> {
    let rules = shelf.reader().policy().load().await.unwrap().rules;
    let kept = read(shelf, id).await.facts.bits.into_iter();
    let counts = |fact: &RuleBits| {
        rules
            .iter()
            .any(|row| row.key == fact.rule && row.matched == fact.version)
    };
    kept.filter(counts).map(|fact| (fact.version, fact.bits)).collect()
}

/// The same row with what comes in any order in the order of keys.
fn in_order(mut row: DecisionRow) -> DecisionRow {
    row.facts.groups.sort_unstable_by_key(|group| group.pk);
    row.facts.bits.sort_unstable_by_key(|fact| (fact.rule, fact.version));
    row.facts.grants.sort_unstable_by_key(|grant| grant.key);
    row
}

each_database! {
    async fn one_statement_reads_all_that_a_decision_needs(shelf: Shelf) {
        let (ada, id) = shelf.user("ada").await;
        let (world, world_id) = shelf.group("World").await;
        let (sales, sales_id) = shelf.group("Sales").await;
        let (_, other) = shelf.user("other").await;
        shelf.join(world, &[&sales_id]).await;
        shelf.join(sales, &[&id, &other]).await;
        let emea = shelf.scope("EMEA", None).await;
        let dach = shelf.scope("DACH", Some(emea)).await;
        let own = shelf.grant(Subject::User(ada), READ_ONLY, Reach::Scope(emea)).await;
        shelf.grant(Subject::Group(sales), READ_ONLY, Reach::All).await;
        let rule = shelf.rule("R", &[on(READ_ONLY, emea)], State::Active).await;
        let lead = record("lead", "a:1");
        let mut unit = shelf.unit().await;
        unit.matches().set_first(ada, &[(rule, 1, 0b101), (rule, 9, 1)], shelf.by().cause);
        unit.records().put(&[(emea, lead.clone()), (dach, lead.clone()), (emea, record("lead", "2"))]).await.unwrap();
        unit.save().await.unwrap();

        let row = shelf.reader().facts().for_decision(UserKey::Id(&id), Some(&lead)).await.unwrap().unwrap();

        assert_eq!(row.policy_version, shelf.version().await);
        let mut scopes = row.record_scopes.clone();
        scopes.sort_unstable();
        assert_eq!(scopes, [emea, dach]);
        let facts = &row.facts;
        assert_eq!((facts.user, facts.id.as_str(), facts.active), (ada, id.as_str(), true));
        let mut groups: Vec<_> = facts.groups.iter().map(|one| (one.display.as_str(), one.pk, one.id.as_str(), one.direct)).collect();
        groups.sort_unstable();
        assert_eq!(groups, [("Sales", sales, sales_id.as_str(), true), ("World", world, world_id.as_str(), false)]);
        assert_eq!(facts.bits, [(1, 0b101), (9, 1)].map(|(version, bits)| RuleBits { rule, version, bits }), "each as it is kept");
        assert_eq!(facts.grants.iter().map(|one| (one.key, one.reach.clone())).collect::<Vec<_>>(), [(own, Reach::Scope(emea))]);
        assert!(facts.reports.is_empty());
        let mut unit = shelf.unit().await;
        assert_eq!(unit.facts().for_decision(UserKey::Id(&id), Some(&lead)).await.unwrap(), Some(row));
    }

    async fn a_user_is_found_by_id_or_name_and_nobody_else_is(shelf: Shelf) {
        let long = format!("{}é", "l".repeat(300));
        let mut known = Vec::new();
        for name in ["Ada@example.com", &long] {
            known.push((name.to_owned(), shelf.user(name).await));
        }
        let (_, group) = shelf.group("ada@example.com").await;
        for (name, (pk, id)) in &known {
            let row = shelf.reader().facts().for_decision(UserKey::Name(&user_name_key(&name.to_uppercase())), None).await.unwrap().unwrap();
            assert_eq!((row.facts.user, &ResourceId::new(row.facts.id)), (*pk, id));
        }
        for key in [UserKey::Id(&group), UserKey::Id(&shelf.ids.next()), UserKey::Name("nobody"), UserKey::Name(&format!("{long}x"))] {
            assert_eq!(shelf.reader().facts().for_decision(key, None).await.unwrap(), None, "{key:?}");
        }
        let now = shelf.now();
        let other = muster::store::tenants::create(&shelf.db, &shelf.ids.next(), "other", "Other", now).await.unwrap().id;
        let neighbour = muster::store::Reader::new(shelf.db.clone(), other);
        assert_eq!(neighbour.facts().for_decision(UserKey::Id(&known[0].1.1), None).await.unwrap(), None);
    }

    async fn only_false_switches_an_account_off(shelf: Shelf) {
        for (active, expected) in [(json!(null), true), (json!(true), true), (json!(false), false)] {
            let id = shelf.ids.next();
            shelf.put(Kind::User, &id, None, &json!({"userName": format!("u{active}"), "active": active})).await;
            assert_eq!(read(&shelf, &id).await.facts.active, expected, "{active}");
        }
    }

    async fn bits_count_for_the_version_in_force_and_for_active_rules_only(shelf: Shelf) {
        let (ada, id) = shelf.user("ada").await;
        let rule = shelf.rule("R", &[], State::Active).await;
        let draft = shelf.rule("D", &[], State::Draft).await;
        let mut unit = shelf.unit().await;
        unit.matches().set_first(ada, &[(rule, 1, 1), (draft, 1, 1)], shelf.by().cause);
        unit.save().await.unwrap();
        let bits = async || counting(&shelf, &id).await;
        assert_eq!(bits().await, [(1, 1)]);
        let by = shelf.by();
        let mut unit = shelf.unit().await;
        unit.rules().change((rule, 1), content("R2", "title pr", &[]), State::Active, Condition::Same, by).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(bits().await, [(1, 1)], "a new version has the same condition");
        let mut unit = shelf.unit().await;
        let prepared = unit.rules().prepare((rule, 2), content("R2", "nickName pr", &[]), by).await.unwrap();
        unit.matches().set(ada, &[(rule, 1, 1), (rule, prepared, i64::MAX.cast_unsigned())], by.cause);
        unit.save().await.unwrap();
        assert_eq!(bits().await, [(1, 1)]);
        let mut unit = shelf.unit().await;
        unit.rules().put_in_force(rule, prepared, shelf.now()).await.unwrap();
        unit.save().await.unwrap();
        assert_eq!(bits().await, [(3, i64::MAX.cast_unsigned())], "63 atoms");
        let mut unit = shelf.unit().await;
        unit.rules().change((rule, 3), content("R2", "nickName pr", &[]), State::Retired, Condition::Same, by).await.unwrap();
        unit.save().await.unwrap();
        assert!(bits().await.is_empty());
    }

    async fn neighbours_are_read_together_with_the_same_facts(shelf: Shelf) {
        let (sales, sales_id) = shelf.group("Sales").await;
        let (top, top_id) = shelf.group("Top").await;
        let (world, _) = shelf.group("World").await;
        let mut users = Vec::new();
        for name in ["a", "b", "c"] {
            users.push(shelf.user(name).await);
        }
        shelf.join(sales, &[&users[0].1, &users[2].1]).await;
        shelf.join(top, &[&sales_id]).await;
        shelf.join(world, &[&sales_id, &top_id]).await;
        let rule = shelf.rule("R", &[Outcome::Group(top)], State::Active).await;
        let mut unit = shelf.unit().await;
        unit.matches().set_first(users[1].0, &[(rule, 1, i64::MAX.cast_unsigned()), (rule, 7, 2)], shelf.by().cause);
        unit.save().await.unwrap();
        for (subject, reach) in [(Subject::User(users[0].0), Reach::All), (Subject::Group(sales), Reach::All)] {
            shelf.grant(subject, READ_ONLY, reach).await;
        }
        shelf.grant(Subject::User(users[0].0), READ_ONLY, Reach::Record(record("lead", "1"))).await;
        let range = |from: Pk, to: i64| Range { from, to: Pk(to) };
        let first = shelf.reader().facts().of_range(range(Pk(0), users[1].0.0 + 1)).await.unwrap();
        assert_eq!(first.len(), 2, "up to the end, which is not part of it");
        let rest = shelf.reader().facts().of_range(range(users[2].0, i64::MAX)).await.unwrap();
        let all: Vec<_> = first.into_iter().chain(rest).map(in_order).collect();
        let ids: Vec<_> = all.iter().map(|row| row.facts.id.clone()).collect();
        assert_eq!(ids, users.iter().map(|user| user.1.to_string()).collect::<Vec<_>>());
        for (row, (_, id)) in all.iter().zip(&users) {
            assert_eq!(*row, in_order(read(&shelf, id).await));
        }
        let facts = |at: usize| (all[at].facts.groups.len(), all[at].facts.bits.len(), all[at].facts.grants.len());
        assert_eq!([facts(0), facts(1), facts(2)], [(3, 0, 2), (0, 2, 0), (3, 0, 0)]);
        let pks: Vec<_> = users.iter().map(|user| user.0).chain([sales, Pk(9999)]).collect();
        let mut of = shelf.reader().facts().of(&pks, Detail::Decision).await.unwrap();
        of.sort_unstable_by_key(|row| row.facts.user);
        assert_eq!(of.into_iter().map(in_order).collect::<Vec<_>>(), all);
        let of = shelf.reader().facts().of(&[users[2].0], Detail::Paths).await.unwrap();
        let mut parents: Vec<_> = of[0].facts.groups.iter().map(|one| (one.display.as_str(), one.parents.clone())).collect();
        parents.sort_unstable();
        for (_, parents) in &mut parents {
            parents.sort_unstable();
        }
        let mut both = vec![top, world];
        both.sort_unstable();
        assert_eq!(parents, [("Sales", both), ("Top", vec![world]), ("World", vec![])]);
        assert!(shelf.reader().facts().of(&[], Detail::Paths).await.unwrap().is_empty());
    }

    async fn many_users_are_read_by_their_names(shelf: Shelf) {
        let (long, longer) = ("x".repeat(300), "x".repeat(301));
        let mut users = Vec::new();
        for name in ["a", "b", long.as_str()] {
            users.push(shelf.user(name).await);
        }
        let asked = ["b", "nobody", &long, "A", &longer, "b"].map(user_name_key);
        let mut found = shelf.reader().facts().by_names(&asked).await.unwrap();
        found.sort_unstable_by_key(|(at, _)| *at);
        let places: Vec<_> = found.iter().map(|(at, row)| (*at, row.facts.user)).collect();
        assert_eq!(places, [(0, users[1].0), (2, users[2].0), (3, users[0].0), (5, users[1].0)]);
        assert_eq!(found[0].1, read(&shelf, &users[1].1).await);
        assert!(shelf.reader().facts().by_names(&[]).await.unwrap().is_empty());
    }

    async fn each_manager_has_the_nearest_reports_and_the_same_ones_everywhere(shelf: Shelf) {
        let (boss, lead, few) = (shelf.ids.next(), shelf.ids.next(), shelf.ids.next());
        let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let user = |name: &str, manager: &ResourceId| json!({"userName": name, extension: {"manager": {"value": manager.as_str()}}});
        let boss_pk = shelf.put(Kind::User, &boss, None, &user("boss", &lead)).await;
        let lead_pk = shelf.put(Kind::User, &lead, None, &user("lead", &boss)).await;
        let few_pk = shelf.put(Kind::User, &few, None, &user("few", &few)).await;
        let one_pk = shelf.put(Kind::User, &shelf.ids.next(), None, &user("one", &few)).await;
        for number in 0..MOST_REPORTS + 20 {
            shelf.put(Kind::User, &shelf.ids.next(), None, &user(&format!("u{number}"), &lead)).await;
        }
        let found = shelf.reader().facts().reports_of(&[boss_pk, few_pk, lead_pk]).await.unwrap();
        let mut found: BTreeMap<_, _> = found.into_iter().collect();
        assert_eq!(found[&few_pk], [one_pk], "what others have takes nothing away");
        for (id, pk) in [(&boss, boss_pk), (&lead, lead_pk)] {
            let alone = shelf.reader().facts().for_manager(UserKey::Id(id), None).await.unwrap().unwrap();
            let alone: Vec<_> = alone.facts.reports.iter().map(|report| report.user).collect();
            assert_eq!(alone.len(), MOST_REPORTS as usize);
            let mut together = found.remove(&pk).unwrap();
            together.sort_unstable();
            assert_eq!(together, alone);
        }
    }

    async fn reports_are_found_at_any_distance_and_circles_end(shelf: Shelf) {
        let (boss, mid, low) = (shelf.ids.next(), shelf.ids.next(), shelf.ids.next());
        let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let user = |name: &str, manager: &ResourceId| json!({"userName": name, extension: {"manager": {"value": manager.as_str()}}});
        let (alone, alone_id) = shelf.user("alone").await;
        let facts = shelf.reader().facts().for_manager(UserKey::Id(&alone_id), None).await.unwrap().unwrap().facts;
        assert!(facts.reports.is_empty(), "nobody has a manager yet");
        let mid_pk = shelf.put(Kind::User, &mid, None, &user("mid", &boss)).await;
        let low_pk = shelf.put(Kind::User, &low, None, &user("low", &mid)).await;
        let boss_pk = shelf.put(Kind::User, &boss, None, &user("boss", &low)).await;
        shelf.grant(Subject::User(low_pk), READ_ONLY, Reach::All).await;
        for who in [UserKey::Id(&boss), UserKey::Name("boss")] {
            let row = shelf.reader().facts().for_manager(who, None).await.unwrap().unwrap();
            assert_eq!(row.facts.user, boss_pk);
            let reports: Vec<_> = row.facts.reports.iter().map(|report| (report.user, report.grants.len())).collect();
            assert_eq!(reports, [(mid_pk, 0), (low_pk, 1)]);
            let alone = shelf.reader().facts().for_decision(who, None).await.unwrap().unwrap();
            assert!(alone.facts.reports.is_empty(), "they are read where they are wanted");
        }
        let mut found = shelf.reader().facts().reports_of(&[alone, mid_pk, low_pk]).await.unwrap();
        found.sort_unstable();
        for (_, reports) in &mut found {
            reports.sort_unstable();
        }
        assert_eq!(found, [(alone, vec![]), (mid_pk, vec![low_pk, boss_pk]), (low_pk, vec![mid_pk, boss_pk])]);
        let nobody = shelf.reader().facts().for_manager(UserKey::Name("nobody"), None).await.unwrap();
        assert_eq!(nobody, None);
    }
}
