//! Pages by cursor (RFC 9865): a walk, its end, its orders, and what is no cursor of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::admin::desk::{Desk, token};
use crate::api::asks::as_connection;
use crate::api::bodies::{group, search, user};
use crate::support::TestHouse;
use crate::support::answer::Answer;

fn cursor<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.json.get(name).map(|cursor| cursor.as_str().unwrap())
}

fn next(answer: &Answer) -> &str {
    cursor(answer, "nextCursor").unwrap()
}

/// Every page of a walk from its begin; `query` begins with the path and ends with `?` or `&`.
async fn pages(house: &TestHouse, query: &str) -> Vec<Answer> {
    let mut pages = vec![house.get(&format!("{query}cursor")).await.status(200)];
    while let Some(cursor) = cursor(pages.last().unwrap(), "nextCursor") {
        let page = house.get(&format!("{query}cursor={cursor}")).await.status(200);
        pages.push(page);
        assert!(pages.len() < 100, "the walk does not end");
    }
    pages
}

fn ids(pages: &[Answer]) -> Vec<String> {
    pages.iter().flat_map(Answer::ids).collect()
}

/// Users that differ in what they are sorted by, have it not, or have the same; with two groups among them.
async fn furnished(house: &TestHouse) {
    let long = "long ".repeat(60);
    let people = [
        ("dora", json!({"title": "Beta", "active": true, "externalId": "E-3"})),
        (
            "Ada",
            json!({"title": "alpha", "emails": [{"value": "z@acme.test"}, {"value": "b@acme.test", "primary": true}]}),
        ),
        ("carl", json!({"active": false, "name": {"familyName": "Young"}})),
        (
            "Bob",
            json!({"title": "ALPHA", "externalId": "e-1", "emails": [{"value": "c@acme.test"}]}),
        ),
        (
            "eve",
            json!({"title": long, "active": true, "name": {"familyName": "young"}}),
        ),
        (
            "Finn",
            json!({"title": "Beta", "emails": [{"value": "a@acme.test", "type": "work"}]}),
        ),
        (
            "gus",
            json!({"title": format!("longer {long}"), "name": {"familyName": "Old"}}),
        ),
    ];
    for (at, (name, more)) in people.into_iter().enumerate() {
        house.post("/Users", user(name, more)).await.status(201);
        if at % 3 == 1 {
            house
                .post("/Groups", group(&format!("Group {at}"), &[]))
                .await
                .status(201);
        }
        house.clock().advance(Duration::from_millis(7));
    }
}

