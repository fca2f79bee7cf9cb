//! What events of the log mean as security event tokens.

use serde_json::{Value, json};

use crate::base::clock::Timestamp;
use crate::event::set::{SetEvent, Stream, Values};
use crate::event::{Changes, Event, Kind, Seq};

fn stream(events: &[SetEvent]) -> Stream {
    Stream {
        uid: "s1".to_owned(),
        issuer: "https://muster.example".to_owned(),
        audience: "https://receiver.example".to_owned(),
        events: events.iter().copied().collect(),
    }
}

fn event(kind: Kind, data: &Value) -> Event {
    Event {
        seq: Seq(7),
        at: Timestamp(1_767_225_600_900_000),
        txn: "t".to_owned(),
        part: 0,
        kind: kind.as_str().to_owned(),
        actor_kind: "connection".to_owned(),
        actor_id: "okta".to_owned(),
        connection: Some("okta".to_owned()),
        request_id: None,
        subject_kind: Some("user".to_owned()),
        subject_id: Some("u1".to_owned()),
        cause: "{}".to_owned(),
        data: data.to_string(),
        sealed: None,
    }
}

fn changed(before: &Value, after: &Value) -> Values {
    let changes = Changes::read(&json!({ "before": before, "after": after })).unwrap();
    Values {
        changes: Some(changes),
        whole: None,
    }
}

#[test]
fn every_event_reads_back_by_its_uri() {
    for event in SetEvent::ALL {
        assert_eq!(SetEvent::parse(event.uri()), Some(*event));
        assert_eq!(event.is_full(), event.uri().ends_with(":full"));
    }
    assert_eq!(SetEvent::parse("urn:ietf:params:scim:event:prov:create"), None);
}

#[test]
fn an_id_stands_for_one_position_of_one_stream() {
    let stream = stream(SetEvent::USUAL);
    assert_eq!(stream.position(&stream.jti(Seq(42))), Some(Seq(42)));
    for other in ["s2-42", "s1", "s1-", "s1-x", "s1-042", "s1-+42", "s1-42-0", "s142"] {
        assert_eq!(stream.position(other), None, "{other}");
    }
}

#[test]
fn a_patch_with_values_names_what_is_set_and_what_is_taken_away() {
    let event = event(
        Kind::UserUpdated,
        &json!({ "attributes": ["title", "urn:x:User:a"], "version": 2 }),
    );
    let values = changed(
        &json!({ "schemas": ["core", "urn:x:User"], "title": "Countess", "urn:x:User:a": 1 }),
        &json!({ "schemas": ["core"], "urn:x:User:a": 2, "urn:y:": {} }),
    );
    let claims = stream(&[SetEvent::PatchFull]).claims(&event, &values).unwrap();
    assert_eq!(
        claims["events"][SetEvent::PatchFull.uri()]["data"]["Operations"],
        json!([
            { "op": "remove", "path": "title" },
            { "op": "replace", "path": "urn:x:User:a", "value": 2 },
            { "op": "replace", "path": "urn:y", "value": {} },
        ])
    );
}

#[test]
fn values_that_nobody_knows_any_more_are_told_by_their_names() {
    let event = event(
        Kind::UserUpdated,
        &json!({ "attributes": ["title"], "version": 2, "via": "put" }),
    );
    let stream = stream(&[SetEvent::PutFull]);
    assert!(stream.tells(&event) && stream.needs_whole(&event));
    let claims = stream.claims(&event, &Values::default()).unwrap();
    assert_eq!(
        claims["events"],
        json!({ SetEvent::PutNotice.uri(): { "attributes": ["title"], "version": "W/\"2\"" } })
    );
}

#[test]
fn what_a_stream_did_not_ask_for_means_nothing_to_it() {
    let usual = stream(SetEvent::USUAL);
    let made = event(Kind::UserCreated, &json!({ "attributes": ["userName"], "version": 1 }));
    assert!(usual.tells(&made) && !stream(&[SetEvent::Delete]).tells(&made));
    let silent = [
        event(Kind::RoleCreated, &json!({})),
        event(Kind::UserActivationRefused, &json!({ "status": "suspended" })),
        event(Kind::UserRestored, &json!({ "version": 3, "into": "u2" })),
        event(
            Kind::UserDeactivated,
            &json!({ "from": "suspended", "to": "deactivated", "version": 3 }),
        ),
        event(Kind::ReceiverTested, &json!({})),
    ];
    for event in silent {
        assert!(!stream(SetEvent::ALL).tells(&event), "{}", event.kind);
        assert_eq!(stream(SetEvent::ALL).claims(&event, &Values::default()), None);
    }
}

#[test]
fn seconds_are_whole_and_there_is_neither_sub_nor_exp() {
    let made = event(Kind::UserDeleted, &json!({ "version": 4 }));
    let claims = stream(&[SetEvent::Delete]).claims(&made, &Values::default()).unwrap();
    assert_eq!(
        (&claims["iat"], &claims["toe"]),
        (&json!(1_767_225_600), &json!(1_767_225_600))
    );
    assert!(claims.get("sub").is_none() && claims.get("exp").is_none());
    assert_eq!(claims["sub_id"], json!({ "format": "scim", "uri": "/Users/u1" }));
}
