//! Which conditions hold for whom: kept one by one, found set-wide, and both the same as what a condition means.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use muster::access::{self, State};
use muster::base::clock::Timestamp;
use muster::base::id::{Pk, ResourceId, RuleKey};
use muster::scim::filter::Checked;
use muster::store::access::matches::Range;
use muster::store::document::Stored;
use muster::store::resources::{External, Groups};
use muster::store::{Cause, Kind, Unit};
use serde_json::{Value, json};

use super::super::shelf::{self, Shelf};
use super::super::world::{self, BADGE, ENTERPRISE, INSTANTS, Item};
use crate::support::dice::{Dice, seed};

const CONDITIONS: usize = 300;
const USERS: usize = 120;
const GROUPS: usize = 12;
const EVERYONE: Range = Range {
    from: Pk(0),
    to: Pk(i64::MAX),
};

/// A random condition: tests of documents, with tests of groups among them.
fn condition(dice: &mut Dice, words: &[String], items: &[Item], depth: usize) -> String {
    if depth > 0 {
        let part = |dice: &mut Dice| condition(dice, words, items, depth - 1);
        match dice.below(7) {
            0 | 1 => return format!("({}) and ({})", part(dice), part(dice)),
            2 | 3 => return format!("({}) or ({})", part(dice), part(dice)),
            4 => return format!("not ({})", part(dice)),
            _ => {}
        }
    }
    let word = serde_json::to_string(dice.pick(words)).unwrap();
    let operator = *dice.pick(&["eq", "ne", "co", "sw", "ew", "gt", "le"]);
    let instant = dice.pick(&INSTANTS);
    let id = &dice.pick(items).id;
    let text = [
        "title",
        "nickName",
        "displayName",
        "userType",
        "userName",
        "emails.value",
        "name.familyName",
        "schemas",
    ];
    match dice.below(14) {
        0..=4 => format!("{} {operator} {word}", dice.pick(&text)),
        5 => format!("{} pr", dice.pick(&text)),
        6 => format!("emails[type eq {word} or value {operator} {word}]"),
        7 => format!("active {} true", dice.pick(&["eq", "ne"])),
        8 => format!("{ENTERPRISE}:department {operator} {word}"),
        9 => format!("{BADGE}:level ge {}", dice.below(20)),
        10 => format!("{BADGE}:issuedAt lt \"{instant}\""),
        11 => format!("id gt \"{id}\" or meta.created le \"{instant}\""),
        12 => format!("groups.display {operator} {word}"),
        _ => "groups pr".to_owned(),
    }
}

fn users(items: &[Item]) -> impl Iterator<Item = &Item> {
    items.iter().filter(|item| item.kind == Kind::User)
}

async fn kept(shelf: &Shelf, user: Pk) -> Vec<(i64, i64, u64)> {
    let found = shelf.reader().matches().of_user(user).await.unwrap();
    found
        .into_iter()
        .map(|one| (one.rule.0, one.version, one.bits))
        .collect()
}

/// Finds who has a title, and resolves when it is on disk.
async fn find_titles(shelf: Shelf, rule: RuleKey) {
    let user = shelf.registry.resource_type("User").unwrap();
    let compiled = access::Condition::compile("title pr", user).unwrap();
    let mut unit = shelf.unit().await;
    let atoms = [compiled.atoms()[0].checked()];
    let cause = shelf.by().cause;
    unit.matches().derive((rule, 1), &atoms, EVERYONE, cause).await.unwrap();
    unit.save().await.unwrap();
}

/// A unit that takes the title away, up to the point where it holds the user.
async fn take_title(shelf: &Shelf, id: &ResourceId) -> (Unit, Stored) {
    let mut unit = shelf.unit().await;
    unit.policy().share().await.unwrap();
    let held = unit
        .resources()
        .find_for_update(Kind::User, id, None, Groups::LeftOut)
        .await
        .unwrap();
    (unit, held.unwrap())
}

