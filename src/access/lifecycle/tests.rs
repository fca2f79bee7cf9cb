//! Every status, everything that can be asked for, everybody who asks: against the table of docs/lifecycle.md.

use super::*;

const STATUSES: [Status; 7] = [
    Status::Invited,
    Status::Active,
    Status::Suspended,
    Status::Off(OffBy::Source),
    Status::Off(OffBy::Administrator),
    Status::Deleted,
    Status::Purged,
];

/// A row for what is asked and by whom: what becomes of each status, in the order of [`STATUSES`].
const TABLE: &[(Ask, By, [&str; 7])] = &[
    (
        Ask::Activate,
        By::Source,
        ["not accepted", "already", "held", "active", "held", "gone", "gone"],
    ),
    (
        Ask::Activate,
        By::Administrator,
        [
            "active",
            "already",
            "active",
            "active",
            "active",
            "deleted first",
            "gone",
        ],
    ),
    (
        Ask::Activate,
        By::Schedule,
        [
            "active",
            "already",
            "active",
            "active",
            "active",
            "deleted first",
            "gone",
        ],
    ),
    (
        Ask::Accept,
        By::Source,
        ["active", "already", "held", "held", "held", "gone", "gone"],
    ),
    (
        Ask::Accept,
        By::Administrator,
        ["active", "already", "held", "held", "held", "deleted first", "gone"],
    ),
    (
        Ask::Accept,
        By::Schedule,
        ["active", "already", "held", "held", "held", "deleted first", "gone"],
    ),
    (
        Ask::Suspend,
        By::Source,
        [
            "not theirs",
            "not theirs",
            "not theirs",
            "not theirs",
            "not theirs",
            "gone",
            "gone",
        ],
    ),
    (
        Ask::Suspend,
        By::Administrator,
        [
            "suspended",
            "suspended",
            "already",
            "suspended",
            "suspended",
            "deleted first",
            "gone",
        ],
    ),
    (
        Ask::Suspend,
        By::Schedule,
        [
            "suspended",
            "suspended",
            "already",
            "suspended",
            "held more",
            "deleted first",
            "gone",
        ],
    ),
    (
        Ask::Deactivate,
        By::Source,
        [
            "off by source",
            "off by source",
            "held",
            "already",
            "already",
            "gone",
            "gone",
        ],
    ),
    (
        Ask::Deactivate,
        By::Administrator,
        ["off", "off", "off", "off", "already", "deleted first", "gone"],
    ),
    (
        Ask::Deactivate,
        By::Schedule,
        ["off", "off", "off", "off", "already", "deleted first", "gone"],
    ),
    (
        ON,
        By::Source,
        [
            "not theirs",
            "not theirs",
            "not theirs",
            "not theirs",
            "not theirs",
            "gone",
            "gone",
        ],
    ),
    (
        ON,
        By::Administrator,
        [
            "not accepted",
            "already",
            "active",
            "already",
            "active",
            "deleted first",
            "gone",
        ],
    ),
    (
        ON,
        By::Schedule,
        [
            "not accepted",
            "already",
            "active",
            "already",
            "active",
            "deleted first",
            "gone",
        ],
    ),
    (
        OUT,
        By::Source,
        [
            "not theirs",
            "not theirs",
            "not theirs",
            "not theirs",
            "not theirs",
            "gone",
            "gone",
        ],
    ),
    (
        OUT,
        By::Administrator,
        [
            "not accepted",
            "already",
            "off by source",
            "already",
            "off by source",
            "deleted first",
            "gone",
        ],
    ),
    (
        OUT,
        By::Schedule,
        [
            "not accepted",
            "already",
            "off by source",
            "already",
            "off by source",
            "deleted first",
            "gone",
        ],
    ),
    (
        Ask::Delete,
        By::Source,
        ["deleted", "deleted", "deleted", "deleted", "deleted", "gone", "gone"],
    ),
    (
        Ask::Delete,
        By::Administrator,
        ["deleted", "deleted", "deleted", "deleted", "deleted", "gone", "gone"],
    ),
    (
        Ask::Delete,
        By::Schedule,
        ["deleted", "deleted", "deleted", "deleted", "deleted", "gone", "gone"],
    ),
    (
        BACK,
        By::Source,
        ["already", "already", "already", "already", "already", "gone", "gone"],
    ),
    (
        BACK,
        By::Administrator,
        ["already", "already", "already", "already", "already", "active", "gone"],
    ),
    (
        BACK,
        By::Schedule,
        ["already", "already", "already", "already", "already", "active", "gone"],
    ),
    (
        ASLEEP,
        By::Source,
        ["already", "already", "already", "already", "already", "gone", "gone"],
    ),
    (
        ASLEEP,
        By::Administrator,
        [
            "already",
            "already",
            "already",
            "already",
            "already",
            "off by source",
            "gone",
        ],
    ),
    (
        ASLEEP,
        By::Schedule,
        [
            "already",
            "already",
            "already",
            "already",
            "already",
            "off by source",
            "gone",
        ],
    ),
];

