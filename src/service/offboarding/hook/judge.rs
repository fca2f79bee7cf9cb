//! What an enforcer's answer means. Nothing that it says is kept, but for a number and a digest.

use std::time::Duration;

use serde::Deserialize;

use crate::base::clock::Timestamp;
use crate::event::Hash;
use crate::event::certificate::Proof;
use crate::service::delivery::Failure;
use crate::service::offboarding::enforcers::Said;
use crate::store::runs::step::Outcome;

/// Longest pause between two attempts while the deadline has not passed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Pause between two attempts once the deadline has passed.
const LATE_PAUSE: Duration = Duration::from_mins(5);

/// How long after its deadline a step is tried so often; then once an hour.
const TRIED_HARD: Duration = Duration::from_hours(24);

/// Pause between two attempts after that.
const LAST_PAUSE: Duration = Duration::from_hours(1);

/// What was answered to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// The body, as far as it was read.
    pub body: Vec<u8>,
    /// Whether that is all of it.
    pub is_whole: bool,
}

/// What was answered in one attempt; none to what was not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// To the request to end everything.
    pub hook: Option<Result<Reply, Failure>>,
    /// To the question what is still open.
    pub probe: Option<Result<Reply, Failure>>,
}

/// A step as it was when it was tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    /// How often it had been tried before.
    pub(super) attempts: i64,
    /// Whether its enforcer had said before that it will.
    pub(super) was_acknowledged: bool,
    /// Whether its enforcer has a probe.
    pub(super) has_probe: bool,
    /// Until when everything has to be confirmed.
    pub(super) deadline: Timestamp,
}

/// What a probe has to answer, beside whatever else.
#[derive(Deserialize)]
struct Open {
    /// How many sessions, tokens and the like of the person still let them in.
    open: u64,
}

/// What the attempt came to, and how it is known where nothing is open any more.
pub(super) fn judge(tried: Tried, answers: &Answers, now: Timestamp) -> Result<Outcome, serde_json::Error> {
    let again = |trouble: String| Outcome::Again {
        at: now.plus(pause(tried, now)),
        trouble,
    };
    let taken = match &answers.hook {
        None => None,
        Some(answer) => match accepted("its URL", answer) {
            Ok(reply) => Some(reply.status),
            Err(trouble) => return Ok(again(trouble)),
        },
    };
    let proof = match (&answers.probe, taken) {
        (Some(answer), _) => match nothing_open(answer) {
            Ok(proof) => proof,
            Err(trouble) => return Ok(again(trouble)),
        },
        (None, Some(status)) if !tried.has_probe => Proof::Acknowledgement { status },
        (None, Some(_)) if !tried.was_acknowledged => return Ok(Outcome::Acknowledged { ask: now }),
        (None, _) => return Ok(again("it was not asked what is open".to_owned())),
    };
    Ok(Outcome::Confirmed {
        proof: serde_json::to_string(&proof)?,
    })
}

/// The reply where it is a success, else what is wrong.
fn accepted<'a>(whose: &str, answer: &'a Result<Reply, Failure>) -> Result<&'a Reply, String> {
    match answer {
        Ok(reply) if (200..300).contains(&reply.status) => Ok(reply),
        Ok(reply) => Err(format!("{whose} answered {}", reply.status)),
        Err(Failure::Timeout) => Err(format!("{whose} did not answer in time")),
        Err(Failure::Redirect) => Err(format!("{whose} answered with a redirect, which is not followed")),
        Err(Failure::Address) => Err(format!("{whose} leads to an address that may not be connected to")),
        Err(Failure::Status | Failure::Connection) => Err(format!("{whose} was not reached")),
    }
}

/// How it is known that nothing is open; else why it is not.
fn nothing_open(answer: &Result<Reply, Failure>) -> Result<Proof, String> {
    let reply = accepted("its probe", answer)?;
    match open(reply) {
        Some(0) => Ok(Proof::Probe {
            status: reply.status,
            answer: Hash::of(&reply.body).to_string(),
        }),
        Some(open) => Err(format!("its probe says that {open} are open")),
        None => Err("its probe does not say how many are open".to_owned()),
    }
}

/// What a probe says; none where it is not a whole object with a whole number.
fn open(reply: &Reply) -> Option<u64> {
    // A list would be read as the members of the object in their order.
    let is_object = reply.body.trim_ascii_start().starts_with(b"{");
    let read = (reply.is_whole && is_object).then(|| serde_json::from_slice::<Open>(&reply.body));
    read?.ok().map(|answer| answer.open)
}

/// 1, 2, 4 … 30 seconds; five minutes once the deadline has passed, and an hour a day later.
fn pause(tried: Tried, now: Timestamp) -> Duration {
    if now >= tried.deadline.plus(TRIED_HARD) {
        return LAST_PAUSE;
    }
    if now >= tried.deadline {
        return LATE_PAUSE;
    }
    let before = tried.attempts - i64::from(tried.was_acknowledged);
    let doublings = u32::try_from(before.clamp(0, 5)).unwrap_or(5);
    Duration::from_secs(1 << doublings).min(LONGEST_PAUSE)
}

