//! What conditions of rules are made of.

use std::collections::BTreeSet;

use serde_json::json;

use crate::access::rule::{GroupsRead, MAX_ATOMS, Tree};
use crate::access::{Condition, Facts, GroupFact, GroupSet};
use crate::base::id::Pk;
use crate::scim::Error;
use crate::scim::schema::{Registry, Schema};

fn compile(text: &str) -> Result<Condition, Error> {
    Condition::compile(text, Registry::builtin().resource_type("User").unwrap())
}

fn atoms(text: &str) -> Vec<String> {
    let condition = compile(text).unwrap();
    condition.atoms().iter().map(|atom| atom.filter().to_string()).collect()
}

/// Whether it holds for a user with this title who is in these groups.
fn holds(text: &str, title: &str, groups: &[&str]) -> bool {
    let condition = compile(text).unwrap();
    let mut facts = Facts::new(Pk(1), "u1", true);
    facts.groups = groups
        .iter()
        .zip(1..)
        .map(|(display, pk)| GroupFact {
            pk: Pk(pk),
            id: format!("g{pk}"),
            display: (*display).to_owned(),
            direct: pk == 1,
            parents: Vec::new(),
        })
        .collect();
    let bits = condition.bits(&json!({ "title": title, "userName": "ada" }));
    condition.holds(bits, &GroupSet::stored(&facts))
}

#[test]
fn a_condition_without_groups_is_one_atom() {
    let text = "title eq \"a\" and not (userName sw \"b\") or active eq true";
    assert_eq!(atoms(text), [text]);
    let condition = compile(text).unwrap();
    assert_eq!(condition.tree(), &Tree::Atom(0));
    assert!(!condition.reads_groups());
    assert_eq!(condition.groups_read(), &GroupsRead::default());
}

#[test]
fn what_stands_beside_groups_is_joined_into_one_atom() {
    assert_eq!(
        atoms("title eq \"a\" and groups.display eq \"S\" and userName pr and not (nickName pr or groups pr)"),
        ["title eq \"a\" and userName pr", "nickName pr"]
    );
    assert_eq!(
        atoms("(title eq \"a\" and groups pr) or (title eq \"a\" and groups.value eq \"g\")"),
        ["title eq \"a\""],
        "one that is there twice counts once"
    );
    assert_eq!(atoms("groups pr"), [""; 0]);
}

#[test]
fn it_holds_as_written() {
    let text = "title eq \"boss\" and (groups.display eq \"Sales\" or not (groups[value eq \"g2\"]))";
    assert!(holds(text, "Boss", &["SALES"]));
    assert!(holds(text, "boss", &["Other"]));
    assert!(!holds(text, "boss", &["Other", "Another"]));
    assert!(!holds(text, "clerk", &["Sales"]));
    assert!(holds("not (groups pr)", "", &[]));
}

#[test]
fn faults_are_those_of_filters() {
    let detail = |text| compile(text).unwrap_err().detail;
    assert_eq!(
        detail("titel eq \"x\""),
        "there is no attribute `titel`; did you mean `title`?"
    );
    assert!(detail("title eq").ends_with("at column 9"), "{}", detail("title eq"));
    for text in [
        "externalId eq \"x\"",
        "title pr and not (EXTERNALID pr)",
        "urn:ietf:params:scim:schemas:core:2.0:User:externalId pr",
    ] {
        assert!(detail(text).starts_with("`externalId` is another"), "{text}");
    }
    assert!(compile("password eq \"x\"").is_err());
}

#[test]
fn too_many_parts_are_refused() {
    let part = |number| format!("(title eq \"{number}\" and groups pr)");
    let text = |count| (0..count).map(part).collect::<Vec<_>>().join(" or ");
    assert_eq!(compile(&text(MAX_ATOMS)).unwrap().atoms().len(), MAX_ATOMS);
    assert!(compile(&text(MAX_ATOMS + 1)).unwrap_err().detail.contains("64 parts"));
    let chain: Vec<_> = (0..200).map(|number| format!("title eq \"{number}\"")).collect();
    let one = compile(&format!("groups pr or {}", chain.join(" or "))).unwrap();
    assert_eq!(one.atoms().len(), 1);
}

#[test]
fn an_extension_may_call_an_attribute_groups() {
    let badge = json!({
        "id": "urn:example:badge:2.0:User", "name": "Badge",
        "attributes": [{ "name": "groups", "type": "string" }],
    });
    let badge = Schema::parse(&badge).unwrap();
    let registry = Registry::builtin().with_extension("User", badge).unwrap();
    let text = "urn:example:badge:2.0:User:groups eq \"x\" and groups.value eq \"g\"";
    let condition = Condition::compile(text, registry.resource_type("User").unwrap()).unwrap();
    assert_eq!((condition.atoms().len(), condition.group_tests().len()), (1, 1));
    let ids = BTreeSet::from(["g".to_owned()]);
    assert!(matches!(condition.groups_read(), GroupsRead::Named { ids: read, .. } if *read == ids));
}

#[test]
fn a_condition_that_can_hold_without_any_of_its_atoms_is_known() {
    let cases = [
        ("title pr", false),
        ("groups.display eq \"A\"", true),
        ("groups.display eq \"A\" and title pr", false),
        ("groups.display eq \"A\" or title pr", true),
        ("groups.display eq \"A\" and not (title pr)", false),
        ("not (groups.display eq \"A\" and title pr)", true),
        ("not (groups.display eq \"A\" or title pr)", true),
        (
            "not (groups.display eq \"A\" and not (title pr and groups.display eq \"B\"))",
            true,
        ),
        (
            "(groups.display eq \"A\" or title pr) and (userName sw \"a\" or groups.display eq \"B\")",
            true,
        ),
        (
            "(groups.display eq \"A\" or groups.display eq \"B\") and userName sw \"a\"",
            false,
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(compile(text).unwrap().can_hold_without_bits(), expected, "{text}");
    }
}
