//! A rule is made, changed, retired, deleted.

use super::content::{
    Example, NewRule, OutcomeAsked, RuleChange, check_examples, check_validity, condition, examples_text, fills,
    outcomes, read_examples,
};
use super::enter::{Prepared, enter};
use super::force::{Content, forget, stands, taken, would_stand};
use super::shown::{Rule, find_again};
use crate::access::{Condition, Outcome, State, Validity};
use crate::base::id::RuleKey;
use crate::event::image::RuleImage;
use crate::service::access::authority::{GIVE, Held, require};
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::access::grants::permissions_of;
use crate::service::access::names::checked_name;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger::{self, Thing, What};
use crate::service::told;
use crate::store::access::rules::{Condition as Known, RuleContent, StoredRule};

/// Makes a rule. An active one counts when this returns, unless it is still being prepared then: see [`Rule::progress`].
///
/// # Errors
/// `Forbidden`, also for a role that permits what the caller does not hold; a condition that cannot be used, with the
/// place in it; what does not exist; an example the condition contradicts; smart groups in a circle; a name that is
/// taken.
pub async fn create(services: &Services, caller: &Caller, new: &NewRule) -> Result<Rule> {
    let held = require(services, caller, &[GIVE]).await?;
    let making = Making::of((services, caller), new, held)?;
    let id = making.id.clone();
    if let Some(prepared) = perform(services, caller, making).await? {
        enter(services, caller, prepared).await?;
    }
    find_again(services, caller, &id).await
}

/// Changes a rule: a new version. What it says of users that it did not say before counts when this returns, unless it
/// is still being prepared then: see [`Rule::progress`].
///
/// # Errors
/// As [`create`], and `NotFound`, `Stale` when it is not at the version expected, `Conflict` when a change of it is being
/// prepared, unless the version expected is that one: then the change is made to what that one says, in its place.
pub async fn change(services: &Services, caller: &Caller, id: &str, change: &RuleChange) -> Result<Rule> {
    let held = require(services, caller, &[GIVE]).await?;
    let user = caller.user_type()?;
    let mut change = change.clone();
    if let Some(name) = &mut change.name {
        *name = checked_name("/name", name)?;
    }
    let when = change.when.as_deref().map(|text| condition(text, user)).transpose()?;
    let editing = Editing {
        id: id.to_owned(),
        change,
        when,
        held,
    };
    match perform(services, caller, editing).await? {
        Next::Enter(prepared) => enter(services, caller, prepared).await?,
        Next::Forget(key, version) => forget(services, caller, key, version).await?,
        Next::Nothing => {}
    }
    find_again(services, caller, id).await
}

/// Deletes a rule with its versions; what it gave is gone when this returns.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn delete(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    require(services, caller, &[GIVE]).await?;
    let (key, matched) = perform(services, caller, End(id.to_owned())).await?;
    forget(services, caller, key, matched).await
}

/// A new rule on its way.
pub(in crate::service::access) struct Making {
    id: String,
    new: NewRule,
    when: Condition,
    examples: String,
    held: Held,
}

impl Making {
    pub(in crate::service::access) fn of(
        (services, caller): (&Services, &Caller),
        new: &NewRule,
        held: Held,
    ) -> Result<Self> {
        let when = condition(&new.when, caller.user_type()?)?;
        check_validity(new.validity)?;
        check_examples(&when, &new.examples)?;
        if new.state == State::Retired {
            return Err(Error::invalid("/state", "a new rule is a draft or active"));
        }
        Ok(Self {
            id: services.ids().next().into_string(),
            new: NewRule {
                name: checked_name("/name", &new.name)?,
                ..new.clone()
            },
            examples: examples_text(&new.examples),
            when,
            held,
        })
    }
}

impl Change for Making {
    type Made = Option<Box<Prepared>>;