each_database! {
    async fn a_walk_shows_everybody_once_and_says_where_it_ends(house: TestHouse) {
        for n in 1..=7 {
            house.user(&format!("u{n}")).await;
        }
        let pages = pages(&house, "/Users?count=3&").await;
        assert_eq!(pages.iter().map(|page| page.ids().len()).collect::<Vec<_>>(), [3, 3, 1]);
        assert_eq!(ids(&pages), house.get("/Users").await.ids());
        assert_eq!(cursor(&pages[0], "previousCursor"), None, "nothing is before the first page");
        for page in &pages {
            let said = ["totalResults", "itemsPerPage"].map(|name| page.json[name].as_u64().unwrap());
            assert_eq!(said, [7, page.ids().len() as u64]);
            assert_eq!(page.json.get("startIndex"), None);
            for name in ["nextCursor", "previousCursor"] {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
                assert!(cursor(page, name).is_none_or(|text| !text.is_empty() && text.bytes().all(plain)));
            }
        }
        let back = house.get(&format!("/Users?count=3&cursor={}", cursor(&pages[2], "previousCursor").unwrap())).await;
        assert_eq!(back.ids(), pages[1].ids());
        let first = house.get(&format!("/Users?count=3&cursor={}", cursor(&back, "previousCursor").unwrap())).await;
        assert_eq!(first.ids(), pages[0].ids());
        assert_eq!(cursor(&first, "previousCursor"), None);
        let on = house.get(&format!("/Users?count=3&cursor={}", next(&first))).await;
        assert_eq!(on.ids(), pages[1].ids());
    }

    async fn what_fits_on_one_page_has_no_cursor(house: TestHouse) {
        for n in 1..=2 {
            house.user(&format!("u{n}")).await;
            let page = house.get(&format!("/Users?count={n}&cursor=")).await.status(200);
            assert_eq!((page.ids().len(), cursor(&page, "nextCursor")), (n, None));
        }
        let nobody = house.get("/Users?cursor&filter=title%20pr").await.status(200);
        assert_eq!((nobody.total(), &nobody.json["Resources"], cursor(&nobody, "nextCursor")), (0, &json!([]), None));
        let plain = house.get("/Users?count=1").await.status(200);
        assert_eq!((cursor(&plain, "nextCursor"), &plain.json["startIndex"]), (None, &json!(1)), "pages by position are the default");
        let config = house.get("/ServiceProviderConfig").await.json;
        let paging = ["cursor", "index", "defaultPaginationMethod", "cursorTimeout"].map(|name| config["pagination"][name].clone());
        assert_eq!(paging, [json!(true), json!(true), json!("index"), json!(3600)]);
    }

    async fn a_walk_has_the_order_of_the_list_there_and_back(house: TestHouse) {
        furnished(&house).await;
        let orders = [
            "userName", "title", "emails", "emails.type", "active", "meta.created", "meta.lastModified", "externalId", "id",
            "name.familyName", "meta.version", "meta.location", "meta.resourceType",
        ];
        let queries = orders.iter().flat_map(|by| {
            ["ascending", "descending"].map(|order| format!("sortBy={by}&sortOrder={order}"))
        });
        let queries: Vec<String> = queries.collect();
        for path in ["/Users", "/"] {
            for filter in ["", "filter=not%20(userName%20eq%20%22carl%22)&", "filter=id%20pr%20and%20meta.created%20pr&"] {
                for query in queries.iter().map(String::as_str).chain([""]) {
                    let list = format!("{path}?{filter}{query}");
                    let all = house.get(&list).await.status(200).ids();
                    let walk = format!("{list}&count=2&");
                    let pages = pages(&house, &walk).await;
                    assert_eq!(ids(&pages), all, "{list}");
                    assert_eq!(pages.len(), all.len().div_ceil(2), "{list}: a page is full but for the last");
                    let mut page = pages.last().unwrap().clone();
                    let mut back = vec![page.clone()];
                    while let Some(cursor) = cursor(&page, "previousCursor") {
                        page = house.get(&format!("{walk}cursor={cursor}")).await.status(200);
                        assert!(cursor_is_there(&page));
                        back.insert(0, page.clone());
                        assert!(back.len() < 100, "the way back does not end");
                    }
                    assert_eq!(ids(&back), all, "{list}, backwards");
                }
            }
        }
    }

    async fn of_long_values_that_differ_late_the_older_comes_first(house: TestHouse) {
        let mut made = Vec::new();
        for (at, end) in ["c", "a", "b", ""].into_iter().enumerate() {
            let title = format!("{}{end}", "I\u{307}".repeat(250));
            made.push(house.post("/Users", user(&format!("u{at}"), json!({"title": title}))).await.status(201).id());
        }
        for order in ["ascending", "descending"] {
            let walk = pages(&house, &format!("/Users?count=1&sortBy=title&sortOrder={order}&")).await;
            assert_eq!(ids(&walk), made);
        }
    }

    async fn a_search_takes_the_cursor_in_its_body_and_a_get_of_the_same_query_goes_on(house: TestHouse) {
        furnished(&house).await;
        let query = json!({"filter": "meta.created pr", "sortBy": "title", "count": 2});
        let mut first = query.clone();
        first["cursor"] = "".into();
        for path in ["/Users", ""] {
            let page = house.post(&format!("{path}/.search"), search(first.clone())).await.status(200);
            let mut second = query.clone();
            second["cursor"] = next(&page).into();
            let searched = house.post(&format!("{path}/.search"), search(second)).await.status(200);
            let address = format!("{path}?filter=meta.created%20pr&sortBy=title&count=2&cursor={}", next(&page));
            let got = house.get(&address).await.status(200);
            assert_eq!((searched.ids().len(), got.ids()), (2, searched.ids()));
            assert!(got.ids().iter().all(|id| !page.ids().contains(id)));
        }
        house.post("/Users/.search", search(json!({"cursor": 7}))).await.error(400, Some("invalidValue"));
        let index = house.post("/Users/.search", search(json!({"cursor": null, "count": 1}))).await.status(200);
        assert_eq!(cursor(&index, "nextCursor"), None, "null is absent");
    }

    async fn a_page_is_shown_as_it_is_asked_for(house: TestHouse) {
        furnished(&house).await;
        let first = house.get("/Users?cursor&count=1&attributes=title").await.status(200);
        let shown = |page: &Answer| page.json["Resources"][0].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(shown(&first), ["id", "schemas", "title"]);
        let second = house.get(&format!("/Users?count=1&attributes=userName&cursor={}", next(&first))).await.status(200);
        assert_eq!(shown(&second), ["id", "schemas", "userName"], "what is shown is not what is looked for");
    }

    async fn what_is_no_cursor_of_the_query_is_refused_in_the_same_words(house: TestHouse) {
        furnished(&house).await;
        let first = house.get("/Users?cursor&count=2&filter=id%20pr").await.status(200);
        let good = next(&first).to_owned();
        house.get(&format!("/Users?count=2&filter=id%20pr&cursor={good}")).await.status(200);
        let (key, sealed) = good.split_once('.').unwrap();
        let mut other = sealed.as_bytes().to_vec();
        other[30] = if other[30] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        let forged = [
            "none".to_owned(), "1".into(), "%00".into(), "%ff".into(), "%21%21not-ours".into(), "A".repeat(40), ".".into(), format!("{key}."),
            sealed.to_owned(), format!(".{sealed}"), format!("x{good}"), format!("{good}A"), format!("{good}AA"), format!("{good}%3D"),
            format!("{good}{good}"), good[..good.len() - 1].to_owned(), good[..key.len() + 9].to_owned(), format!("{key}.{other}"),
            good.to_uppercase(), "A".repeat(9000), format!("{good}%20"),
        ];
        let mut told: Vec<String> = Vec::new();
        for cursor in forged {
            let answer = house.get(&format!("/Users?count=2&filter=id%20pr&cursor={cursor}")).await;
            told.push(answer.text.clone());
            answer.error(400, Some("invalidCursor"));
        }
        for query in [
            "/Users?count=2&", "/Users?count=2&filter=id%20%20pr&", "/Users?count=2&filter=userName%20pr&",
            "/Users?count=2&filter=id%20pr&sortBy=id&", "/Users?count=2&filter=id%20pr&sortOrder=descending&",
            "/Groups?count=2&filter=id%20pr&", "/?count=2&filter=id%20pr&",
        ] {
            let answer = house.get(&format!("{query}cursor={good}")).await;
            told.push(answer.text.clone());
            answer.error(400, Some("invalidCursor"));
        }
        let neighbour = house.second_tenant();
        neighbour.user("nina").await;
        let mine = as_connection(&house, "other", "auto");
        for stranger in [&neighbour, &mine] {
            let answer = stranger.get(&format!("/Users?count=2&filter=id%20pr&cursor={good}")).await;
            told.push(answer.text.clone());
            answer.error(400, Some("invalidCursor"));
        }
        told.dedup();
        assert_eq!(told.len(), 1, "what is wrong with a cursor is not told: {told:?}");
        house.logs.never_say(&good);
    }

    async fn a_search_refuses_a_forged_cursor_and_a_neighbours_and_nothing_changes(house: TestHouse) {
        furnished(&house).await;
        let good = next(&house.get("/Users?cursor&count=2").await.status(200)).to_owned();
        let neighbour = house.second_tenant();
        neighbour.user("nina").await;
        let before = house.dump().await;
        for (who, cursor) in [(&house, "none".to_owned()), (&house, format!("{good}A")), (&neighbour, good)] {
            for path in ["/Users/.search", "/.search"] {
                let query = search(json!({"cursor": cursor, "count": 2}));
                who.post(path, query).await.error(400, Some("invalidCursor"));
            }
        }
        before.assert_same(&house.dump().await);
    }

    async fn a_cursor_outlives_its_token_and_gives_no_right(house: TestHouse) {
        furnished(&house).await;
        let first = house.get("/Users?cursor&count=2").await.status(200);
        let path = format!("/Users?count=2&cursor={}", next(&first));
        let renewed = house.with_token(Some(&house.token(&[])));
        assert_eq!(renewed.get(&path).await.status(200).ids(), house.get(&path).await.ids());
        house.with_token(None).get(&path).await.error(401, None);
        let admin = house.with_token(Some(&token(&house, "acme", &["--admin"])));
        admin.get(&path).await.error(403, None);
    }

    async fn a_cursor_is_good_for_an_hour(house: TestHouse) {
        furnished(&house).await;
        let first = house.get("/Users?cursor&count=2").await.status(200);
        let path = format!("/Users?count=2&cursor={}", next(&first));
        house.clock().advance(Duration::from_secs(3599));
        let second = house.get(&path).await.status(200);
        house.clock().advance(Duration::from_secs(1));
        house.get(&path).await.error(400, Some("expiredCursor"));
        house.get(&format!("/Users?count=2&cursor={}", next(&second))).await.status(200);
        let other = format!("/Users?count=2&filter=id%20pr&cursor={}", next(&first));
        house.get(&other).await.error(400, Some("invalidCursor"));
    }

    async fn all_pages_of_a_walk_have_one_size(house: TestHouse) {
        furnished(&house).await;
        let first = house.get("/Users?cursor&count=3").await.status(200);
        let at = next(&first);
        for count in ["5", "2", "0", "-1"] {
            house.get(&format!("/Users?count={count}&cursor={at}")).await.error(400, Some("invalidCount"));
        }
        for count in ["abc", "", "1.5"] {
            house.get(&format!("/Users?count={count}&cursor={at}")).await.error(400, Some("invalidCount"));
            house.get(&format!("/Users?count={count}&cursor")).await.error(400, Some("invalidCount"));
        }
        house.post("/Users/.search", search(json!({"count": "2", "cursor": ""}))).await.error(400, Some("invalidCount"));
        assert_eq!(house.get(&format!("/Users?cursor={at}")).await.status(200).ids().len(), 3, "what is not said stays");
        for count in ["0", "-1"] {
            let page = house.get(&format!("/Users?count={count}&cursor")).await.status(200);
            assert_eq!((page.total(), page.ids().len(), cursor(&page, "nextCursor")), (7, 0, None));
        }
        let huge = house.get("/Users?count=99999999999999999999&cursor=").await.status(200);
        assert_eq!((huge.ids().len(), cursor(&huge, "nextCursor")), (7, None));
        house.get(&format!("/Users?startIndex=1&cursor={at}")).await.error(400, Some("invalidValue"));
        house.get("/Users?startIndex=1&cursor").await.error(400, Some("invalidValue"));
    }

    async fn who_comes_and_goes_moves_nobody_to_another_page(house: TestHouse) {
        furnished(&house).await;
        for query in ["/Users?count=3&", "/Users?count=3&sortBy=userName&", "/Users?count=3&sortBy=title&sortOrder=descending&"] {
            let all = house.get(&query.replace("count=3&", "")).await.ids();
            let first = house.get(&format!("{query}cursor")).await.status(200);
            // Also of the one at whose place the next page begins.
            let mut staying = all.clone();
            for gone in [first.ids()[2].clone(), first.ids()[0].clone()] {
                house.delete(&format!("/Users/{gone}")).await.no_content();
                staying.retain(|id| *id != gone);
            }
            let new = house.post("/Users", user(&format!("aaa{}", query.len()), json!({"title": "zzzz"}))).await.status(201).id();
            let mut seen = first.ids();
            let mut page = first;
            while let Some(cursor) = cursor(&page, "nextCursor") {
                page = house.get(&format!("{query}cursor={cursor}")).await.status(200);
                seen.extend(page.ids());
            }
            for id in &staying {
                assert_eq!(seen.iter().filter(|seen| *seen == id).count(), 1, "{query}");
            }
            assert!(seen.iter().filter(|seen| **seen == new).count() <= 1);
        }
    }

    async fn a_walk_whose_rest_is_gone_ends_on_an_empty_page(house: TestHouse) {
        furnished(&house).await;
        let first = house.get("/Users?cursor&count=5").await.status(200);
        for id in house.get("/Users?startIndex=6").await.ids() {
            house.delete(&format!("/Users/{id}")).await.no_content();
        }
        let rest = house.get(&format!("/Users?count=5&cursor={}", next(&first))).await.status(200);
        assert_eq!((rest.ids().len(), cursor(&rest, "nextCursor"), rest.total()), (0, None, 7));
    }

    async fn what_can_only_be_read_is_walked_too(house: TestHouse) {
        let (ada, desk) = (house.user("ada").await, Desk::admin(&house));
        for role in ["analyst", "manager", "read-only"] {
            let grant = json!({"subject": {"type": "user", "id": ada}, "role": role, "scope": "all"});
            desk.post("/grants", grant).await.status(201);
        }
        for (path, many) in [("/Roles", 4), ("/Entitlements", 18), ("/RoleAssignments", 3)] {
            let mut orders = vec![""];
            orders.extend(if path == "/RoleAssignments" {
                ["sortBy=meta.created&", "sortBy=meta.created&sortOrder=descending&"]
            } else {
                ["sortBy=type&", "sortBy=type&sortOrder=descending&"]
            });
            for order in orders {
                let query = format!("{path}?count=2&{order}");
                let pages = pages(&house, &query).await;
                let mut seen = ids(&pages);
                assert_eq!(seen.len(), many, "{query}");
                let back = house.get(&format!("{query}cursor={}", cursor(&pages[1], "previousCursor").unwrap())).await;
                assert_eq!((back.ids(), cursor(&back, "previousCursor")), (pages[0].ids(), None), "{query}");
                if path == "/RoleAssignments" {
                    assert_eq!(seen, house.get(&format!("{path}?{order}")).await.ids());
                }
                seen.sort();
                seen.dedup();
                assert_eq!(seen.len(), many, "{query}");
            }
        }
        let other = house.get("/Roles?count=2&cursor").await;
        house.get(&format!("/Entitlements?count=2&cursor={}", next(&other))).await.error(400, Some("invalidCursor"));
    }

    async fn an_empty_page_leads_back_to_whoever_is_left(house: TestHouse) {
        for n in 1..=8 {
            house.user(&format!("u{n}")).await;
        }
        let all = house.get("/Users").await.ids();
        let at = |order: &str, cursor: &str| format!("/Users?count=4&{order}cursor={cursor}");
        let orders = ["", "sortBy=userName&", "sortBy=title&", "filter=userName%20sw%20%22u%22&"];
        let mut ends = Vec::new();
        for order in orders {
            let first = house.get(&at(order, "")).await.status(200);
            let last = house.get(&at(order, next(&first))).await.status(200);
            assert_eq!((first.ids(), last.ids()), (all[..4].to_vec(), all[4..].to_vec()));
            ends.push((order, next(&first).to_owned(), cursor(&last, "previousCursor").unwrap().to_owned()));
        }
        for id in &all[4..] {
            house.delete(&format!("/Users/{id}")).await.no_content();
        }
        for (order, next, _) in &ends {
            let empty = house.get(&at(order, next)).await.status(200);
            assert_eq!((empty.ids().len(), cursor(&empty, "nextCursor")), (0, None));
            let back = house.get(&at(order, cursor(&empty, "previousCursor").unwrap())).await.status(200);
            assert_eq!((back.ids(), cursor(&back, "previousCursor")), (all[..4].to_vec(), None), "{order}");
        }
        let late = house.user("u9").await;
        for id in &all[..4] {
            house.delete(&format!("/Users/{id}")).await.no_content();
        }
        for (order, _, previous) in &ends {
            let empty = house.get(&at(order, previous)).await.status(200);
            assert_eq!((empty.ids().len(), cursor(&empty, "previousCursor")), (0, None));
            let on = house.get(&at(order, cursor(&empty, "nextCursor").unwrap())).await.status(200);
            assert_eq!(on.ids(), [&*late], "{order}");
        }
    }

    async fn an_empty_page_of_what_is_made_for_an_answer_leads_back(house: TestHouse) {
        let desk = Desk::admin(&house);
        let mut grants = Vec::new();
        for n in 1..=2 {
            let id = house.user(&format!("u{n}")).await;
            let grant = json!({"subject": {"type": "user", "id": id}, "role": "analyst", "scope": "all"});
            grants.push(desk.post("/grants", grant).await.status(201).id());
        }
        let first = house.get("/RoleAssignments?count=1&cursor").await.status(200);
        desk.delete(&format!("/grants/{}", grants[1])).await.no_content();
        let empty = house.get(&format!("/RoleAssignments?count=1&cursor={}", next(&first))).await.status(200);
        assert_eq!(empty.ids().len(), 0);
        let back = cursor(&empty, "previousCursor").unwrap();
        let back = house.get(&format!("/RoleAssignments?count=1&cursor={back}")).await.status(200);
        assert_eq!(back.ids(), first.ids());
    }
}

/// Of a page on the way back: there is a way on.
fn cursor_is_there(page: &Answer) -> bool {
    page.json.get("nextCursor").is_some_and(Value::is_string)
}
