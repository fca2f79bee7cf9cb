//! Rules about who may come in: a filter over users, and what becomes of those for whom it holds.
//!
//! A condition reads what is known of one user and nothing else: it is asked when the user is written, so nothing may
//! change it in between.

use serde_json::Value;

use super::lifecycle::Keeps;
use super::rule::Condition;
use crate::scim::Error;
use crate::scim::filter::{Checked, Node, eval};
use crate::scim::schema::ResourceType;

/// A rule of status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRule {
    /// For people; unique among them. The log and whoever is kept out name it.
    pub name: String,
    /// For whom: a filter over users, as it was typed.
    pub when: String,
    /// What becomes of them.
    pub keeps: Keeps,
}

/// The rules of status of an organisation, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct StatusRules(Vec<(StatusRule, Checked)>);

impl StatusRules {
    /// All that fit the schema, and why others do not.
    #[must_use]
    pub fn compile(rules: &[StatusRule], user: &ResourceType) -> (Self, Vec<(String, Error)>) {
        let (mut known, mut faults) = (Vec::new(), Vec::new());
        for rule in rules {
            match condition(&rule.when, user) {
                Ok(condition) => known.push((rule.clone(), condition)),
                Err(fault) => faults.push((rule.name.clone(), fault)),
            }
        }
        // Of those that do the same, the first counts.
        known.sort_by_key(|(rule, _)| std::cmp::Reverse(rule.keeps));
        (Self(known), faults)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The strongest that holds for a user of this representation.
    #[must_use]
    pub fn strongest(&self, user: &Value) -> Option<&StatusRule> {
        let holds = |(_, condition): &&(StatusRule, Checked)| eval(condition, user);
        self.0.iter().find(holds).map(|(rule, _)| rule)
    }
}

/// Reads the condition of a rule of status.
///
/// # Errors
/// As [`Condition::compile`]; `invalidFilter` for what can change without the user being written, and for what such a
/// rule changes itself.
pub fn condition(text: &str, user: &ResourceType) -> Result<Checked, Error> {
    let condition = Condition::compile(text, user)?;
    let ([atom], false) = (condition.atoms(), condition.reads_groups()) else {
        return Err(Error::invalid_filter(
            "a rule of status cannot read `groups`: they change without the user being written",
        ));
    };
    if names(atom.checked().root(), &|path| {
        path == "active" || path == "meta" || path.starts_with("meta.")
    }) {
        return Err(Error::invalid_filter(
            "a rule of status cannot read `active` or `meta`: it changes them itself",
        ));
    }
    Ok(atom.checked().clone())
}

fn names(node: &Node, is_meant: &impl Fn(&str) -> bool) -> bool {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().any(|part| names(part, is_meant)),
        Node::Not(part) => names(part, is_meant),
        Node::Test(test) => is_meant(&test.path),
        Node::Some { path, node } => is_meant(path) || names(node, is_meant),
        Node::Constant(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::Registry;
    use serde_json::json;

    fn user() -> ResourceType {
        Registry::builtin().types()[0].clone()
    }

    fn rule(name: &str, when: &str, keeps: Keeps) -> StatusRule {
        StatusRule {
            name: name.to_owned(),
            when: when.to_owned(),
            keeps,
        }
    }

    #[test]
    fn the_strongest_counts_and_of_two_that_do_the_same_the_first() {
        let given = [
            rule("away", r#"userType eq "away""#, Keeps::Suspended),
            rule("titled", "title pr", Keeps::Suspended),
            rule("left", r#"title eq "left""#, Keeps::Deactivated),
        ];
        let (rules, faults) = StatusRules::compile(&given, &user());
        assert!(faults.is_empty());
        let strongest = |user: Value| rules.strongest(&user).map(|rule| rule.name.as_str().to_owned());
        assert_eq!(
            strongest(json!({"title": "left", "userType": "away"})).as_deref(),
            Some("left")
        );
        assert_eq!(
            strongest(json!({"title": "Chief", "userType": "away"})).as_deref(),
            Some("away")
        );
        assert_eq!(strongest(json!({"title": "Chief"})).as_deref(), Some("titled"));
        assert_eq!(strongest(json!({"userName": "ada"})), None);
    }

    #[test]
    fn what_changes_without_the_user_or_by_the_rule_itself_is_refused() {
        for text in [
            r#"groups.display eq "a""#,
            r#"title pr and groups.value eq "a""#,
            "active eq true",
            r#"not (meta.lastModified gt "2026-01-01T00:00:00Z")"#,
            r#"externalId eq "a""#,
            "password pr",
            "nothing pr",
            "title",
        ] {
            assert!(condition(text, &user()).is_err(), "{text}");
        }
        let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        for text in [
            &format!("{department} eq \"left\""),
            r#"emails[type eq "work" and value ew "@a.example"]"#,
        ] {
            condition(text, &user()).unwrap();
        }
        let (rules, faults) = StatusRules::compile(&[rule("a", "active pr", Keeps::Suspended)], &user());
        assert!(rules.is_empty());
        assert_eq!(faults[0].0, "a");
    }
}
