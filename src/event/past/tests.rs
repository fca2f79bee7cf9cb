//! Each rule of the fold, told by a few events.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{PersonPast, PolicyPast, Sides, Stage, Standing, Tie, Ties, Told};
use crate::access::{Catalogue, Subject};
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::event::{Seq, Turn};

const USER: Pk = Pk(1);
const GROUP: Pk = Pk(2);
const ABOVE: Pk = Pk(3);

fn told<'e>(seq: i64, kind: &'e str, (pk, id): (Option<Pk>, &'e str), data: Value) -> Told<'e> {
    Told {
        seq: Seq(seq),
        at: Timestamp(seq),
        kind,
        pk,
        id,
        of_user: pk == Some(USER),
        connection: Some("okta"),
        data,
        sides: Sides::None,
    }
}

fn of_user(seq: i64, kind: &str, data: Value, sides: Sides) -> Told<'_> {
    Told {
        sides,
        ..told(seq, kind, (Some(USER), "u"), data)
    }
}

fn grant() -> Value {
    json!({ "grant": "g", "role": "analyst", "scope": "all", "origin": "manual" })
}

fn group(seq: i64, kind: &'static str, name: Option<&str>) -> Told<'static> {
    let after = name.map_or(json!({}), |name| json!({ "after": { "displayName": name } }));
    told(seq, kind, (Some(GROUP), "sales"), after)
}

fn policy(events: impl IntoIterator<Item = Told<'static>>) -> PolicyPast {
    let mut policy = PolicyPast::begin(None);
    events.into_iter().for_each(|event| policy.tell(&event));
    policy
}

#[test]
fn what_an_event_does_not_say_is_a_gap_and_no_guess() {
    let role = told(1, "role.created", (None, "r"), json!({ "role": "r", "name": "Old" }));
    let scope = told(2, "scope.deleted", (None, "never"), json!({}));
    let past = policy([role, scope]);
    let gaps: Vec<_> = past.gaps().iter().map(|gap| (gap.seq.0, gap.kind.as_str())).collect();
    assert_eq!(gaps, [(1, "role.created"), (2, "scope.deleted")]);

    let mut person = PersonPast::begin(USER, "u");
    person.tell(&of_user(3, "grant.created", json!({ "grant": "g" }), Sides::None));
    assert_eq!(person.grants().count(), 0);
    assert_eq!(person.gaps().len(), 1);
}

#[test]
fn what_nobody_could_read_may_have_been_anything() {
    let past = policy([told(7, "log.unreadable", (None, ""), json!({ "reason": "entry" }))]);
    let gaps: Vec<_> = past.gaps().iter().map(|gap| (gap.seq.0, gap.kind.as_str())).collect();
    assert_eq!(gaps, [(7, "log.unreadable")]);
}

#[test]
fn who_is_brought_back_is_called_what_whoever_did_it_calls_them() {
    let mut person = PersonPast::begin(USER, "u");
    let made = Sides::Open(json!({ "after": { "userName": "ada", "externalId": "x1" } }));
    person.tell(&of_user(1, "user.created", json!({ "version": 1 }), made));
    let restored = |seq, by: &'static str, id: &str, all: Value| {
        let data = json!({ "version": seq, "left_out": 0, "status": "active", "called_by": all });
        let sides = Sides::Open(json!({ "after": { "userName": "ada", "externalId": id } }));
        Told {
            connection: Some(by),
            ..of_user(seq, "user.restored", data, sides)
        }
    };
    person.tell(&restored(2, "okta", "x2", json!(["okta"])));
    assert_eq!(person.called()["okta"].as_str(), Some("x2"));
    person.tell(&restored(3, "hr", "7", json!(["okta", "hr"])));
    let called: Vec<_> = person.called().values().map(|id| id.as_str().unwrap()).collect();
    assert_eq!((called, person.gaps().len()), (vec!["7", "x2"], 0));
}

