//! Who has what where: of all users, of one scope, of one user; as tables too.

use axum::http::Method;
use serde_json::{Value, json};

use super::desk::{Desk, Problems, texts};
use crate::api::bodies::{NOBODY, USER};
use crate::support::TestHouse;

/// EMEA with Germany in it, and one user for each way of having something on Germany.
struct Fixture {
    desk: Desk,
    emea: String,
    germany: String,
    /// By a grant of their own on Germany.
    own: String,
    /// By a grant of a group on Germany.
    member: String,
    /// By a rule on Germany.
    ruled: String,
    /// By a grant of their own on EMEA.
    above: String,
    /// On everything.
    everywhere: String,
}

impl Fixture {
    async fn of(house: &TestHouse) -> Self {
        let desk = Desk::admin(house);
        let emea = desk.scope("territory", "EMEA").await;
        let germany = json!({"kind": "territory", "name": "Germany", "parent": emea});
        let germany = desk.post("/scopes", germany).await.status(201).id();
        let (own, member) = (house.user("own").await, house.user("member").await);
        let ruled = json!({"schemas": [USER], "userName": "ruled", "displayName": "Ruth Led", "title": "Boss"});
        let ruled = house.post("/Users", ruled).await.status(201).id();
        let (above, everywhere) = (house.user("above").await, house.user("everywhere").await);
        house.user("nobody").await;
        let team = house.group("Team").await;
        house.join(&team, &member).await;
        desk.grant(&own, "analyst", &germany).await;
        desk.grant_to("group", &team, "analyst", &germany).await;
        let rule = json!({"name": "Bosses", "when": "title eq \"Boss\"", "then": [{"role": "manager", "scope": germany}], "state": "active"});
        desk.post("/rules", rule).await.status(201);
        desk.grant(&above, "analyst", &emea).await;
        desk.grant(&everywhere, "admin", "all").await;
        Self {
            desk,
            emea,
            germany,
            own,
            member,
            ruled,
            above,
            everywhere,
        }
    }

    async fn on(&self, scope: &str, query: &str) -> Value {
        self.desk
            .get(&format!("/scopes/{scope}/users{query}"))
            .await
            .status(200)
            .json
    }
}

/// The ways of the only thing that the only user of a list has.
fn via(list: &Value) -> &Value {
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    &list["items"][0]["assignments"][0]["via"]
}

