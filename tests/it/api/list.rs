//! Lists: `GET /Users`, `GET /Groups`, `GET /` with filter and page (RFC 7644 §3.4.2).

use serde_json::{Value, json};

use crate::api::bodies::{ENTERPRISE, GROUP, LIST_RESPONSE, NOBODY, USER, group, user};
use crate::support::TestHouse;

/// Users `u1`…`uN`; answers their ids.
async fn users(house: &TestHouse, many: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 1..=many {
        ids.push(house.user(&format!("u{n}")).await);
    }
    ids
}

/// Three people who differ in everything that is filtered for here.
async fn staff(house: &TestHouse) {
    let people = [
        user(
            "ada@acme.test",
            json!({"title": "Tour Guide", "active": true, "externalId": "EXT-1", "name": {"familyName": "O'Malley"},
            "emails": [{"type": "work", "value": "ada@acme.test", "primary": true},
                {"type": "home", "value": "ada@home.example"}],
            ENTERPRISE: {"employeeNumber": "E-100", "department": "R&D"}}),
        ),
        user(
            "Bob@acme.test",
            json!({"title": "Manager", "active": false, "displayName": "100% Bob",
            "emails": [{"type": "home", "value": "bob@acme.test"}], ENTERPRISE: {"employeeNumber": "e-200"}}),
        ),
        user(
            "carol",
            json!({"displayName": "Carol \"CJ\" Jones", "nickName": "back\\slash"}),
        ),
    ];
    for person in people {
        house.post("/Users", person).await.status(201);
    }
}

/// The names of the users a filter finds, sorted.
async fn found(house: &TestHouse, filter: &str) -> Vec<String> {
    let answer = house.find("/Users", filter).await.status(200);
    let list = answer.json["Resources"].as_array().unwrap();
    let mut names: Vec<_> = list
        .iter()
        .map(|user| user["userName"].as_str().unwrap().to_lowercase())
        .collect();
    assert_eq!(answer.total(), names.len() as u64, "{filter}");
    names.sort();
    names
        .iter()
        .map(|name| name.split('@').next().unwrap().to_owned())
        .collect()
}

