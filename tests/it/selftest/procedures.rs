//! The named procedures: each passes on a server that does as it says, and notices one that does not.

use std::sync::atomic::{AtomicUsize, Ordering};

use muster::selftest::report::Verdict;
use serde_json::json;

use super::tiny::{Tiny, scim, told};

const WALK: &str = "procedure = \"walk\"\npath = \"/Users\"\nby = \"index\"\ncount = 3\nmake = 7";
const RACE: &str = "procedure = \"race\"\ntimes = 6\none = 201\nrest = [409]\n\
    step = { send = \"POST /Users\", body = '''{\"userName\": \"${n}\"}''' }";

#[tokio::test]
async fn a_walk_sees_everybody_once() {
    assert_eq!(Tiny::good().checked(WALK).await.result, Verdict::Passed);
    let forgetful = Tiny::wrong(|asked| {
        let second = asked.query.get("startIndex").is_some_and(|start| start == "4");
        second.then(|| {
            scim(
                200,
                json!({"totalResults": 7, "Resources": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}),
            )
        })
    });
    let finding = forgetful.checked(WALK).await;
    assert_eq!(
        told(&finding),
        (Verdict::Failed, "of 7 resources made, one was on 0 pages instead of 1")
    );
    let generous = Tiny::wrong(|asked| {
        let rows: Vec<_> = (0..9).map(|n| json!({"id": n.to_string()})).collect();
        asked
            .query
            .contains_key("startIndex")
            .then(|| scim(200, json!({"totalResults": 9, "Resources": rows})))
    });
    assert_eq!(
        told(&generous.checked(WALK).await),
        (Verdict::Failed, "a page of 3 holds 9")
    );
    let empty = Tiny::wrong(|asked| {
        asked
            .query
            .contains_key("startIndex")
            .then(|| scim(200, json!({"totalResults": 9})))
    });
    assert_eq!(
        told(&empty.checked(WALK).await),
        (Verdict::Failed, "an empty page before the end")
    );
    let cursor = WALK.replace("index", "cursor");
    let endless = Tiny::wrong(|asked| {
        let page = json!({"nextCursor": "more", "previousCursor": "back", "Resources": []});
        asked.query.contains_key("cursor").then(|| scim(200, page))
    });
    assert_eq!(
        told(&endless.checked(&cursor).await),
        (Verdict::Failed, "the first page has a previousCursor")
    );
}

#[tokio::test]
async fn a_race_has_one_winner() {
    let tiny = Tiny::good();
    assert_eq!(tiny.checked(RACE).await.result, Verdict::Passed);
    assert_eq!(tiny.users(), 0);
    let ids = AtomicUsize::new(0);
    let careless = Tiny::wrong(move |asked| {
        let id = ids.fetch_add(1, Ordering::SeqCst);
        (asked.method == "POST").then(|| scim(201, json!({"id": id.to_string()})))
    });
    let finding = careless.checked(RACE).await;
    let (result, found) = told(&finding);
    assert_eq!(result, Verdict::Failed);
    assert!(found.contains("[201, 201, 201, 201, 201, 201]"), "{found}");
}

#[tokio::test]
async fn every_answer_and_every_resource_of_the_run_are_looked_at() {
    let tiny = Tiny::good();
    let shown = "procedure = \"every-resource\"\nsteps = [{ create = \"user\" }, { send = \"GET /Users\" }]\n";
    let good = format!("{shown}expect = [[\"$.userName\", \"exists\"]]");
    assert_eq!(tiny.checked(&good).await.result, Verdict::Passed);
    let bad = format!("{shown}where = [[\"method\", \"is\", \"GET\"]]\nexpect = [[\"$.title\", \"exists\"]]");
    let finding = tiny.checked(&bad).await;
    assert_eq!(told(&finding), (Verdict::Failed, "$.title is missing, not exists"));
    assert_eq!(finding.exchange.unwrap().method, "GET");
    let none = "procedure = \"every-answer\"\nwhere = [[\"status\", \"is\", 418]]\nexpect = [[\"text\", \"is\", \"\"]]";
    assert_eq!(
        told(&tiny.checked(none).await),
        (Verdict::Skipped, "no such answer was seen")
    );
}

#[tokio::test]
async fn published_definitions_are_looked_at_one_by_one() {
    let tiny = Tiny::good();
    let each = |expect: &str| format!("procedure = \"each-attribute\"\nexpect = [{expect}]");
    assert_eq!(
        tiny.checked(&each("[\"$.type\", \"is\", \"string\"]")).await.result,
        Verdict::Passed
    );
    let finding = tiny.checked(&each("[\"$.mutability\", \"exists\"]")).await;
    assert!(finding.exchange.unwrap().path.ends_with("core:2.0:User:nick"));
    let named = |name: &str| {
        format!(
            "procedure = \"attribute\"\nschema = \"${{USER}}\"\nnames = [\"{name}\"]\nexpect = [[\"$.multiValued\", \"is\", false]]"
        )
    };
    assert_eq!(tiny.checked(&named("NICK")).await.result, Verdict::Passed);
    assert_eq!(tiny.checked(&named("emails")).await.result, Verdict::Skipped);
}

#[tokio::test]
async fn steps_run_with_an_attribute_or_a_type_of_the_server() {
    let tiny = Tiny::good();
    let with = |kind: &str| {
        format!(
            "procedure = \"with-attribute\"\nwhere = [[\"$.type\", \"is\", \"{kind}\"]]\nsteps = [\n\
             {{ send = \"POST ${{endpoint}}\", body = '''\"${{whole}}\"''', status = 201, keep = \"made\" }},\n\
             {{ send = \"GET ${{made.path}}\", status = 200, expect = [[\"${{at}}\", \"is\", \"${{value}}\"]] }}]"
        )
    };
    assert_eq!(tiny.checked(&with("string")).await.result, Verdict::Passed);
    assert!(tiny.asked().iter().any(|asked| asked.body["nick"] == "Alpha"));
    assert_eq!(tiny.checked(&with("binary")).await.result, Verdict::Skipped);
    let of_type = "procedure = \"with-type\"\nwhere = [[\"$.name\", \"is\", \"User\"]]\n\
        steps = [{ send = \"POST ${endpoint}\", body = '''\"${without}\"''', status = 201 }]";
    assert_eq!(tiny.checked(of_type).await.result, Verdict::Passed);
    assert_eq!(tiny.users(), 0);
}
