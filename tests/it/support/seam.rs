//! The only place that names functions of the crate: what the house in process needs from it.

use std::sync::Arc;

use axum::Router;
use muster::app::App;
use muster::base::clock::{Clock, Timestamp};
use muster::base::id::Ids;
use muster::base::secret::Secret;
use muster::config::Config;
use muster::event::Keyring;
use muster::service::delivery::{self, Outcome};
use muster::service::fuse;
use muster::service::lifecycle::due;
use muster::service::log::sequence;
use muster::service::offboarding;
use muster::store::sql::{Db, Options};
use muster::worker::{egress::Egress, mail, relay};
use tokio_util::sync::{CancellationToken, DropGuard};

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
    egress: Egress,
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
        egress_allow: vec!["127.0.0.1/32".parse().unwrap()],
        egress_http: true,
        ..Config::default()
    };
    let app = App::assemble(db, &config, clock.clone(), Ids::counted()).await.unwrap();
    Rooms {
        egress: Egress::new(app.services().guard().clone()).unwrap(),
        router: app.router().unwrap(),
        app: Arc::new(app),
        clock,
    }
}

/// What workers would do by now: what is due and what is approved is done, and whatever happened gets its number, has
/// its consequences and is delivered.
pub async fn turn(rooms: &Rooms) {
    while due::pass(rooms.app.services()).await.unwrap().more {}
    while fuse::resume(rooms.app.services()).await.unwrap() {}
    number(rooms).await;
    while offboarding::pass(rooms.app.services()).await.unwrap().done > 0 {
        number(rooms).await;
    }
    relay::turn(rooms.app.services(), &rooms.egress, "node").await.unwrap();
    number(rooms).await;
}

/// Gives whatever happened its number, and no more.
pub async fn number(rooms: &Rooms) {
    while sequence::pass(rooms.app.services()).await.unwrap().more {}
}

/// Delivers as the server does until the guard is dropped.
pub fn relay(rooms: &Rooms) -> DropGuard {
    let stop = CancellationToken::new();
    tokio::spawn(relay::run(
        rooms.app.services().clone(),
        rooms.egress.clone(),
        stop.clone(),
    ));
    stop.drop_guard()
}

/// Begins a round of deliveries to whoever waits for one, and does not end it: as a server that is killed.
pub async fn deliver_unsettled(rooms: &Rooms) -> usize {
    let services = rooms.app.services();
    let mut begun = 0;
    for mut work in delivery::waiting(services, "killed").await.unwrap() {
        assert!(delivery::claim(services, &mut work, "killed").await.unwrap());
        let round = delivery::begin(services, &work, usize::MAX).await.unwrap().unwrap();
        for number in round.chains().into_iter().flatten() {
            let parcel = round.parcel(number, services.clock().now()).unwrap().unwrap();
            rooms.egress.post(&parcel).await.unwrap();
            begun += 1;
        }
    }
    begun
}

/// What two nodes that deliver to the same receiver at once come to: the first settles, and the other is told that it is late.
pub async fn deliver_twice(rooms: &Rooms) -> Vec<bool> {
    let services = rooms.app.services();
    let work = delivery::waiting(services, "one").await.unwrap().remove(0);
    let mut settled = Vec::new();
    let rounds = [
        delivery::begin(services, &work, 8).await.unwrap().unwrap(),
        delivery::begin(services, &work, 8).await.unwrap().unwrap(),
    ];
    for round in rounds {
        let mut outcomes = Vec::new();
        for number in round.chains().into_iter().flatten() {
            let parcel = round.parcel(number, services.clock().now()).unwrap().unwrap();
            rooms.egress.post(&parcel).await.unwrap();
            outcomes.push((number, Outcome::Taken));
        }
        settled.push(delivery::settle(services, &round, &outcomes).await.is_ok());
    }
    settled
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
