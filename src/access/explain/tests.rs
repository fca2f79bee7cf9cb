//! What explanations read like.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Basis, Explanation, Leaf, MAX_WAYS, Obstacle, Reason, explain};
use crate::access::rule::names::tests::house;
use crate::access::{
    Condition, Facts, Grant, GroupFact, Origin, Outcome, Policy, Reach, RecordRef, Restriction, Rule, RuleBits,
    Rulebook, State, Subject, Target, Validity,
};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, RoleKey, RuleKey, ScopeKey};
use crate::scim::schema::Registry;

const MANAGER: RoleKey = RoleKey(3);
const READ_ONLY: RoleKey = RoleKey(5);
const NOW: Timestamp = Timestamp(1_803_859_200_000_000);
const LATER: Timestamp = Timestamp(1_803_945_600_000_000);
const GERMANY: ScopeKey = ScopeKey(1);
const SPRING: ScopeKey = ScopeKey(2);
const LEADS: ScopeKey = ScopeKey(3);
const NORTH: ScopeKey = ScopeKey(4);

const EVERY_WAY: &str = r#"user ada has record.edit on record lead:7
├─ role Manager on record lead:7 where region = EU, by grant grant-2
├─ role Manager on territory Germany, by grant grant-1 to group "Sales EMEA"
│  ├─ member of group "Sales EMEA"
│  └─ record lead:7 is in territory North, which is in territory Germany
├─ role Manager on territory Germany, by grant grant-1 to group "Sales EMEA"
│  ├─ member of group "Partners", which is in group "Sales EMEA", by rule "Rule 2" (version 2)
│  │  └─ the profile satisfies title eq "boss"
│  └─ record lead:7 is in territory North, which is in territory Germany
├─ role Manager everywhere, by rule "Rule 1" (version 2)
│  ├─ the profile satisfies title eq "boss"
│  └─ no group of the user is against it: does not satisfy groups.display eq "Twins"
└─ role Manager everywhere, by rule "Rule 1" (version 2)
   ├─ the profile satisfies title eq "boss"
   └─ member of group "Partners", by rule "Rule 2" (version 2): satisfies groups.display eq "Partners"
      └─ the profile satisfies title eq "boss""#;

const MISSING: &str = r#"user ada does not have record.edit on record lead:7
├─ role Manager everywhere, by grant grant-3, does not give it
│  └─ it begins at 00:00 UTC on 2 March 2027
├─ role Manager on program "spring push", by grant grant-11 to group "Partners", does not give it
│  └─ program "spring push" is not running
├─ role Read-Only everywhere, by grant grant-2, does not give it
│  └─ the role does not have the permission
├─ role Manager on territory North, by grant grant-1, does not give it
│  └─ it is held elsewhere
├─ role Manager everywhere, by rule "Rule 1", does not give it
│  └─ the condition of the rule does not hold
│     └─ all of this is missing
│        ├─ the profile would have to satisfy title eq "boss"
│        └─ the groups of the user must not satisfy groups.display eq "Twins"
├─ role Manager on record group Leads, by grant grant-10 to group "It's \"odd\"\n\\", does not give it
│  └─ the user is not in the group
└─ role Manager everywhere, by grant grant-4, does not give it
   ├─ it ended at 00:00 UTC on 1 March 2027
   └─ it counts only for records with region = US"#;

fn grant(number: i64, subject: Subject, role: RoleKey, reach: Reach) -> Grant {
    Grant {
        key: GrantKey(number),
        id: format!("grant-{number}"),
        subject,
        role,
        reach,
        validity: Validity::ALWAYS,
        restriction: Restriction::default(),
        origin: Origin::Manual,
    }
}

fn narrow(region: &str) -> Restriction {
    Restriction([("region".to_owned(), [region.to_owned()].into())].into())
}

/// Atom 0 of a rule holds.
fn first(rule: i64) -> RuleBits {
    RuleBits {
        rule: RuleKey(rule),
        version: 2,
        bits: 1,
    }
}

fn rule(number: i64, when: &str, then: Vec<Outcome>) -> Rule {
    let registry = Registry::builtin();
    Rule {
        key: RuleKey(number),
        id: format!("rule-{number}"),
        name: format!("Rule {number}"),
        version: 2,
        matched: 2,
        state: State::Active,
        when: Condition::compile(when, registry.resource_type("User").unwrap()).unwrap(),
        then,
        validity: Validity::ALWAYS,
    }
}

