//! Connections: who provisions the organisation.

use serde_json::json;

use super::authority::{GIVE, INTEGRATIONS, require};
use super::desk::{Change, Desk, perform};
use crate::base::id::ResourceId;
use crate::scim::dialect::Setting;
use crate::service::connections::{Connection, MAX_NAME_CHARS, is_name};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger::{self, Thing, What};
use crate::store;
use crate::store::closing::State;
use crate::store::error::Unique;

/// The connections of the organisation, oldest first.
///
/// # Errors
/// `Forbidden`.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<Connection>> {
    require(services, caller, &[INTEGRATIONS, GIVE]).await?;
    let rows = services.read(caller).connections().list().await?;
    let there = rows.into_iter().filter(|row| row.state != State::Deleted);
    Ok(there.map(Connection::from).collect())
}

/// Makes a connection. It can do nothing until it has a token.
///
/// # Errors
/// `Forbidden`, a name that is none or is taken.
pub async fn create(services: &Services, caller: &Caller, name: &str, dialect: &Setting) -> Result<Connection> {
    require(services, caller, &[INTEGRATIONS]).await?;
    if !is_name(name) {
        let reason = format!("the name of a connection has 1 to {MAX_NAME_CHARS} characters");
        return Err(Error::invalid("/name", reason));
    }
    let making = Making {
        id: services.ids().next(),
        name: name.to_owned(),
        dialect: *dialect,
    };
    perform(services, caller, making).await
}

struct Making {
    id: ResourceId,
    name: String,
    dialect: Setting,
}

impl Change for Making {
    type Made = Connection;

    async fn make(&self, desk: &mut Desk) -> Result<Connection> {
        let mut connections = desk.unit.connections();
        let made = connections
            .create(&self.id, &self.name, self.dialect.name(), desk.now)
            .await;
        let made = made.map_err(|error| match error {
            store::Error::Taken(Unique::ConnectionName) => {
                let reason = format!(
                    "there is a connection `{}` already, or was: the log speaks of it",
                    self.name
                );
                Error::Conflict(Refusal::new(reason).at("/name"))
            }
            other => other.into(),
        })?;
        let data = json!({ "connection": self.id.as_str(), "name": self.name, "dialect": self.dialect.name() });
        desk.note(
            What::ConnectionCreated,
            ledger::thing(Thing::Connection, &self.id),
            &data,
        );
        Ok(made.into())
    }
}
