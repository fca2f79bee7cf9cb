//! What a caller may do, and by which name Muster itself does something.

use std::sync::Arc;

use crate::base::id::ConnectionId;
use crate::scim::dialect::Setting;

/// What a caller may do, as far as it is known from its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// Provisions users and groups of its tenant.
    Connection(ConnectionRef),
    /// Administers the tenant.
    Admin,
    /// Acts as one user.
    User(String),
    /// The operator of the installation, on its command line.
    Operator(&'static str),
    /// Muster itself, by the name of what it does: a schedule that is due.
    System(&'static str),
}

/// What Muster is called where it takes back what a connection did.
pub(in crate::service) const UNDO: &str = "undo";

/// What Muster is called where it changes the users of what is suspended, resumed or deleted as a whole.
pub(in crate::service) const CLOSING: &str = "closing";

/// What a token belongs to and does not work now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspended {
    /// Its connection.
    Connection,
    /// The whole tenant.
    Tenant,
}

/// A connection as requests carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRef {
    /// Key inside the store.
    pub id: ConnectionId,
    /// Name in its tenant.
    pub name: Arc<str>,
    /// Which habits it tolerates.
    pub dialect: Setting,
}
