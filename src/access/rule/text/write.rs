//! From rules to a file.

use std::fmt::Write;

use super::Written;
use super::read::ALL;
use crate::access::rule::Outcome;
use crate::access::rule::names::{Found, Named, Names, Wanted};
use crate::access::rule::sentence;
use crate::access::scope::Reach;
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::{Pk, RoleKey, ScopeKey};
use crate::scim::schema::ResourceType;

/// A rule gives something that nobody knows a name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Nameless {
    /// A role.
    #[error("the role {0} has no name")]
    Role(RoleKey),
    /// A scope.
    #[error("the scope {0} has no name")]
    Scope(ScopeKey),
    /// A group.
    #[error("the group {0} has no name")]
    Group(Pk),
}

/// The file of these rules, each below its sentence as a comment.
///
/// # Errors
/// A role, scope or group of an outcome is not known to `names`.
pub fn write(rules: &[Written], names: &dyn Names, user: &ResourceType) -> Result<String, Nameless> {
    let mut file = String::new();
    for rule in rules {
        if !file.is_empty() {
            file.push('\n');
        }
        write_rule(&mut file, rule, names, user)?;
    }
    Ok(file)
}

fn write_rule(file: &mut String, rule: &Written, names: &dyn Names, user: &ResourceType) -> Result<(), Nameless> {
    let sentence = sentence::said(&rule.when, &rule.then, &rule.validity, names, user);
    line(file, &format!("# {}", sentence.replace(char::is_control, " ")));
    line(file, "[[rule]]");
    line(file, &format!("name = {}", string(&rule.name)));
    line(file, &format!("state = \"{}\"", rule.state));
    line(file, &format!("when = {}", string(rule.when.text())));
    for (name, at) in [("from", rule.validity.from), ("to", rule.validity.to)] {
        if let Some(at) = at {
            line(file, &format!("{name} = {}", instant(at)));
        }
    }
    for outcome in &rule.then {
        line(file, "\n[[rule.then]]");
        line(file, &write_outcome(outcome, names)?);
    }
    Ok(())
}

fn line(file: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(file, "{text}");
}

fn write_outcome(outcome: &Outcome, names: &dyn Names) -> Result<String, Nameless> {
    match outcome {
        Outcome::Role { role, reach } => {
            let place = match reach {
                Reach::All => format!("scope = \"{ALL}\""),
                Reach::Scope(scope) => scope_line(*scope, names)?,
                Reach::Record(record) => format!("record = {}", string(&record.to_string())),
            };
            let known = names.role(*role).ok_or(Nameless::Role(*role))?;
            let unique = names.find_role(Wanted::Name(known.name)) == Found::One(*role);
            Ok(format!("role = {}\n{place}", reference(known, unique)))
        }
        Outcome::Member(scope) => scope_line(*scope, names),
        Outcome::Group(group) => {
            let known = names.group(*group).ok_or(Nameless::Group(*group))?;
            let unique = names.find_group(Wanted::Name(known.name)) == Found::One(*group);
            Ok(format!("group = {}", reference(known, unique)))
        }
    }
}

fn scope_line(scope: ScopeKey, names: &dyn Names) -> Result<String, Nameless> {
    let (known, _) = names.scope(scope).ok_or(Nameless::Scope(scope))?;
    let unique = names.find_scope(Wanted::Name(known.name)) == Found::One(scope) && fold(known.name) != ALL;
    Ok(format!("scope = {}", reference(known, unique)))
}

fn reference(known: Named<'_>, unique: bool) -> String {
    if unique {
        string(known.name)
    } else {
        format!("{{ id = {} }}", string(known.id))
    }
}

/// A date where it is midnight, else with time of day; always UTC.
fn instant(at: Timestamp) -> String {
    let text = at.rfc3339();
    let seconds = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    match text.split_once('T') {
        Some((date, "00:00:00.000000Z")) => date.to_owned(),
        Some((date, _)) if seconds.len() > date.len() + "Thh:mm:ss".len() => format!("{seconds}Z"),
        Some((date, time)) => format!("{date}T{}Z", &time[.."hh:mm:ss".len()]),
        None => text,
    }
}

/// A TOML string: literal where that spares escapes, as in filters, else basic.
fn string(text: &str) -> String {
    let control = text.contains(|letter: char| letter.is_control() && letter != '\t');
    if text.contains(['"', '\\']) && !text.contains('\'') && !control {
        return format!("'{text}'");
    }
    let mut basic = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => basic.extend(['\\', letter]),
            '\n' => basic.push_str("\\n"),
            '\r' => basic.push_str("\\r"),
            letter if letter.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(basic, "\\u{:04X}", u32::from(letter));
            }
            letter => basic.push(letter),
        }
    }
    basic.push('"');
    basic
}
