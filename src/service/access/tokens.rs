//! Bearer tokens: nobody makes one that can do more than they can, or for longer than the one they make it with.

use serde_json::json;

use super::authority::{GIVE, INTEGRATIONS, held, require};
use super::desk::{Change, Desk, perform};
use super::invariants::user_of;
use super::page::{Page, Paging};
use crate::access::permission::Permissions;
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::base::secret::Secret;
use crate::service::context::{Authority, Caller, Services};
use crate::service::credentials::{self, Holder, Issued};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store::Kind;
use crate::store::closing::State;
use crate::store::tokens::{Bearer, Token as Row};

/// A token as it is listed: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub holder: Holder,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// When it was last used, to within a few seconds.
    pub last_used: Option<Timestamp>,
    /// When it was or will be revoked.
    pub revoked: Option<Timestamp>,
}

/// The tokens of the organisation, oldest first, ended ones too.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, paging: &Paging) -> Result<Page<Token>> {
    require(services, caller, &[INTEGRATIONS, GIVE]).await?;
    let reader = services.read(caller);
    let rows = reader.tokens().page(paging.after()?, paging.rows()).await?;
    Ok(paging.cut(rows, |row| row.id).map(shown))
}

fn shown(row: Row) -> Token {
    let word = |start: &str| row.label.strip_prefix(start).unwrap_or(&row.label).to_owned();
    Token {
        holder: match row.bearer {
            Bearer::Connection(_) => Holder::Connection(word("connection ")),
            Bearer::Admin => Holder::Admin,
            Bearer::User(_) => Holder::User(word("user ")),
        },
        id: row.uid.into_string(),
        created: row.created,
        expires: row.expires,
        last_used: row.last_used,
        revoked: row.revoked,
    }
}

/// Makes a token; it is shown this once. Made with a token that ends, it ends then where nothing else is said.
///
/// # Errors
/// `Forbidden` for who cannot do what it could; a holder that does not exist; an end that has passed, or comes after
/// that of the token it is made with.
pub async fn create(
    services: &Services,
    caller: &Caller,
    holder: &Holder,
    expires: Option<Timestamp>,
) -> Result<Issued> {
    let now = services.clock().now();
    match holder {
        Holder::User(id) => may_act_as(caller, id)?,
        Holder::Connection(_) | Holder::Admin => {
            let held = held(services, caller).await?;
            held.mints(services, power(services, holder))?;
        }
    }
    if expires.is_some_and(|at| at <= now) {
        return Err(Error::invalid("/expires", "the token would have ended already"));
    }
    let expires = no_later(caller, expires)?;
    let token = credentials::generate();
    let minting = Minting {
        id: services.ids().next(),
        holder: holder.clone(),
        token: token.clone(),
        expires,
    };
    let id = minting.id.as_str().to_owned();
    perform(services, caller, minting).await?;
    Ok(Issued { id, token, expires })
}

/// The end of a token that a caller makes. Else a token that was given for a while could be made to last.
fn no_later(caller: &Caller, asked: Option<Timestamp>) -> Result<Option<Timestamp>> {
    match (caller.ends(), asked) {
        (Some(end), Some(at)) if at > end => Err(Error::invalid(
            "/expires",
            format!(
                "a token ends no later than the one it is made with: `{}`",
                end.rfc3339()
            ),
        )),
        (end, asked) => Ok(asked.or(end)),
    }
}

/// What a token of a connection or of an administrator can do.
fn power(services: &Services, holder: &Holder) -> Permissions {
    match holder {
        // It makes users and groups, and so what their groups and rules give.
        Holder::Connection(_) => services.catalogue().known([INTEGRATIONS, GIVE]),
        Holder::Admin | Holder::User(_) => services.catalogue().all(),
    }
}

/// A token of a user is theirs to make: it can do all they can, now and later. Administration makes first ones for
/// them, but not for the owner, which the unit looks at: it would be the owner then.
fn may_act_as(caller: &Caller, id: &str) -> Result<()> {
    match caller.authority() {
        Authority::Operator(_) | Authority::System(_) | Authority::Admin => Ok(()),
        Authority::User(own) if own == id => Ok(()),
        Authority::User(_) | Authority::Connection(_) => Err(Error::Forbidden(
            "a token of a user is made by that user, or by an administrator's token".to_owned(),
        )),
    }
}

/// Nobody hands ownership over until the unit ends: a token made meanwhile would be the next owner's.
async fn not_of_the_owner(desk: &mut Desk, user: Pk) -> Result<()> {
    desk.unit.policy().share().await?;
    let owner = desk.unit.grants().owner().await?;
    if owner.as_ref().and_then(user_of) == Some(user) {
        return Err(Error::Forbidden(
            "a token of the owner is made by the owner, or by the operator on the command line".to_owned(),
        ));
    }
    Ok(())
}

struct Minting {
    id: ResourceId,
    holder: Holder,
    token: Secret<String>,
    expires: Option<Timestamp>,
}

