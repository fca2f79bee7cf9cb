//! The only place that names functions of the crate: what the house in process needs from it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use muster::app::App;
use muster::base::clock::{Clock, Timestamp};
use muster::base::id::Ids;
use muster::base::secret::Secret;
use muster::config::{Config, RateLimit};
use muster::event::Keyring;
use muster::service::closing;
use muster::service::deferred;
use muster::service::delivery::{self, Outcome};
use muster::service::fuse;
use muster::service::keys::{self, Purpose};
use muster::service::lifecycle::{due, purge, status_rules};
use muster::service::log::sequence;
use muster::service::offboarding::{self, hook};
use muster::service::tolerances;
use muster::service::{Caller, Waits, undo};
use muster::store::sql::{Db, Options};
use muster::worker::egress::{Egress, Lookup, Patience};
use muster::worker::{enforce, mail, relay};
use tokio_util::sync::{CancellationToken, DropGuard};

/// 2026-01-01T00:00:00Z: the instant at which every test begins.
const START: Timestamp = Timestamp(1_767_225_600_000_000);

/// Keys of every database of the tests, as `MUSTER_KEY` has them: who takes a copy of the template can open it.
pub const KEYS: &str = "wrap test dGVzdHMtc2VhbC13aXRoLXRoaXMta2V5LW5vYm9keSE=";

/// The same keys, read.
pub fn keyring() -> Keyring {
    Keyring::read(KEYS).unwrap()
}

/// A machine that is slow is no fault of what is tested: requests wait as long as it takes.
pub const WAITS: Waits = Waits {
    rule: Duration::from_mins(10),
    log: Duration::from_secs(20),
};

/// The same for receivers.
const UNHURRIED: Patience = Patience {
    headers: Duration::from_mins(2),
    whole: Duration::from_mins(2),
};

/// The same for databases.
pub fn patient() -> Options {
    Options {
        patience: Duration::from_mins(2),
        longest: Duration::from_mins(5),
        ..Options::default()
    }
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
    open_waiting(url, WAITS).await
}

/// The same with requests that wait so long.
pub async fn open_waiting(url: &str, waits: Waits) -> Rooms {
    let clock = Clock::fixed(START);
    let db = Db::open(url, &patient())
        .await
        .unwrap_or_else(|fault| panic!("{url}: {fault:?}"));
    let config = Config {
        key: Some(Secret::new(KEYS.to_owned())),
        egress_allow: vec!["127.0.0.1/32".parse().unwrap()],
        egress_http: true,
        // As fast as this machine is, and as slow.
        rate_limit: RateLimit::Off,
        request_timeout_secs: 3600,
        ..Config::default()
    };
    let app = App::assemble(db, &config, (clock.clone(), Ids::counted()), waits)
        .await
        .unwrap();
    // Receivers of tests are addresses: nothing is looked up.
    let nowhere: Lookup = Arc::new(|_| Box::pin(async { Ok(Vec::new()) }));
    Rooms {
        egress: Egress::resolving(app.services().guard().clone(), UNHURRIED, nowhere).unwrap(),
        router: app.router().unwrap(),
        app: Arc::new(app),
        clock,
    }
}

/// What workers would do by now: what is due and what is approved is done, and whatever happened gets its number, has
/// its consequences and is delivered.
pub async fn turn(rooms: &Rooms) {
    due::pass(rooms.app.services()).await.unwrap();
    purge::expire(rooms.app.services(), || true).await.unwrap();
    purge::finish(rooms.app.services()).await.unwrap();
    while fuse::resume(rooms.app.services()).await.unwrap() {}
    undo::resume(rooms.app.services(), "node").await.unwrap();
    while closing::pass(rooms.app.services()).await.unwrap() {}
    while status_rules::pass(rooms.app.services()).await.unwrap() {}
    do_deferred(rooms).await;
    number(rooms).await;
    offboard(rooms, "node").await;
    relay::turn(rooms.app.services(), &rooms.egress, "node").await.unwrap();
    number(rooms).await;
}

/// Does what clients asked for that did not wait, and no more.
pub async fn do_deferred(rooms: &Rooms) {
    while deferred::pass(rooms.app.services()).await.unwrap() {}
}

/// Does some of what clients asked for that did not wait: one look.
pub async fn do_some_deferred(rooms: &Rooms) {
    deferred::pass(rooms.app.services()).await.unwrap();
}