/// North is below Germany, and Leads below the program; group 2 (Partners) is nested in group 1 (Sales EMEA).
fn policy() -> Policy {
    let mut policy = house();
    policy.scopes[3].parent = Some(GERMANY);
    policy.scopes[2].parent = Some(SPRING);
    policy.groups[1].parents = vec![Pk(1)];
    policy
}

fn ada(groups: &[(i64, bool)]) -> Facts {
    let policy = policy();
    let mut ada = Facts::new(Pk(1000), "ada", true);
    ada.groups = groups
        .iter()
        .map(|(pk, direct)| {
            let known = policy.groups.iter().find(|group| group.pk == Pk(*pk)).unwrap();
            GroupFact {
                pk: known.pk,
                id: known.id.clone(),
                display: known.display.clone(),
                direct: *direct,
                parents: known.parents.clone(),
            }
        })
        .collect();
    ada
}

/// Asks for `record.edit` on the record `lead:7` of these scopes.
fn edit(facts: &Facts, policy: Policy, scopes: &[ScopeKey]) -> Explanation {
    let book = Rulebook::compile(policy).unwrap();
    let properties: Map<String, Value> = json!({ "region": "EU" }).as_object().unwrap().clone();
    let target = Target::Record {
        record: &RecordRef::parse("lead:7").unwrap(),
        scopes,
        properties: &properties,
    };
    explain(facts, &book, NOW, book.catalogue().find("record.edit"), &target)
}

#[test]
fn every_way_is_told() {
    let mut policy = policy();
    policy
        .grants
        .push(grant(1, Subject::Group(Pk(1)), MANAGER, Reach::Scope(GERMANY)));
    policy.rules.push(rule(
        1,
        "title eq \"boss\" and (groups.display eq \"Partners\" or not (groups.display eq \"Twins\"))",
        vec![Outcome::Role {
            role: MANAGER,
            reach: Reach::All,
        }],
    ));
    policy
        .rules
        .push(rule(2, "title eq \"boss\"", vec![Outcome::Group(Pk(2))]));
    let mut ada = ada(&[(1, true)]);
    ada.grants.push(Grant {
        restriction: narrow("EU"),
        ..grant(
            2,
            Subject::User(Pk(1000)),
            MANAGER,
            Reach::Record(RecordRef::parse("lead:7").unwrap()),
        )
    });
    ada.bits = vec![first(1), first(2)];
    let found = edit(&ada, policy, &[NORTH]);
    assert_eq!(found.to_string(), EVERY_WAY);
    let leaves: Vec<_> = found.supports[1].leaves().into_iter().collect();
    assert_eq!(
        leaves,
        [
            Leaf::Grant(GrantKey(1)),
            Leaf::Member(Pk(1)),
            Leaf::LiesIn(NORTH),
            Leaf::Below {
                scope: NORTH,
                parent: GERMANY
            }
        ]
    );
}

#[test]
fn whoever_is_not_active_is_told_so_and_nothing_else() {
    let mut ada = ada(&[]);
    ada.grants.push(grant(1, Subject::User(Pk(1000)), MANAGER, Reach::All));
    ada.active = false;
    assert_eq!(
        edit(&ada, policy(), &[]).to_string(),
        "user ada does not have record.edit on record lead:7\n└─ the account is not active, and nothing else counts"
    );
}

#[test]
fn what_is_missing_is_told_from_the_nearest_on() {
    let mut policy = policy();
    policy.scopes[1].ends = Some(NOW);
    policy
        .grants
        .push(grant(10, Subject::Group(Pk(3)), MANAGER, Reach::Scope(LEADS)));
    policy
        .grants
        .push(grant(11, Subject::Group(Pk(2)), MANAGER, Reach::Scope(SPRING)));
    policy.rules.push(rule(
        1,
        "title eq \"boss\" and (groups.display eq \"Partners\" or groups.display eq \"Sales EMEA\") and not (groups.display eq \"Twins\")",
        vec![Outcome::Role {
            role: MANAGER,
            reach: Reach::All,
        }],
    ));
    let mut ada = ada(&[(2, true), (1, false), (3, true)]);
    policy.grants[0].subject = Subject::Group(Pk(5));
    let me = Subject::User(Pk(1000));
    ada.grants = vec![
        grant(1, me, MANAGER, Reach::Scope(NORTH)),
        grant(2, me, READ_ONLY, Reach::All),
        Grant {
            validity: Validity {
                from: Some(LATER),
                to: None,
            },
            ..grant(3, me, MANAGER, Reach::All)
        },
        Grant {
            validity: Validity {
                from: None,
                to: Some(NOW),
            },
            restriction: narrow("US"),
            ..grant(4, me, MANAGER, Reach::All)
        },
    ];
    let found = edit(&ada, policy, &[LEADS]);
    assert_eq!(found.to_string(), MISSING);
}