#[test]
fn kinds_of_a_later_release_change_nothing() {
    let past = policy([
        told(1, "role.polished", (None, "r"), json!({})),
        told(2, "moon.rose", (None, ""), json!({})),
    ]);
    assert_eq!((past.gaps().len(), past.last()), (0, Seq(2)));
}

#[test]
fn who_was_in_a_group_that_is_deleted_is_in_it_no_more_until_they_join_again() {
    let joined = |seq, group| Tie {
        seq: Seq(seq),
        resource: USER,
        group,
        turn: Turn::Joined,
    };
    let made = || {
        [
            group(1, "group.created", Some("Sales")),
            group(3, "group.deleted", None),
        ]
    };
    let there = |ties: &Ties, past: &PolicyPast| ties.groups_of(USER, past).collect::<Vec<_>>();
    let ties = Ties::told([joined(2, GROUP)]);
    assert_eq!(there(&ties, &policy(made().into_iter().take(1))), [GROUP]);
    assert_eq!(there(&ties, &policy(made())), []);
    let restored = policy(made().into_iter().chain([group(5, "group.restored", Some("Sales"))]));
    assert_eq!(there(&ties, &restored), []);
    assert_eq!(
        there(&Ties::told([joined(2, GROUP), joined(4, GROUP)]), &restored),
        [GROUP]
    );
}

#[test]
fn nesting_counts_for_those_below() {
    let tie = |resource, group| Tie {
        seq: Seq(3),
        resource,
        group,
        turn: Turn::Joined,
    };
    let above = told(
        2,
        "group.created",
        (Some(ABOVE), "all-sales"),
        json!({ "after": { "displayName": "All" } }),
    );
    let past = policy([group(1, "group.created", Some("Sales")), above]);
    let (ties, nesting) = (Ties::told([tie(USER, GROUP)]), Ties::told([tie(GROUP, ABOVE)]));
    let facts = ties.facts(USER, &past, &nesting);
    let found: Vec<_> = facts
        .iter()
        .map(|fact| (fact.display.as_str(), fact.direct, fact.parents.len()))
        .collect();
    assert_eq!(found, [("Sales", true, 1), ("All", false, 0)]);
}

#[test]
fn a_rule_that_is_being_prepared_is_what_it_was() {
    let rule = |version, state, when| json!({ "version": version, "name": "R", "state": state, "when": when, "then": [{ "group": "sales" }] });
    let mut past = policy([
        told(1, "rule.created", (None, "r"), rule(1, "draft", "title pr")),
        told(2, "rule.activated", (None, "r"), rule(2, "active", "title pr")),
        told(3, "rule.updated", (None, "r"), rule(3, "preparing", "userName pr")),
    ]);
    let in_force = |past: &PolicyPast| past.rules.values().map(|(_, rule)| rule.version).collect::<Vec<_>>();
    assert_eq!(in_force(&past), [2]);
    past.tell(&told(
        4,
        "rule.activated",
        (None, "r"),
        rule(3, "active", "userName pr"),
    ));
    assert_eq!(in_force(&past), [3]);
}

