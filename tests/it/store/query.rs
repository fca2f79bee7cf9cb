//! Pages: order, totals, offsets.

use muster::scim::filter::{Filter, Kind as ValueKind, check};
use muster::store::Kind;
use muster::store::query::{Page, Query, Sort};
use muster::store::resources::{Groups, New};
use serde_json::{Value, json};

use super::shelf::{Shelf, user};

const USERS: &[Kind] = &[Kind::User];

async fn ask(shelf: &Shelf, kinds: &[Kind], filter: Option<&str>, sort: Option<&Sort>, slice: (u64, u64)) -> Page {
    let types: Vec<_> = kinds
        .iter()
        .map(|kind| shelf.registry.resource_type(kind.name()).unwrap())
        .collect();
    let filter = filter.map(|text| check(&Filter::parse(text).unwrap(), &types).unwrap());
    let (offset, limit) = slice;
    let connection = Some(shelf.connection);
    let query = Query {
        kinds,
        filter: filter.as_ref(),
        sort,
        offset,
        limit,
        connection,
        groups: Groups::Listed,
        by_rule: None,
    };
    shelf.reader().queries().list(&query).await.unwrap()
}

fn labels(page: &Page) -> Vec<&str> {
    page.rows.iter().map(|row| row.label.as_str()).collect()
}

/// Many users in one unit.
async fn crowd(shelf: &Shelf, numbers: std::ops::Range<usize>) {
    let mut unit = shelf.unit().await;
    for number in numbers {
        let (id, now) = (shelf.ids.next(), shelf.now());
        let content = shelf.content(
            Kind::User,
            &json!({"userName": format!("u{number:05}"), "active": number % 2 == 0}),
        );
        let new = New {
            kind: Kind::User,
            id: &id,
            connection: None,
            external_id: None,
            seal: None,
            content: &content,
            now,
        };
        unit.resources().insert_later(new).await.unwrap();
    }
    unit.save().await.unwrap();
}

fn by(path: &str, kind: ValueKind, descending: bool, multi_parent: Option<&str>) -> Sort {
    Sort {
        path: path.to_owned(),
        kind,
        descending,
        multi_parent: multi_parent.map(str::to_owned),
        elsewhere: Vec::new(),
    }
}

async fn sorted(shelf: &Shelf, sort: Sort) -> Vec<String> {
    let page = ask(shelf, USERS, None, Some(&sort), (0, 100)).await;
    labels(&page).into_iter().map(str::to_owned).collect()
}

