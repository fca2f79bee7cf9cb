//! The table of permissions, sets of them, and catalogues from files.

use proptest::prelude::*;

use super::{Catalogue, Level, Permissions, Predefined};

/// The table as people agreed on it: key, level, and a mark for Owner, Admin, Manager, Analyst and Read-Only.
const TABLE: &str = "
org.users.view          O xx...
org.users.manage        O xx...
org.roles.manage        O xx...
org.scopes.manage       O xxx..
org.billing.manage      O xx...
org.integrations.manage O xxx..
org.settings.manage     O xxx..
org.audit.view          O xx...
record.create           S xxx..
record.edit             S xxx..
record.delete           S xxx..
record.publish          S xxx..
data.view_anonymised    S xxxxx
data.view_identified    S xxxx.
data.act                S xxxx.
data.labels.manage      S xxx..
data.export_share       S xxxx.
data.erase              S xx...
";

#[test]
fn the_catalogue_is_the_table() {
    let catalogue = Catalogue::builtin();
    let rows: Vec<String> = catalogue
        .all()
        .iter()
        .map(|permission| {
            let level = if catalogue.level(permission) == Level::Scope {
                'S'
            } else {
                'O'
            };
            let marks: String = Predefined::ALL
                .iter()
                .map(|role| {
                    if catalogue.held_by(*role).contains(permission) {
                        'x'
                    } else {
                        '.'
                    }
                })
                .collect();
            format!("{:<23} {level} {marks}", catalogue.key(permission))
        })
        .collect();
    assert_eq!(rows.join("\n"), TABLE.trim());
}

#[test]
fn every_key_finds_its_permission() {
    let catalogue = Catalogue::builtin();
    for permission in catalogue.all().iter() {
        assert_eq!(catalogue.find(catalogue.key(permission)), Some(permission));
        assert!(!catalogue.label(permission).is_empty());
    }
    assert_eq!(catalogue.find("Record.Edit"), None);
    assert_eq!(
        catalogue.keys(catalogue.viewing()).collect::<Vec<_>>(),
        ["data.view_anonymised", "data.view_identified"]
    );
    let levels = [Level::Organisation, Level::Scope].map(|level| catalogue.of_level(level).len());
    assert_eq!(levels, [8, 10]);
}

#[test]
fn a_mistyped_key_is_told_the_nearest() {
    let catalogue = Catalogue::builtin();
    let told = |key: &str| catalogue.get(key).unwrap_err().to_string();
    assert_eq!(
        told("org.user.manage"),
        "there is no permission `org.user.manage`; did you mean `org.users.manage`?"
    );
    assert_eq!(
        told("Data.Erase"),
        "there is no permission `Data.Erase`; did you mean `data.erase`?"
    );
    assert_eq!(told("act"), "there is no permission `act`; did you mean `data.act`?");
    assert_eq!(told("manage"), "there is no permission `manage`");
    assert_eq!(
        catalogue.set(["data.act", "data.atc"]).unwrap_err().nearest.as_deref(),
        Some("data.act")
    );
    assert_eq!(catalogue.known(["data.act", "gone.since"]).len(), 1);
}

#[test]
fn a_file_replaces_all_but_what_gates_muster() {
    let catalogue = Catalogue::from_json(
        r#"{"permissions": [
            {"key": "ticket.close", "label": "Close a ticket", "level": "scope", "roles": ["manager", "analyst"]},
            {"key": "plan.edit", "label": "Edit the plan", "level": "organisation"},
            {"key": "data.act", "label": "Answer"}
        ]}"#,
    )
    .unwrap();
    let held = |role| catalogue.keys(catalogue.held_by(role)).collect::<Vec<_>>();
    assert_eq!(catalogue.all().len(), 11);
    assert_eq!(catalogue.held_by(Predefined::Owner), catalogue.all());
    assert_eq!(held(Predefined::Admin)[8..], ["plan.edit", "data.act"]);
    assert_eq!(held(Predefined::Manager)[3..], ["ticket.close", "data.act"]);
    assert_eq!(held(Predefined::Analyst), ["ticket.close", "data.act"]);
    assert_eq!(held(Predefined::ReadOnly), [""; 0]);
    let plan = catalogue.find("plan.edit").unwrap();
    assert_eq!(
        (catalogue.level(plan), catalogue.label(plan)),
        (Level::Organisation, "Edit the plan")
    );
    assert_eq!(catalogue.find("record.edit"), None);
}

#[test]
fn an_unusable_file_says_what_is_wrong_where() {
    let faults = |text: &str| {
        let faults = Catalogue::from_json(text).unwrap_err();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        faults("{\n  \"permissions\": [,]\n}"),
        ["line 2 column 19: this is not JSON"]
    );
    assert_eq!(faults("[]"), ["file: expected an object with the member `permissions`"]);
    assert_eq!(faults("{}"), ["permissions: expected a list of permissions"]);
    assert_eq!(
        faults(
            r#"{"permissions": [
                {"key": "a.b", "label": "A", "levle": "scope"},
                {"key": "org.users.view", "label": "B"},
                {"key": "A B", "label": " ", "level": "tenant"},
                {"key": "a.b", "label": "C", "roles": ["manger", 7]},
                4
            ]}"#
        ),
        [
            "permissions[0].levle: is not known here; did you mean `level`?",
            "permissions[1].key: `org.users.view` gates Muster itself: `org.*` permissions cannot be replaced",
            "permissions[2].label: expected a text that is not empty",
            "permissions[2].level: expected `scope` or `organisation`",
            "permissions[2].key: `A B` is no key: it begins with a lower-case letter and is made of lower-case letters, \
             digits, `.`, `_` and `-`",
            "permissions[3].roles[0]: there is no predefined role `manger`; did you mean `manager`?",
            "permissions[3].roles[1]: expected one of owner, admin, manager, analyst, read-only",
            "permissions[3].key: `a.b` is there twice",
            "permissions[4]: expected an object with `key`, `label`, `level` and `roles`",
        ]
    );
}

#[test]
fn a_catalogue_holds_as_many_as_a_set_has_room_for() {
    let file = |count: usize| {
        let list: Vec<_> = (0..count)
            .map(|number| serde_json::json!({"key": format!("p.{number}"), "label": "P"}))
            .collect();
        Catalogue::from_json(&serde_json::json!({ "permissions": list }).to_string())
    };
    let full = file(120).unwrap();
    assert_eq!(full.all().len(), 128);
    assert_eq!(full.all().iter().last(), full.find("p.119"));
    assert_eq!(
        file(121).unwrap_err()[0].to_string(),
        "permissions: 121 are too many; there can be 120"
    );
}

proptest! {
    #[test]
    fn sets_are_sets(one: [bool; 18], other: [bool; 18]) {
        let catalogue = Catalogue::builtin();
        let all: Vec<_> = catalogue.all().iter().collect();
        let set = |marks: &[bool; 18]| -> Permissions {
            all.iter().zip(marks).filter(|(_, mark)| **mark).map(|(permission, _)| *permission).collect()
        };
        let (left, right) = (set(&one), set(&other));
        for (permission, (a, b)) in all.iter().zip(one.iter().zip(&other)) {
            prop_assert_eq!((left | right).contains(*permission), *a || *b);
            prop_assert_eq!((left & right).contains(*permission), *a && *b);
            prop_assert_eq!((left - right).contains(*permission), *a && !*b);
        }
        prop_assert_eq!(left.iter().count(), left.len());
        prop_assert_eq!(left.contains_all(right), (right - left).is_empty());
        prop_assert_eq!(left.iter().collect::<Permissions>(), left);
    }
}
