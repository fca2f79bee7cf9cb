//! Bearer tokens: made, shown once, stored as a hash, ended.
//!
//! A token that was found is remembered for [`REMEMBERED_FOR`], so that requests of a busy client do not each ask the
//! database. Revoking waits that long before it reports success: from then on no node accepts the token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::sync::Cache;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::access::tokens;
use super::connections::{self, tenant_of};
use super::context::{Authority, Caller, ConnectionRef, Services, Suspended};
use super::error::{Error, Result};
use super::ledger::{self, Thing, What};
use super::schemas::Vocabulary;
use crate::base::clock::Timestamp;
use crate::base::id::{ResourceId, TenantId};
use crate::base::secret::Secret;
use crate::scim::dialect::Setting;
use crate::store::closing::State;
use crate::store::tokens::{Bearer, Credential, New};
use crate::store::{self, Reader};

/// How long a node may act on a token that another one has revoked meanwhile.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(1);
/// Tokens remembered at once.
const MAX_REMEMBERED: u64 = 10_000;
/// Random bytes of a token: 256 bits, so that guessing is hopeless and a fast hash is enough to store it.
const TOKEN_BYTES: usize = 32;
/// What our tokens start with, so that scanners for leaked secrets can find them.
const PREFIX: &str = "mst_";

/// Tokens seen lately, and when they were used.
pub struct Known {
    found: Cache<[u8; 32], Arc<Found>>,
    used: Mutex<HashMap<(TenantId, i64), Timestamp>>,
}

struct Found {
    credential: Credential,
    slug: Arc<str>,
    words: Vocabulary,
    authority: Authority,
}

impl Known {
    pub(super) fn new() -> Self {
        let found = Cache::builder()
            .max_capacity(MAX_REMEMBERED)
            .time_to_live(REMEMBERED_FOR)
            .build();
        Self {
            found,
            used: Mutex::default(),
        }
    }

    fn note_use(&self, credential: &Credential, at: Timestamp) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert((credential.tenant, credential.token.id), at);
    }
}

/// Whose token it is, by names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The connection of this name.
    Connection(String),
    /// The admin API.
    Admin,
    /// The user with this id.
    User(String),
}

/// A token that was just made.
pub struct Issued {
    /// Its id.
    pub id: String,
    /// The token itself, never to be seen again.
    pub token: Secret<String>,
    /// When it stops working.
    pub expires: Option<Timestamp>,
}

/// A token as it is listed.
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Whose it is, in words.
    pub holder: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// When it was last used, to within a few seconds.
    pub last_used: Option<Timestamp>,
    /// When it was or will be revoked.
    pub revoked: Option<Timestamp>,
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Lower-case hexadecimal text.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Whether a text has something in it that looks like a token of ours.
pub(super) fn holds_token(text: &str) -> bool {
    let in_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    // Three bytes are four characters.
    let length = (TOKEN_BYTES * 4).div_ceil(3);
    text.match_indices(PREFIX).any(|(at, _)| {
        text.as_bytes()[at + PREFIX.len()..]
            .iter()
            .take_while(|byte| in_token(byte))
            .count()
            >= length
    })
}