const ON: Ask = Ask::Return { source_active: true };
const OUT: Ask = Ask::Return { source_active: false };
const BACK: Ask = Ask::Restore { active: true };
const ASLEEP: Ask = Ask::Restore { active: false };

fn told(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Turns(Status::Off(OffBy::Source)) => "off by source",
        Verdict::Turns(Status::Off(OffBy::Administrator)) => "off",
        Verdict::Turns(status) => status.as_str(),
        Verdict::Already => "already",
        Verdict::Stays(Stay::Held) => "held",
        Verdict::Stays(Stay::NotAccepted) => "not accepted",
        Verdict::Stays(Stay::HeldMore) => "held more",
        Verdict::Stays(Stay::NotTheirs) => "not theirs",
        Verdict::Refused(Refusal::Deleted) => "deleted first",
        Verdict::Refused(Refusal::Gone) => "gone",
    }
}

#[test]
fn every_cell_is_as_the_table_says() {
    for (ask, by, expected) in TABLE {
        let came = STATUSES.map(|from| told(turn(from, *ask, *by, Joining::Accepts)));
        assert_eq!(came, *expected, "{ask:?} by {by:?}");
    }
    assert_eq!(TABLE.len(), 9 * 3);
}

#[test]
fn provisioning_takes_in_who_is_invited_only_where_it_may() {
    let ask = |from| turn(from, Ask::Activate, By::Source, Joining::Joins);
    assert_eq!(ask(Status::Invited), Verdict::Turns(Status::Active));
    for from in STATUSES.into_iter().filter(|from| *from != Status::Invited) {
        assert_eq!(
            ask(from),
            turn(from, Ask::Activate, By::Source, Joining::Accepts),
            "{from:?}"
        );
    }
}

#[test]
fn nothing_but_an_administrator_or_a_plan_lifts_what_an_administrator_holds() {
    for from in [Status::Suspended, Status::Off(OffBy::Administrator)] {
        for (ask, _, _) in TABLE
            .iter()
            .filter(|(ask, by, _)| *by == By::Source && *ask != Ask::Delete)
        {
            let verdict = turn(from, *ask, By::Source, Joining::Joins);
            assert!(!matches!(verdict, Verdict::Turns(_)), "{from:?} {ask:?}: {verdict:?}");
        }
    }
}

#[test]
fn a_status_is_what_is_stored_of_it() {
    for status in STATUSES.into_iter().take(5) {
        assert_eq!(Status::of(status.is_active(), status.hold()), status);
    }
    for hold in [Hold::Invited, Hold::Suspended, Hold::Off] {
        assert_eq!(Hold::parse(hold.as_str()), Some(hold));
        assert!(!Status::of(true, Some(hold)).is_active());
    }
    assert_eq!(Hold::parse("gone"), None);
}

#[test]
fn a_rule_keeps_out_only_whom_nothing_else_does() {
    for keeps in [Keeps::Suspended, Keeps::Deactivated] {
        for from in STATUSES {
            let expected = if from == Status::Active { keeps.status() } else { from };
            assert_eq!(from.under(Some(keeps)), expected, "{from:?}");
            assert_eq!(from.under(None), from);
        }
        assert!(!keeps.status().is_active());
        assert_eq!(keeps.status().beneath(true), Status::Active);
        assert_eq!(keeps.status().beneath(false), keeps.status());
        assert_eq!(Keeps::parse(keeps.as_str()), Some(keeps));
    }
    assert_eq!(Keeps::parse("invited"), None);
}

#[test]
fn whatever_is_asked_of_whom_a_rule_keeps_out_is_asked_of_who_they_are_beneath_it() {
    let asked = |ask, by| turn(Status::Suspended.beneath(true), ask, by, Joining::Accepts);
    // The word of provisioning for them changes nothing, its word against them counts.
    assert_eq!(asked(Ask::Activate, By::Source), Verdict::Already);
    assert_eq!(
        asked(Ask::Deactivate, By::Source),
        Verdict::Turns(Status::Off(OffBy::Source))
    );
    // What an administrator decides is theirs, and outlasts the rule.
    assert_eq!(
        asked(Ask::Suspend, By::Administrator),
        Verdict::Turns(Status::Suspended)
    );
    assert_eq!(asked(Ask::Suspend, By::Schedule), Verdict::Turns(Status::Suspended));
}