    async fn make(&self, desk: &mut Desk) -> Result<Option<Box<Prepared>>> {
        let new = &self.new;
        desk.unit.policy().hold().await?;
        let then = outcomes(desk, &new.then, self.held).await?;
        let content = RuleContent {
            name: &new.name,
            when: self.when.text(),
            then: &then,
            validity: new.validity,
            examples: &self.examples,
        };
        let caller = desk.caller.clone();
        let author = Desk::author(&caller);
        let by = author.at(desk.now);
        let created = desk.unit.rules().create(&self.id, content, State::Draft, by).await;
        let key = created.map_err(taken)?;
        let mut prepared = None;
        if new.state == State::Active {
            let trial = Content {
                id: &self.id,
                name: &new.name,
                then: &then,
            };
            would_stand(desk, key, self.when.clone(), trial).await?;
            let version = desk.unit.rules().prepare((key, 1), content, by).await.map_err(taken)?;
            prepared = Some(Box::new(Prepared {
                key,
                id: self.id.clone(),
                version,
                before: version,
                when: self.when.clone(),
            }));
        }
        let said = (new.name.as_str(), self.when.text());
        let image = if let Some(prepared) = &prepared {
            told::preparing(&mut desk.unit, prepared.version, said, (&then, new.validity)).await?
        } else {
            kept(desk, &self.id).await?
        };
        desk.note(What::RuleCreated, ledger::thing(Thing::Rule, &self.id), &image.data());
        Ok(prepared)
    }
}

/// What is left to do after a change.
enum Next {
    /// Put a version in force.
    Enter(Box<Prepared>),
    /// Remove matches that no longer count.
    Forget(RuleKey, i64),
    Nothing,
}

struct Editing {
    id: String,
    change: RuleChange,
    when: Option<Condition>,
    held: Held,
}

/// What a rule says after a change.
struct After {
    name: String,
    when: Condition,
    then: Vec<Outcome>,
    state: State,
    validity: Validity,
    examples: String,
}

impl Editing {
    /// What the change starts from: the rule as it is, or as it will be when what is being prepared is in force. Then
    /// it takes the place of a change that somebody was promised, so it must say that it knows of that one.
    async fn base(&self, desk: &mut Desk, row: &StoredRule) -> Result<StoredRule> {
        let expected = self.change.expected;
        let coming = row.preparing.map(|preparing| preparing.version);
        if expected.is_some_and(|expected| expected != row.version && Some(expected) != coming) {
            return Err(Error::Stale);
        }
        let Some(coming) = coming else {
            return Ok(row.clone());
        };
        if expected != Some(coming) {
            let reason =
                "a change of the rule is coming into force; wait for it, or name its version to take its place";
            return Err(Error::Conflict(Refusal::new(reason).at("/version")));
        }
        let versions = desk.unit.rules().versions(row.key, Some(coming + 1), 1).await?;
        let found = versions.into_iter().find(|found| found.version == coming);
        let found = found.ok_or(Error::Stale)?;
        Ok(StoredRule {
            name: found.name,
            state: State::Active,
            when: found.when,
            then: found.then,
            validity: found.validity,
            examples: found.examples,
            ..row.clone()
        })
    }

    /// The outcomes that stay. Who changes what gives them, or when, gives them: so they must have it themselves.
    async fn kept(&self, desk: &mut Desk, row: &StoredRule) -> Result<Vec<Outcome>> {
        if self.change.state != Some(State::Retired) {
            for outcome in &row.then {
                if let Outcome::Role { role, .. } = outcome {
                    let permissions = permissions_of(desk, *role).await?;
                    self.held.covers(&desk.services, permissions)?;
                }
            }
            fills(desk, &row.then, self.held).await?;
        }
        Ok(row.then.clone())
    }