#[test]
fn what_is_of_the_organisation_counts_only_on_all() {
    let mut ada = ada(&[]);
    ada.grants
        .push(grant(1, Subject::User(Pk(1000)), MANAGER, Reach::Scope(GERMANY)));
    let book = Rulebook::compile(policy()).unwrap();
    let wanted = book.catalogue().find("org.scopes.manage");
    let found = explain(&ada, &book, NOW, wanted, &Target::Scope(GERMANY));
    assert_eq!(found.misses[0].obstacles, [Obstacle::OnlyOnAll]);
    assert!(!found.allowed());
    let nothing = explain(
        &Facts::new(Pk(1), "bob", true),
        &book,
        NOW,
        wanted,
        &Target::Organisation,
    );
    assert_eq!(
        nothing.to_string(),
        "user bob does not have org.scopes.manage in the organisation\n\
         └─ nothing the user has, and no group or rule, comes near to giving it"
    );
}

#[test]
fn a_manager_is_told_through_whom_they_look() {
    let mut ada = ada(&[]);
    let mut bob = Facts::new(Pk(1001), "bob", true);
    bob.grants.push(grant(1, Subject::User(Pk(1001)), MANAGER, Reach::All));
    ada.reports.push(bob);
    let book = Rulebook::compile(Policy {
        catalogue: Arc::clone(&policy().catalogue),
        ..policy()
    })
    .unwrap();
    let found = explain(&ada, &book, NOW, None, &Target::Scope(GERMANY));
    assert_eq!(
        found.to_string(),
        "user ada has permissions on territory Germany\n\
         └─ role Manager everywhere, by grant grant-1: data.view_anonymised, data.view_identified\n   \
         └─ to look only, through report bob, of whom the rest is said"
    );
}

/// What `Rule 1` with this condition gives, as the groups of the ways it holds by.
fn ways(when: &str, ada: &Facts) -> Vec<Vec<i64>> {
    let mut policy = policy();
    let everywhere = Outcome::Role {
        role: MANAGER,
        reach: Reach::All,
    };
    policy.rules.push(rule(1, when, vec![everywhere]));
    let supports = edit(ada, policy, &[]).supports;
    let way = |reason: &Reason| match reason {
        Reason::Group { way, .. } => way.groups.iter().map(|group| group.key.0).collect(),
        Reason::Profile { .. } | Reason::NoGroup { .. } => Vec::new(),
    };
    let ways = supports.iter().map(|support| match &support.basis {
        Basis::Rule(proof) => proof.reasons.iter().flat_map(way).collect(),
        Basis::Grant { .. } => Vec::new(),
    });
    ways.collect()
}

#[test]
fn where_a_rule_asks_how_one_is_in_a_group_only_ways_of_that_kind_are_reasons() {
    let both = ada(&[(1, true), (2, true)]);
    assert_eq!(ways("groups.display eq \"Sales EMEA\"", &both), [vec![1], vec![2, 1]]);
    let direct = "groups[display eq \"Sales EMEA\" and type eq \"direct\"]";
    assert_eq!(ways(direct, &both), [vec![1]]);
    let nested = ada(&[(1, false), (2, true)]);
    assert_eq!(ways("groups.type eq \"indirect\"", &nested), [vec![2, 1]]);
    assert_eq!(
        ways("not (groups.display ne \"Partners\")", &ada(&[(2, true)])),
        [vec![2]]
    );
    let none = ways("groups.display ne \"Partners\"", &nested);
    assert_eq!(none, [Vec::<i64>::new()], "it would hold without any group");
}

#[test]
fn groups_nested_crosswise_are_told_in_part() {
    let pair = |rank: i64| [Pk(100 + 2 * rank), Pk(101 + 2 * rank)];
    let mut ada = Facts::new(Pk(1000), "ada", true);
    ada.groups = (0..14)
        .flat_map(|rank| pair(rank).map(|pk| (rank, pk)))
        .map(|(rank, pk)| GroupFact {
            pk,
            id: pk.to_string(),
            display: format!("Group {pk}"),
            direct: rank == 0,
            parents: pair(rank + 1).to_vec(),
        })
        .collect();
    let mut policy = policy();
    policy
        .grants
        .push(grant(1, Subject::Group(Pk(126)), MANAGER, Reach::All));
    let found = edit(&ada, policy, &[]);
    assert!(found.allowed() && found.cut);
    assert_eq!(found.supports.len(), MAX_WAYS);
    assert!(found.supports.iter().all(|support| support.leaves().len() == 15));
}
