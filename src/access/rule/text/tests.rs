//! Files of rules: how they look, that they read back, and what is said about faulty ones.

use proptest::prelude::*;

use super::{Nameless, Written, read, write};
use crate::access::grant::Validity;
use crate::access::rule::names::tests::house;
use crate::access::rule::{Condition, Outcome, State};
use crate::access::scope::{Reach, RecordRef};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, RoleKey, ScopeKey};
use crate::scim::schema::{Registry, ResourceType};

fn with_user<T>(ask: impl FnOnce(&ResourceType) -> T) -> T {
    ask(Registry::builtin().resource_type("User").unwrap())
}

fn file(rules: &[Written]) -> String {
    with_user(|user| write(rules, &house(), user).unwrap())
}

fn faults(text: &str) -> Vec<String> {
    let faults = with_user(|user| read(text, &house(), user)).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

fn written(name: &str, when: &str, then: Vec<Outcome>, validity: Validity) -> Written {
    Written {
        name: name.to_owned(),
        state: State::Active,
        when: with_user(|user| Condition::compile(when, user).unwrap()),
        then,
        validity,
    }
}

const FILE: &str = r#"# Whoever has userType "partner" and is in the group "Sales EMEA" is Manager in Germany and belongs to the territory "north", from 1 March 2027 until 08:00:00.5 UTC on 1 June 2027.
[[rule]]
name = "Partners of EMEA"
state = "active"
when = 'userType eq "partner" and groups.display eq "Sales EMEA"'
from = 2027-03-01
to = 2027-06-01T08:00:00.5Z

[[rule.then]]
role = "Manager"
scope = "Germany"

[[rule.then]]
scope = { id = "s5" }

# Whoever has a title is Analyst everywhere, is Read-Only on the record "lead:7" and is a member of the group "Partners".
[[rule]]
name = "Everybody"
state = "active"
when = "title pr"

[[rule.then]]
role = "Analyst"
scope = "all"

[[rule.then]]
role = "Read-Only"
record = "lead:7"

[[rule.then]]
group = "Partners"
"#;

#[test]
fn a_file_reads_like_this() {
    let role = |role, reach| Outcome::Role {
        role: RoleKey(role),
        reach,
    };
    let rules = [
        written(
            "Partners of EMEA",
            "userType eq \"partner\" and groups.display eq \"Sales EMEA\"",
            vec![role(3, Reach::Scope(ScopeKey(1))), Outcome::Member(ScopeKey(5))],
            Validity {
                from: Some(Timestamp(1_803_859_200_000_000)),
                to: Some(Timestamp(1_811_836_800_500_000)),
            },
        ),
        written(
            "Everybody",
            "title pr",
            vec![
                role(4, Reach::All),
                role(5, Reach::Record(RecordRef::parse("lead:7").unwrap())),
                Outcome::Group(Pk(2)),
            ],
            Validity::ALWAYS,
        ),
    ];
    assert_eq!(file(&rules), FILE);
    assert_eq!(with_user(|user| read(FILE, &house(), user)).unwrap(), rules);
}

#[test]
fn people_may_write_it_their_way() {
    let text = "rule = [{ name = ' Short ', when = \"\"\"\nactive eq true\n  and title pr\n\"\"\", from = 2027-03-01T01:00:00+01:00, then = [\
                { role = \"MANAGER\", scope = \"ALL\" }, { group = { id = \"g4\" } }] }]";
    let rules = with_user(|user| read(text, &house(), user)).unwrap();
    assert_eq!((rules[0].name.as_str(), rules[0].state), ("Short", State::Draft));
    assert_eq!(rules[0].when.text(), "active eq true   and title pr");
    assert_eq!(rules[0].validity.from, Some(Timestamp(1_803_859_200_000_000)));
    assert_eq!(rules[0].then[1], Outcome::Group(Pk(4)));
    assert_eq!(with_user(|user| read("# none yet\n", &house(), user)), Ok(Vec::new()));
}

#[test]
fn what_is_not_toml_or_not_a_rule_is_told_with_its_place() {
    assert_eq!(faults("[[rule]]\nname = "), ["line 2, column 8: this is not TOML"]);
    assert_eq!(
        faults("[[rule]]\nname = \"A\"\nwhem = \"title pr\"\n"),
        ["line 3, column 1: unknown field `whem`, expected one of `name`, `state`, `when`, `from`, `to`, `then`"]
    );
    assert_eq!(
        faults("[[rule]]\nname = \"A\"\n"),
        ["line 1, column 1: missing field `when`"]
    );
    assert_eq!(
        faults("[[rule]]\nname = \"A\"\nwhen = \"title pr\"\n[[rule.then]]\nscope = 7"),
        ["line 5, column 9: invalid type: integer `7`, expected a name, or `{ id = \"…\" }`"]
    );
}

#[test]
fn every_fault_of_a_file_is_told_with_its_place() {
    let text = r#"
[[rule]]
name = "Ä"
state = "actve"
when = 'title eq "Größe" an nickName pr'
to = 2027-01-01
from = 2027-01-01
[[rule.then]]
role = "Manger"
scope = "North"
[[rule.then]]
role = "Owner"
[[rule.then]]
scope = "all"
[[rule.then]]
record = "lead:7"
[[rule.then]]
role = "Owner"
record = "lead"

[[rule]]
name = "ä"
when = "titel pr and name.givenName eq \"\\u00e4\" an"
to = 08:00:00

[[rule]]
name = "  "
when = "titel pr"
[[rule.then]]
group = { id = "g9" }
[[rule.then]]
group = "Partners"
role = "Owner"
"#;
    assert_eq!(
        faults(text),
        [
            "line 4, column 9: there is no state `actve`; did you mean `active`?",
            "line 5, column 26: expected `and`, `or` or the end of the filter",
            "line 6, column 6: the rule would end before it begins",
            "line 9, column 8: there is no role `Manger`; did you mean `Manager`?",
            "line 10, column 9: several scopes are named `North`: choose one by `{ id = \"…\" }`",
            "line 11, column 1: a `role` needs a `scope` or a `record` to hold on",
            "line 14, column 9: everybody belongs to `all`: name a scope, or add a `role`",
            "line 15, column 1: a `record` needs a `role` to hold on it",
            "line 19, column 10: expected a record as `kind:id`",
            "line 21, column 1: the rule gives nothing: it needs a `[[rule.then]]`",
            "line 22, column 8: a rule named `ä` stands further up",
            "line 23, column 8: expected `and`, `or` or the end of the filter at column 41",
            "line 24, column 6: expected a date such as 2027-03-01, or a date with time and offset",
            "line 27, column 8: a rule needs a name",
            "line 28, column 8: there is no attribute `titel`; did you mean `title`?",
            "line 30, column 9: there is no group with id `g9`",
            "line 31, column 1: an outcome is `role` with `scope` or `record`, `scope` alone, or `group` alone",
        ]
    );
}

#[test]
fn what_has_no_name_cannot_be_written() {
    let rule = written("A", "title pr", vec![Outcome::Group(Pk(77))], Validity::ALWAYS);
    let nameless = with_user(|user| write(&[rule], &house(), user));
    assert_eq!(nameless, Err(Nameless::Group(Pk(77))));
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let record = "[a-z\"']{1,3}:[ -~é]{1,5}".prop_map(|text| Reach::Record(RecordRef::parse(&text).unwrap()));
    let reach = prop_oneof![
        Just(Reach::All),
        (1_i64..=6).prop_map(|key| Reach::Scope(ScopeKey(key))),
        record
    ];
    prop_oneof![
        (1_i64..=5, reach).prop_map(|(role, reach)| Outcome::Role {
            role: RoleKey(role),
            reach
        }),
        (1_i64..=6).prop_map(|key| Outcome::Member(ScopeKey(key))),
        (1_i64..=5).prop_map(|key| Outcome::Group(Pk(key))),
    ]
}

fn rule() -> impl Strategy<Value = Written> {
    let text = prop::sample::select(vec![
        "title pr",
        "title eq \"it's\"",
        "title eq \"a\\\\b\" and groups.display eq \"S\"",
        "title eq \"\\u0007\\n\" or nickName pr",
        "title eq \"\u{7f}'\"",
        "title pr and nickName pr",
    ]);
    let state = prop::sample::select(State::ALL);
    let at = || prop::option::of(0_i64..4_000_000_000_000_000);
    let days = |at: Option<i64>| {
        at.map(|at| {
            if at % 3 == 0 {
                at / 86_400_000_000 * 86_400_000_000
            } else {
                at
            }
        })
    };
    let then = prop::collection::vec(outcome(), 1..4);
    (text, state, at(), at(), then).prop_filter_map("ends before it begins", move |(when, state, from, to, then)| {
        let (from, to) = (days(from).map(Timestamp), days(to).map(Timestamp));
        let ends_early = matches!((from, to), (Some(from), Some(to)) if to <= from);
        let validity = Validity { from, to };
        (!ends_early).then(|| Written {
            state,
            ..written("", when, then, validity)
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(rules in prop::collection::vec(rule(), 0..4), name in "\\PC[\\PC\"'\\\\\u{1}-\u{1f}\u{7f}]{0,6}") {
        let named: Vec<_> = rules.into_iter().zip(0..).map(|(rule, number)| {
            Written { name: format!("{}{number}", name.trim()), ..rule }
        }).collect();
        let text = file(&named);
        let back = with_user(|user| read(&text, &house(), user));
        prop_assert_eq!(back.as_ref(), Ok(&named), "{}", text);
        prop_assert_eq!(file(&back.unwrap()), text);
    }

    #[test]
    fn reading_never_panics(text in "([\\[\\]a-z= \"'{}.,\n]|rule|name|when|then|scope|é){0,30}") {
        let _ = with_user(|user| read(&text, &house(), user));
    }
}