/// Whether something is to be done of what clients asked for that did not wait.
pub async fn is_deferred(rooms: &Rooms) -> bool {
    deferred::is_behind(rooms.app.services()).await.unwrap()
}

/// What two servers do that are at it at once.
pub async fn do_deferred_twice(rooms: &Rooms) {
    let services = rooms.app.services();
    while {
        let (here, there) = tokio::join!(deferred::pass(services), deferred::pass(services));
        here.unwrap() | there.unwrap()
    } {}
}

/// Forgets what is kept for a time only.
pub async fn forget_old_results(rooms: &Rooms) {
    deferred::prune(rooms.app.services()).await.unwrap();
}

/// Writes down which habits of clients were tolerated.
pub async fn count_tolerances(rooms: &Rooms) {
    tolerances::write(rooms.app.services()).await.unwrap();
}

/// Two servers change the users of what is suspended or deleted, both at once.
pub async fn close_at_once(rooms: &Rooms) {
    loop {
        let services = rooms.app.services();
        let (here, there) = tokio::join!(closing::pass(services), closing::pass(services));
        if !here.unwrap() && !there.unwrap() {
            return;
        }
    }
}

/// Brings a change of the rules of status to some users, and no more: as a server that is stopped.
pub async fn rule_once(rooms: &Rooms) {
    status_rules::pass(rooms.app.services()).await.unwrap();
}

/// Two servers bring a change of the rules of status to everybody, both at once.
pub async fn rule_at_once(rooms: &Rooms, others: &Rooms) {
    loop {
        let (here, there) = tokio::join!(
            status_rules::pass(rooms.app.services()),
            status_rules::pass(others.app.services())
        );
        if !here.unwrap() && !there.unwrap() {
            return;
        }
    }
}

/// Looks up the next users of each work, has something else happen, and only then does it to them: as a slow node.
pub async fn close_late(rooms: &Rooms, meanwhile: impl Future<Output = ()>) {
    let services = rooms.app.services();
    let parts = closing::look(services).await.unwrap();
    assert!(!parts.is_empty(), "there is something to do");
    meanwhile.await;
    for part in parts {
        closing::carry(services, part).await.unwrap();
    }
}

/// What drives offboarding runs does by now, with enforcers called by the node of this name.
pub async fn offboard(rooms: &Rooms, node: &str) {
    let services = rooms.app.services();
    loop {
        let passed = offboarding::pass(services).await.unwrap().done > 0;
        number(rooms).await;
        let called = enforce::turn(services, &rooms.egress, node).await.unwrap();
        number(rooms).await;
        if !passed && !called {
            return;
        }
    }
}

/// Opens the runs that the log tells of, and no more than Muster's own part in them.
pub async fn open_runs(rooms: &Rooms) {
    while offboarding::pass(rooms.app.services()).await.unwrap().done > 0 {
        number(rooms).await;
    }
}

/// The same as [`offboard`] with next to no patience.
pub async fn offboard_hastily(rooms: &Rooms) {
    let services = rooms.app.services();
    open_runs(rooms).await;
    let patience = Patience {
        headers: Duration::from_secs(8),
        whole: Duration::from_secs(8),
    };
    let nowhere: Lookup = Arc::new(|_| Box::pin(async { Ok(Vec::new()) }));
    let hasty = Egress::resolving(services.guard().clone(), patience, nowhere).unwrap();
    enforce::turn(services, &hasty, "node").await.unwrap();
    number(rooms).await;
}

/// How many runs are open and how many late: what the gauges show.
pub async fn under_way(rooms: &Rooms) -> (u32, u32) {
    offboarding::under_way(rooms.app.services()).await.unwrap()
}

/// Makes every call to enforcers that is due, and no more.
pub async fn enforce_once(rooms: &Rooms) {
    enforce::turn(rooms.app.services(), &rooms.egress, "node")
        .await
        .unwrap();
}

/// Makes every call to enforcers that is due and writes none of it down: as a server that is killed. Gives how many.
pub async fn enforce_unsettled(rooms: &Rooms) -> usize {
    let services = rooms.app.services();
    let mut made = 0;
    for mut work in hook::waiting(services, "killed").await.unwrap() {
        assert!(hook::claim(services, &mut work, "killed").await.unwrap());
        for call in hook::calls(services, &work).await.unwrap() {
            enforce::carry(&rooms.egress, &call).await;
            made += 1;
        }
    }
    made
}

