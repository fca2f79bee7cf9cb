//! Each invariant, kept and broken.

use super::{
    Admin, Cap, Census, Deed, Demands, Hand, Transfer, Violation, admin, admins, editable, given, mints, owner_stays,
    owners, role_name, transfer,
};
use crate::access::role::{FIRST_CUSTOM_ROLE, Role, predefined};
use crate::access::rule::names::tests::house;
use crate::access::{
    Catalogue, Condition, Facts, Grant, GroupFact, Origin, Outcome, Reach, Restriction, Rule, RuleBits, Rulebook,
    State, Subject, Validity, evaluate,
};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, RoleKey, RuleKey, ScopeKey};
use crate::scim::schema::Registry;

const ADA: Pk = Pk(1000);
const BOB: Pk = Pk(1001);

#[test]
fn there_is_one_owner_from_the_first_claim_on() {
    assert_eq!([owners(0, 0), owners(0, 1), owners(1, 1)], [Ok(()), Ok(()), Ok(())]);
    assert_eq!(owners(1, 0), Err(Violation::NoOwner));
    assert_eq!(
        [owners(1, 2), owners(0, 2)],
        [Err(Violation::SecondOwner), Err(Violation::SecondOwner)]
    );
}

#[test]
fn nothing_but_a_transfer_ends_the_owner() {
    for deed in [
        Deed::Deactivate,
        Deed::Suspend,
        Deed::Delete,
        Deed::ScheduleEnd,
        Deed::TakeRole,
    ] {
        assert_eq!(owner_stays(Some(ADA), ADA, deed), Err(Violation::OwnerStays(deed)));
        assert_eq!(owner_stays(Some(ADA), BOB, deed), Ok(()));
        assert_eq!(owner_stays(None, ADA, deed), Ok(()));
    }
    assert_eq!(
        Violation::OwnerStays(Deed::Delete).to_string(),
        "this user is the owner and cannot be deleted: transfer ownership to somebody else first, then this can be repeated"
    );
}

#[test]
fn only_the_owner_transfers_and_only_to_someone_active() {
    let ask = |owner, by, to_is_active| {
        transfer(&Transfer {
            owner,
            by,
            to: BOB,
            to_is_active,
        })
    };
    let glass = |reason| Hand::BreakGlass { reason };
    assert_eq!(ask(Some(ADA), Hand::User(ADA), true), Ok(()));
    assert_eq!(
        ask(Some(ADA), Hand::User(ADA), false),
        Err(Violation::NextOwnerNotActive)
    );
    assert_eq!(ask(Some(ADA), Hand::User(BOB), true), Err(Violation::NotTheOwner));
    assert_eq!(ask(None, Hand::User(BOB), true), Err(Violation::NotTheOwner));
    assert_eq!(ask(Some(BOB), Hand::User(BOB), true), Err(Violation::OwnerAlready));
    assert_eq!(ask(Some(ADA), glass("she left"), true), Ok(()));
    assert_eq!(ask(Some(ADA), glass("  "), true), Err(Violation::NoReason));
    assert_eq!(ask(None, Hand::FirstClaim, true), Ok(()));
    assert_eq!(ask(Some(ADA), Hand::FirstClaim, true), Err(Violation::SecondOwner));
}

fn census(admins: u64, lasting: u64, break_glass: &[&str]) -> Census {
    Census {
        admins,
        lasting,
        break_glass: break_glass.iter().map(|name| (*name).to_owned()).collect(),
    }
}

#[test]
fn enough_administrators_are_left_and_last() {
    let demands = Demands {
        least_admins: 2,
        break_glass: ["vault".to_owned()].into(),
    };
    let check = |before: Census, after: Census| admins(&before, &after, &demands);
    assert_eq!(check(census(3, 3, &["vault"]), census(2, 2, &["vault"])), Ok(()));
    assert_eq!(
        check(census(2, 2, &[]), census(1, 1, &[])),
        Err(Violation::TooFewAdmins { left: 1, least: 2 })
    );
    assert_eq!(
        check(census(2, 2, &[]), census(2, 1, &[])),
        Err(Violation::AdminsWouldEnd { lasting: 1, least: 2 })
    );
    assert_eq!(
        check(census(3, 3, &["vault"]), census(3, 3, &[])),
        Err(Violation::BreakGlass("vault".to_owned()))
    );
    assert_eq!(
        check(census(1, 0, &[]), census(1, 0, &[])),
        Ok(()),
        "no worse than before"
    );
    assert_eq!(check(census(0, 0, &[]), census(0, 0, &[])), Ok(()), "nobody yet");
    assert_eq!(Demands::default().least_admins, 1);
}