#[test]
fn a_person_comes_goes_and_comes_back() {
    let open = |value| Sides::Open(value);
    let mut person = PersonPast::begin(USER, "u");
    assert_eq!(person.standing(), Standing::Unborn);
    let first = json!({ "after": { "userName": "ada", "active": true, "externalId": "x1" } });
    person.tell(&of_user(1, "user.created", json!({ "version": 1 }), open(first)));
    assert_eq!(
        (person.status(), person.called()["okta"].as_str()),
        ("active", Some("x1"))
    );
    assert!(!person.document().contains_key("externalId"));

    let off = json!({ "before": { "active": true }, "after": { "active": false } });
    person.tell(&of_user(2, "user.updated", json!({ "version": 2 }), open(off.clone())));
    assert_eq!(person.status(), "deactivated_by_source");
    let turned = json!({ "from": "active", "to": "suspended", "version": 2 });
    person.tell(&of_user(3, "user.suspended", turned, Sides::None));
    assert_eq!((person.status(), person.is_active()), ("suspended", false));
    let noted = json!({ "from": false, "to": true });
    person.tell(&of_user(3, "user.source_noted", noted, Sides::None));
    assert_eq!((person.status(), person.is_active()), ("suspended", false));

    person.tell(&of_user(4, "user.deleted", json!({ "version": 2 }), Sides::None));
    assert_eq!((person.standing(), person.is_active()), (Standing::Deleted, false));
    let back = || open(json!({ "after": { "userName": "ada", "active": false, "externalId": "x1" } }));
    let data = |by: Value| json!({ "version": 3, "left_out": 0, "status": "suspended", "called_by": by });
    person.tell(&of_user(5, "user.restored", data(json!(["okta"])), back()));
    assert_eq!((person.status(), person.meta().2), ("suspended", 3));
    assert_eq!(person.called()["okta"].as_str(), Some("x1"));
    assert!(!person.document().contains_key("externalId"));
    assert!(person.gaps().is_empty());

    person.tell(&of_user(6, "user.deleted", json!({ "version": 3 }), Sides::None));
    person.tell(&of_user(7, "user.restored", data(json!([])), back()));
    assert!(person.called().is_empty() && person.gaps().is_empty());

    person.tell(&of_user(8, "user.deleted", json!({ "version": 3 }), Sides::None));
    person.tell(&of_user(9, "user.restored", data(json!(["hr"])), back()));
    assert_eq!(person.gaps().len(), 1, "what `hr` calls them was never said");
}

#[test]
fn what_is_taken_back_says_whose_name_it_was_where_there_is_one_alone() {
    let called = |seq, connection, before: Option<&str>, after: Option<&str>| {
        let mut sides = json!({});
        for (name, side) in [("before", before), ("after", after)] {
            if let Some(id) = side {
                sides[name] = json!({ "externalId": id });
            }
        }
        Told {
            connection,
            ..of_user(seq, "user.updated", json!({ "version": seq }), Sides::Open(sides))
        }
    };
    let mut person = PersonPast::begin(USER, "u");
    let made = Sides::Open(json!({ "after": { "userName": "ada", "externalId": "x1" } }));
    person.tell(&of_user(1, "user.created", json!({ "version": 1 }), made));
    person.tell(&called(2, Some("hr"), None, Some("7")));
    person.tell(&called(3, Some("hr"), Some("7"), None));
    person.tell(&called(4, None, None, Some("7")));
    person.tell(&called(5, None, Some("x1"), Some("x2")));
    let ids: Vec<_> = person
        .called()
        .iter()
        .map(|(by, id)| (by.as_str(), id.as_str().unwrap()))
        .collect();
    assert_eq!(ids, [("hr", "7"), ("okta", "x2")]);
    assert!(person.gaps().is_empty());

    person.tell(&called(6, Some("hr"), Some("7"), Some("x2")));
    person.tell(&called(7, None, Some("x2"), None));
    assert_eq!(
        (person.called().len(), person.gaps().len()),
        (2, 1),
        "both are called so"
    );
}

#[test]
fn what_does_not_open_is_a_gap() {
    let mut person = PersonPast::begin(USER, "u");
    person.tell(&of_user(1, "user.created", json!({ "version": 1 }), Sides::Damaged));
    assert_eq!((person.gaps().len(), person.is_erased()), (1, false));
}

#[test]
fn who_is_asked_to_come_is_invited_until_they_accept() {
    let mut person = PersonPast::begin(USER, "u");
    let made = Sides::Open(json!({ "after": { "userName": "ada", "active": false } }));
    person.tell(&of_user(1, "user.created", json!({ "version": 1 }), made));
    person.tell(&of_user(
        2,
        "invitation.sent",
        json!({ "invitation": "i" }),
        Sides::None,
    ));
    assert_eq!(person.status(), "invited");
    let on = Sides::Open(json!({ "before": { "active": false }, "after": { "active": true } }));
    person.tell(&of_user(3, "user.updated", json!({ "version": 2 }), on));
    assert_eq!(person.status(), "active");
}

