//! From a file to rules.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::value::{Datetime, Offset, Time};

use super::Written;
use super::shape::{File, RawOutcome, RawRule, Reference};
use crate::access::grant::Validity;
use crate::access::rule::names::{Found, Names, Wanted};
use crate::access::rule::{Condition, Outcome, State};
use crate::access::scope::{Reach, RecordRef};
use crate::base::clock::Timestamp;
use crate::base::fold::fold;
use crate::base::id::{Pk, RoleKey};
use crate::base::instant::parse_date_time;
use crate::base::near::nearest;
use crate::scim::schema::ResourceType;

/// How a file names every scope there is.
pub(super) const ALL: &str = "all";

/// What is wrong with a file of rules, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct TextFault {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// One sentence, lower case, no full stop.
    pub fault: String,
}

/// Reads a file of rules, in its order.
///
/// # Errors
/// Where the file is not TOML or does not have the shape of rules, the first fault; else all faults, in the order of
/// the file: conditions that cannot be used, names that nothing or several things have, outcomes that say nothing,
/// names of rules that are there twice.
pub fn read(text: &str, names: &dyn Names, user: &ResourceType) -> Result<Vec<Written>, Vec<TextFault>> {
    let mut reader = Reader {
        text,
        names,
        user,
        faults: Vec::new(),
    };
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let message = match error.message() {
                "" => "this is not TOML".to_owned(),
                message => message.replace('\n', ", "),
            };
            reader.fault(error.span().unwrap_or(0..0), message);
            return Err(reader.faults);
        }
    };
    let rules: Vec<_> = file.rule.iter().map(|rule| reader.rule(rule)).collect();
    reader.twice(&file);
    if reader.faults.is_empty() {
        Ok(rules.into_iter().flatten().collect())
    } else {
        reader.faults.sort();
        Err(reader.faults)
    }
}

struct Reader<'a> {
    text: &'a str,
    names: &'a dyn Names,
    user: &'a ResourceType,
    faults: Vec<TextFault>,
}