/// Ada has the grant, is a stored member of group 1, and a rule for everyone fills group 2.
fn admin_by(subject: Subject, change: impl FnOnce(&mut Grant)) -> Option<Admin> {
    let registry = Registry::builtin();
    let mut policy = house();
    policy.rules.push(Rule {
        key: RuleKey(1),
        id: "rule-1".to_owned(),
        name: "Everyone".to_owned(),
        version: 1,
        matched: 1,
        state: State::Active,
        when: Condition::compile("id pr", registry.resource_type("User").unwrap()).unwrap(),
        then: vec![Outcome::Group(Pk(2))],
        validity: Validity::ALWAYS,
    });
    let mut grant = Grant {
        key: GrantKey(1),
        id: "grant-1".to_owned(),
        subject,
        role: RoleKey(2),
        reach: Reach::All,
        validity: Validity::ALWAYS,
        restriction: Restriction::NONE,
        origin: Origin::Manual,
    };
    change(&mut grant);
    let mut ada = Facts::new(ADA, "ada", true);
    ada.bits = vec![RuleBits {
        rule: RuleKey(1),
        version: 1,
        bits: 1,
    }];
    ada.groups.push(GroupFact {
        pk: Pk(1),
        id: "g1".to_owned(),
        display: "Sales EMEA".to_owned(),
        direct: true,
        parents: Vec::new(),
    });
    match subject {
        Subject::User(_) => ada.grants.push(grant),
        Subject::Group(_) => policy.grants.push(grant),
    }
    let book = Rulebook::compile(policy).unwrap();
    admin(&evaluate(&ada, &book, Timestamp(10)), &ada, &book)
}

#[test]
fn an_administrator_holds_admin_or_owner_on_all() {
    let own = Subject::User(ADA);
    assert_eq!(admin_by(own, |_| {}), Some(Admin::Lasting));
    assert_eq!(admin_by(own, |grant| grant.role = RoleKey(1)), Some(Admin::Lasting));
    assert_eq!(admin_by(own, |grant| grant.role = RoleKey(3)), None);
    assert_eq!(admin_by(own, |grant| grant.reach = Reach::Scope(ScopeKey(1))), None);
    assert_eq!(
        admin_by(own, |grant| grant.restriction =
            Restriction([("a".to_owned(), [].into())].into())),
        None
    );
    assert_eq!(
        admin_by(own, |grant| grant.validity.to = Some(Timestamp(11))),
        Some(Admin::Passing)
    );
    assert_eq!(admin_by(own, |grant| grant.validity.to = Some(Timestamp(10))), None);
    assert_eq!(admin_by(Subject::Group(Pk(1)), |_| {}), Some(Admin::Lasting));
    assert_eq!(
        admin_by(Subject::Group(Pk(2)), |_| {}),
        Some(Admin::Passing),
        "a rule fills the group"
    );
}

#[test]
fn predefined_roles_stay_as_they_are() {
    assert_eq!(editable(RoleKey(5)), Err(Violation::Predefined("Read-Only")));
    assert_eq!(editable(FIRST_CUSTOM_ROLE), Ok(()));
    assert_eq!(role_name("Admin "), Err(Violation::NameTaken("Admin ".to_owned())));
    assert_eq!(role_name("Administrator"), Ok(()));
}

#[test]
fn nobody_mints_more_than_they_hold() {
    let catalogue = Catalogue::builtin();
    let set = |keys: &[&str]| catalogue.set(keys.iter().copied()).unwrap();
    let wanted = set(&["org.integrations.manage"]);
    assert_eq!(mints(catalogue.all(), wanted, &catalogue), Ok(()));
    assert_eq!(
        mints(set(&["org.integrations.manage"]), wanted, &catalogue),
        Err(Violation::MoreThanHeld(vec!["org.users.manage".to_owned()]))
    );
    assert_eq!(
        mints(set(&["org.users.manage"]), set(&["data.erase"]), &catalogue)
            .unwrap_err()
            .to_string(),
        "nobody can give what they do not have: data.erase"
    );
}

#[test]
fn provisioning_gives_what_the_cap_lets_it_and_nothing_gives_owner() {
    let catalogue = Catalogue::builtin();
    let [owner, admin, manager, ..] = predefined(&catalogue);
    let custom = |keys: [&str; 1]| Role {
        key: FIRST_CUSTOM_ROLE,
        name: "Desk".to_owned(),
        permissions: catalogue.set(keys).unwrap(),
        ..manager.clone()
    };
    for origin in Origin::ALL {
        assert_eq!(
            given(&owner, *origin, Cap::Admin, &catalogue),
            Err(Violation::OwnerIsTransferred)
        );
        assert_eq!(given(&manager, *origin, Cap::BelowAdmin, &catalogue), Ok(()));
    }
    let asked = |role: &Role, cap| given(role, Origin::Provisioned, cap, &catalogue);
    assert_eq!(
        asked(&admin, Cap::default()),
        Err(Violation::Capped("Admin".to_owned()))
    );
    assert_eq!(asked(&admin, Cap::Admin), Ok(()));
    assert_eq!(
        asked(&custom(["org.roles.manage"]), Cap::BelowAdmin),
        Err(Violation::Capped("Desk".to_owned()))
    );
    assert_eq!(asked(&custom(["org.audit.view"]), Cap::BelowAdmin), Ok(()));
    assert_eq!(given(&admin, Origin::Manual, Cap::BelowAdmin, &catalogue), Ok(()));
}
