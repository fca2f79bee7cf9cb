//! What the benches of the log, of deliveries and of bulk requests share: an organisation in one process, and users to put in it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use muster::access::Catalogue;
use muster::base::clock::Clock;
use muster::base::id::Ids;
use muster::event::Keyring;
use muster::scim::dialect::Setting;
use muster::scim::discovery::Listing;
use muster::scim::schema::{ENTERPRISE_USER, USER};
use muster::service::credentials::{self, Holder};
use muster::service::delivery::Guard;
use muster::service::{Caller, Keeping, Parts, Services, connections};
use muster::store::{Db, Options};
use serde_json::{Value, json};

/// That of the program: what is measured is what it takes there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub const TENANT: &str = "acme";
pub const CONNECTION: &str = "okta";

/// An up-to-date database.
pub async fn database(url: &str) -> Outcome<Db> {
    let db = Db::open(url, &Options::default()).await?;
    db.migrate().await?;
    Ok(db)
}

/// The use cases over it; they may send to this machine.
pub async fn services(db: &Db, keeping: Keeping) -> Outcome<Services> {
    let parts = Parts {
        db: db.clone(),
        keys: Keyring::of("bench", [7; 32])?,
        clock: Clock::system(),
        ids: Ids::system(),
        max_results: 200,
        max_body_bytes: 1 << 20,
        max_bulk_bytes: 16 << 20,
        catalogue: Arc::new(Catalogue::builtin()),
        schemas: muster::service::schemas::Definitions::default(),
        waits: muster::service::Waits::default(),
        listing: Listing::Standard,
        guard: guard(),
    };
    Ok(Services::keeping(parts, keeping).await?)
}

/// Lets everything pass that stays on this machine.
pub fn guard() -> Guard {
    Guard {
        allow: vec![IpAddr::from(Ipv4Addr::LOCALHOST).into()],
        http: true,
    }
}

/// Makes the organisation and what provisions it.
pub async fn found(services: &Services) -> Outcome<Caller> {
    connections::create_tenant(services, "Acme").await?;
    connections::create_connection(services, TENANT, CONNECTION, &Setting::Strict).await?;
    caller(services, &Holder::Connection(CONNECTION.to_owned())).await
}

/// Somebody who holds a new token.
pub async fn caller(services: &Services, holder: &Holder) -> Outcome<Caller> {
    let issued = credentials::issue(services, TENANT, holder, None).await?;
    let known = credentials::authenticate(services, issued.token.expose(), Arc::from("bench")).await?;
    known.ok_or_else(|| "the token is not known".into())
}

/// A user of this name as an identity provider sends one.
pub fn user(name: &str) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE_USER],
        "userName": format!("{name}@acme.test"),
        "externalId": format!("ext-{name}"),
        "name": { "givenName": "Alice", "familyName": format!("O'Malley {name}"), "formatted": format!("Alice O'Malley {name}") },
        "displayName": format!("Alice O'Malley {name}"),
        "title": "engineer",
        "preferredLanguage": "en-GB",
        "timezone": "Europe/London",
        "active": true,
        "emails": [
            { "value": format!("{name}@acme.test"), "type": "work", "primary": true },
            { "value": format!("{name}@home.example"), "type": "home" }
        ],
        "phoneNumbers": [{ "value": "tel:+44-20-7946-0000", "type": "work" }],
        ENTERPRISE_USER: { "employeeNumber": format!("E-{name}"), "department": "R&D", "costCenter": "4130" },
    })
}

/// Words of the command line behind the program's own.
pub fn words() -> Vec<String> {
    std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect()
}
