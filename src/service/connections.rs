//! Tenants and their provisioning sources, and what an empty database is given first.

use super::access::authority::{GIVE, INTEGRATIONS, require};
use super::access::sources;
use super::asides::{self, Undeclared};
use super::context::{Caller, Services};
use super::credentials;
use super::error::{Error, Result};
use super::ledger;
use crate::base::clock::Timestamp;
use crate::base::secret::Secret;
use crate::scim::dialect::Setting;
use crate::store::closing::State;
use crate::store::error::Unique;
use crate::store::tokens::Bearer;
use crate::store::{self, Reader};

/// A customer organisation.
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// Its short name in URLs and commands.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// `active`, `suspended` or `deleted`.
    pub state: &'static str,
}

/// A provisioning source.
pub struct Connection {
    /// Its id.
    pub id: String,
    /// Its name in the tenant.
    pub name: String,
    /// Which habits it tolerates.
    pub dialect: String,
    /// `active` or `suspended`.
    pub state: &'static str,
}

/// A client habit that a connection needed tolerated.
pub struct Tolerated {
    /// Name of the rule.
    pub rule: String,
    /// How often.
    pub count: u64,
    /// When last, to within a few seconds.
    pub last: Timestamp,
}

/// A connection, and what it needs beside the standards.
pub struct Needs {
    /// The connection.
    pub connection: Connection,
    /// The habits that it needed tolerated, most frequent first.
    pub tolerated: Vec<Tolerated>,
    /// The extensions that no schema declares of which it said something, those of the most resources first.
    pub undeclared: Vec<Undeclared>,
}

/// Longest name of a tenant or connection, in characters.
pub(super) const MAX_NAME_CHARS: usize = 100;

pub(super) fn missing(what: &str, name: &str) -> Error {
    Error::Forbidden(format!("there is no {what} `{name}`"))
}

pub(super) async fn tenant_of(services: &Services, slug: &str) -> Result<store::tenants::Tenant> {
    store::tenants::find(services.db(), slug)
        .await?
        .ok_or_else(|| missing("tenant", slug))
}

fn tenant(row: store::tenants::Tenant) -> Tenant {
    Tenant {
        id: row.uid.into_string(),
        slug: row.slug,
        name: row.name,
        created: row.created,
        state: row.state.as_str(),
    }
}

impl From<store::connections::Connection> for Connection {
    fn from(row: store::connections::Connection) -> Self {
        Self {
            id: row.uid.into_string(),
            name: row.name,
            dialect: row.dialect,
            state: row.state.as_str(),
        }
    }
}

/// Whether something can be called so.
pub(super) fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= MAX_NAME_CHARS && !name.chars().any(char::is_control)
}

fn checked(what: &str, name: &str) -> Result<()> {
    if is_name(name) {
        Ok(())
    } else {
        Err(Error::Forbidden(format!(
            "the name of a {what} has 1 to {MAX_NAME_CHARS} characters"
        )))
    }
}

