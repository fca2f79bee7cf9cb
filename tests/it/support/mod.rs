//! What tests stand on: a fresh database each, the house in process or the built program, and the words to ask it.
//!
//! It speaks to the server through HTTP and the command line, as anyone outside would. Only [`seam`] names functions
//! of the crate, and only [`database`] names sqlx.

pub mod answer;
pub mod cluster;
pub mod database;
pub mod dice;
pub mod dump;
pub mod house;
pub mod logs;
pub mod program;
pub mod receiver;
pub mod seam;
pub mod template;
pub mod wire;

use database::{Database, Engine};
use logs::Logs;

pub use house::TestHouse;

/// Something a test can ask for: made fresh on an engine, cleared away when the test has passed.
pub trait Arrange: Clone {
    /// A fresh one.
    async fn arrange(engine: Engine, logs: &Logs) -> Self;
    /// Gives back what outlives the test: connections, the database.
    async fn clear(self);
}

impl Arrange for Database {
    async fn arrange(engine: Engine, _: &Logs) -> Self {
        Self::fresh(engine).await
    }

    async fn clear(self) {
        self.drop_now().await;
    }
}

/// Runs one test on one engine. After a failure the database stays until the cluster goes, to be looked at.
pub async fn run<T: Arrange>(engine: Engine, test: impl AsyncFnOnce(T)) {
    let logs = Logs::default();
    let _until_the_end = logs.install();
    let place = T::arrange(engine, &logs).await;
    test(place.clone()).await;
    place.clear().await;
}

/// An environment variable that steers the tests.
#[expect(clippy::disallowed_methods, reason = "tests have no `config`")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// `async fn name(house: TestHouse) { … }`, or `(database: Database)`: one test for each engine,
/// called `name::sqlite` and `name::postgres`.
macro_rules! each_database {
    ($($(#[$note:meta])* async fn $name:ident($place:ident: $kind:ty) $body:block)+) => {$(
        $(#[$note])*
        async fn $name($place: $kind) $body

        mod $name {
            #[tokio::test]
            async fn sqlite() {
                crate::support::run(crate::support::database::Engine::Sqlite, super::$name).await;
            }

            #[tokio::test]
            async fn postgres() {
                crate::support::run(crate::support::database::Engine::Postgres, super::$name).await;
            }
        }
    )+};
}
