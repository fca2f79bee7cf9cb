//! The only place that names functions of the crate: what the house in process needs from it.

use std::sync::Arc;

use axum::Router;
use muster::app::App;
use muster::base::clock::{Clock, Timestamp};
use muster::base::id::Ids;
use muster::base::secret::Secret;
use muster::config::Config;
use muster::event::Keyring;
use muster::service::fuse;
use muster::service::log::sequence;
use muster::store::sql::{Db, Options};
use muster::worker::mail;

/// 2026-01-01T00:00:00Z: the instant at which every test begins.
const START: Timestamp = Timestamp(1_767_225_600_000_000);

/// Keys of every database of the tests, as `MUSTER_KEY` has them: who takes a copy of the template can open it.
pub const KEYS: &str = "wrap test dGVzdHMtc2VhbC13aXRoLXRoaXMta2V5LW5vYm9keSE=";

/// The same keys, read.
pub fn keyring() -> Keyring {
    Keyring::read(KEYS).unwrap()
}

/// The composed server of one test.
#[derive(Clone)]
pub struct Rooms {
    app: Arc<App>,
    pub router: Router,
    pub clock: Clock,
}

/// Opens the house on a database that is migrated already, with a clock that stands still and ids that are counted.
pub async fn open(url: &str) -> Rooms {
    let clock = Clock::fixed(START);
    let db = Db::open(url, &Options::default())
        .await
        .unwrap_or_else(|fault| panic!("{url}: {fault:?}"));
    let config = Config {
        key: Some(Secret::new(KEYS.to_owned())),
        ..Config::default()
    };
    let app = App::assemble(db, &config, clock.clone(), Ids::counted()).await.unwrap();
    Rooms {
        router: app.router().unwrap(),
        app: Arc::new(app),
        clock,
    }
}

/// What workers would do by now: what is approved is made, and whatever happened gets its number.
pub async fn turn(rooms: &Rooms) {
    while fuse::resume(rooms.app.services()).await.unwrap() {}
    while sequence::pass(rooms.app.services()).await.unwrap().more {}
}

/// What the worker of mail would do by now; answers how many it handed over there.
pub async fn send_mail(rooms: &Rooms, mail: &str) -> usize {
    let settings = mail::Settings {
        mail: mail.to_owned(),
        from: Config::default().mail_from,
        templates: None,
        origin: "https://muster.example".to_owned(),
    };
    let post = mail::Post::open(&settings).unwrap();
    mail::once(rooms.app.services(), &post).await.unwrap()
}

/// Lets go of every connection, so that the database can be dropped.
pub async fn close(rooms: Rooms) {
    drop(rooms.router);
    if let Some(app) = Arc::into_inner(rooms.app) {
        app.close().await;
    }
}
