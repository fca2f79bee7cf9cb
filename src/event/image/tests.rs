//! What is written reads back, and reads as it is documented.

use serde_json::{Value, json};

use super::{GrantImage, OutcomeImage, Place, RoleImage, RuleImage, ScopeImage};
use crate::access::RecordRef;
use crate::base::clock::Timestamp;

fn grant(place: Place) -> GrantImage {
    GrantImage {
        grant: "g-1".to_owned(),
        role: "analyst".to_owned(),
        place,
        valid_from: Some(Timestamp(1_795_330_383_123_456)),
        valid_to: None,
        restrict: [("region".to_owned(), ["EU".to_owned()].into())].into(),
        origin: "manual".to_owned(),
    }
}

fn same<T: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: &Value, image: &T) {
    let read: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(&read, image);
}

#[test]
fn a_grant_reads_back_wherever_it_counts() {
    let record = RecordRef {
        kind: "lead".to_owned(),
        id: "a:1".to_owned(),
    };
    for place in [Place::all(), Place::Scope("s-1".to_owned()), Place::from(&record)] {
        let image = grant(place);
        same(&image.data(), &image);
        assert_eq!(image.data_after(&image)["before"], image.data());
    }
    assert_eq!(
        grant(Place::from(&record)).data(),
        json!({
            "grant": "g-1", "role": "analyst", "record": {"kind": "lead", "id": "a:1"},
            "valid_from": "2026-11-22T06:53:03.123456Z", "restrict": {"region": ["EU"]}, "origin": "manual",
        })
    );
}

#[test]
fn a_rule_reads_back_with_every_outcome() {
    let role = |place| OutcomeImage::Role {
        role: "analyst".to_owned(),
        place,
    };
    let image = RuleImage {
        version: 3,
        name: "EU".to_owned(),
        state: "active".to_owned(),
        when: "active eq true".to_owned(),
        then: vec![
            role(Place::all()),
            role(Place::from(&RecordRef {
                kind: "lead".to_owned(),
                id: "1".to_owned(),
            })),
            OutcomeImage::Member {
                scope: "s-1".to_owned(),
            },
            OutcomeImage::Group {
                group: "h-1".to_owned(),
            },
        ],
        valid_from: None,
        valid_to: Some(Timestamp(0)),
    };
    same(&image.data(), &image);
    assert_eq!(image.data_before()["before"], image.data());
}

#[test]
fn roles_and_scopes_say_what_they_were_and_what_they_are() {
    let role = RoleImage {
        name: "Seller".to_owned(),
        permissions: vec!["org.users.view".to_owned()],
        copy_of: None,
    };
    assert_eq!(
        RoleImage::data(Some(&role), None),
        json!({ "before": {"name": "Seller", "permissions": ["org.users.view"]} })
    );
    let scope = ScopeImage {
        kind: "territory".to_owned(),
        name: "EU".to_owned(),
        parent: Some("s-0".to_owned()),
        starts: None,
        ends: None,
    };
    let data = ScopeImage::data(Some(&scope), Some(&scope));
    same(&data["before"], &scope);
    same(&data["after"], &scope);
}