/// What a trial shows of the URL.
pub(super) fn hook_said(answer: Option<&Result<Reply, Failure>>) -> Said {
    let said = answer.map_or_else(
        || Err("its URL was not asked".to_owned()),
        |answer| accepted("its URL", answer).map(|reply| format!("its URL answered {}", reply.status)),
    );
    said_of(said)
}

/// What a trial shows of the probe: any number will do.
pub(super) fn probe_said(answer: &Result<Reply, Failure>) -> Said {
    said_of(accepted("its probe", answer).and_then(|reply| match open(reply) {
        Some(open) => Ok(format!("its probe says that {open} are open")),
        None => Err("its probe does not say how many are open".to_owned()),
    }))
}

fn said_of(said: Result<String, String>) -> Said {
    Said {
        ok: said.is_ok(),
        says: said.unwrap_or_else(|trouble| trouble),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Timestamp = Timestamp(300_000_000);

    fn tried(attempts: i64, was_acknowledged: bool) -> Tried {
        Tried {
            attempts,
            was_acknowledged,
            has_probe: true,
            deadline: DEADLINE,
        }
    }

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            body: body.as_bytes().to_vec(),
            is_whole: true,
        }
    }

    fn probed(body: &str) -> Outcome {
        let answers = Answers {
            hook: None,
            probe: Some(Ok(reply(200, body))),
        };
        judge(tried(1, true), &answers, Timestamp(0)).unwrap()
    }

    #[test]
    fn only_an_object_that_says_that_none_are_open_confirms() {
        for good in [r#"{"open":0}"#, " \n{\"open\": 0, \"at\": \"now\"}\n"] {
            let Outcome::Confirmed { proof } = probed(good) else {
                panic!("{good}")
            };
            assert!(proof.contains(&Hash::of(good.as_bytes()).to_string()), "{proof}");
        }
        for bad in [
            "",
            "0",
            "[0]",
            "null",
            "{}",
            "open: 0",
            r#"{"open":-1}"#,
            r#"{"open":-0}"#,
            r#"{"open":0.0}"#,
            r#"{"open":"0"}"#,
            r#"{"open":null}"#,
            r#"{"open":false}"#,
            r#"{"open":1e999}"#,
            r#"{"Open":0}"#,
            r#"{"open":18446744073709551616}"#,
            r#"{"open":1,"open":0}"#,
            r#"{"open":0,"open":0}"#,
            r#"{"open":0}{"#,
            r#"{"data":{"open":0}}"#,
            "<html>{\"open\":0}</html>",
        ] {
            let Outcome::Again { trouble, .. } = probed(bad) else {
                panic!("{bad}")
            };
            assert_eq!(trouble, "its probe does not say how many are open", "{bad}");
        }
        let Outcome::Again { trouble, .. } = probed(r#"{"open":18446744073709551615}"#) else {
            panic!()
        };
        assert_eq!(trouble, "its probe says that 18446744073709551615 are open");
    }

    #[test]
    fn the_beginning_of_an_answer_confirms_nothing() {
        let reply = Reply {
            status: 200,
            body: br#"{"open":0}"#.to_vec(),
            is_whole: false,
        };
        let answers = Answers {
            hook: None,
            probe: Some(Ok(reply)),
        };
        let outcome = judge(tried(1, true), &answers, Timestamp(0)).unwrap();
        assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
    }

    #[test]
    fn an_acknowledgement_confirms_only_where_there_is_no_probe() {
        let answers = Answers {
            hook: Some(Ok(reply(202, r#"{"open":0}"#))),
            probe: None,
        };
        let now = Timestamp(7);
        assert_eq!(
            judge(tried(0, false), &answers, now).unwrap(),
            Outcome::Acknowledged { ask: now }
        );
        let believed = Tried {
            has_probe: false,
            ..tried(0, false)
        };
        let proof = r#"{"by":"acknowledgement","status":202}"#.to_owned();
        assert_eq!(judge(believed, &answers, now).unwrap(), Outcome::Confirmed { proof });
        let refused = Answers {
            hook: Some(Ok(reply(500, ""))),
            probe: None,
        };
        assert!(matches!(judge(believed, &refused, now).unwrap(), Outcome::Again { .. }));
    }

    #[test]
    fn pauses_double_to_half_a_minute_and_are_longer_when_it_is_late() {
        let seconds = |attempts, acknowledged, at| pause(tried(attempts, acknowledged), Timestamp(at)).as_secs();
        let in_time: Vec<u64> = (0..8).map(|attempts| seconds(attempts, false, 0)).collect();
        assert_eq!(in_time, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!((seconds(1, true, 0), seconds(2, true, 0)), (1, 2));
        assert_eq!(seconds(9, true, DEADLINE.0), 300);
        let day = i64::try_from(TRIED_HARD.as_micros()).unwrap();
        assert_eq!(
            (
                seconds(9, true, DEADLINE.0 + day - 1),
                seconds(9, true, DEADLINE.0 + day)
            ),
            (300, 3600)
        );
    }
}
