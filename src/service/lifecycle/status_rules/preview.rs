//! Whom rules would keep out, and whom they would let in again: nothing is changed.

use serde_json::Value;

use super::asked::checked;
use crate::access::lifecycle::Keeps;
use crate::access::{StatusRule, StatusRules};
use crate::base::id::Pk;
use crate::scim::Document;
use crate::scim::filter::{Filter, check};
use crate::service::access::authority::{GIVE, require};
use crate::service::access::names::Named;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::Kind;
use crate::store::document::Stored;
use crate::store::query::Query;
use crate::store::resources::Groups;

/// Users who are named of each kind.
const NAMED: u64 = 20;
/// Users whom rules hold who are looked at together.
const TOGETHER: u32 = 500;

/// What rules would come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// How many users they would keep out who come in now; those who must stay are among them.
    pub out: u64,
    /// The first of them.
    pub first_out: Vec<Kept>,
    /// How many users come in again whom a rule keeps out now.
    pub back: u64,
    /// The first of them.
    pub first_back: Vec<Named>,
}

/// Somebody who would be kept out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Who.
    pub user: Named,
    /// By which rule.
    pub rule: String,
    /// What they would be.
    pub keeps: Keeps,
}

/// Works out what these rules would come to in the place of those there are.
///
/// # Errors
/// `Forbidden`; rules that cannot be set.
pub async fn preview(services: &Services, caller: &Caller, rules: Vec<StatusRule>) -> Result<Preview> {
    require(services, caller, &[GIVE]).await?;
    let rules = checked(caller, rules)?;
    let (compiled, _) = StatusRules::compile(&rules, caller.user_type()?);
    let mut preview = Preview::default();
    if !compiled.is_empty() {
        out(services, caller, (&rules, &compiled), &mut preview).await?;
    }
    back(services, caller, &compiled, &mut preview).await?;
    Ok(preview)
}

/// Those who come in now and for whom one of the rules holds.
async fn out(
    services: &Services,
    caller: &Caller,
    (rules, compiled): (&[StatusRule], &StatusRules),
    preview: &mut Preview,
) -> Result<()> {
    let kind = caller.user_type()?;
    let mut any = rules
        .iter()
        .map(|rule| Filter::parse(&rule.when))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let one = if any.len() == 1 { any.pop() } else { None };
    let active = Filter::Not(Box::new(Filter::parse("active eq false")?));
    let filter = Filter::And(vec![active, one.unwrap_or(Filter::Or(any))]);
    let checked = check(&filter, &[kind])?;
    let query = Query {
        kinds: &[Kind::User],
        filter: Some(&checked),
        sort: None,
        offset: 0,
        limit: NAMED,
        connection: None,
        groups: Groups::LeftOut,
        by_rule: None,
    };
    let page = services.read(caller).queries().list(&query).await?;
    preview.out = page.total;
    for stored in &page.rows {
        if let Some(rule) = compiled.strongest(&whole(stored)?) {
            preview.first_out.push(Kept {
                user: named(stored),
                rule: rule.name.clone(),
                keeps: rule.keeps,
            });
        }
    }
    Ok(())
}

/// Those whom a rule keeps out now and for whom none holds any more.
async fn back(services: &Services, caller: &Caller, compiled: &StatusRules, preview: &mut Preview) -> Result<()> {
    let reader = services.read(caller);
    let mut after = Pk(0);
    loop {
        let held = reader.statuses().held_by_rules(after, TOGETHER).await?;
        let Some(last) = held.last() else { return Ok(()) };
        after = *last;
        let mut found = reader.resources().users(&held).await?;
        found.sort_by_key(|stored| stored.pk);
        for stored in &found {
            if compiled.strongest(&whole(stored)?).is_none() {
                preview.back += 1;
                if preview.back <= NAMED {
                    preview.first_back.push(named(stored));
                }
            }
        }
    }
}

fn whole(stored: &Stored) -> Result<Value> {
    let document = Document::from_stored(&stored.document).map_err(|fault| Error::Internal(Box::new(fault)))?;
    let mut whole = document.into_map();
    whole.insert("id".to_owned(), stored.id.as_str().into());
    Ok(Value::Object(whole))
}

fn named(stored: &Stored) -> Named {
    Named {
        id: stored.id.as_str().to_owned(),
        name: stored.label.clone(),
    }
}
