//! What becomes of somebody's status when they are written; whom an administrator or a rule keeps out stays out, whatever
//! provisioning says of `active`.

use crate::access::StatusRule;
use crate::access::lifecycle::{Ask, By, Joining, Status, Verdict, turn};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId, Version};
use crate::service::context::Caller;
use crate::service::lifecycle::status::{self, Turned};
use crate::service::lifecycle::status_rules;
use crate::store::Unit;
use crate::store::lifecycle::statuses::StoredHold;

/// The attribute that the status follows from, and that follows from it.
pub(super) const ATTRIBUTE: &str = "active";

/// What somebody was and will be.
#[derive(Debug)]
pub(super) struct Standing {
    from: Status,
    to: Status,
    held: Option<StoredHold>,
    /// The rule that keeps them out from now on, where it is one.
    rule: Option<StatusRule>,
    /// What provisioning said of the account before.
    said: bool,
    /// What it says now.
    says: bool,
    /// Whether the request speaks of it.
    speaks: bool,
}

impl Standing {
    /// From whether they were active, what provisioning says where it speaks of that, and the rule that holds for what they
    /// will be. `None` where nothing comes of it and nothing is kept.
    pub(super) fn of(
        (was_active, held): (bool, Option<StoredHold>),
        word: Option<bool>,
        joining: Joining,
        rule: Option<&StatusRule>,
    ) -> Option<Self> {
        // Whoever is active is held by nothing.
        let held = held.filter(|_| !was_active);
        let from = Status::of(was_active, held.as_ref().map(|held| held.hold));
        let said = held.as_ref().map_or(was_active, |held| held.source_active);
        let by_rule = held.as_ref().is_some_and(|held| held.by_rule().is_some());
        let mut beneath = from.beneath(by_rule);
        if let Some(says) = word {
            let ask = if says { Ask::Activate } else { Ask::Deactivate };
            if let Verdict::Turns(to) = turn(beneath, ask, By::Source, joining) {
                beneath = to;
            }
        }
        let to = beneath.under(rule.map(|rule| rule.keeps));
        let standing = Self {
            from,
            to,
            held,
            rule: rule.filter(|_| to != beneath).cloned(),
            said,
            says: word.unwrap_or(said),
            speaks: word.is_some(),
        };
        let noted = standing.said != standing.says;
        (standing.turns() || standing.is_refused() || noted).then_some(standing)
    }

    /// Whether provisioning takes them for active.
    pub(super) const fn says(&self) -> bool {
        self.says
    }

    /// Whether they may come in.
    pub(super) const fn is_active(&self) -> bool {
        self.to.is_active()
    }

    /// Whether the account ends: it was active, and is not after.
    pub(super) const fn ends(&self) -> bool {
        self.from.is_active() && !self.to.is_active()
    }

    /// Whether a rule ends the account, or lets somebody in by holding no more.
    pub(super) fn is_flipped_by_rule(&self) -> bool {
        self.from.is_active() != self.to.is_active() && (self.rule.is_some() || self.by_rule().is_some())
    }

    /// Whether the status changes, or the rule that is the reason of it.
    pub(super) fn turns(&self) -> bool {
        self.from != self.to || self.by_rule() != self.rule.as_ref().map(|rule| rule.name.as_str())
    }

    /// The rule that kept them out.
    fn by_rule(&self) -> Option<&str> {
        self.held.as_ref().and_then(StoredHold::by_rule)
    }

    /// Whether provisioning takes somebody for active who stays out.
    pub(super) fn is_refused(&self) -> bool {
        self.speaks && self.says && !self.to.is_active()
    }

    /// Whether it is something to be kept, also when the document stays as it is.
    pub(super) fn is_kept(&self) -> bool {
        self.held.is_some() || self.turns()
    }

    /// Keeps it; written with the save.
    pub(super) fn keep(&self, unit: &mut Unit, user: Pk, now: Timestamp) {
        match (&self.held, &self.rule) {
            (_, Some(rule)) if self.turns() => unit.statuses().set(user, status_rules::hold(rule, now)),
            (Some(_), _) if self.turns() => unit.statuses().lift(user),
            (Some(held), _) => unit.statuses().remember(user, held, self.says),
            (None, _) => {}
        }
    }

    /// The same caller, as one by whose request a rule does this; none where no rule has to do with it.
    pub(super) fn ruling(&self, caller: &Caller) -> Option<Caller> {
        let lifted = self.by_rule().filter(|_| self.to.is_active());
        let rule = self.rule.as_ref().map(|rule| rule.name.as_str()).or(lifted)?;
        Some(caller.by_rule(rule))
    }

    /// Says in the log what came of it.
    pub(super) fn tell(
        &self,
        unit: &mut Unit,
        caller: &Caller,
        now: Timestamp,
        user: (Pk, &ResourceId),
        version: Version,
    ) {
        // Where the attribute changes, it says so itself.
        if self.from.is_active() == self.to.is_active() && self.said != self.says {
            status::tell_noted(unit, caller, now, user, (self.said, self.says));
        }
        let ruling = self.ruling(caller);
        if self.turns() {
            let turned = Turned {
                from: self.from,
                to: self.to,
                until: None,
            };
            let by = ruling.as_ref().unwrap_or(caller);
            status::tell(unit, by, now, user, (turned, version), (None, None));
        }
        // Whoever takes back what provisioning said does not expect to let anybody in.
        if self.is_refused() && !caller.takes_back() {
            status::tell_refused(unit, ruling.as_ref().unwrap_or(caller), now, user, self.to);
        }
    }
}
