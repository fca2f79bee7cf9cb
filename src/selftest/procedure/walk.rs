//! Every page of a query, by index or by cursor.

use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;

use super::super::client::Ask;
use super::super::exchange::Exchange;
use super::super::requirement::{By, Create, Walk};
use super::super::stop::{Outcome, Stop};
use super::super::values::Values;
use super::super::world::World;

/// A server whose pages never end is not followed for longer.
const MAX_PAGES: usize = 5000;

/// The resources made for it are each seen exactly once.
pub(in crate::selftest) async fn walk(world: &mut World<'_>, values: &mut Values, check: &Walk) -> Outcome {
    let mut made = Vec::new();
    for n in 0..check.make {
        made.push(create(world, values, (check, &format!("w{n}"))).await?);
    }
    let mut pages = Pages {
        query: values.members(&check.query)?,
        start: 1,
        cursor: String::new(),
        number: 0,
        check,
    };
    let mut seen: Vec<String> = Vec::new();
    let mut last = None;
    while let Some(page) = pages.next(world).await? {
        let rows = page.resources();
        if rows.len() > check.count {
            return Err(Stop::wrong_in(
                format!("a page of {} holds {}", check.count, rows.len()),
                &page,
            ));
        }
        let ids: Vec<String> = rows
            .iter()
            .map(|row| row["id"].as_str().unwrap_or_default().to_owned())
            .collect();
        if check.churn && seen.is_empty() {
            come_and_go(world, values, (check, &mut made, &ids)).await?;
        }
        seen.extend(ids);
        last = Some(page);
    }
    let wrong = |what: String| match &last {
        Some(page) => Stop::wrong_in(what, page),
        None => Stop::wrong(what),
    };
    for id in &made {
        let times = seen.iter().filter(|other| *other == id).count();
        if times != 1 {
            let all = made.len();
            return Err(wrong(format!(
                "of {all} resources made, one was on {times} pages instead of 1"
            )));
        }
    }
    if seen.iter().collect::<HashSet<_>>().len() != seen.len() {
        return Err(wrong("a resource was on two pages".to_owned()));
    }
    Ok(())
}

async fn create(world: &mut World<'_>, values: &mut Values, (check, name): (&Walk, &str)) -> Outcome<String> {
    let step = Create {
        fixture: check.create.clone(),
        name: Some(name.to_owned()),
        with: check.with.clone(),
        headers: std::collections::BTreeMap::new(),
    };
    let exchange = world.create(values, &step).await?;
    Ok(exchange
        .member("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned())
}

/// Somebody who was on the first page goes, and somebody new comes: those who stay are still to be seen once.
async fn come_and_go(
    world: &mut World<'_>,
    values: &mut Values,
    (check, made, shown): (&Walk, &mut Vec<String>, &[String]),
) -> Outcome {
    if let Some(at) = made.iter().position(|id| shown.contains(id)) {
        let ask = Ask {
            method: "DELETE".to_owned(),
            ..Ask::get(&format!("{}/{}", check.path, made.remove(at)))
        };
        world.server.send(ask).await?;
    }
    create(world, values, (check, "late")).await.map(drop)
}

struct Pages<'c> {
    check: &'c Walk,
    query: Vec<(String, String)>,
    /// Where the next page by index begins; 0 after the last.
    start: usize,
    cursor: String,
    number: usize,
}

impl Pages<'_> {
    async fn next(&mut self, world: &World<'_>) -> Outcome<Option<Arc<Exchange>>> {
        let is_first = self.number == 0;
        if self.number >= MAX_PAGES || self.start == 0 || self.start >= MAX_PAGES {
            return Ok(None);
        }
        self.number += 1;
        let mut query = self.query.clone();
        query.push(("count".to_owned(), self.check.count.to_string()));
        query.push(match self.check.by {
            By::Index => ("startIndex".to_owned(), self.start.to_string()),
            By::Cursor => ("cursor".to_owned(), self.cursor.clone()),
        });
        let ask = Ask {
            query,
            ..Ask::get(&self.check.path)
        };
        let page = world.server.send(ask).await?;
        if page.status != 200 || !page.json.is_object() {
            return Err(Stop::wrong_in("a page was refused", &page));
        }
        match self.check.by {
            By::Index => self.after_index(&page)?,
            By::Cursor if is_first && page.member("previousCursor").is_some() => {
                return Err(Stop::wrong_in("the first page has a previousCursor", &page));
            }
            By::Cursor => match page.member("nextCursor").and_then(Value::as_str) {
                Some(next) if !next.is_empty() => next.clone_into(&mut self.cursor),
                _ => self.start = 0,
            },
        }
        Ok(Some(page))
    }

    fn after_index(&mut self, page: &Arc<Exchange>) -> Outcome {
        let total = page.member("totalResults").and_then(Value::as_u64);
        let total = usize::try_from(total.unwrap_or_default()).unwrap_or(usize::MAX);
        let got = page.resources().len();
        if self.start <= total && got == 0 {
            return Err(Stop::wrong_in("an empty page before the end", page));
        }
        let next = self.start + got.max(1);
        self.start = if next <= total { next } else { 0 };
        Ok(())
    }
}
