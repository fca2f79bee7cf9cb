//! The catalogue: everything that the log can say.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an event is about, and so who has to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub enum Class {
    /// Users and groups, and what they were given.
    People,
    /// What all users share: roles, scopes, rules, settings, and groups and grants that these rest on.
    Policy,
    /// What was done without changing either: tokens, requests, the log itself.
    Acts,
}

impl Class {
    /// As it is stored.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::People => 0,
            Self::Policy => 1,
            Self::Acts => 2,
        }
    }

    /// Reads what is stored.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::People),
            1 => Some(Self::Policy),
            2 => Some(Self::Acts),
            _ => None,
        }
    }

    /// The word for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Policy => "policy",
            Self::Acts => "acts",
        }
    }
}

impl From<Class> for i64 {
    fn from(class: Class) -> Self {
        class.number()
    }
}

impl TryFrom<i64> for Class {
    type Error = &'static str;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        Self::from_number(number).ok_or("no such class")
    }
}

/// What happened, in the word of the release that wrote it.
///
/// Of two releases over one database the older one may be the one that numbers: it keeps what it does not know as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Said {
    /// A kind of this release.
    Known(Kind),
    /// One of another: `noun.verb`.
    Other(Box<str>),
}

/// Characters that the word of another release may have.
const LONGEST_WORD: usize = 64;

impl Said {
    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(kind) => kind.as_str(),
            Self::Other(word) => word,
        }
    }
}

impl From<Kind> for Said {
    fn from(kind: Kind) -> Self {
        Self::Known(kind)
    }
}

impl From<Said> for String {
    fn from(said: Said) -> Self {
        said.as_str().to_owned()
    }
}

impl TryFrom<String> for Said {
    type Error = &'static str;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        if let Some(kind) = Kind::parse(&word) {
            return Ok(Self::Known(kind));
        }
        let is_name = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        match word.split_once('.') {
            Some((noun, verb)) if is_name(noun) && is_name(verb) && word.len() <= LONGEST_WORD => {
                Ok(Self::Other(word.into()))
            }
            _ => Err("no kind of event"),
        }
    }
}

macro_rules! catalogue {
    ($($name:ident = $text:literal, $class:ident, $what:literal, $data:literal;)+) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $(#[doc = $what] #[serde(rename = $text)] $name,)+
        }

        impl Kind {
            /// All of them, in the order in which they are documented.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As it is stored and sent, such as `user.created`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// Reads what is stored; `None` for a kind of another release.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The class of an event of this kind, where its subject does not say otherwise.
            ///
            /// A group that the policy names and a grant to a group are [`Class::Policy`]: whoever writes them knows.
            #[must_use]
            pub const fn class(self) -> Class {
                match self {
                    $(Self::$name => Class::$class,)+
                }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self {
                    $(Self::$name => $what,)+
                }
            }

            /// Members of its `data`.
            #[must_use]
            pub const fn data(self) -> &'static str {
                match self {
                    $(Self::$name => $data,)+
                }
            }
        }
    };
}

