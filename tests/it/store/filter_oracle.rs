//! What the SQL of a filter finds is what the filter means: compared with `eval` over random documents and filters.
//!
//! `MUSTER_TEST_FILTERS` says how many filters, `MUSTER_TEST_SEED` repeats a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use muster::scim::filter::{Filter, check, eval};
use muster::scim::schema::ResourceType;
use muster::store::Kind;
use muster::store::query::Query;
use muster::store::resources::Groups;
use serde_json::json;

use super::shelf::Shelf;
use super::world::{self, BADGE, ENTERPRISE, INSTANTS, Item};
use crate::support::dice::{Dice, seed};

const FILTERS: usize = 5000;
const USERS: usize = 170;
const GROUPS: usize = 40;

/// Deepest nesting of a generated filter.
const DEPTH: usize = 4;

struct Author<'a> {
    dice: Dice,
    words: Vec<String>,
    items: &'a [Item],
}

/// What may be asked of an attribute: its values decide about the operand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Text,
    Id,
    Number,
    Instant,
    Boolean,
    Binary,
    Whole,
}

impl Author<'_> {
    fn filter(&mut self, depth: usize) -> String {
        match self.dice.below(if depth == 0 { 5 } else { 11 }) {
            0..=4 => self.term(""),
            5 | 6 => format!("({}) and ({})", self.filter(depth - 1), self.filter(depth - 1)),
            7 | 8 => format!("{} or {}", self.grouped(depth), self.grouped(depth)),
            9 => format!("not ({})", self.filter(depth - 1)),
            _ => self.value_path(depth),
        }
    }

    fn grouped(&mut self, depth: usize) -> String {
        format!("({})", self.filter(depth - 1))
    }

    fn value_path(&mut self, depth: usize) -> String {
        let parent = *self
            .dice
            .pick(&["emails", "phoneNumbers", "members", "groups", "badge"]);
        let name = if parent == "badge" {
            format!("{BADGE}:tags")
        } else {
            parent.to_owned()
        };
        format!("{name}[{}]", self.inner(parent, depth.min(2)))
    }

    fn inner(&mut self, parent: &'static str, depth: usize) -> String {
        match self.dice.below(if depth == 0 { 3 } else { 7 }) {
            0..=2 => self.term(parent),
            3 | 4 => format!(
                "({}) and ({})",
                self.inner(parent, depth - 1),
                self.inner(parent, depth - 1)
            ),
            5 => format!(
                "({}) or ({})",
                self.inner(parent, depth - 1),
                self.inner(parent, depth - 1)
            ),
            _ => format!("not ({})", self.inner(parent, depth - 1)),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one row for each attribute: a table")]
    fn attribute(&mut self, parent: &str) -> (String, Sort) {
        let enterprise = |name: &str| format!("{ENTERPRISE}:{name}");
        let badge = |name: &str| format!("{BADGE}:{name}");
        let own = |name: &str| name.to_owned();
        let choices: Vec<(String, Sort)> = match parent {
            "emails" | "phoneNumbers" => vec![
                (own("value"), Sort::Text),
                (own("display"), Sort::Text),
                (own("type"), Sort::Text),
                (own("primary"), Sort::Boolean),
            ],
            "members" | "groups" => vec![
                (own("value"), Sort::Id),
                (own("display"), Sort::Text),
                (own("type"), Sort::Text),
                (own("$ref"), Sort::Id),
            ],
            "badge" => vec![(own("value"), Sort::Text)],
            _ => {
                let text = [
                    "userName",
                    "displayName",
                    "nickName",
                    "title",
                    "userType",
                    "name.familyName",
                    "name.givenName",
                    "emails.value",
                    "emails",
                    "emails.type",
                    "phoneNumbers.display",
                    "groups.display",
                    "members.display",
                    "members.type",
                    "groups.type",
                    "externalId",
                    "meta.version",
                    "schemas",
                ];
                let mut all: Vec<_> = text.iter().map(|name| (own(name), Sort::Text)).collect();
                all.extend(
                    [
                        "id",
                        "members.value",
                        "groups.value",
                        "groups",
                        "members",
                        "meta.location",
                        "members.$ref",
                    ]
                    .map(|name| (own(name), Sort::Id)),
                );
                all.extend(["active", "emails.primary"].map(|name| (own(name), Sort::Boolean)));
                all.extend(["meta.created", "meta.lastModified"].map(|name| (own(name), Sort::Instant)));
                all.extend(
                    ["department", "employeeNumber", "manager.value"].map(|name| (enterprise(name), Sort::Text)),
                );
                all.extend(["tags", "code", "link"].map(|name| (badge(name), Sort::Text)));
                all.extend(["level", "score"].map(|name| (badge(name), Sort::Number)));
                all.push((badge("verified"), Sort::Boolean));
                all.push((badge("issuedAt"), Sort::Instant));
                all.push((badge("seal"), Sort::Binary));
                all.extend(["name", "emails", "members", "groups", "meta"].map(|name| (own(name), Sort::Whole)));
                all.extend([
                    (enterprise("manager"), Sort::Whole),
                    (own("meta.resourceType"), Sort::Text),
                ]);
                all
            }
        };
        self.dice.pick(&choices).clone()
    }

    fn term(&mut self, parent: &'static str) -> String {
        let (name, sort) = self.attribute(parent);
        let name = if self.dice.below(8) == 0 {
            name.to_uppercase()
        } else {
            name
        };
        if sort == Sort::Whole || self.dice.below(8) == 0 {
            return format!("{name} pr");
        }
        let operators: &[&str] = match sort {
            Sort::Boolean | Sort::Binary => &["eq", "ne"],
            Sort::Number | Sort::Instant => &["eq", "ne", "gt", "ge", "lt", "le"],
            _ => &["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "eq", "sw"],
        };
        let operator = *self.dice.pick(operators);
        if matches!(operator, "eq" | "ne") && self.dice.below(12) == 0 {
            return format!("{name} {operator} null");
        }
        format!("{name} {operator} {}", self.operand(&name, sort))
    }

    #[expect(clippy::too_many_lines, reason = "one row for each attribute: a table")]
    fn operand(&mut self, name: &str, sort: Sort) -> String {
        let items = self.items;
        match sort {
            Sort::Boolean => (*self.dice.pick(&["true", "false"])).to_owned(),
            Sort::Number => (*self.dice.pick(&[
                "-10",
                "-9.5",
                "0",
                "3",
                "4",
                "4.5",
                "9",
                "10",
                "1e1",
                "9223372036854775807",
            ]))
            .to_owned(),
            Sort::Binary => (*self.dice.pick(&["\"AQID\"", "\"AQ\"", "\"+/8=\"", "\"aqid\""])).to_owned(),
            Sort::Instant if name.to_lowercase().starts_with("meta") => {
                let shown = &self.dice.pick(items).shown["meta"]["created"];
                let text = shown.as_str().unwrap();
                let text = match self.dice.below(3) {
                    0 => text.replace("000Z", "0005Z"),
                    _ => text.to_owned(),
                };
                json!(text).to_string()
            }
            Sort::Instant => json!(self.dice.pick(&INSTANTS)).to_string(),
            Sort::Id => {
                let item = self.dice.pick(items);
                let text = if name.to_lowercase().ends_with("$ref") || name.to_lowercase().ends_with("location") {
                    format!("{}/{}", item.kind.endpoint().trim_start_matches('/'), item.id)
                } else {
                    item.id.to_string()
                };
                json!(self.part(&text)).to_string()
            }
            Sort::Text | Sort::Whole => {
                let text = match self.dice.below(12) {
                    0 => "W/\"1\"".to_owned(),
                    1 => (*self.dice.pick(&["User", "Group", "direct", "indirect"])).to_owned(),
                    2 => (*self
                        .dice
                        .pick(&[BADGE, ENTERPRISE, "urn:ietf:params:scim:schemas:core:2.0:Group"]))
                    .to_owned(),
                    3 => {
                        let text = self.dice.pick(items).shown["displayName"]
                            .as_str()
                            .unwrap_or_default()
                            .to_owned();
                        self.part(&text)
                    }
                    4..=6 => {
                        let text = self.dice.pick(items).shown["userName"]
                            .as_str()
                            .unwrap_or_default()
                            .to_owned();
                        self.part(&text)
                    }
                    _ => {
                        let text = self.dice.pick(&self.words.clone()).clone();
                        self.part(&text)
                    }
                };
                json!(text).to_string()
            }
        }
    }

    /// The text, its beginning, its end or some of its middle.
    fn part(&mut self, text: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        let cut = self.dice.below(characters.len() + 1);
        match self.dice.below(6) {
            0 => characters[..cut].iter().collect(),
            1 => characters[cut..].iter().collect(),
            2 => text.to_uppercase(),
            _ => text.to_owned(),
        }
    }
}

const KINDS: [&[Kind]; 3] = [&[Kind::User], &[Kind::Group], &[Kind::User, Kind::Group]];

each_database! {
    async fn sql_finds_what_a_filter_means(shelf: Shelf) {
        let seed = seed();
        let shelf = Shelf { registry: Arc::new(world::registry()), ..shelf };
        let mut dice = Dice::new(seed, 0);
        let items = world::fill(&shelf, &mut dice, USERS, GROUPS).await;
        shelf.database.analyze().await;
        let mut author = Author { dice, words: world::words(), items: &items };
        let filters = crate::support::setting("MUSTER_TEST_FILTERS").map_or(FILTERS, |text| text.parse().unwrap());
        let (mut asked, mut found) = (0, 0);
        for number in 0..filters {
            let kinds = KINDS[number % 5 % 3];
            let types: Vec<&ResourceType> = kinds.iter().map(|kind| shelf.registry.resource_type(kind.name()).unwrap()).collect();
            let text = author.filter(number % (DEPTH + 1));
            let Ok(filter) = check(&Filter::parse(&text).unwrap(), &types) else { continue };
            let expected: BTreeSet<_> = items.iter().filter(|item| kinds.contains(&item.kind) && eval(&filter, &item.shown)).map(|item| item.pk).collect();
            let query = Query { kinds, filter: Some(&filter), sort: None, offset: 0, limit: 1000, connection: Some(shelf.connection), groups: Groups::LeftOut, by_rule: None };

            let page = shelf.reader().queries().list(&query).await.unwrap_or_else(|fault| panic!("seed {seed}: {text}: {fault:?}"));

            let pks: BTreeSet<_> = page.rows.iter().map(|row| row.pk).collect();
            assert_eq!(pks, expected, "seed {seed}, filter {number}: {text}");
            assert_eq!((page.total, page.rows.len()), (expected.len() as u64, expected.len()), "seed {seed}: {text}");
            asked += 1;
            found += usize::from(!pks.is_empty() && pks.len() < items.len());
        }
        println!("{asked} filters, {found} of them with some and not all");
        assert!(found * 3 > asked, "the filters are too dull: {found} of {asked}");
    }
}