impl Minting {
    async fn bearer(&self, desk: &mut Desk) -> Result<(Bearer, String)> {
        match &self.holder {
            Holder::Admin => Ok((Bearer::Admin, "admin".to_owned())),
            Holder::Connection(name) => {
                let found = desk.unit.connections().find(name).await?;
                let missing = || Error::invalid("/connection", format!("there is no connection `{name}`"));
                let found = found
                    .filter(|found| found.state != State::Deleted)
                    .ok_or_else(missing)?;
                Ok((Bearer::Connection(found.id), format!("connection {name}")))
            }
            Holder::User(id) => {
                let ids = [ResourceId::new(id.as_str())];
                let found = desk.unit.resources().pks(&ids).await?.into_iter().next();
                let user = found.filter(|(_, _, kind)| *kind == Kind::User);
                let missing = || Error::invalid("/user", format!("there is no user `{id}`"));
                let (_, pk, _) = user.ok_or_else(missing)?;
                if matches!(desk.caller.authority(), Authority::Admin) {
                    not_of_the_owner(desk, pk).await?;
                }
                Ok((Bearer::User(pk), format!("user {id}")))
            }
        }
    }
}

impl Change for Minting {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        let (bearer, label) = self.bearer(desk).await?;
        let data = json!({ "token": self.id.as_str(), "holder": label });
        let new = credentials::row(&self.id, &self.token, (bearer, label), desk.now, self.expires);
        desk.unit.tokens().create(new).await?;
        desk.note(What::TokenCreated, ledger::thing(Thing::Token, &self.id), &data);
        Ok(())
    }
}

/// Ends a token; when this returns, no node accepts it any more.
///
/// # Errors
/// `NotFound`; `Forbidden` for who could not make it, unless it is a user's and the caller manages users.
pub async fn revoke(services: &Services, caller: &Caller, id: &str) -> Result<()> {
    let held = held(services, caller).await?;
    let row = services.read(caller).tokens().find(&ResourceId::new(id)).await?;
    let row = row.ok_or(Error::NotFound)?;
    let token = shown(row);
    match (&token.holder, caller.authority()) {
        (Holder::User(of), Authority::User(own)) if of == own => {}
        (Holder::User(_), _) => held.covers(services, services.catalogue().known([GIVE]))?,
        (holder, _) => held.mints(services, power(services, holder))?,
    }
    perform(services, caller, Ending(ResourceId::new(id))).await?;
    credentials::until_everywhere(services).await;
    Ok(())
}

struct Ending(ResourceId);

impl Change for Ending {
    type Made = ();

    async fn make(&self, desk: &mut Desk) -> Result<()> {
        if !desk.unit.tokens().revoke(&self.0, desk.now).await? {
            return Err(Error::NotFound);
        }
        let data = json!({ "token": self.0.as_str() });
        desk.note(What::TokenRevoked, ledger::thing(Thing::Token, &self.0), &data);
        Ok(())
    }
}

/// Makes a successor of a token for the same holder; the old one works until `old_until`. Both or neither. Where nothing
/// is said of its end, it works as long as the old one was made for.
///
/// # Errors
/// `NotFound`; `Forbidden` for who could not make it, and for a token that has ended already; an end after that of the
/// token that the caller asks by.
pub async fn rotate(
    services: &Services,
    caller: &Caller,
    id: &str,
    old_until: Timestamp,
    expires: Option<Timestamp>,
) -> Result<Issued> {
    let held = held(services, caller).await?;
    held.mints(services, services.catalogue().all())?;
    let token = credentials::generate();
    let rotating = Rotating {
        old: ResourceId::new(id),
        old_until,
        id: services.ids().next(),
        token: token.clone(),
        expires: no_later(caller, expires)?,
    };
    let id = rotating.id.as_str().to_owned();
    let expires = perform(services, caller, rotating).await?;
    Ok(Issued { id, token, expires })
}

struct Rotating {
    old: ResourceId,
    old_until: Timestamp,
    id: ResourceId,
    token: Secret<String>,
    expires: Option<Timestamp>,
}

impl Change for Rotating {
    /// When the successor ends.
    type Made = Option<Timestamp>;

    async fn make(&self, desk: &mut Desk) -> Result<Option<Timestamp>> {
        let old = desk.unit.tokens().find(&self.old).await?.ok_or(Error::NotFound)?;
        if old.ends().is_some_and(|end| end <= desk.now) {
            return Err(Error::Forbidden(format!(
                "the token `{}` has ended already; make a new one",
                self.old.as_str()
            )));
        }
        let as_long = |end: Timestamp| Timestamp(desk.now.0.saturating_add(end.0 - old.created.0));
        let expires = self.expires.or(old.expires.map(as_long));
        let made = json!({ "token": self.id.as_str(), "holder": old.label, "replaces": self.old.as_str() });
        let ended = json!({ "token": self.old.as_str(), "until": self.old_until.rfc3339() });
        let new = credentials::row(&self.id, &self.token, (old.bearer, old.label), desk.now, expires);
        desk.unit.tokens().create(new).await?;
        if !desk.unit.tokens().revoke(&self.old, self.old_until).await? {
            return Err(Error::NotFound);
        }
        desk.note(What::TokenCreated, ledger::thing(Thing::Token, &self.id), &made);
        desk.note(What::TokenRevoked, ledger::thing(Thing::Token, &self.old), &ended);
        Ok(expires)
    }
}
