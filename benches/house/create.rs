//! Users that are made by the use case alone.

use std::sync::Arc;

use muster::scim::dialect::{Dialect, Hints, Setting};
use muster::scim::project::View;
use muster::service::{Caller, Services, provision};

use crate::house::{Outcome, user};

/// Makes a user of this name as provisioning does.
pub async fn create(services: &Services, caller: &Caller, name: &str) -> Outcome<()> {
    let dialect = strict();
    let kind = Arc::clone(caller.type_at("Users").ok_or("there are no users")?);
    provision::create(services, caller, &dialect, &kind, user(name), &View::default()).await?;
    Ok(())
}

/// The dialect of who keeps to the standards.
fn strict() -> Dialect {
    let hints = Hints {
        user_agent: None,
        header: &|_| None,
    };
    Dialect::recognise(&Setting::Strict, &hints)
}
