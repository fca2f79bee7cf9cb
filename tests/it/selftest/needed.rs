//! Servers that require more of a user than a name: every body of a check has it, wherever the check writes its own.

use muster::selftest::report::Verdict;
use serde_json::{Value, json};

use super::tiny::{Asked, Tiny, scim, told};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const WORK: &str = "urn:example:work:2.0:User";

/// POST and PUT of a user by each way that a check has.
const WAYS: &str = r#"steps = [
    { create = "user" },
    { send = "POST /Users", body = '''{"schemas": ["${USER}"], "userName": "${n}-a"}''', status = 201, keep = "a" },
    { send = "POST /Users", raw = '''{"userName":"${n}-b","schemas":["${USER}"]}''', status = 201 },
    { send = "PUT ${a.path}", body = '''{"schemas": ["${USER}"], "userName": "${n}-a"}''', status = 200 },
    { send = "POST /Bulk", bulk = '''[{"method": "POST", "path": "/Users", "data": {"schemas": ["${USER}"], "userName": "${n}-c"}}, {"method": "PUT", "path": "${a.path}", "data": {"schemas": ["${USER}"], "userName": "${n}-a"}}, {"method": "DELETE", "path": "${a.path}"}]''', status = 200 },
]"#;

/// What the server publishes, and no PUT or bulk of its own.
fn published(asked: &Asked) -> Option<axum::response::Response> {
    let list = |row: Value| Some(scim(200, json!({"totalResults": 1, "Resources": [row]})));
    let text = |name: &str, more: Value| {
        let mut row = json!({"name": name, "type": "string", "multiValued": false, "required": true});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/ResourceTypes") => list(json!({"name": "User", "endpoint": "/Users", "schema": USER,
            "schemaExtensions": [{"schema": WORK, "required": true}]})),
        ("GET", "/Schemas") => Some(scim(
            200,
            json!({"totalResults": 2, "Resources": [
            {"id": USER, "attributes": [
                text("userName", json!({"uniqueness": "server"})),
                text("number", json!({"uniqueness": "server"})),
                text("title", json!({"canonicalValues": ["guide", "pilot"]})),
                text("made", json!({"mutability": "readOnly"})),
                {"name": "nick", "type": "string"},
                {"name": "emails", "type": "complex", "multiValued": true, "required": true, "subAttributes": [
                    {"name": "value", "type": "string"}, text("type", json!({"canonicalValues": ["work"]}))]}]},
            {"id": WORK, "attributes": [text("department", json!({})), {"name": "room", "type": "integer", "required": false}]}]}),
        )),
        ("PUT" | "PATCH", _) => Some(scim(200, json!({}))),
        ("POST", "/Bulk") => Some(scim(200, json!({"Operations": []}))),
        _ => None,
    }
}

/// Every user that was sent, whatever way.
fn sent(tiny: &Tiny) -> Vec<Value> {
    let bodies = tiny
        .asked()
        .into_iter()
        .filter(|asked| asked.method == "POST" || asked.method == "PUT");
    let users = bodies.flat_map(|asked| match asked.body["Operations"].as_array() {
        Some(operations) => operations
            .iter()
            .map(|one| one["data"].clone())
            .filter(Value::is_object)
            .collect(),
        None => vec![asked.body],
    });
    users.collect()
}

#[tokio::test]
async fn what_the_schemas_require_is_in_every_body() {
    let tiny = Tiny::wrong(published);
    let finding = tiny.checked(WAYS).await;
    assert_eq!(told(&finding), (Verdict::Passed, ""));
    let sent = sent(&tiny);
    assert_eq!(sent.len(), 6, "{sent:#?}");
    for user in &sent {
        assert_eq!(
            (&user["title"], &user["emails"][0]["type"]),
            (&json!("guide"), &json!("work")),
            "{user}"
        );
        assert!(
            user["emails"][0]["value"].as_str().unwrap().ends_with("@example.com"),
            "{user}"
        );
        assert!(
            user[WORK]["department"].is_string() && user[WORK].get("room").is_none(),
            "{user}"
        );
        assert_eq!(user["schemas"], json!([USER, WORK]), "{user}");
        assert!(user.get("made").is_none() && user.get("nick").is_none(), "{user}");
    }
    // Who is replaced keeps what is theirs alone; everybody else has another.
    let number = |name: &str| {
        let of = sent
            .iter()
            .filter(|user| user["userName"].as_str().unwrap().ends_with(name));
        let mut numbers: Vec<&str> = of.map(|user| user["number"].as_str().unwrap()).collect();
        numbers.dedup();
        numbers
    };
    assert_eq!(number("-a").len(), 1);
    assert_ne!(number("-a"), number("-b"));
}

#[tokio::test]
async fn what_a_check_says_is_not_touched() {
    let tiny = Tiny::wrong(published);
    let check = r#"steps = [
        { send = "POST /Users", body = '''{"schemas": [], "TITLE": null, "emails": [{"type": "home"}], "URN:EXAMPLE:WORK:2.0:USER": {"department": "Tours"}}''' },
        { send = "POST /Users", body = '''{"userName": "${n}"}''', exact = true },
        { send = "POST /Users", raw = '''{"userName": "${n}", ''' },
        { send = "POST /Users/.search", body = '''{"count": 1}''' },
    ]"#;
    assert_eq!(tiny.checked(check).await.result, Verdict::Passed);
    let sent = sent(&tiny);
    let [_, said, exact, broken, search] = sent.as_slice() else {
        panic!("{sent:#?}")
    };
    assert_eq!(
        (&said["TITLE"], said.get("title"), said.get("userName")),
        (&Value::Null, None, None)
    );
    assert_eq!(said["emails"][0]["type"], "home");
    assert!(
        said["emails"][0].get("value").is_none() && said.get(WORK).is_none(),
        "{said}"
    );
    assert_eq!(
        (&said["URN:EXAMPLE:WORK:2.0:USER"], &said["schemas"]),
        (&json!({"department": "Tours"}), &json!([]))
    );
    assert_eq!((exact.as_object().unwrap().len(), broken), (1, &Value::Null));
    assert_eq!(search, &json!({"count": 1}));
}