each_database! {
    async fn users_of_a_scope_have_something_there_above_it_or_everywhere(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let Fixture { emea, germany, own, member, ruled, above, everywhere, .. } = &fixture;
        let users = async |scope: &str, query: &str| texts(&fixture.on(scope, query).await, "user");
        assert_eq!(users(germany, "").await, [own.as_str(), member, ruled, above, everywhere]);
        assert_eq!(users(emea, "").await, [above.as_str(), everywhere]);
        assert_eq!(users("all", "").await, [everywhere.as_str()]);
        fixture.desk.get(&format!("/scopes/{NOBODY}/users")).await.problem(404, "not-found");
    }

    async fn a_scope_says_in_which_way_each_has_it(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let germany = &fixture.germany;
        let list = fixture.on(germany, "").await;
        let ways: Vec<_> = list["items"].as_array().unwrap().iter().map(|user| &user["assignments"][0]["via"]).collect();
        let expected = [json!(["direct"]), json!(["group"]), json!(["rule"]), json!(["direct", "inherited"]), json!(["direct", "inherited"])];
        assert_eq!(ways, expected.iter().collect::<Vec<_>>());
        assert_eq!(via(&fixture.on(&fixture.emea, "?role=analyst").await), &json!(["direct"]));
        assert_eq!(list["items"][2]["name"], "Ruth Led");
        assert_eq!(list["items"][2]["user_name"], "ruled");
    }

    async fn a_scope_is_filtered_by_role_way_and_name(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let Fixture { germany, own, member, ruled, above, everywhere, .. } = &fixture;
        let cases: [(&str, Vec<&String>); 9] = [
            ("?role=analyst", vec![own, member, above]),
            ("?via=group", vec![member]),
            ("?via=rule", vec![ruled]),
            ("?via=inherited", vec![above, everywhere]),
            ("?via=direct&role=analyst", vec![own, above]),
            ("?q=RUTH", vec![ruled]),
            ("?q=MEM", vec![member]),
            ("?q=nobody", vec![]),
            ("?role=nothing", vec![]),
        ];
        for (query, expected) in cases {
            assert_eq!(texts(&fixture.on(germany, query).await, "user").iter().collect::<Vec<_>>(), expected, "{query}");
        }
        let wrong = fixture.desk.get(&format!("/scopes/{germany}/users?via=magic")).await.problem(400, "invalid-parameter");
        assert_eq!(wrong["parameter"], "via");
    }

    async fn users_are_listed_with_their_scopes_and_roles(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        let list = async |query: &str| fixture.desk.get(&format!("/users{query}")).await.status(200).json;
        let all = list("").await;
        assert_eq!(texts(&all, "user_name"), ["own", "member", "ruled", "above", "everywhere", "nobody"]);
        let held: Vec<_> = all["items"].as_array().unwrap().iter().map(|user| user["assignments"].as_array().unwrap().len()).collect();
        assert_eq!(held, [1, 1, 1, 1, 1, 0]);
        let assignment = &all["items"][2]["assignments"][0];
        assert_eq!((&assignment["role"], &assignment["scope_name"], &assignment["via"]), (&json!("manager"), &json!("Germany"), &json!(["rule"])));
        assert_eq!(texts(&list("?role=admin").await, "user_name"), ["everywhere"]);
        assert_eq!(texts(&list("?via=group").await, "user_name"), ["member"]);
        assert_eq!(texts(&list("?q=e").await, "user_name"), ["member", "ruled", "above", "everywhere"]);
        assert_eq!(texts(&list("?q=nob").await, "user_name"), ["nobody"]);
    }

    async fn pages_of_views_make_up_the_list_and_the_last_says_so(house: TestHouse) {
        let fixture = Fixture::of(&house).await;
        for (path, all) in [("/users", 6_usize), (&format!("/scopes/{}/users", fixture.germany), 5)] {
            for limit in [1, 2, 3, 5, 6] {
                let (mut found, mut pages, mut query) = (Vec::new(), 0, format!("?limit={limit}"));
                loop {
                    let page = fixture.desk.get(&format!("{path}{query}")).await.status(200).json;
                    found.extend(texts(&page, "user"));
                    pages += 1;
                    let Some(next) = page["next"].as_str() else { break };
                    query = format!("?limit={limit}&after={next}");
                }
                assert_eq!((found.len(), pages), (all, all.div_ceil(limit)), "{path} {limit}");
                found.sort();
                found.dedup();
                assert_eq!(found.len(), all);
            }
        }
    }

    async fn views_are_tables_for_who_asks_for_them(house: TestHouse) {
        let desk = Desk::admin(&house);
        let scope = desk.scope("territory", "=Germany").await;
        let (ada, bob) = (house.user("ada").await, house.user("bob").await);
        let grant = desk.grant(&ada, "analyst", &scope).await;
        let head = "user,user_name,name,role,place,restricted_to,via,why\r\n";
        let row = format!("\"{ada}\",\"ada\",\"ada\",\"Analyst\",\"'=Germany\",\"\",\"direct\",\"grant {grant}\"\r\n");
        let empty = format!("\"{bob}\",\"bob\",\"bob\",\"\",\"\",\"\",\"\",\"\"\r\n");
        let table = async |path: &str| desk.ask(Method::GET, &format!("/api/v1{path}"), None, &[("accept", "text/csv")]).await.status(200);
        for path in [format!("/scopes/{scope}/users"), format!("/users/{ada}/access"), "/users?role=analyst".to_owned()] {
            let answer = table(&path).await;
            assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
            assert_eq!(answer.text, format!("{head}{row}"), "{path}");
        }
        assert_eq!(table("/users").await.text, format!("{head}{row}{empty}"));
    }

    async fn the_link_of_a_table_leads_to_the_rest_of_it(house: TestHouse) {
        let desk = Desk::admin(&house);
        for name in ["ada a", "bob a", "cyn"] {
            house.user(name).await;
        }
        let accept = [("accept", "text/csv")];
        let first = desk.ask(Method::GET, "/api/v1/users?limit=1&q=%20a", None, &accept).await.status(200);
        let link = first.header("link").to_owned();
        let query = link.strip_prefix("<?").and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).unwrap();
        let second = desk.ask(Method::GET, &format!("/api/v1/users?{query}"), None, &accept).await.status(200);
        assert!(first.text.contains("\"ada a\"") && second.text.contains("\"bob a\""), "{}", second.text);
        assert_eq!((second.header("link"), second.text.contains("ada")), ("", false));
    }

    async fn the_access_of_a_user_says_what_it_comes_to_in_all_and_on_each_scope(house: TestHouse) {
        let desk = Desk::admin(&house);
        let ada = house.user("ada").await;
        let (germany, france) = (desk.scope("territory", "Germany").await, desk.scope("territory", "France").await);
        desk.grant(&ada, "manager", &germany).await;
        desk.grant(&ada, "read-only", &france).await;
        let alone = desk.get(&format!("/users/{ada}/access")).await.status(200).json;
        assert_eq!(alone["permissions"], json!([]), "nothing is held on everything");
        let assignment = |access: &Value, at: usize| access["assignments"][at]["permissions"].as_array().unwrap().len();
        assert_eq!((assignment(&alone, 0), assignment(&alone, 1)), (9, 1), "of a manager only what is about records");
        assert_eq!(texts(&json!({"items": alone["scopes"]}), "scope"), [germany.as_str(), &france]);
        assert_eq!(alone["scopes"][1]["permissions"], json!(["data.view_anonymised"]));
        desk.grant(&ada, "analyst", "all").await;
        let more = desk.get(&format!("/users/{ada}/access")).await.status(200).json;
        assert_eq!(more["permissions"].as_array().unwrap().len(), 4);
        assert_eq!(texts(&json!({"items": more["scopes"]}), "scope"), ["all", &germany, &france]);
        assert_eq!(more["scopes"][2]["permissions"].as_array().unwrap().len(), 4, "the union: {more}");
        assert_eq!((&more["user_name"], &more["name"], &more["status"]), (&json!("ada"), &json!("ada"), &json!("active")));
    }
}
