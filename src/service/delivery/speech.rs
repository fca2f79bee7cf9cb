//! How a receiver is told: what it is sent of the log, and in which words.

use std::sync::Arc;

use super::attempt::Parcel;
use super::relay::Work;
use super::secrets::{Authorization, Of, Secrets};
use super::sets::{self, Settings};
use super::wanted::Wanted;
use crate::base::clock::Timestamp;
use crate::event::set::{self, Stream};
use crate::event::webhook::{self, WebhookSecret};
use crate::event::{Event, Seq, SigningKey};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::keys::{self, Purpose};
use crate::store::delivery::receivers::{Kind, Receiver};
use crate::store::log::events::Kept;
use url::Url;

/// How a receiver is told.
pub(super) enum Speech {
    /// Events as JSON, signed for each attempt.
    Webhook {
        /// Which.
        wanted: Wanted,
        /// What signs.
        secrets: Secrets,
    },
    /// Security event tokens (RFC 8935).
    Set {
        /// Which.
        stream: Stream,
        /// What signs.
        signer: Arc<SigningKey>,
        /// What the receiver knows this server by.
        authorization: Authorization,
    },
}

/// What an answer with the status 400 has that refuses a token (RFC 8935 §2.3).
#[derive(serde::Deserialize)]
struct Refusal {
    err: String,
}

/// Words of a refusal that say nothing of the token: the receiver does not know the key yet, or this server no more. The
/// next token would be refused as well, and this one accepted when that is mended.
const OF_THE_CHANNEL: [&str; 3] = ["invalid_key", "authentication_failed", "access_denied"];

impl Speech {
    /// How this receiver is told.
    pub(super) async fn of(services: &Services, work: &Work, receiver: &Receiver) -> Result<Self> {
        let of = Of {
            tenant: &work.tenant_uid,
            receiver: receiver.uid.as_str(),
        };
        Ok(match receiver.kind {
            Kind::Webhook => Self::Webhook {
                wanted: Wanted::read(&receiver.settings)?,
                secrets: Secrets::open(services, of, &receiver.sealed)?,
            },
            Kind::Push | Kind::Poll => Self::Set {
                stream: Settings::read(&receiver.settings)?.stream(receiver.uid.as_str()),
                signer: keys::signer(services, Purpose::Set).await?,
                authorization: Authorization::open(services, of, &receiver.sealed)?,
            },
        })
    }

    /// Whether the receiver of this id is sent an event.
    pub(super) fn sends(&self, receiver: &str, event: &Event) -> bool {
        match self {
            Self::Webhook { wanted, .. } => wanted.sends(receiver, event),
            Self::Set { stream, .. } => stream.tells(event),
        }
    }

    /// What it is told about events that it is sent: one text for each, in their order, the same at every attempt.
    pub(super) async fn texts(
        &self,
        services: &Services,
        caller: &Caller,
        work: &Work,
        kept: &[Kept],
    ) -> Result<Vec<String>> {
        match self {
            Self::Webhook { .. } => {
                let body = |kept: &Kept| webhook::body(&work.tenant_uid, &kept.event);
                let bodies: std::result::Result<_, _> = kept.iter().map(body).collect();
                bodies.map_err(|fault| Error::Internal(Box::new(fault)))
            }
            Self::Set { stream, .. } => sets::claims(services, caller, stream, kept).await,
        }
    }

    /// The request that tells it so at an instant.
    pub(super) fn parcel(&self, work: &Work, url: Url, (seq, text): (Seq, &Arc<str>), at: Timestamp) -> Result<Parcel> {
        match self {
            Self::Webhook { secrets, .. } => {
                let secrets: Vec<WebhookSecret> = secrets.signing(at)?;
                let id = webhook::message_id(&work.tenant_uid, seq);
                let mut headers = vec![("content-type", "application/json".to_owned())];
                headers.extend(webhook::headers(&id, at, text, &secrets));
                let body = Arc::clone(text);
                Ok(Parcel { url, headers, body })
            }
            Self::Set {
                signer, authorization, ..
            } => {
                let mut headers = vec![
                    ("content-type", format!("application/{}", set::TYPE)),
                    ("accept", "application/json".to_owned()),
                ];
                headers.extend(authorization.header().map(|value| ("authorization", value)));
                let body = sets::token(signer, text)?.into();
                Ok(Parcel { url, headers, body })
            }
        }
    }

    /// Whether an answer says that what was sent will never be accepted: sent again, it would be refused again.
    pub(super) fn is_refused(&self, status: u16, body: &[u8]) -> bool {
        let of_the_token = |refusal: Refusal| !OF_THE_CHANNEL.contains(&refusal.err.as_str());
        let refused = || serde_json::from_slice::<Refusal>(body).is_ok_and(of_the_token);
        matches!(self, Self::Set { .. }) && status == 400 && refused()
    }
}