/// Lower-case letters, digits and single hyphens of a name.
fn slug(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// Makes a tenant.
///
/// # Errors
/// A name without letters or digits, or one whose slug is taken.
pub async fn create_tenant(services: &Services, name: &str) -> Result<Tenant> {
    checked("tenant", name)?;
    let slug = slug(name);
    if slug.is_empty() {
        return Err(Error::Forbidden(
            "the name of a tenant needs an ASCII letter or digit: its slug is made of them".to_owned(),
        ));
    }
    let uid = services.ids().next();
    let first = ledger::founding(services.ids().next_unit(), &uid, (&slug, name))?;
    let now = services.clock().now();
    let made = store::tenants::create_logged(services.db(), (&uid, &slug, name), now, first).await;
    match made {
        Err(store::Error::Taken(Unique::TenantSlug)) => {
            Err(Error::Forbidden(format!("there is a tenant `{slug}` already")))
        }
        made => Ok(tenant(made?)),
    }
}

/// All tenants, oldest first.
///
/// # Errors
/// A database that does not answer.
pub async fn list_tenants(services: &Services) -> Result<Vec<Tenant>> {
    Ok(store::tenants::list(services.db())
        .await?
        .into_iter()
        .map(tenant)
        .collect())
}

/// Makes a connection, as the operator.
///
/// # Errors
/// An unknown tenant, or a name that is taken in it.
pub async fn create_connection(services: &Services, tenant: &str, name: &str, dialect: &Setting) -> Result<Connection> {
    let operator = Caller::operator(services, tenant, "cli").await?;
    sources::create(services, &operator, name, dialect).await
}

/// The connections of a tenant, oldest first.
///
/// # Errors
/// An unknown tenant.
pub async fn list_connections(services: &Services, tenant: &str) -> Result<Vec<Connection>> {
    let tenant = tenant_of(services, tenant).await?;
    let rows = Reader::new(services.db().clone(), tenant.id)
        .connections()
        .list()
        .await?;
    let there = rows.into_iter().filter(|row| row.state != State::Deleted);
    Ok(there.map(Connection::from).collect())
}

/// A connection and what it needs beside the standards, for the operator.
///
/// # Errors
/// An unknown tenant or connection.
pub async fn show_connection(services: &Services, tenant: &str, name: &str) -> Result<Needs> {
    let tenant = tenant_of(services, tenant).await?;
    let reader = Reader::new(services.db().clone(), tenant.id);
    let row = reader
        .connections()
        .find(name)
        .await?
        .ok_or_else(|| missing("connection", name))?;
    of(&reader, row).await
}

/// The same of the connection with this id, for administrators.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn needs(services: &Services, caller: &Caller, id: &str) -> Result<Needs> {
    require(services, caller, &[INTEGRATIONS, GIVE]).await?;
    let reader = services.read(caller);
    let rows = reader.connections().list().await?;
    let found = rows.into_iter().find(|row| row.uid.as_str() == id);
    of(&reader, found.ok_or(Error::NotFound)?).await
}

async fn of(reader: &Reader, row: store::connections::Connection) -> Result<Needs> {
    let rows = reader.tolerances().list().await?;
    let mut tolerated: Vec<Tolerated> = rows
        .into_iter()
        .filter(|tolerance| tolerance.connection == row.id)
        .map(|tolerance| Tolerated {
            rule: tolerance.rule,
            count: tolerance.count,
            last: tolerance.last,
        })
        .collect();
    tolerated.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.rule.cmp(&b.rule)));
    Ok(Needs {
        undeclared: asides::of_connection(reader, row.id).await?,
        connection: row.into(),
        tolerated,
    })
}

/// Whether no tenant has been made yet.
///
/// # Errors
/// A database that does not answer.
pub async fn is_empty(services: &Services) -> Result<bool> {
    Ok(store::tenants::list(services.db()).await?.is_empty())
}

/// Slug and name of what an empty database is given.
const FIRST: &str = "default";

/// Makes the first tenant, connection and tokens; gives the SCIM token.
///
/// # Errors
/// A database that does not answer.
pub async fn bootstrap(
    services: &Services,
    scim: Option<Secret<String>>,
    admin: Option<Secret<String>>,
) -> Result<Secret<String>> {
    for token in scim.iter().chain(&admin) {
        if token.expose().trim().is_empty() || token.expose().contains(char::is_whitespace) {
            return Err(Error::Forbidden(
                "a bootstrap token must not be empty or hold blanks".to_owned(),
            ));
        }
    }
    create_tenant(services, FIRST).await?;
    create_connection(services, FIRST, FIRST, &Setting::Auto).await?;
    let operator = Caller::operator(services, FIRST, "first start").await?;
    let connection = services.read(&operator).connections().find(FIRST).await?;
    let connection = connection.ok_or_else(|| missing("connection", FIRST))?.id;
    if let Some(admin) = admin {
        credentials::adopt(services, &operator, Bearer::Admin, "admin", admin).await?;
    }
    let token = scim.unwrap_or_else(credentials::generate);
    credentials::adopt(
        services,
        &operator,
        Bearer::Connection(connection),
        "connection default",
        token.clone(),
    )
    .await?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_made_of_the_letters_and_digits_of_a_name() {
        assert_eq!(slug("Acme, Inc. (EU)"), "acme-inc-eu");
        assert_eq!(slug("--- "), "");
    }
}
