//! A file is written, compared with the rules there are, and read in.

use super::difference::{Deed, Difference, parts};
use super::house::House;
use super::wait::{Patience, settled};
use crate::access::rule::text::{self, Written};
use crate::service::access::authority::{GIVE, VIEW, require};
use crate::service::access::rules::change::{change, create};
use crate::service::access::rules::content::{NewRule, RuleChange, read_examples};
use crate::service::access::rules::shown::Rule;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::rules::StoredRule;

/// The file of all rules that are not retired, oldest first.
///
/// # Errors
/// `Forbidden`; a rule whose condition no longer fits the schema.
pub async fn export(services: &Services, caller: &Caller) -> Result<String> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let house = House::read(services, caller).await?;
    let rules = house.written(caller)?;
    let user = caller.user_type()?;
    text::write(&rules, &house, user).map_err(|fault| Error::Internal(Box::new(fault)))
}

/// What reading a file in would do, in the order of the file.
///
/// # Errors
/// `Forbidden`; `Invalid` with every fault of the file, each with its line and column.
pub async fn diff(services: &Services, caller: &Caller, file: &str) -> Result<Vec<Difference>> {
    require(services, caller, &[VIEW, GIVE]).await?;
    let house = House::read(services, caller).await?;
    let read = house.parse(caller, file)?;
    house.compare(caller, &read)
}

/// Reads a file in: makes and changes rules one after the other, each whole, and waits until it is in force; gives what it
/// did. Rules that are not in the file stay. Where a change of a rule is coming into force already it waits for that
/// first, and does what is left to do then.
///
/// # Errors
/// As [`diff`], and whatever making or changing a rule is refused for, also when it would come into force; one that takes
/// longer than the patience: then those before it are done.
pub async fn import(
    services: &Services,
    caller: &Caller,
    file: &str,
    patience: &Patience<'_>,
) -> Result<Vec<Difference>> {
    require(services, caller, &[GIVE]).await?;
    let house = House::read(services, caller).await?;
    let read = house.parse(caller, file)?;
    let mut done = Vec::new();
    for rule in &read {
        let stored = match house.stored(&rule.name) {
            Some(stored) if stored.preparing.is_some() => Some(settled(services, caller, &stored.id, patience).await?),
            stored => stored.cloned(),
        };
        let Some(deed) = Deed::about(rule, stored.as_ref()) else {
            continue;
        };
        let made = write(services, caller, (&house, rule), stored.as_ref()).await?;
        if made.progress.is_some() {
            let after = settled(services, caller, &made.id, patience).await?;
            if !parts(rule, &after).is_empty() {
                return Err(Error::conflict(format!(
                    "rule `{}` did not come into force: what it says was refused by then, or somebody changed it",
                    rule.name
                )));
            }
        }
        done.push(Difference {
            name: rule.name.clone(),
            deed,
        });
    }
    done.extend(house.left(caller, &read)?);
    Ok(done)
}

/// Makes one rule, or changes the one that is there.
async fn write(
    services: &Services,
    caller: &Caller,
    (house, rule): (&House, &Written),
    stored: Option<&StoredRule>,
) -> Result<Rule> {
    let then = rule.then.iter().map(|outcome| house.asked(outcome)).collect();
    let Some(stored) = stored else {
        let new = NewRule {
            name: rule.name.clone(),
            when: rule.when.text().to_owned(),
            then,
            state: rule.state,
            validity: rule.validity,
            examples: Vec::new(),
        };
        return create(services, caller, &new).await;
    };
    let to = RuleChange {
        name: Some(rule.name.clone()),
        when: Some(rule.when.text().to_owned()),
        then: Some(then),
        state: Some(rule.state),
        valid_from: Some(rule.validity.from),
        valid_to: Some(rule.validity.to),
        examples: Some(read_examples(&stored.examples)),
        expected: Some(stored.version),
    };
    change(services, caller, &stored.id, &to).await
}