impl Reader<'_> {
    /// Notes a fault at the start of a span of bytes.
    fn fault(&mut self, span: Range<usize>, fault: impl fmt::Display) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        self.faults.push(TextFault {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            fault: fault.to_string(),
        });
    }

    fn rule(&mut self, raw: &Spanned<RawRule>) -> Option<Written> {
        let rule = raw.get_ref();
        let name = rule.name.get_ref().trim();
        if name.is_empty() {
            self.fault(rule.name.span(), "a rule needs a name");
        }
        if rule.then.is_empty() {
            self.fault(raw.span(), "the rule gives nothing: it needs a `[[rule.then]]`");
        }
        let state = self.state(rule.state.as_ref());
        let when = self.condition(&rule.when);
        let validity = self.validity(rule);
        let then: Vec<_> = rule.then.iter().map(|outcome| self.outcome(outcome)).collect();
        Some(Written {
            name: name.to_owned(),
            state: state?,
            when: when?,
            then: then.into_iter().collect::<Option<_>>()?,
            validity: validity?,
        })
    }

    /// A rule is recognised by its name, so no two can share one.
    fn twice(&mut self, file: &File) {
        let mut first = HashSet::new();
        for name in file.rule.iter().map(|rule| &rule.get_ref().name) {
            if !first.insert(fold(name.get_ref().trim())) {
                self.fault(
                    name.span(),
                    format!("a rule named `{}` stands further up", name.get_ref().trim()),
                );
            }
        }
    }

    fn state(&mut self, state: Option<&Spanned<String>>) -> Option<State> {
        let Some(state) = state else {
            return Some(State::Draft);
        };
        let found = State::parse(state.get_ref());
        if found.is_none() {
            let known = State::ALL.iter().map(|state| state.as_str());
            let hint = nearest(state.get_ref(), known).map_or_else(
                || "; there are draft, active and retired".to_owned(),
                |near| format!("; did you mean `{near}`?"),
            );
            self.fault(state.span(), format!("there is no state `{}`{hint}", state.get_ref()));
        }
        found
    }

    fn condition(&mut self, when: &Spanned<String>) -> Option<Condition> {
        // A filter is one line; in a file it may be several. Each is replaced by one space, so that columns stay.
        let line = when.get_ref().replace(['\n', '\r', '\t'], " ");
        match Condition::compile(&line, self.user) {
            Ok(condition) => Some(condition),
            Err(error) => {
                let (span, detail) = self.inside(when, &error.detail);
                self.fault(span, detail);
                None
            }
        }
    }

    /// A fault that names a column of the filter, moved to where that column is in the file. Not where the filter is
    /// written with escapes: then its columns are not those of the file.
    fn inside(&self, when: &Spanned<String>, detail: &str) -> (Range<usize>, String) {
        let span = when.span();
        let whole = || (span.clone(), detail.to_owned());
        let Some((what, column)) = detail.rsplit_once(" at column ") else {
            return whole();
        };
        let (Ok(column), Some(written)) = (column.parse::<usize>(), self.text.get(span.clone())) else {
            return whole();
        };
        let Some(opening) = written.find(when.get_ref().as_str()) else {
            return whole();
        };
        let letters = when.get_ref().char_indices().map(|(at, _)| at);
        let ends = std::iter::once(when.get_ref().len());
        match letters.chain(ends).nth(column - 1) {
            Some(at) => (span.start + opening + at..span.end, what.to_owned()),
            None => whole(),
        }
    }

    fn validity(&mut self, rule: &RawRule) -> Option<Validity> {
        let from = rule.from.as_ref().map(|from| self.instant(from));
        let to = rule.to.as_ref().map(|to| self.instant(to));
        let validity = Validity {
            from: from.map_or(Some(None), |at| at.map(Some))?,
            to: to.map_or(Some(None), |at| at.map(Some))?,
        };
        match (validity.from, validity.to, &rule.to) {
            (Some(from), Some(to), Some(written)) if to <= from => {
                self.fault(written.span(), "the rule would end before it begins");
                None
            }
            _ => Some(validity),
        }
    }

    /// A date is the start of that day; without an offset it is UTC.
    fn instant(&mut self, written: &Spanned<Datetime>) -> Option<Timestamp> {
        let mut at = *written.get_ref();
        if at.date.is_some() && at.time.is_none() {
            at.time = Some(Time {
                hour: 0,
                minute: 0,
                second: 0,
                nanosecond: 0,
            });
            at.offset = Some(Offset::Z);
        }
        let moment = parse_date_time(&at.to_string());
        let found = moment.and_then(|moment| i64::try_from(moment.nanoseconds().div_euclid(1000)).ok());
        if found.is_none() {
            self.fault(
                written.span(),
                "expected a date such as 2027-03-01, or a date with time and offset",
            );
        }
        found.map(Timestamp)
    }

    fn outcome(&mut self, raw: &Spanned<RawOutcome>) -> Option<Outcome> {
        let RawOutcome {
            role,
            scope,
            record,
            group,
        } = raw.get_ref();
        match (role, scope, record, group) {
            (Some(role), Some(scope), None, None) => {
                let role = self.role(role);
                let reach = self.reach(scope);
                Some(Outcome::Role {
                    role: role?,
                    reach: reach?,
                })
            }
            (Some(role), None, Some(record), None) => {
                let role = self.role(role);
                let record = self.record(record);
                Some(Outcome::Role {
                    role: role?,
                    reach: Reach::Record(record?),
                })
            }
            (None, Some(scope), None, None) => match self.reach(scope)? {
                Reach::Scope(scope) => Some(Outcome::Member(scope)),
                Reach::All | Reach::Record(_) => {
                    self.fault(
                        scope.span(),
                        "everybody belongs to `all`: name a scope, or add a `role`",
                    );
                    None
                }
            },
            (None, None, None, Some(group)) => self.group(group).map(Outcome::Group),
            (Some(_), None, None, None) => {
                self.fault(raw.span(), "a `role` needs a `scope` or a `record` to hold on");
                None
            }
            (None, None, Some(_), None) => {
                self.fault(raw.span(), "a `record` needs a `role` to hold on it");
                None
            }
            _ => {
                self.fault(
                    raw.span(),
                    "an outcome is `role` with `scope` or `record`, `scope` alone, or `group` alone",
                );
                None
            }
        }
    }

    fn record(&mut self, written: &Spanned<String>) -> Option<RecordRef> {
        let found = RecordRef::parse(written.get_ref());
        if found.is_none() {
            self.fault(written.span(), "expected a record as `kind:id`");
        }
        found
    }

    fn reach(&mut self, written: &Spanned<Reference>) -> Option<Reach> {
        if matches!(written.get_ref(), Reference::Name(name) if fold(name) == ALL) {
            return Some(Reach::All);
        }
        let found = self.names.find_scope(written.get_ref().wanted());
        self.found("scope", written, found).map(Reach::Scope)
    }

    fn role(&mut self, written: &Spanned<Reference>) -> Option<RoleKey> {
        let found = self.names.find_role(written.get_ref().wanted());
        self.found("role", written, found)
    }

    fn group(&mut self, written: &Spanned<Reference>) -> Option<Pk> {
        let found = self.names.find_group(written.get_ref().wanted());
        self.found("group", written, found)
    }

    fn found<K>(&mut self, what: &str, written: &Spanned<Reference>, found: Found<K>) -> Option<K> {
        let shown = match written.get_ref() {
            Reference::Name(name) => format!("`{name}`"),
            Reference::Id(id) => format!("with id `{id}`"),
        };
        let fault = match found {
            Found::One(key) => return Some(key),
            Found::Many => format!("several {what}s are named {shown}: choose one by `{{ id = \"…\" }}`"),
            Found::Nothing(None) => format!("there is no {what} {shown}"),
            Found::Nothing(Some(near)) => format!("there is no {what} {shown}; did you mean `{near}`?"),
        };
        self.fault(written.span(), fault);
        None
    }
}

impl Reference {
    fn wanted(&self) -> Wanted<'_> {
        match self {
            Self::Name(name) => Wanted::Name(name),
            Self::Id(id) => Wanted::Id(id),
        }
    }
}
