//! What an enforcer is sent.

use serde_json::{Value, json};
use url::Url;

use super::judge::{Answers, Tried};
use crate::base::clock::Timestamp;
use crate::event::webhook::{self, WebhookSecret};
use crate::service::context::Services;
use crate::service::delivery::Parcel;
use crate::service::delivery::secrets::Secrets;
use crate::service::error::{Error, Result};
use crate::service::offboarding::enforcers::of;
use crate::store::runs::enforcers::Enforcer;
use crate::store::runs::hooks::{DueHook, Work};

/// One attempt: what is posted, signed for the instant at which it was made ready.
pub struct Call {
    pub(super) matter: Matter,
    /// The request to end everything; none where it was taken before.
    pub hook: Option<Parcel>,
    /// The question what is still open; none where it is not asked yet, or never.
    pub probe: Option<Parcel>,
}

/// What a call is made for.
pub(super) enum Matter {
    /// A step of a run.
    Step(DueHook, Tried),
    /// Somebody wants to see whether it works.
    Trial,
}

impl Call {
    /// Whether the probe is asked after what was answered so far: a request that was not taken ends a step's attempt.
    #[must_use]
    pub fn goes_on(&self, answers: &Answers) -> bool {
        let taken = |status: u16| (200..300).contains(&status);
        match (&self.matter, &answers.hook) {
            (Matter::Trial, _) | (Matter::Step(..), None) => true,
            (Matter::Step(..), Some(answer)) => answer.as_ref().is_ok_and(|reply| taken(reply.status)),
        }
    }
}

/// Writes what is sent to one enforcer.
pub(super) struct Writer<'a> {
    tenant: &'a str,
    enforcer: &'a Enforcer,
    secrets: Vec<WebhookSecret>,
    now: Timestamp,
}

impl<'a> Writer<'a> {
    pub(super) fn open(services: &Services, work: &'a Work, enforcer: &'a Enforcer, now: Timestamp) -> Result<Self> {
        let of = of(&work.tenant_uid, enforcer.uid.as_str());
        Ok(Self {
            tenant: &work.tenant_uid,
            enforcer,
            secrets: Secrets::open(services, of, &enforcer.sealed)?.signing(now)?,
            now,
        })
    }

    /// The next attempt at a step. Until the request is taken it is made, and made again once the deadline has passed: an
    /// enforcer that was set back meanwhile knows nothing of it any more.
    pub(super) fn step(&self, due: DueHook) -> Result<Call> {
        let was_acknowledged = due.step.acknowledged.is_some();
        let probe = self.enforcer.probe.as_deref();
        let ends = !was_acknowledged || probe.is_none() || self.now >= due.deadline;
        let place = format!("{}_{}", due.step.run_uid, self.enforcer.uid.as_str());
        let data = json!({
            "tenant": self.tenant,
            "run": due.step.run_uid,
            "user": { "id": due.user },
            "deadline": due.deadline.rfc3339(),
        });
        let end = (format!("run_{place}"), "offboarding.end", due.opened);
        // Each is another question, which somebody who remembers ids must not take for the last one.
        let ask = (
            format!("probe_{place}_{}", due.step.attempts),
            "offboarding.probe",
            self.now,
        );
        let tried = Tried {
            attempts: due.step.attempts,
            was_acknowledged,
            has_probe: probe.is_some(),
            deadline: due.deadline,
        };
        let hook = ends.then(|| self.parcel(&self.enforcer.url, end, &data));
        let probe = probe.filter(|_| was_acknowledged);
        Ok(Call {
            hook: hook.transpose()?,
            probe: probe.map(|probe| self.parcel(probe, ask, &data)).transpose()?,
            matter: Matter::Step(due, tried),
        })
    }

    /// A trial: requests that end nothing.
    pub(super) fn trial(&self) -> Result<Call> {
        let place = format!("{}_{}", self.enforcer.uid.as_str(), self.now.0);
        let data = json!({ "tenant": self.tenant });
        let test = |id: String| (id, "offboarding.test", self.now);
        let probe = self.enforcer.probe.as_deref();
        let probe = probe.map(|probe| self.parcel(probe, test(format!("probe_{place}")), &data));
        Ok(Call {
            matter: Matter::Trial,
            hook: Some(self.parcel(&self.enforcer.url, test(format!("test_{place}")), &data)?),
            probe: probe.transpose()?,
        })
    }

    fn parcel(&self, url: &str, (id, kind, at): (String, &str, Timestamp), data: &Value) -> Result<Parcel> {
        let body = json!({ "type": kind, "timestamp": at.rfc3339(), "data": data }).to_string();
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(webhook::headers(&id, self.now, &body, &self.secrets));
        Ok(Parcel {
            url: Url::parse(url).map_err(|fault| Error::Internal(Box::new(fault)))?,
            headers,
            body: body.into(),
        })
    }
}
