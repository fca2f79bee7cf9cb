//! What is to be decided, and how it stands in the log.

use serde_json::{Value, json};

use crate::access::StatusRule;
use crate::access::status_rule::condition;
use crate::base::fold::fold;
use crate::service::context::Caller;
use crate::service::error::{Error, Refusal, Result};

/// Most rules: each is asked of every user that is written.
const MOST: usize = 20;
/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// What is to be decided, without spaces around names and conditions.
///
/// # Errors
/// Too many; a name that is none, too long or there twice; a condition that is no filter over what is known of a user, or
/// reads what can change without them being written.
pub(in crate::service) fn checked(caller: &Caller, given: Vec<StatusRule>) -> Result<Vec<StatusRule>> {
    let kind = caller.user_type()?;
    if given.len() > MOST {
        let reason = format!("there are at most {MOST} rules of status");
        return Err(Error::invalid("/status_rules", reason));
    }
    let mut names: Vec<String> = Vec::new();
    let check = |(at, rule): (usize, StatusRule)| {
        let wrong = |member: &str, reason: String| {
            Error::Invalid(Refusal::new(reason).at(format!("/status_rules/{at}/{member}")))
        };
        let name = rule.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            let reason = format!("a rule has a name of at most {LONGEST_NAME} characters");
            return Err(wrong("name", reason));
        }
        if names.contains(&fold(&name)) {
            return Err(wrong("name", format!("there is another rule `{name}`")));
        }
        names.push(fold(&name));
        condition(&rule.when, kind).map_err(|fault| wrong("when", fault.to_string()))?;
        Ok(StatusRule {
            name,
            when: rule.when.trim().to_owned(),
            keeps: rule.keeps,
        })
    };
    given.into_iter().enumerate().map(check).collect()
}

/// As it stands in the log.
pub(in crate::service) fn said(rule: &StatusRule) -> Value {
    json!({ "name": rule.name, "when": rule.when, "status": rule.keeps.as_str() })
}