/// The rest of it.
async fn took_title(shelf: &Shelf, (mut unit, stored): (Unit, Stored)) {
    let old = shelf.content(Kind::User, &titled()).leaves;
    let content = shelf.content(Kind::User, &shelf::user("ada"));
    let now = shelf.now();
    let mut resources = unit.resources();
    let update = resources.update(stored.pk, stored.version, &old, &content, External::Keep, now);
    update.await.unwrap();
    unit.matches().set(stored.pk, &[], now.into());
    unit.save().await.unwrap();
}

fn titled() -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "active": true, "title": "Countess"})
}

each_database! {
    async fn what_is_found_while_a_document_is_written_is_what_it_says_then(shelf: Shelf) {
        let rule = shelf.rule("R", &[], State::Active).await;
        let id = shelf.ids.next();
        let ada = shelf.put(Kind::User, &id, None, &titled()).await;
        // The writer first.
        let writing = take_title(&shelf, &id).await;
        let finding = tokio::spawn(find_titles(shelf.clone(), rule));
        tokio::task::yield_now().await;
        took_title(&shelf, writing).await;
        finding.await.unwrap();
        assert!(kept(&shelf, ada).await.is_empty(), "the title is gone");
        // The finder first.
        let other = shelf.ids.next();
        let bob = shelf.put(Kind::User, &other, None, &json!({"userName": "bob", "title": "Earl"})).await;
        find_titles(shelf.clone(), rule).await;
        assert_eq!(kept(&shelf, bob).await, [(rule.0, 1, 1)]);
        let (mut unit, stored) = take_title(&shelf, &other).await;
        unit.matches().set(stored.pk, &[], shelf.by().cause);
        unit.save().await.unwrap();
        assert!(kept(&shelf, bob).await.is_empty());
    }

    async fn what_is_found_set_wide_is_what_the_condition_says_of_each_document(shelf: Shelf) {
        let shelf = Shelf { registry: Arc::new(world::registry()), ..shelf };
        let mut dice = Dice::new(seed(), 7);
        let items = world::fill(&shelf, &mut dice, USERS, GROUPS).await;
        let words = world::words();
        let user = shelf.registry.resource_type("User").unwrap();
        let rule = shelf.rule("R", &[], State::Active).await;
        let (mut version, mut several) = (0, 0);
        while version < i64::try_from(CONDITIONS).unwrap() {
            let text = condition(&mut dice, &words, &items, 3);
            let Ok(compiled) = access::Condition::compile(&text, user) else { continue };
            version += 1;
            several += usize::from(compiled.atoms().len() > 1);
            let expected: BTreeMap<Pk, u64> = users(&items).map(|item| (item.pk, compiled.bits(&item.shown))).filter(|one| one.1 != 0).collect();
            let mut atoms: Vec<&Checked> = Vec::new();
            for atom in compiled.atoms() {
                atoms.push(atom.checked());
            }
            let would = shelf.reader().matches().would_match(&atoms, EVERYONE).await.unwrap();
            assert_eq!(would.into_iter().collect::<BTreeMap<_, _>>(), expected, "{text}");
            // In pieces, as they are found for many.
            let (mut from, mut found) = (Pk(0), BTreeMap::new());
            let mut unit = shelf.unit().await;
            while let Some((range, _)) = unit.matches().next_range(from, 50).await.unwrap() {
                found.extend(unit.matches().derive((rule, version), &atoms, range, shelf.by().cause).await.unwrap());
                from = range.to;
            }
            assert_eq!(found, expected, "{text}");
            let again = unit.matches().derive((rule, version), &atoms, EVERYONE, shelf.by().cause).await.unwrap();
            assert!(again.is_empty(), "nothing is new: {text}");
            let count = unit.matches().count((rule, version)).await.unwrap();
            assert_eq!(count, expected.len() as u64);
            drop(unit);
        }
        assert!(several > CONDITIONS / 20, "{several} conditions have several atoms");
    }

    async fn what_is_kept_of_a_user_changes_only_where_it_differs(shelf: Shelf) {
        let (ada, _) = shelf.user("ada").await;
        let (bob, _) = shelf.user("bob").await;
        let [a, b, c] = [1, 2, 3].map(RuleKey);
        let cause = |at| Cause { at: Timestamp(at), connection: Some(shelf.connection), request_id: Some("r") };
        let mut unit = shelf.unit().await;
        unit.matches().set_first(ada, &[(a, 1, 1), (b, 1, 2)], cause(10));
        unit.matches().set_first(bob, &[(a, 1, 1)], cause(10));
        unit.matches().set_first(bob, &[], cause(10));
        unit.save().await.unwrap();
        let mut unit = shelf.unit().await;
        unit.matches().set(ada, &[(a, 1, 1), (b, 1, 3), (c, 4, 1)], cause(20));
        unit.save().await.unwrap();
        let found = shelf.reader().matches().of_user(ada).await.unwrap();
        let found: Vec<_> = found.iter().map(|one| (one.rule, one.version, one.bits, one.since.0, one.request_id.as_deref())).collect();
        assert_eq!(found, [(a, 1, 1, 10, Some("r")), (b, 1, 3, 20, Some("r")), (c, 4, 1, 20, Some("r"))]);
        let mut unit = shelf.unit().await;
        unit.matches().set(ada, &[(a, 2, 1)], cause(30));
        unit.save().await.unwrap();
        assert_eq!(kept(&shelf, ada).await, [(1, 2, 1)]);
        let mut unit = shelf.unit().await;
        unit.matches().set(ada, &[], cause(40));
        unit.save().await.unwrap();
        assert!(kept(&shelf, ada).await.is_empty());
        assert_eq!(kept(&shelf, bob).await, [(1, 1, 1)]);
    }

    async fn what_no_longer_counts_is_forgotten_in_pieces(shelf: Shelf) {
        let mut unit = shelf.unit().await;
        for pk in 1..=10 {
            unit.matches().set_first(Pk(pk), &[(RuleKey(1), 1, 1), (RuleKey(1), 2, 1), (RuleKey(3), 1, 1)], shelf.by().cause);
        }
        unit.save().await.unwrap();
        let versions = async || shelf.reader().matches().versions().await.unwrap();
        assert_eq!(versions().await, [(RuleKey(1), 1), (RuleKey(1), 2), (RuleKey(3), 1)]);
        for expected in [4, 4, 2, 0] {
            let mut unit = shelf.unit().await;
            assert_eq!(unit.matches().forget((RuleKey(1), 1), 4).await.unwrap(), expected);
            unit.save().await.unwrap();
        }
        assert_eq!(versions().await, [(RuleKey(1), 2), (RuleKey(3), 1)]);
        assert_eq!(shelf.reader().matches().count((RuleKey(1), 2)).await.unwrap(), 10);
        let nobody = muster::store::Reader::new(shelf.db.clone(), muster::base::id::TenantId(99));
        assert!(nobody.matches().versions().await.unwrap().is_empty());
    }

    async fn ranges_go_over_all_users_and_end(shelf: Shelf) {
        for at in 0..5 {
            shelf.user(&format!("u{at}")).await;
            shelf.group(&format!("g{at}")).await;
        }
        let (mut from, mut ranges) = (Pk(0), 0);
        while let Some((range, _)) = shelf.reader().matches().next_range(from, 2).await.unwrap() {
            assert!(range.from == from && range.to > from);
            (from, ranges) = (range.to, ranges + 1);
        }
        assert_eq!(ranges, 3);
    }

    async fn who_shares_the_policy_holds_off_those_who_change_it(shelf: Shelf) {
        let mut unit = shelf.unit().await;
        let version = unit.policy().share().await.unwrap();
        let other = shelf.clone();
        let mut change = tokio::spawn(async move { other.role("Late").await });
        let early = tokio::time::timeout(Duration::from_millis(200), &mut change).await;
        assert!(early.is_err(), "the policy changed under a unit that relies on it");
        assert_eq!(unit.policy().version().await.unwrap(), version);
        unit.save().await.unwrap();
        change.await.unwrap();
        assert_eq!(shelf.version().await, version + 1);
    }
}
