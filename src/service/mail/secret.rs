//! What a mail says that nobody but its reader may know: sealed until it is sent.

use serde_json::{Value, json};

use super::template::Template;
use crate::base::secret::Secret;
use crate::event::Owner;
use crate::service::access::desk::Desk;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::mail::NewMail;

/// What is sealed of a mail.
#[derive(Clone)]
pub(in crate::service) struct Letter {
    /// The address that it is for, and no other; that of the user where there is none.
    pub(in crate::service) to: Option<String>,
    /// What its reader proves themselves by.
    pub(in crate::service) token: Secret<String>,
}

impl Letter {
    fn text(&self) -> String {
        json!({ "to": self.to, "token": self.token.expose() }).to_string()
    }

    /// Reads what [`Self::text`] wrote; of mail of before it is the token alone.
    fn read(text: String) -> Self {
        let Ok(Value::Object(written)) = serde_json::from_str(&text) else {
            return Self {
                to: None,
                token: Secret::new(text),
            };
        };
        let member = |name: &str| written.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            to: member("to"),
            token: Secret::new(member("token").unwrap_or_default()),
        }
    }
}

/// What kind of secret it is.
pub(in crate::service) const MAIL: &str = "mail";

/// Posts a mail with a token in the unit of the desk: written with the save.
pub(in crate::service) async fn post_secret(
    desk: &mut Desk,
    (id, to): (String, crate::base::id::Pk),
    template: Template,
    words: &Value,
    letter: &Letter,
) -> Result<()> {
    let tenant = desk.services.tenant_uid(&desk.caller).await?;
    let sealed = desk
        .services
        .sealer()
        .wrap(&owner(&tenant, &id), letter.text().as_bytes())?;
    let mail = NewMail {
        id,
        to,
        secret: Some(sealed),
    };
    desk.unit
        .mails()
        .post(&[mail], template.as_str(), &words.to_string(), desk.now);
    Ok(())
}

/// What was sealed of a mail; `None` when its key is not there any more, as after the key file was changed.
///
/// # Errors
/// A database that does not answer.
pub(super) async fn open(services: &Services, caller: &Caller, mail: &str, sealed: &str) -> Result<Option<Letter>> {
    let tenant = services.tenant_uid(caller).await?;
    match services.sealer().unwrap(&owner(&tenant, mail), sealed) {
        Ok(sealed) => Ok(String::from_utf8(sealed.into_exposed()).ok().map(Letter::read)),
        Err(Error::Internal(fault)) => {
            tracing::error!(mail.id = mail, error = %fault, "what a mail says cannot be opened any more");
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

const fn owner<'a>(tenant: &'a str, mail: &'a str) -> Owner<'a> {
    Owner {
        what: MAIL,
        tenant,
        id: mail,
    }
}