#[tokio::test]
async fn what_a_patch_puts_into_a_list_is_completed_and_nothing_else() {
    let tiny = Tiny::wrong(published);
    let check = r#"steps = [
        { create = "user" },
        { send = "PATCH ${user.path}", status = 200, ops = '''[
            {"op": "add", "path": "EMAILS", "value": [{"value": "a@example.com"}, {"type": "home"}]},
            {"op": "add", "path": "emails", "value": {"value": "b@example.com"}},
            {"op": "Replace", "value": {"emails": [{"value": "c@example.com"}], "title": "pilot"}},
            {"op": "remove", "path": "emails", "value": [{"value": "a@example.com"}]},
            {"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "d@example.com"}}
        ]''' },
    ]"#;
    assert_eq!(told(&tiny.checked(check).await), (Verdict::Passed, ""));
    let asked = tiny.asked();
    let patch = asked.iter().find(|asked| asked.method == "PATCH").unwrap();
    let values: Vec<&Value> = (0..5).map(|n| &patch.body["Operations"][n]["value"]).collect();
    let work = |value: &str| json!({"value": value, "type": "work"});
    assert_eq!(values[0], &json!([work("a@example.com"), {"type": "home"}]));
    assert_eq!(values[1], &work("b@example.com"));
    assert_eq!(values[2], &json!({"emails": [work("c@example.com")], "title": "pilot"}));
    assert_eq!(values[3], &json!([{"value": "a@example.com"}]));
    assert_eq!(values[4], &json!({"value": "d@example.com"}));
}

#[tokio::test]
async fn what_is_required_inside_and_not_published_is_added_inside() {
    let picky = Tiny::wrong(|asked| {
        let small = asked.method == "POST" && asked.path == "/Users" && asked.body["name"].get("given").is_none();
        small.then(|| scim(400, json!({})))
    });
    let check = r#"steps = [
        { send = "POST /Users", body = '''{"userName": "${n}", "name": {"family": "Byron"}}''', status = 201, expect = [["$.name", "is", {"given" = "Ada", "family" = "Byron"}]] },
    ]"#;
    let fixture = r#"
[[fixture]]
name = "user"
endpoint = "/Users"
bodies = ['''{"userName": "${n}-${as}"}''', '''{"userName": "${n}-${as}", "name": {"given": "Ada", "family": "Lovelace"}}''']
"#;
    let report = picky.judged_with(fixture, &super::tiny::requirement(check)).await;
    assert_eq!(told(&report.requirements[0].checks[0]), (Verdict::Passed, ""));
}

#[tokio::test]
async fn what_is_required_and_not_published_is_found_out_once() {
    let picky = Tiny::wrong(|asked| {
        let small = asked.method == "POST" && asked.path == "/Users" && asked.body.get("active").is_none();
        small.then(|| scim(400, json!({})))
    });
    let twice = r#"steps = [
        { send = "POST /Users", body = '''{"userName": "${n}-a"}''', status = 201 },
        { send = "POST /Users", body = '''{"userName": "${n}-b"}''', status = 201 },
    ]"#;
    assert_eq!(told(&picky.checked(twice).await), (Verdict::Passed, ""));
    assert_eq!(picky.asked().iter().filter(|asked| asked.method == "POST").count(), 4);
    assert_eq!(picky.users(), 0);
}

#[tokio::test]
async fn a_check_of_what_has_to_be_absent_is_skipped_where_it_is_required() {
    let check = |feature: &str| format!("feature = \"{feature}\"\nsteps = [{{ send = \"GET /Users\", status = 200 }}]");
    let tiny = Tiny::wrong(published);
    for (feature, result, why) in [
        (
            "!required.User.title",
            Verdict::Skipped,
            "the server requires User.title",
        ),
        (
            "!required.User.emails.type",
            Verdict::Skipped,
            "the server requires User.emails.type",
        ),
        ("!required.User.nick", Verdict::Passed, ""),
        ("!required.User.externalId", Verdict::Passed, ""),
        (
            "required.User.nick",
            Verdict::Skipped,
            "the server does not require User.nick",
        ),
        ("required.User.number", Verdict::Passed, ""),
        ("!required.enterprise", Verdict::Passed, ""),
        ("changes.User.nick", Verdict::Passed, ""),
        (
            "changes.User.made",
            Verdict::Skipped,
            "the schema says that User.made is set once",
        ),
    ] {
        assert_eq!(told(&tiny.checked(&check(feature)).await), (result, why), "{feature}");
    }
    let picky = Tiny::wrong(|asked| {
        let small = asked.method == "POST" && asked.body.get("active").is_none();
        small.then(|| scim(400, json!({})))
    });
    let finding = picky.checked(&check("!required.User.active")).await;
    assert_eq!(told(&finding), (Verdict::Skipped, "the server requires User.active"));
}
