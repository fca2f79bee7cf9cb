//! `muster enforcer`, `muster webhook` and `muster stream`: what an administrator does by request, done on the command line.

use axum::http::Method;
use serde_json::{Value, json};

use crate::admin::desk::{Desk, Problems as _, texts};
use crate::support::TestHouse;
use crate::support::program::{run, run_json};

const URL: &str = "https://example.com/end";

/// Does something with what has this name; answers what was said.
fn said(house: &TestHouse, arguments: &[&str]) -> String {
    let output = run(&house.database, &[arguments, &["--tenant", "acme"]].concat());
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The JSON that is printed about it.
fn shown(house: &TestHouse, arguments: &[&str]) -> Value {
    run_json(&house.database, &[arguments, &["--tenant", "acme", "--json"]].concat())
}

each_database! {
    async fn enforcers_are_made_paused_tried_and_removed(house: TestHouse) {
        let desk = Desk::admin(&house);
        let made = shown(&house, &["enforcer", "create", "--name", "shop", "--url", URL, "--probe", URL]);
        let id = made["id"].as_str().unwrap();
        assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
        shown(&house, &["enforcer", "create", "--name", "forum", "--url", URL, "--believed"]);
        let list = shown(&house, &["enforcer", "list"]);
        assert_eq!(texts(&list, "name"), ["shop", "forum"]);
        assert_eq!(list["items"][1]["probe"], Value::Null);

        assert_eq!(said(&house, &["enforcer", "pause", "shop"]), "`shop` is paused\n");
        assert_eq!(desk.get(&format!("/enforcers/{id}")).await.status(200).json["state"], "paused");
        said(&house, &["enforcer", "resume", id]);
        said(&house, &["enforcer", "test", "shop"]);
        let newer = said(&house, &["enforcer", "rotate", "shop"]);
        assert!(newer.starts_with("whsec_"), "{newer}");
        let shop = desk.get(&format!("/enforcers/{id}")).await.status(200).json;
        assert_eq!((&shop["state"], &shop["testing"]), (&json!("active"), &json!(true)));
        assert_eq!(shop["secrets"].as_array().unwrap().len(), 2);
        assert!(said(&house, &["enforcer", "show", "forum"]).contains("not asked: it is believed"));
        said(&house, &["enforcer", "delete", "shop"]);
        desk.get(&format!("/enforcers/{id}")).await.problem(404, "not-found");

        for wrong in [
            &["enforcer", "show", "shop", "--tenant", "acme"][..],
            &["enforcer", "create", "--name", "mail", "--url", URL, "--tenant", "acme"],
            &["enforcer", "create", "--name", "mail", "--url", "https://10.0.0.1/", "--believed", "--tenant", "acme"],
        ] {
            assert!(!run(&house.database, wrong).status.success(), "{wrong:?}");
        }
    }

    async fn webhooks_are_shown_paused_and_sent_again(house: TestHouse) {
        let desk = Desk::admin(&house);
        let made = desk.post("/webhooks", json!({"name": "hook", "url": URL, "kinds": ["user.*"]})).await.status(201);
        let id = made.id();
        assert_eq!(texts(&shown(&house, &["webhook", "list"]), "id"), [id.as_str()]);
        said(&house, &["webhook", "pause", "hook"]);
        let paused = shown(&house, &["webhook", "show", &id]);
        assert_eq!((&paused["state"], &paused["reason"]), (&json!("paused"), &json!("asked")));
        said(&house, &["webhook", "resume", &id]);
        said(&house, &["webhook", "test", "hook"]);
        said(&house, &["webhook", "replay", "hook"]);
        let events = desk.get("/events?limit=500").await.status(200).json;
        let kinds = texts(&events, "kind");
        let about = |kind: &&String| kind.starts_with("receiver.") || kind.starts_with("delivery.");
        let told: Vec<&String> = kinds.iter().filter(about).collect();
        let expected = ["receiver.created", "receiver.paused", "receiver.resumed", "receiver.tested", "delivery.replayed"];
        assert_eq!(told, expected);
        assert!(!run(&house.database, &["webhook", "show", "none", "--tenant", "acme"]).status.success());
    }

    async fn streams_are_made_shown_paused_tried_and_removed(house: TestHouse) {
        let desk = Desk::admin(&house);
        let issuer = ["--issuer", "https://muster.example/"];
        let poll = [&["stream", "create", "--name", "hr", "--delivery", "poll"][..], &issuer].concat();
        let made = shown(&house, &poll);
        let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
        let deleted = "urn:ietf:params:scim:event:prov:delete";
        let push = ["stream", "create", "--name", "shop", "--delivery", "push", "--url", URL, "--event", deleted];
        let push = [&push[..], &["--authorization", "Bearer x"], &issuer].concat();
        assert_eq!(shown(&house, &push)["token"], Value::Null);
        let list = shown(&house, &["stream", "list"]);
        assert_eq!((texts(&list, "name"), texts(&list, "delivery")), (vec!["hr".into(), "shop".into()], vec!["poll".into(), "push".into()]));
        assert_eq!((&list["items"][1]["events"], &list["items"][1]["authorized"]), (&json!([deleted]), &json!(true)));
        assert_eq!(list["items"][0]["url"], format!("https://muster.example/events/v1/streams/{id}/poll"));
        let by_api = desk.get(&format!("/streams/{id}")).await.status(200).json;
        for name in ["issuer", "audience", "events", "state", "position"] {
            assert_eq!(by_api[name], list["items"][0][name], "{name}");
        }

        assert_eq!(said(&house, &["stream", "pause", "hr"]), "`hr` is paused\n");
        assert!(said(&house, &["stream", "show", id]).contains("paused (asked)"));
        said(&house, &["stream", "resume", "hr"]);
        said(&house, &["stream", "verify", "hr", "--state", "7"]);
        said(&house, &["stream", "replay", "hr"]);
        let fetched = Desk::with(&house, token).ask(Method::POST, &format!("/events/v1/streams/{id}/poll"), Some(json!({"returnImmediately": true})), &[]).await;
        assert_eq!(fetched.status(200).json["sets"].as_object().unwrap().len(), 1);
        let renewed = said(&house, &["stream", "token", "hr"]);
        assert!(renewed.trim() != token && renewed.starts_with("mst_"), "{renewed}");
        said(&house, &["stream", "delete", "hr"]);
        desk.get(&format!("/streams/{id}")).await.problem(404, "not-found");

        for wrong in [
            &["stream", "show", "hr", "--tenant", "acme"][..],
            &["stream", "token", "shop", "--tenant", "acme"],
            &["stream", "create", "--name", "x", "--delivery", "push", "--issuer", "https://muster.example", "--tenant", "acme"],
            &["stream", "create", "--name", "x", "--delivery", "poll", "--tenant", "acme"],
            &["stream", "create", "--name", "x", "--delivery", "poll", "--event", "none", "--issuer", "https://muster.example", "--tenant", "acme"],
        ] {
            assert!(!run(&house.database, wrong).status.success(), "{wrong:?}");
        }
    }
}