#[test]
fn without_the_key_of_a_person_what_they_had_is_still_known() {
    let mut person = PersonPast::begin(USER, "u");
    person.tell(&of_user(1, "user.created", json!({ "version": 1 }), Sides::Erased));
    person.tell(&of_user(2, "grant.created", grant(), Sides::None));
    assert!(person.is_erased() && person.document().is_empty());
    assert_eq!(person.grants().count(), 1);
}

#[test]
fn who_is_kept_out_is_known_without_their_key() {
    for unread in [Sides::Erased, Sides::Damaged] {
        let turned = |seq, kind, to: &str| of_user(seq, kind, json!({ "to": to, "version": seq }), Sides::None);
        let written = |seq, kind, data: Value| of_user(seq, kind, data, unread.clone());
        let mut person = PersonPast::begin(USER, "u");
        person.tell(&written(1, "user.created", json!({ "version": 1 })));
        assert_eq!((person.status(), person.is_active()), ("active", true));
        person.tell(&written(2, "user.updated", json!({ "version": 2 })));
        person.tell(&turned(3, "user.suspended", "suspended"));
        assert_eq!((person.status(), person.is_active()), ("suspended", false));
        person.tell(&written(4, "user.updated", json!({ "version": 4 })));
        assert_eq!(person.status(), "suspended");
        person.tell(&turned(5, "user.activated", "active"));
        assert!(person.is_active());
        person.tell(&of_user(6, "user.deleted", json!({ "version": 5 }), Sides::None));
        let back = json!({ "version": 6, "left_out": 0, "status": "suspended", "called_by": [] });
        person.tell(&written(7, "user.restored", back));
        assert_eq!((person.status(), person.is_active()), ("suspended", false));

        let mut invited = PersonPast::begin(USER, "u");
        invited.tell(&written(1, "user.created", json!({ "version": 1, "active": false })));
        assert_eq!(invited.status(), "deactivated_by_source");
        invited.tell(&of_user(2, "invitation.sent", json!({}), Sides::None));
        assert_eq!((invited.status(), invited.is_active()), ("invited", false));
    }
}

#[test]
fn who_is_in_an_organisation_that_is_suspended_has_nothing() {
    let turn = |seq, kind| told(seq, kind, (None, "t"), json!({ "users": "keep", "closing": "c" }));
    let events = || {
        [
            turn(1, "tenant.created"),
            turn(2, "tenant.suspended"),
            turn(3, "tenant.resumed"),
            turn(4, "tenant.deleted"),
            turn(5, "tenant.restored"),
            turn(6, "tenant.users_turned"),
        ]
    };
    let closed = |after| policy(events().into_iter().take(after)).is_closed();
    assert_eq!([1, 2, 3, 4, 5, 6].map(closed), [false, true, false, true, true, true]);
}

#[test]
fn a_grant_counts_from_where_it_was_given_and_only_where_its_role_and_scope_are() {
    let catalogue = Arc::new(Catalogue::builtin());
    let of = |seq, id: &str, role: &str, scope: &str| {
        let data = json!({ "grant": id, "role": role, "scope": scope, "origin": "manual" });
        told(seq, "grant.created", (Some(GROUP), "sales"), data)
    };
    let past = policy([
        group(1, "group.created", Some("Sales")),
        of(2, "g1", "analyst", "all"),
        of(3, "g2", "nobody", "all"),
        of(4, "g3", "analyst", "nowhere"),
    ]);
    let stage = Stage {
        policy: past,
        nesting: Ties::default(),
    };
    let policy = stage.policy(&catalogue, |_| None);
    let grants: Vec<_> = policy.grants.iter().map(|grant| (grant.key.0, grant.subject)).collect();
    assert_eq!(grants, [(2, Subject::Group(GROUP))]);
}
