//! Mail on its way out: taken for one attempt, handed to the worker, and settled by what came of it.

use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

use super::secret::{Letter, open};
use super::template::Template;
use crate::base::id::{Pk, ResourceId};
use crate::base::secret::Secret;
use crate::service::access::desk::{Change, Desk, perform};
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::Result;
use crate::service::ledger::{self, What};
use crate::service::schemas::Vocabulary;
use crate::store::Kind;
use crate::store::mail::{self, Due};

/// Mails that are taken up in one go.
const MOST_DUE: u32 = 20;

/// How long after each attempt the next one is made: longer than a server takes to refuse, and together more than a day.
const PAUSES: [Duration; 6] = [
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
    Duration::from_hours(4),
    Duration::from_hours(8),
    Duration::from_hours(12),
];

/// How long after the last attempt a mail is given up whose worker has not said what came of it.
const SETTLED_BY: Duration = Duration::from_mins(10);

/// A mail as the worker sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Names it in every attempt.
    pub id: String,
    /// Where it goes: an address.
    pub address: String,
    /// Name for people.
    pub name: Option<String>,
    /// What it says.
    pub template: Template,
    /// Words of the template with their values; `tenant` is always there.
    pub words: Vec<(String, String)>,
    /// The word `token`, of a mail that has one.
    pub token: Option<Secret<String>>,
    /// For [`settle`].
    ticket: Ticket,
}

/// Which mail it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ticket {
    tenant: crate::base::id::TenantId,
    slug: String,
    number: i64,
    template: String,
    attempts: i64,
    to: Option<(Pk, ResourceId)>,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was handed over.
    Sent,
    /// It was not; later it may be.
    NotNow,
}

/// Takes what is due, each for one attempt of this worker alone. What has no address, or was tried often enough, is given
/// up. One that cannot be taken is told in the program's log, and does not keep others back.
///
/// # Errors
/// A database that does not answer.
pub async fn due(services: &Services) -> Result<Vec<Parcel>> {
    let mut parcels = Vec::new();
    for due in mail::due(services.db(), services.clock().now(), MOST_DUE).await? {
        let id = due.id.clone();
        match take(services, due).await {
            Ok(parcel) => parcels.extend(parcel),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                mail.id = id,
                "a mail could not be taken up; it is tried again"
            ),
        }
    }
    Ok(parcels)
}

/// Takes one; none where it is given up, or somebody else has it.
async fn take(services: &Services, due: Due) -> Result<Option<Parcel>> {
    let ticket = Ticket::of(&due);
    let caller = ticket.caller(services);
    let letter = match &due.secret {
        Some(sealed) => open(services, &caller, &due.id, sealed).await?,
        None => None,
    };
    let made = usize::try_from(due.attempt).unwrap_or(usize::MAX);
    let parcel = parcel(due, letter, &ticket).filter(|_| made <= PAUSES.len());
    let Some(parcel) = parcel else {
        end(services, ticket, What::MailFailed).await?;
        return Ok(None);
    };
    let pause = PAUSES.get(made).copied().unwrap_or(SETTLED_BY);
    let ours = perform(services, &caller, Taking(ticket, pause)).await?;
    Ok(ours.then_some(parcel))
}

/// Says what came of an attempt.
///
/// # Errors
/// A database that does not answer.
pub async fn settle(services: &Services, parcel: Parcel, outcome: Outcome) -> Result<()> {
    match outcome {
        Outcome::Sent => end(services, parcel.ticket, What::MailSent).await,
        Outcome::NotNow if parcel.ticket.is_last() => {
            let attempts = parcel.ticket.attempts + 1;
            end(
                services,
                Ticket {
                    attempts,
                    ..parcel.ticket
                },
                What::MailFailed,
            )
            .await
        }
        // It is due again already.
        Outcome::NotNow => Ok(()),
    }
}

async fn end(services: &Services, ticket: Ticket, what: What) -> Result<()> {
    let caller = ticket.caller(services);
    perform(services, &caller, Ending(ticket, what)).await
}