each_database! {
    async fn a_list_says_what_it_holds(house: TestHouse) {
        let ids = users(&house, 3).await;
        let answer = house.get("/Users").await.status(200);
        assert_eq!(answer.header("content-type"), "application/scim+json");
        assert_eq!(answer.json["schemas"], json!([LIST_RESPONSE]));
        let counts = ["totalResults", "startIndex", "itemsPerPage"].map(|name| answer.json[name].as_u64());
        assert_eq!(counts, [Some(3), Some(1), Some(3)]);
        for (id, resource) in ids.iter().zip(answer.json["Resources"].as_array().unwrap()) {
            assert_eq!(*resource, house.get(&format!("/Users/{id}")).await.json);
        }
    }

    async fn an_empty_list_is_200_with_an_empty_array(house: TestHouse) {
        for answer in [
            house.get("/Groups").await,
            house.find("/Users", "userName eq \"nobody\"").await,
        ] {
            let answer = answer.status(200);
            assert_eq!((answer.total(), &answer.json["Resources"]), (0, &json!([])));
        }
    }

    async fn pages_are_parts_of_one_order(house: TestHouse) {
        users(&house, 7).await;
        let all = house.get("/Users").await.ids();
        let mut paged = Vec::new();
        for start in [1, 4, 7] {
            let page = house
                .get(&format!("/Users?startIndex={start}&count=3"))
                .await
                .status(200);
            assert_eq!((page.total(), &page.json["startIndex"]), (7, &json!(start)));
            assert_eq!(page.json["itemsPerPage"], page.ids().len());
            paged.extend(page.ids());
        }
        assert_eq!(paged, all);
    }

    async fn a_page_past_the_end_is_empty(house: TestHouse) {
        users(&house, 2).await;
        for query in [
            "startIndex=3",
            "startIndex=1000000",
            "startIndex=99999999999999999999&count=5",
        ] {
            let answer = house.get(&format!("/Users?{query}")).await.status(200);
            assert_eq!((answer.total(), answer.ids()), (2, vec![]), "{query}");
        }
    }

    async fn numbers_that_are_too_small_act_as_the_smallest(house: TestHouse) {
        users(&house, 3).await;
        for query in ["startIndex=0&count=2", "startIndex=-5&count=2"] {
            let answer = house.get(&format!("/Users?{query}")).await.status(200);
            assert_eq!(
                (&answer.json["startIndex"], answer.ids().len()),
                (&json!(1), 2),
                "{query}"
            );
        }
        for query in ["count=0", "count=-1", "count=0&filter=userName%20pr"] {
            let answer = house.get(&format!("/Users?{query}")).await.status(200);
            assert_eq!(
                (answer.total(), &answer.json["Resources"], &answer.json["itemsPerPage"]),
                (3, &json!([]), &json!(0)),
                "{query}"
            );
        }
    }

    async fn a_count_above_the_limit_is_cut_to_it(house: TestHouse) {
        users(&house, 3).await;
        let answer = house.get("/Users?count=100000000").await.status(200);
        assert_eq!((answer.total(), answer.ids().len()), (3, 3));
    }

    async fn the_total_counts_matches_and_not_the_page(house: TestHouse) {
        users(&house, 5).await;
        house.user("other").await;
        let answer = house
            .get("/Users?filter=userName%20sw%20%22u%22&count=2&startIndex=4")
            .await
            .status(200);
        assert_eq!((answer.total(), answer.ids().len()), (5, 2));
    }

    async fn text_compares_without_letter_case_and_ids_with_it(house: TestHouse) {
        staff(&house).await;
        assert_eq!(found(&house, "userName eq \"BOB@ACME.TEST\"").await, ["bob"]);
        assert_eq!(found(&house, "USERNAME Eq \"bob@acme.test\"").await, ["bob"]);
        assert_eq!(found(&house, "externalId eq \"EXT-1\"").await, ["ada"]);
        assert_eq!(found(&house, "externalId eq \"ext-1\"").await, Vec::<String>::new());
        assert_eq!(
            found(&house, "meta.resourceType eq \"user\"").await,
            Vec::<String>::new()
        );
        assert_eq!(
            found(&house, &format!("{ENTERPRISE}:employeeNumber eq \"E-200\"")).await,
            ["bob"]
        );
        assert_eq!(
            found(&house, &format!("{}:userName co \"AROL\"", USER.to_uppercase())).await,
            ["carol"]
        );
    }

    async fn every_operator_finds_what_it_should(house: TestHouse) {
        staff(&house).await;
        for (filter, expected) in [
            ("title co \"guide\"", vec!["ada"]),
            ("title sw \"tour\"", vec!["ada"]),
            ("title ew \"ager\"", vec!["bob"]),
            ("title pr", vec!["ada", "bob"]),
            ("not (title pr)", vec!["carol"]),
            ("title ne \"manager\"", vec!["ada", "carol"]),
            ("title gt \"manager\"", vec!["ada"]),
            ("title ge \"Manager\"", vec!["ada", "bob"]),
            ("title lt \"tour guide\"", vec!["bob"]),
            ("title le \"TOUR GUIDE\"", vec!["ada", "bob"]),
            ("active eq true", vec!["ada"]),
            ("title eq null", vec!["carol"]),
            ("emails eq \"ada@home.example\"", vec!["ada"]),
            ("emails[type eq \"work\" and value co \"home\"]", vec![]),
            ("emails.type eq \"work\" and emails.value co \"home\"", vec!["ada"]),
            ("emails[type eq \"home\"].value co \"bob\"", vec!["bob"]),
            ("active eq false or userName eq \"carol\" and title pr", vec!["bob"]),
            (
                "(active eq false or userName eq \"carol\") and not (title pr)",
                vec!["carol"],
            ),
            (
                "meta.created le \"2026-01-01T01:00:00+01:00\"",
                vec!["ada", "bob", "carol"],
            ),
            ("meta.lastModified gt \"2026-01-01T00:00:00Z\"", vec![]),
        ] {
            assert_eq!(found(&house, filter).await, expected, "{filter}");
        }
    }

    async fn no_character_is_a_wildcard_or_ends_the_text(house: TestHouse) {
        staff(&house).await;
        for (filter, expected) in [
            ("displayName co \"%\"", vec!["bob"]),
            ("displayName co \"_\"", vec![]),
            ("userName co \"*\"", vec![]),
            (r#"displayName co "\"CJ\"""#, vec!["carol"]),
            (r#"nickName eq "back\\slash""#, vec!["carol"]),
            ("name.familyName eq \"o'malley\"", vec!["ada"]),
            (r#"name.familyName eq "O\u0027Malley""#, vec!["ada"]),
            ("userName eq \"x' or '1'='1\"", vec![]),
            ("userName co \"\"", vec!["ada", "bob", "carol"]),
        ] {
            assert_eq!(found(&house, filter).await, expected, "{filter}");
        }
    }

    async fn a_plus_in_a_query_is_a_blank_and_percent_is_decoded_once(house: TestHouse) {
        house.user("a+b%25").await;
        let answer = house
            .get("/Users?filter=userName+eq+%22a%2Bb%2525%22")
            .await
            .status(200);
        assert_eq!(answer.total(), 1);
    }

    async fn a_filter_by_id_finds_one_and_no_other(house: TestHouse) {
        let ids = users(&house, 3).await;
        assert_eq!(
            house.find("/Users", &format!("id eq \"{}\"", ids[1])).await.ids(),
            [ids[1].as_str()]
        );
        assert_eq!(house.find("/Users", &format!("id eq \"{NOBODY}\"")).await.total(), 0);
        let either = format!("id eq \"{}\" or id eq \"{}\"", ids[0], ids[2]);
        assert_eq!(house.find("/Users", &either).await.total(), 2);
    }

    async fn the_root_lists_resources_of_every_type(house: TestHouse) {
        let (ada, sales) = (house.user("ada").await, house.group("Sales").await);
        let mut both = [ada.clone(), sales.clone()];
        both.sort();
        let mut all = house.get("").await.status(200).ids();
        all.sort();
        assert_eq!(all, both);
        assert_eq!(house.find("/", "userName pr").await.ids(), [ada.as_str()]);
        assert_eq!(
            house.find("/", &format!("schemas eq \"{GROUP}\"")).await.ids(),
            [sales.as_str()]
        );
        assert_eq!(
            house.find("/", "meta.resourceType eq \"Group\"").await.ids(),
            [sales.as_str()]
        );
        assert_eq!(
            house
                .find("/", "displayName eq \"SALES\" or userName eq \"ADA\"")
                .await
                .total(),
            2
        );
        house
            .find("/", "noSuchThing pr")
            .await
            .error(400, Some("invalidFilter"));
    }

    async fn a_change_is_seen_by_the_next_list(house: TestHouse) {
        let ids = users(&house, 2).await;
        house
            .patch(
                &format!("/Users/{}", ids[0]),
                json!([{"op": "add", "path": "title", "value": "Boss"}]),
            )
            .await
            .status(200);
        assert_eq!(house.find("/Users", "title eq \"boss\"").await.ids(), [ids[0].as_str()]);
        house.delete(&format!("/Users/{}", ids[0])).await.no_content();
        assert_eq!(house.find("/Users", "title eq \"boss\"").await.total(), 0);
    }

    async fn long_values_are_compared_to_their_end(house: TestHouse) {
        let long = "x".repeat(300);
        for (name, title) in [("ada", format!("{long}a")), ("bob", format!("{long}b"))] {
            house
                .post("/Users", user(name, json!({"title": title})))
                .await
                .status(201);
        }
        for (filter, expected) in [
            (format!("title eq \"{long}A\""), vec!["ada"]),
            (format!("title eq \"{long}\""), vec![]),
            ("title ew \"xb\"".into(), vec!["bob"]),
            (format!("title sw \"{long}\""), vec!["ada", "bob"]),
            (format!("title gt \"{long}a\""), vec!["bob"]),
        ] {
            assert_eq!(found(&house, &filter).await, expected);
        }
    }

    async fn a_list_of_groups_leaves_members_out_when_asked(house: TestHouse) {
        let ada = house.user("ada").await;
        house.post("/Groups", group("Sales", &[&ada])).await.status(201);
        let with = house.get("/Groups").await.json["Resources"][0].clone();
        assert_eq!(with["members"][0]["value"], Value::from(ada));
        for query in ["excludedAttributes=members", "attributes=displayName"] {
            let without = house.get(&format!("/Groups?{query}")).await.status(200);
            assert_eq!(without.json["Resources"][0].get("members"), None);
        }
    }
}