each_database! {
    async fn pages_follow_each_other_without_gap_or_repetition(shelf: Shelf) {
        crowd(&shelf, 0..2500).await;
        for filter in [None, Some("active pr"), Some("userName sw \"u\""), Some("meta.created pr and not (userName eq \"x\")")] {
            let mut seen = Vec::new();
            for page in 0..26 {
                let page = ask(&shelf, USERS, filter, None, (page * 100, 100)).await;
                assert_eq!(page.total, 2500, "{filter:?}");
                seen.extend(labels(&page).into_iter().map(str::to_owned));
            }
            let expected: Vec<_> = (0..2500).map(|number| format!("u{number:05}")).collect();
            assert_eq!(seen, expected, "{filter:?}");
        }
    }

    async fn deep_pages_are_right_after_deletions(shelf: Shelf) {
        crowd(&shelf, 0..2500).await;
        let all = shelf.all(Kind::User).await;
        let mut unit = shelf.unit().await;
        for stored in all.iter().filter(|stored| stored.pk.0 % 3 == 0) {
            unit.resources().delete(Kind::User, stored.pk, stored.version, shelf.now()).await.unwrap();
        }
        unit.save().await.unwrap();
        let left: Vec<_> = all.iter().filter(|stored| stored.pk.0 % 3 != 0).map(|stored| stored.label.as_str()).collect();
        for offset in [0, 1, 1023, 1024, 1025, 1500, left.len() - 3, left.len(), left.len() + 5] {
            let page = ask(&shelf, USERS, None, None, (offset as u64, 5)).await;
            assert_eq!(page.total, left.len() as u64);
            assert_eq!(labels(&page), left.iter().skip(offset).take(5).copied().collect::<Vec<_>>(), "{offset}");
        }
    }

    async fn a_page_of_none_still_has_the_total(shelf: Shelf) {
        assert_eq!(ask(&shelf, USERS, None, None, (0, 10)).await, Page::default());
        crowd(&shelf, 0..5).await;
        for filter in [None, Some("active eq true"), Some("userName co \"u\""), Some("id pr")] {
            let total = if filter == Some("active eq true") { 3 } else { 5 };
            for slice in [(0, 0), (9, 10)] {
                let page = ask(&shelf, USERS, filter, None, slice).await;
                assert_eq!((page.total, page.rows.len()), (total, 0), "{filter:?}");
            }
        }
        let page = ask(&shelf, USERS, Some("userName eq \"U00003\""), None, (0, 0)).await;
        assert_eq!((page.total, page.rows.len()), (1, 0));
        assert_eq!(labels(&ask(&shelf, USERS, Some("userName eq \"U00003\""), None, (0, 9)).await), ["u00003"]);
    }

    async fn both_kinds_make_one_list(shelf: Shelf) {
        shelf.user("ada").await;
        shelf.group("Sales").await;
        shelf.user("eve").await;
        let page = ask(&shelf, &Kind::BUILTIN, None, None, (0, 10)).await;
        assert_eq!((labels(&page), page.total), (vec!["ada", "Sales", "eve"], 3));
        assert_eq!(labels(&ask(&shelf, &[Kind::Group], None, None, (0, 10)).await), ["Sales"]);
        assert_eq!(labels(&ask(&shelf, &[Kind::Group], Some("displayName eq \"sALES\""), None, (0, 10)).await), ["Sales"]);
        let by_type = by("meta.resourceType", ValueKind::ExactText, true, None);
        assert_eq!(labels(&ask(&shelf, &Kind::BUILTIN, None, Some(&by_type), (0, 10)).await), ["ada", "eve", "Sales"]);
    }

    async fn absent_values_are_last_ascending_and_first_descending(shelf: Shelf) {
        for (name, title) in [("a", json!("Zoo")), ("b", Value::Null), ("c", json!("apple")), ("d", json!("Apple")), ("e", json!("ä"))] {
            let mut document = user(name);
            if !title.is_null() {
                document["title"] = title;
            }
            shelf.put(Kind::User, &shelf.ids.next(), None, &document).await;
        }
        assert_eq!(sorted(&shelf, by("title", ValueKind::Text, false, None)).await, ["c", "d", "a", "e", "b"]);
        assert_eq!(sorted(&shelf, by("title", ValueKind::Text, true, None)).await, ["b", "e", "a", "c", "d"]);
        let page = ask(&shelf, USERS, Some("title pr"), Some(&by("title", ValueKind::Text, true, None)), (1, 2)).await;
        assert_eq!((labels(&page), page.total), (vec!["a", "c"], 4));
    }

    async fn a_multi_valued_attribute_is_sorted_by_its_primary_value_or_its_first(shelf: Shelf) {
        let emails = [
            ("a", json!([{"value": "z"}, {"value": "a"}])),
            ("b", json!([{"value": "y"}, {"value": "b", "primary": true}])),
            ("c", json!([{"value": "m", "primary": false}])),
        ];
        for (name, emails) in emails {
            let mut document = user(name);
            document["emails"] = emails;
            shelf.put(Kind::User, &shelf.ids.next(), None, &document).await;
        }
        assert_eq!(sorted(&shelf, by("emails.value", ValueKind::Text, false, Some("emails"))).await, ["b", "c", "a"]);
    }

    async fn users_are_sorted_by_the_columns_they_have(shelf: Shelf) {
        for name in ["Bob", "ada", "Éa", "zoe"] {
            shelf.user(name).await;
        }
        let (pk, id) = shelf.user("carl").await;
        let mut unit = shelf.unit().await;
        unit.resources().touch(pk, shelf.find(Kind::User, &id).await.unwrap().version, shelf.now());
        unit.save().await.unwrap();
        assert_eq!(sorted(&shelf, by("userName", ValueKind::UserName, false, None)).await, ["ada", "Bob", "carl", "zoe", "Éa"]);
        assert_eq!(sorted(&shelf, by("userName", ValueKind::UserName, true, None)).await, ["Éa", "zoe", "carl", "Bob", "ada"]);
        for path in ["meta.lastModified", "meta.created", "id", "meta.location"] {
            assert_eq!(sorted(&shelf, by(path, ValueKind::Instant, true, None)).await[0], "carl", "{path}");
        }
        for path in ["externalId", "active", "meta.version", "groups.display", "members.value", "meta.resourceType"] {
            assert_eq!(sorted(&shelf, by(path, ValueKind::ExactText, false, None)).await.len(), 5, "{path}");
        }
    }

    async fn a_filter_of_many_parts_is_answered(shelf: Shelf) {
        let (_, id) = shelf.user("ada").await;
        let parts = [
            ("id eq \"x\"", 490),
            ("title eq \"x\"", 490),
            ("groups.value eq \"x\"", 490),
            ("emails[type eq \"a\" and value eq \"b\"]", 120),
        ];
        for (part, times) in parts {
            let mut filter = vec![part; times];
            filter.push("userName eq \"ada\"");
            let page = ask(&shelf, USERS, Some(&filter.join(" or ")), None, (0, 10)).await;
            assert_eq!(page.rows.iter().map(|row| &row.id).collect::<Vec<_>>(), [&id], "{part}");
            assert_eq!(ask(&shelf, USERS, Some(&vec![part; times].join(" and ")), None, (0, 10)).await.total, 0);
        }
    }
}
