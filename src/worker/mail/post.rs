//! Where mail is handed over.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{Address, AsyncFileTransport, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::path::PathBuf;
use std::sync::Arc;

use super::text::Texts;
use crate::service::mail::{Outcome, Parcel};

/// What the operator has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `file:DIR`, `smtp://…`, `smtps://…` or `off`.
    pub mail: String,
    /// Who it is from: `Name <address>`.
    pub from: String,
    /// Texts that take the place of the ones compiled in.
    pub templates: Option<PathBuf>,
    /// What links begin with.
    pub origin: String,
}

/// Why mail cannot be sent as it is set.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not one of the ways there are. The text may hold a password, so it is not repeated.
    #[error("mail goes to `file:DIR`, `smtp://USER:PASSWORD@HOST`, `smtps://…`, or is `off`")]
    Way,
    /// Who it is from is no address.
    #[error("mail is from `{0}`, which is no address")]
    From(String),
    /// A text cannot be used.
    #[error("a mail template cannot be used: {0}")]
    Template(String),
}

/// Hands mail over; cheap to clone.
#[derive(Clone)]
pub struct Post(Arc<Inner>);

struct Inner {
    way: Way,
    from: Mailbox,
    /// In every `Message-ID`.
    domain: String,
    texts: Texts,
    origin: String,
}

enum Way {
    Off,
    /// A file a mail, in this folder, which is made with the first one.
    File(PathBuf),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

impl Post {
    /// As it is set. Nothing is opened yet.
    ///
    /// # Errors
    /// What cannot be meant, texts that cannot be used.
    pub fn open(settings: &Settings) -> Result<Self, Fault> {
        let way = match settings.mail.as_str() {
            "off" => Way::Off,
            mail => match mail.strip_prefix("file:") {
                Some("") => return Err(Fault::Way),
                Some(folder) => Way::File(PathBuf::from(folder)),
                None => Way::Smtp(
                    AsyncSmtpTransport::<Tokio1Executor>::from_url(mail)
                        .map_err(|_| Fault::Way)?
                        .build(),
                ),
            },
        };
        let from: Mailbox = settings.from.parse().map_err(|_| Fault::From(settings.from.clone()))?;
        Ok(Self(Arc::new(Inner {
            way,
            domain: from.email.domain().to_owned(),
            from,
            texts: Texts::load(settings.templates.as_deref()).map_err(Fault::Template)?,
            origin: settings.origin.trim_end_matches('/').to_owned(),
        })))
    }

    /// Whether mail waits until it is switched on.
    #[must_use]
    pub fn is_off(&self) -> bool {
        matches!(self.0.way, Way::Off)
    }

    /// Hands a mail over. It has the same `Message-ID` in every attempt.
    pub(super) async fn send(&self, parcel: &Parcel) -> Outcome {
        let Some(message) = self.message(parcel) else {
            return Outcome::NotNow;
        };
        let sent = match &self.0.way {
            Way::Off => false,
            Way::File(folder) => {
                let made = tokio::fs::create_dir_all(folder).await.is_ok();
                let files = AsyncFileTransport::<Tokio1Executor>::new(folder);
                made && files.send(message).await.is_ok()
            }
            Way::Smtp(smtp) => smtp.send(message).await.is_ok(),
        };
        if sent { Outcome::Sent } else { Outcome::NotNow }
    }

    fn message(&self, parcel: &Parcel) -> Option<Message> {
        let mut words = parcel.words.clone();
        words.push(("origin".to_owned(), self.0.origin.clone()));
        let token = parcel.token.as_ref();
        words.extend(token.map(|token| ("token".to_owned(), token.expose().clone())));
        let text = self.0.texts.fill(parcel.template, &words)?;
        let address: Address = parcel.address.parse().ok()?;
        let message = Message::builder()
            .from(self.0.from.clone())
            .to(Mailbox::new(parcel.name.clone(), address))
            .subject(text.subject)
            .message_id(Some(format!("<{}@{}>", parcel.id, self.0.domain)))
            .header(ContentType::TEXT_PLAIN);
        message.body(text.body).ok()
    }
}