catalogue! {
    UserCreated = "user.created", People, "A user was made.", "`attributes`, `version` [`active`, `via`, `source`, `aside`]; sealed: `after`, `reason`";
    UserUpdated = "user.updated", People, "A user was changed.", "`attributes`, `version` [`via`, `aside`]; sealed: `before`, `after`, `reason`";
    UserDeleted = "user.deleted", People, "A user was deleted.", "`version`; sealed: `before`, `reason`";
    UserRestored = "user.restored", People, "A user who was deleted came back, or somebody else was given what they had.", "`version` or `into`, `left_out` [`status`, `called_by`, `via`, `matched`, `grants`, `roles_lost`]; sealed: `after`";
    UserPurged = "user.purged", People, "What was kept of a deleted user was destroyed: nobody can read what the log says of them.", "";
    UserActivated = "user.activated", People, "A user may come in again, or for the first time.", "`from`, `to`, `version` [`rule`]";
    UserSuspended = "user.suspended", People, "A user may not come in for a while.", "`from`, `to`, `version` [`until`, `carried_from`, `rule`]";
    UserDeactivated = "user.deactivated", People, "A user may not come in any more.", "`from`, `to`, `version` [`carried_from`, `rule`]";
    UserActivationRefused = "user.activation_refused", People, "Provisioning took a user for active whom an administrator or a rule keeps out: they stay out.", "`status` [`rule`]";
    UserSourceNoted = "user.source_noted", People, "Provisioning said another thing of the account of somebody who is kept out: it counts when nothing keeps them out any more.", "`from`, `to`";
    GroupCreated = "group.created", People, "A group was made.", "`attributes`, `version` [`after`, `members_added`, `via`, `source`, `aside`]";
    GroupUpdated = "group.updated", People, "A group or its members were changed.", "`attributes` [`version`, `via`, `before`, `after`, `members_added`, `members_removed`, `more`, `aside`]";
    GroupDeleted = "group.deleted", People, "A group was deleted.", "`version` [`before`]";
    GroupRestored = "group.restored", People, "A group that was deleted came back, or another one was given what it had.", "`version` or `into`, `left_out` [`called_by`, `after`]";
    ResourceCreated = "resource.created", Acts, "A resource of a type of the organisation was made.", "`type`, `attributes`, `version` [`after`, `aside`]";
    ResourceUpdated = "resource.updated", Acts, "A resource of a type of the organisation was changed.", "`type`, `attributes`, `version` [`via`, `before`, `after`, `aside`]";
    ResourceDeleted = "resource.deleted", Acts, "A resource of a type of the organisation was deleted.", "`type`, `version` [`before`]";
    GrantCreated = "grant.created", People, "A role or permission was given to somebody.", "`grant`, `role`, `scope` or `record`, `origin` [`valid_from`, `valid_to`, `restrict`]";
    GrantUpdated = "grant.updated", People, "A grant was changed.", "`grant`, `role`, `scope` or `record`, `origin`, `before` [`valid_from`, `valid_to`, `restrict`]";
    GrantDeleted = "grant.deleted", People, "A grant was taken back, or went with its subject, role or scope.", "`grant`, `role`, `scope` or `record`, `origin` [`valid_from`, `valid_to`, `restrict`]";
    RoleCreated = "role.created", Policy, "A role was made.", "`after`";
    RoleUpdated = "role.updated", Policy, "A role was changed.", "`before`, `after`";
    RoleDeleted = "role.deleted", Policy, "A role was deleted.", "`before`";
    ScopeCreated = "scope.created", Policy, "A scope was made.", "`after`";
    ScopeUpdated = "scope.updated", Policy, "A scope was changed or moved.", "`before`, `after`";
    ScopeDeleted = "scope.deleted", Policy, "A scope was deleted.", "`before`";
    RecordsAdded = "records.added", Policy, "Records were put into a scope.", "`scope`, `records`";
    RecordsRemoved = "records.removed", Policy, "Records were taken out of a scope.", "`scope`, `records`";
    RuleCreated = "rule.created", Policy, "A rule was drafted.", "`version`, `name`, `state`, `when`, `then` [`valid_from`, `valid_to`]";
    RuleUpdated = "rule.updated", Policy, "A rule was changed, or lost an outcome with what it named.", "`version`, `name`, `state`, `when`, `then` [`valid_from`, `valid_to`]";
    RuleActivated = "rule.activated", Policy, "A version of a rule came into force.", "`version`, `name`, `state`, `when`, `then` [`valid_from`, `valid_to`]";
    RuleRetired = "rule.retired", Policy, "A rule was taken out of force.", "`version`, `name`, `state`, `when`, `then` [`valid_from`, `valid_to`]";
    RuleAbandoned = "rule.abandoned", Policy, "A version of a rule will not come into force.", "`version`";
    RuleDeleted = "rule.deleted", Policy, "A rule was deleted.", "`before`";
    SettingsUpdated = "settings.updated", Policy, "Settings of the organisation were changed.", "`before`, `after`";
    SchemaSet = "schema.set", Acts, "A schema of the organisation was added or changed.", "`after` [`before`]";
    SchemaRemoved = "schema.removed", Acts, "A schema of the organisation was removed.", "`before`";
    ResourceTypeSet = "resource_type.set", Acts, "What a resource type has of the organisation was changed.", "`after` [`before`]";
    ResourceTypeRemoved = "resource_type.removed", Acts, "What a resource type had of the organisation was taken away.", "`before`";
    StatusRulesApplied = "status_rules.applied", Acts, "A change of the rules of status has come to everybody who was there.", "`turned`, `stayed`, `failed`: how many";
    OwnershipTransferred = "ownership.transferred", Policy, "The organisation has another owner.", "`grant`, `from`, `break_glass`; sealed: `reason`";
    OwnershipTransferNeeded = "ownership.transfer_needed", Acts, "Provisioning wants to end the owner.", "`request`";
    RequestParked = "request.parked", Acts, "A request was refused and kept for an administrator.", "id of the request";
    RequestApplied = "request.applied", Acts, "A kept request was made.", "id of the request";
    RequestDismissed = "request.dismissed", Acts, "A kept request was thrown away.", "id of the request, `taken_back` (by its client)";
    RequestFailed = "request.failed", Acts, "A held request was approved and cannot be made any more.", "id of the request";
    RequestAnswered = "request.answered", Acts, "A request that its client did not wait for was done or refused.", "`method`, `endpoint`, `status` [`resource`, `version`, `scim_type`]";
    FuseTripped = "fuse.tripped", Acts, "A connection went beyond a budget; an administrator has to decide.", "`hold`, `what`, `budget`, `window_seconds`, `beyond`";
    FuseUpdated = "fuse.updated", Acts, "Budgets of a connection were changed.", "`before`, `after`";
    HoldApproved = "hold.approved", Acts, "What went beyond a budget was approved.", "`what`, `connection`, `held`";
    HoldFinished = "hold.finished", Acts, "What was approved is made, as far as it could be.", "`applied`, `failed`, `dismissed`";
    HoldRejected = "hold.rejected", Acts, "What went beyond a budget was rejected.", "`what`, `connection`, `held`";
    UndoBegun = "undo.begun", Acts, "What a connection did in a time is taken back.", "`connection`, `undo`, `from`, `to`, `overwrite`";
    UndoEnded = "undo.ended", Acts, "It is taken back, as far as nobody else has changed it since.", "`restored`, `removed`, `changed`, `conflicts`";
    MailSent = "mail.sent", Acts, "A mail to somebody was handed over.", "`template`";
    MailFailed = "mail.failed", Acts, "A mail to somebody was given up.", "`template`, `attempts`";
    InvitationSent = "invitation.sent", Acts, "Somebody was asked to come, or asked again.", "`invitation`, `role`, `scope`, `expires`";
    InvitationAccepted = "invitation.accepted", Acts, "Somebody came who was invited.", "`invitation`";
    InvitationRevoked = "invitation.revoked", Acts, "An invitation was taken back.", "`invitation`";
    ScheduleSet = "schedule.set", Acts, "Something was planned for a user.", "`schedule`, `action`, `due`";
    RehireOffered = "rehire.offered", Acts, "Somebody new may be somebody who was deleted.", "`rehire`, `former`, `matched`";
    RehireAccepted = "rehire.accepted", Acts, "Somebody new was given what somebody had who was deleted.", "`rehire`, `former`";
    RehireDismissed = "rehire.dismissed", Acts, "Somebody decided that somebody new is nobody who was deleted.", "`rehire`, `former`";
    ScheduleCancelled = "schedule.cancelled", Acts, "What was planned will not be done.", "`schedule`";
    ScheduleDone = "schedule.done", Acts, "What was planned was done.", "`schedule`";
    ScheduleFailed = "schedule.failed", Acts, "What was planned was refused when it was due.", "`schedule`";
    ScheduleUnreadable = "schedule.unreadable", Acts, "An attribute says when a user leaves, and nobody can read it.", "`path`";
    TokenCreated = "token.created", Acts, "A token was made.", "id, kind and end of the token";
    TokenRevoked = "token.revoked", Acts, "A token was ended.", "id of the token";
    TenantCreated = "tenant.created", Policy, "The organisation was made.", "`slug`, `name`";
    TenantSuspended = "tenant.suspended", Policy, "The organisation was suspended: nobody has anything until it is resumed.", "`users`: what becomes of them, `closing`: id of that";
    TenantResumed = "tenant.resumed", Policy, "The organisation was resumed.", "`users`, `closing`";
    TenantDeleted = "tenant.deleted", Policy, "The organisation was deleted: nobody has anything.", "`users`, `closing`";
    TenantRestored = "tenant.restored", Policy, "The organisation was deleted and is suspended again.", "`users`, `closing`";
    TenantUsersTurned = "tenant.users_turned", Acts, "What was to become of the users is done.", "`users`, `closing`, `turned`, `stayed`, `failed`: how many";
    ConnectionCreated = "connection.created", Acts, "A connection was made.", "id and name";
    ConnectionSuspended = "connection.suspended", Acts, "A connection was suspended: its tokens do not work until it is resumed.", "`name`, `users`: what becomes of them, `closing`: id of that";
    ConnectionResumed = "connection.resumed", Acts, "A connection was resumed.", "`name`, `users`, `closing`";
    ConnectionDeleted = "connection.deleted", Acts, "A connection was deleted.", "`name`, `users`, `closing`";
    ConnectionUsersTurned = "connection.users_turned", Acts, "What was to become of the users of a connection is done.", "`users`, `closing`, `turned`, `stayed`, `failed`: how many";
    ReceiverCreated = "receiver.created", Acts, "Somebody is told of what happens from now on.", "id and `name`";
    ReceiverChanged = "receiver.changed", Acts, "A receiver or its secrets were changed.", "`attributes`";
    ReceiverPaused = "receiver.paused", Acts, "A receiver is sent nothing until it is resumed.", "`reason`: `asked`, `gone`, `failing` or `unreadable`";
    ReceiverResumed = "receiver.resumed", Acts, "A receiver is sent what happens again.", "";
    ReceiverDeleted = "receiver.deleted", Acts, "A receiver was removed.", "`name`";
    ReceiverTested = "receiver.tested", Acts, "Somebody had something sent to a receiver to try it.", "`state`";
    DeliveryDead = "delivery.dead", Acts, "Deliveries were given up.", "`positions`";
    DeliveryReplayed = "delivery.replayed", Acts, "Deliveries were asked for again.", "`dead`, or `from`: a position";
    RunOpened = "run.opened", Acts, "An account ended: everything that could still let the person in has to confirm that it does not.", "`user`";
    RunLate = "run.late", Acts, "An offboarding run was not confirmed by its deadline.", "`user`";
    RunConfirmed = "run.confirmed", Acts, "Every step of an offboarding run is confirmed.", "`user`";
    RunWithdrawn = "run.withdrawn", Acts, "The person may come in again, so their offboarding run ended without a result.", "`user`";
    StepAcknowledged = "step.acknowledged", Acts, "An enforcer took the request to end what a person has open.", "`user`, `step`";
    StepConfirmed = "step.confirmed", Acts, "It was found that an enforcer has nothing of a person open.", "`user`, `step`";
    StepRemoved = "step.removed", Acts, "An enforcer was removed before it had confirmed anything: nothing is known of what a person has open there.", "`user`, `step`";
    EnforcerCreated = "enforcer.created", Acts, "Somebody has to end what a person has open, when their account ends.", "id and `name`, whether it `probes`";
    EnforcerChanged = "enforcer.changed", Acts, "An enforcer or its secrets were changed.", "`attributes`, whether it `probes`";
    EnforcerPaused = "enforcer.paused", Acts, "An enforcer is not called until it is resumed.", "";
    EnforcerResumed = "enforcer.resumed", Acts, "An enforcer is called again.", "";
    EnforcerTested = "enforcer.tested", Acts, "Somebody had an enforcer called to try it.", "";
    EnforcerDeleted = "enforcer.deleted", Acts, "An enforcer was removed.", "`name`";
    LogCheckpointExported = "log.checkpoint_exported", Acts, "A checkpoint was handed out to be kept elsewhere.", "`seq`, `key`";
    LogUnreadable = "log.unreadable", Policy, "What a unit of work had done could not be read; its texts are kept as they are.", "`reason`, `head`, `records`";
    KeyRotated = "key.rotated", Acts, "New signatures are made with another key.", "`purpose`, `key`, `before`";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_and_has_one_text() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
            let (noun, verb) = kind.as_str().split_once('.').unwrap();
            let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(word(noun) && word(verb), "{kind}");
        }
        assert_eq!(Kind::parse("user.Created"), None);
    }

    #[test]
    fn every_class_reads_back() {
        for class in [Class::People, Class::Policy, Class::Acts] {
            assert_eq!(Class::from_number(class.number()), Some(class));
        }
        assert_eq!(Class::from_number(3), None);
    }

    #[test]
    fn the_page_on_the_log_has_the_catalogue() {
        let page = include_str!("../../docs/log.md");
        for kind in Kind::ALL {
            let class = kind.class().as_str();
            let row = format!("| `{kind}` | {class} | {} | {} |", kind.what(), kind.data());
            assert!(page.contains(&row), "docs/log.md lacks:\n{row}");
        }
    }
}