fn fresh() -> Secret<String> {
    let bytes: [u8; TOKEN_BYTES] = rand::random();
    Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Who sends this token; `None` when it is unknown, expired or revoked, or of something that is deleted. Who belongs to
/// something that is suspended says so.
///
/// The database is asked for the hash of what was sent: a comparison that takes longer for a better guess never sees
/// the token.
///
/// # Errors
/// A database that does not answer.
pub async fn authenticate(services: &Services, token: &str, request_id: Arc<str>) -> Result<Option<Caller>> {
    let key = hash(token);
    let found = match services.known().found.get(&key) {
        Some(found) => found,
        None => match look_up(services, &key).await? {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    let now = services.clock().now();
    if !found.credential.is_valid(now) || found.credential.user.as_ref().is_some_and(|(_, active)| !active) {
        return Ok(None);
    }
    services.known().note_use(&found.credential, now);
    let Found {
        credential,
        slug,
        words,
        authority,
    } = &*found;
    let of = (credential.tenant, Arc::clone(slug));
    let caller = Caller::new(of, words.clone(), authority.clone(), request_id);
    let caller = match (credential.tenant_state, credential.connection_state) {
        (State::Deleted, _) | (_, State::Deleted) => return Ok(None),
        (State::Suspended, _) => caller.of_suspended(Suspended::Tenant),
        (State::Active, State::Suspended) => caller.of_suspended(Suspended::Connection),
        (State::Active, State::Active) => caller,
    };
    Ok(Some(match credential.token.ends() {
        Some(end) => caller.until(end),
        None => caller,
    }))
}

async fn look_up(services: &Services, key: &[u8; 32]) -> Result<Option<Arc<Found>>> {
    let Some(credential) = store::tokens::find(services.db(), &hex(key)).await? else {
        return Ok(None);
    };
    let authority = match (credential.token.bearer, &credential.connection, &credential.user) {
        (Bearer::Connection(id), Some((_, name, dialect)), _) => {
            let dialect = dialect.parse::<Setting>().unwrap_or_default();
            Authority::Connection(ConnectionRef {
                id,
                name: Arc::from(name.as_str()),
                dialect,
            })
        }
        (Bearer::Admin, _, _) => Authority::Admin,
        (Bearer::User(_), _, Some((id, _))) => Authority::User(id.to_string()),
        _ => return Ok(None),
    };
    let found = Arc::new(Found {
        slug: Arc::from(credential.tenant_slug.as_str()),
        words: services.vocabulary_at(credential.tenant, credential.schemas).await?,
        credential,
        authority,
    });
    services.known().found.insert(*key, Arc::clone(&found));
    Ok(Some(found))
}

/// Makes a token for a holder of this tenant, as the operator.
///
/// # Errors
/// An unknown tenant, connection or user.
pub async fn issue(services: &Services, tenant: &str, holder: &Holder, expires: Option<Timestamp>) -> Result<Issued> {
    let operator = Caller::operator(services, tenant, "cli").await?;
    tokens::create(services, &operator, holder, expires).await
}

/// Stores a given token: what the environment sets at the first start.
pub(super) async fn adopt(
    services: &Services,
    caller: &Caller,
    bearer: Bearer,
    label: &str,
    token: Secret<String>,
) -> Result<Issued> {
    let uid = services.ids().next();
    let now = services.clock().now();
    let data = json!({ "token": uid.as_str(), "holder": label });
    let new = row(&uid, &token, (bearer, label.to_owned()), now, None);
    let mut unit = services.begin(caller).await?;
    unit.tokens().create(new).await?;
    let subject = ledger::thing(Thing::Token, &uid);
    ledger::note(&mut unit, caller, now, (What::TokenCreated, subject), &data);
    unit.save().await?;
    Ok(Issued {
        id: uid.into_string(),
        token,
        expires: None,
    })
}

/// A token as it is stored where it is one of nobody's: its hash.
pub(super) fn digest(token: &str) -> String {
    hex(&hash(token))
}

/// A new token's text.
pub(super) fn generate() -> Secret<String> {
    fresh()
}

/// A new token as it is stored: by its hash.
pub(super) fn row(
    uid: &ResourceId,
    token: &Secret<String>,
    (bearer, label): (Bearer, String),
    created: Timestamp,
    expires: Option<Timestamp>,
) -> New {
    New {
        uid: uid.clone(),
        hash: hex(&hash(token.expose())),
        bearer,
        label,
        created,
        expires,
    }
}

/// All tokens of a tenant.
///
/// # Errors
/// An unknown tenant.
pub async fn list(services: &Services, tenant: &str) -> Result<Vec<Listed>> {
    let tenant = tenant_of(services, tenant).await?;
    let tokens = Reader::new(services.db().clone(), tenant.id).tokens().list().await?;
    let listed = |token: store::tokens::Token| Listed {
        id: token.uid.into_string(),
        holder: token.label,
        created: token.created,
        expires: token.expires,
        last_used: token.last_used,
        revoked: token.revoked,
    };
    Ok(tokens.into_iter().map(listed).collect())
}

/// Ends a token, as the operator; when this returns, no node accepts it any more.
///
/// # Errors
/// An unknown tenant or token.
pub async fn revoke(services: &Services, tenant: &str, id: &str) -> Result<()> {
    let operator = Caller::operator(services, tenant, "cli").await?;
    match tokens::revoke(services, &operator, id).await {
        Err(Error::NotFound) => Err(connections::missing("token", id)),
        outcome => outcome,
    }
}

/// Waits until every node has forgotten what it remembers of tokens.
pub(super) async fn until_everywhere(services: &Services) {
    services.known().found.invalidate_all();
    tokio::time::sleep(REMEMBERED_FOR).await;
}

/// Makes a successor for the same holder, as the operator; the old token ends at `old_until`.
///
/// # Errors
/// An unknown tenant or token, or a token that has ended already.
pub async fn rotate(
    services: &Services,
    tenant: &str,
    id: &str,
    old_until: Timestamp,
    expires: Option<Timestamp>,
) -> Result<Issued> {
    let operator = Caller::operator(services, tenant, "cli").await?;
    match tokens::rotate(services, &operator, id, old_until, expires).await {
        Err(Error::NotFound) => Err(connections::missing("token", id)),
        outcome => outcome,
    }
}

/// Writes down when tokens were used.
///
/// # Errors
/// A database that does not answer; the uses are kept for the next time.
pub async fn write_uses(services: &Services) -> Result<()> {
    let used = std::mem::take(&mut *services.known().used.lock().unwrap_or_else(PoisonError::into_inner));
    let rows: Vec<_> = used
        .iter()
        .map(|((tenant, token), at)| (*tenant, *token, *at))
        .collect();
    let written = store::tokens::note_uses(services.db(), &rows).await;
    if written.is_err() {
        let mut kept = services.known().used.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, at) in used {
            kept.entry(key).or_insert(at);
        }
    }
    Ok(written?)
}