/// Makes every call to enforcers that is due, while something else is done before what came of it is written down;
/// whether each was.
pub async fn enforce_while(rooms: &Rooms, meanwhile: impl AsyncFnOnce()) -> Vec<bool> {
    let services = rooms.app.services();
    let work = hook::waiting(services, "one").await.unwrap().remove(0);
    let mut made = Vec::new();
    for call in hook::calls(services, &work).await.unwrap() {
        made.push((enforce::carry(&rooms.egress, &call).await, call));
    }
    meanwhile().await;
    let mut written = Vec::new();
    for (answers, call) in made {
        written.push(hook::answered(services, &work, &call, &answers).await.unwrap());
    }
    written
}

/// What two nodes that make the same calls at once come to: whether each wrote down what came of it.
pub async fn enforce_twice(rooms: &Rooms) -> Vec<bool> {
    let services = rooms.app.services();
    let work = hook::waiting(services, "one").await.unwrap().remove(0);
    let calls = [
        hook::calls(services, &work).await.unwrap().remove(0),
        hook::calls(services, &work).await.unwrap().remove(0),
    ];
    let mut written = Vec::new();
    for call in calls {
        let answers = enforce::carry(&rooms.egress, &call).await;
        written.push(hook::answered(services, &work, &call, &answers).await.unwrap());
    }
    written
}

/// Looks up what is due, has something else happen, and only then does what was looked up: as a slow node. Answers how
/// many plans it settled.
pub async fn do_late(rooms: &Rooms, meanwhile: impl Future<Output = ()>) -> usize {
    let services = rooms.app.services();
    let found = due::look(services, services.clock().now(), (Timestamp(i64::MIN), 0))
        .await
        .unwrap();
    meanwhile.await;
    let mut settled = 0;
    for plan in found {
        settled += usize::from(due::settle(services, plan).await.unwrap());
    }
    settled
}

/// What two servers do that take the same back at once, and the command line, which waits for it.
pub async fn undo_thrice(rooms: &Rooms, id: &str) {
    let services = rooms.app.services();
    let caller = Caller::operator(services, "acme", "cli").await.unwrap();
    let (one, other, waiting) = tokio::join!(
        Box::pin(undo::resume(services, "one")),
        Box::pin(undo::resume(services, "other")),
        Box::pin(undo::finish(services, &caller, id))
    );
    one.and(other).and(waiting).unwrap();
}

/// Gives whatever happened its number, and no more.
pub async fn number(rooms: &Rooms) {
    while sequence::pass(rooms.app.services()).await.unwrap().more {}
}

/// One look of who drives offboarding, and no more.
pub async fn look_once(rooms: &Rooms) {
    offboarding::pass(rooms.app.services()).await.unwrap();
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
        Arc::new(delivery::begin(services, &work, 8).await.unwrap().unwrap()),
        Arc::new(delivery::begin(services, &work, 8).await.unwrap().unwrap()),
    ];
    for round in rounds {
        let mut outcomes = Vec::new();
        for number in round.chains().into_iter().flatten() {
            let parcel = round.parcel(number, services.clock().now()).unwrap().unwrap();
            rooms.egress.post(&parcel).await.unwrap();
            outcomes.push((number, Outcome::Taken));
        }
        settled.push(delivery::settle(services, &round, outcomes).await.is_ok());
    }
    settled
}

/// A round of deliveries to somebody who says that they are gone, while something else is done before that is written
/// down; whether it was.
pub async fn deliver_while(rooms: &Rooms, meanwhile: impl AsyncFnOnce()) -> bool {
    let services = rooms.app.services();
    let work = delivery::waiting(services, "one").await.unwrap().remove(0);
    let round = Arc::new(delivery::begin(services, &work, 8).await.unwrap().unwrap());
    assert!(!round.is_empty());
    meanwhile().await;
    let outcomes = (0..round.len()).map(|number| (number, Outcome::Gone)).collect();
    delivery::settle(services, &round, outcomes).await.is_ok()
}

/// Has another key sign tokens, as `muster keys rotate set` does, by the clock of the house.
pub async fn rotate_set(rooms: &Rooms) {
    keys::rotate(rooms.app.services(), Purpose::Set).await.unwrap();
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