impl Ticket {
    fn of(due: &Due) -> Self {
        Self {
            tenant: due.tenant,
            slug: due.slug.clone(),
            number: due.number,
            template: due.template.clone(),
            attempts: due.attempt,
            to: due.to.as_ref().map(|(pk, id, _)| (*pk, id.clone())),
        }
    }

    /// Whether no attempt comes after this one.
    fn is_last(&self) -> bool {
        usize::try_from(self.attempts).is_ok_and(|made| made >= PAUSES.len())
    }

    fn caller(&self, services: &Services) -> Caller {
        let request = services.ids().next().into_string();
        let (slug, authority) = (Arc::from(self.slug.as_str()), Authority::Operator("mail"));
        // A mail is about somebody, and reads no more of them than every server knows.
        let words = Vocabulary::builtin();
        Caller::new((self.tenant, slug), words, authority, Arc::from(request))
    }
}

fn parcel(due: Due, letter: Option<Letter>, ticket: &Ticket) -> Option<Parcel> {
    if due.secret.is_some() && letter.is_none() {
        return None;
    }
    let (to, token) = letter.map_or((None, None), |letter| (letter.to, Some(letter.token)));
    let (_, _, document) = due.to?;
    let document: Value = serde_json::from_str(&document).ok()?;
    let data: Value = serde_json::from_str(&due.data).ok()?;
    let mut words = vec![("tenant".to_owned(), due.slug)];
    for (name, value) in data.as_object()? {
        words.push((
            name.clone(),
            value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        ));
    }
    Some(Parcel {
        id: due.id,
        address: to.or_else(|| address(&document))?,
        name: document["displayName"].as_str().map(str::to_owned),
        template: Template::parse(&due.template)?,
        words,
        token,
        ticket: ticket.clone(),
    })
}

/// The address of a user: the primary one, the first one, or a `userName` that is one.
fn address(document: &Value) -> Option<String> {
    let emails = document["emails"].as_array().map(Vec::as_slice).unwrap_or_default();
    let primary = emails.iter().find(|email| email["primary"] == true);
    let email = primary.or(emails.first()).and_then(|email| email["value"].as_str());
    let name = document["userName"].as_str().filter(|name| name.contains('@'));
    email.or(name).map(str::to_owned)
}

struct Taking(Ticket, Duration);

impl Change for Taking {
    /// Whether nobody else has taken it.
    type Made = bool;

    async fn make(&self, desk: &mut Desk) -> Result<bool> {
        let again = desk.now.plus(self.1);
        Ok(desk.unit.mails().take(self.0.number, self.0.attempts, again).await?)
    }
}

struct Ending(Ticket, What);

impl Change for Ending {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let Self(ticket, what) = self;
        if desk.unit.mails().remove(ticket.number).await? {
            let data = match what {
                What::MailFailed => json!({ "template": ticket.template, "attempts": ticket.attempts }),
                _ => json!({ "template": ticket.template }),
            };
            let subject = ticket.to.as_ref().map_or_else(
                || ledger::thing(ledger::Thing::Tenant, &ticket.slug),
                |(pk, id)| ledger::resource(Kind::User, *pk, id),
            );
            desk.note(*what, subject, &data);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_goes_to_the_primary_address_the_first_or_the_name() {
        let emails = json!([{"value": "a@example.com"}, {"value": "b@example.com", "primary": true}]);
        let of = |document: Value| address(&document);
        assert_eq!(
            of(json!({"emails": emails, "userName": "c@example.com"})).unwrap(),
            "b@example.com"
        );
        assert_eq!(
            of(json!({"emails": [{"value": "a@example.com"}]})).unwrap(),
            "a@example.com"
        );
        assert_eq!(of(json!({"userName": "c@example.com"})).unwrap(), "c@example.com");
        assert_eq!(of(json!({"userName": "ada"})), None);
    }
}