    async fn after(&self, desk: &mut Desk, row: &StoredRule) -> Result<After> {
        let change = &self.change;
        let when = match &self.when {
            Some(when) => when.clone(),
            None => condition(&row.when, desk.caller.user_type()?)?,
        };
        let examples = change.examples.clone();
        let examples: Vec<Example> = examples.unwrap_or_else(|| read_examples(&row.examples));
        check_examples(&when, &examples)?;
        let asked: Option<&[OutcomeAsked]> = change.then.as_deref();
        let then = match asked {
            Some(asked) => outcomes(desk, asked, self.held).await?,
            None => self.kept(desk, row).await?,
        };
        let validity = Validity {
            from: change.valid_from.unwrap_or(row.validity.from),
            to: change.valid_to.unwrap_or(row.validity.to),
        };
        check_validity(validity)?;
        Ok(After {
            name: change.name.clone().unwrap_or_else(|| row.name.clone()),
            state: change.state.unwrap_or(row.state),
            validity,
            examples: examples_text(&examples),
            when,
            then,
        })
    }
}

impl Change for Editing {
    type Made = Next;

    async fn make(&self, desk: &mut Desk) -> Result<Next> {
        desk.unit.policy().hold().await?;
        let row = desk.unit.rules().find(&self.id).await?.ok_or(Error::NotFound)?;
        let base = self.base(desk, &row).await?;
        let after = self.after(desk, &base).await?;
        let content = RuleContent {
            name: &after.name,
            when: after.when.text(),
            then: &after.then,
            validity: after.validity,
            examples: &after.examples,
        };
        let same = after.when.text() == row.when;
        let caller = desk.caller.clone();
        let author = Desk::author(&caller);
        let by = author.at(desk.now);
        let at = (row.key, row.version);
        let enters = after.state == State::Active && (row.state != State::Active || !same);
        let next = if enters {
            let version = desk.unit.rules().prepare(at, content, by).await.map_err(taken)?;
            let trial = Content {
                id: &self.id,
                name: &after.name,
                then: &after.then,
            };
            would_stand(desk, row.key, after.when.clone(), trial).await?;
            Next::Enter(Box::new(Prepared {
                key: row.key,
                id: self.id.clone(),
                version,
                before: row.matched,
                when: after.when,
            }))
        } else {
            let known = if same { Known::Same } else { Known::New };
            let changed = desk.unit.rules().change(at, content, after.state, known, by).await;
            changed.map_err(taken)?;
            stands(desk).await?;
            if row.state == State::Active && after.state != State::Active {
                Next::Forget(row.key, row.matched)
            } else {
                Next::Nothing
            }
        };
        let what = if after.state == State::Retired && row.state != State::Retired {
            What::RuleRetired
        } else {
            What::RuleUpdated
        };
        let image = match &next {
            Next::Enter(prepared) => {
                let said = (after.name.as_str(), prepared.when.text());
                let gives = (after.then.as_slice(), after.validity);
                told::preparing(&mut desk.unit, prepared.version, said, gives).await?
            }
            Next::Forget(..) | Next::Nothing => kept(desk, &self.id).await?,
        };
        desk.note(what, ledger::thing(Thing::Rule, &self.id), &image.data());
        Ok(next)
    }
}

/// A rule as it is by now, as the log tells it.
async fn kept(desk: &mut Desk, id: &str) -> Result<RuleImage> {
    let row = desk.unit.rules().find(id).await?.ok_or(Error::NotFound)?;
    told::rule(&mut desk.unit, &row).await
}

/// A rule that is deleted.
pub(in crate::service::access) struct End(pub(in crate::service::access) String);

impl Change for End {
    type Made = (RuleKey, i64);

    async fn make(&self, desk: &mut Desk) -> Result<(RuleKey, i64)> {
        desk.unit.policy().hold().await?;
        let row = desk.unit.rules().find(&self.0).await?.ok_or(Error::NotFound)?;
        let before = told::rule(&mut desk.unit, &row).await?;
        desk.unit.rules().delete(row.key).await?;
        desk.note(
            What::RuleDeleted,
            ledger::thing(Thing::Rule, &self.0),
            &before.data_before(),
        );
        Ok((row.key, row.matched))
    }
}
