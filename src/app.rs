//! The composition root: config → store → services → router and workers.
//!
//! May import everything below; must never hold SQL or a business decision.

mod key_file;
mod schema_files;

use axum::Router;
use axum::serve::ListenerExt as _;
use std::future::{Future, IntoFuture as _};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access::Catalogue;
use crate::api::router::router;
use crate::api::state::{Edge, Settings};
use crate::base::clock::Clock;
use crate::base::id::Ids;
use crate::base::secret::Secret;
use crate::config::{Config, RateLimit};
use crate::scim::discovery::Listing;
use crate::service::delivery::Guard;
use crate::service::schemas::Definitions;
use crate::service::{Parts, Services, Waits, connections, keys};
use crate::store::{Db, Options};
use crate::worker::egress::Egress;
use crate::worker::mail::Post;
use crate::{event, store, telemetry, worker};

/// Why Muster could not start or stopped early.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Another program listens there, or the address is not ours.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The database cannot be opened or brought up to date.
    #[error(transparent)]
    Database(#[from] store::Error),
    /// The key file cannot be read or made.
    #[error("the key file `{0}` cannot be used: {1}")]
    KeyFile(String, #[source] std::io::Error),
    /// What it says, or `MUSTER_KEY`, are no keys.
    #[error("the keys of `{0}` cannot be used: {1}")]
    Keys(String, #[source] event::Error),
    /// The database was begun with keys, and they are not there.
    #[error(
        "there is no key file `{0}`, and the database cannot be used without it; copy it from the node that began the \
         database or from where it is kept, and name it by --key-file, MUSTER_KEY_FILE or MUSTER_KEY"
    )]
    NoKeyFile(String),
    /// The keys are another installation's.
    #[error(transparent)]
    OtherKeys(#[from] keys::Fault),
    /// The file of permissions cannot be read, or says what cannot be.
    #[error("the permissions of `{file}` cannot be used: {fault}")]
    Permissions {
        /// As it was named.
        file: String,
        /// Everything that is wrong with it.
        fault: String,
    },
    /// A schema or resource type of a file cannot be used.
    #[error("the schemas of `{file}` cannot be used: {fault}")]
    Schemas {
        /// The file or folder.
        file: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Mail that cannot be sent as it is set.
    #[error(transparent)]
    Mail(#[from] worker::mail::Fault),
    /// Logs or metrics.
    #[error(transparent)]
    Telemetry(#[from] telemetry::Fault),
    /// The first start could not be completed.
    #[error("the first start failed: {0}")]
    FirstStart(#[from] crate::service::Error),
    /// The server stopped by itself.
    #[error("the server stopped: {0}")]
    Serve(#[source] std::io::Error),
}

/// What an empty database was given.
pub struct FirstStart {
    /// The SCIM token; `None` when the environment gave it.
    pub token: Option<Secret<String>>,
}

/// The assembled house.
pub struct App {
    db: Db,
    services: Services,
    settings: Settings,
    post: Post,
    grace: Duration,
}

impl App {
    /// Opens and migrates the database, and builds the use cases over it.
    ///
    /// # Errors
    /// A database that cannot be opened, is newer than this program, or does not answer; a file of permissions that
    /// cannot be used; keys that are missing or another database's.
    pub async fn open(config: &Config) -> Result<Self, Fault> {
        let options = Options {
            connections: config.postgres_connections,
            ..Options::default()
        };
        let db = Db::open(&config.database, &options).await?;
        db.migrate().await?;
        Self::assemble(db, config, (Clock::system(), Ids::system()), Waits::default()).await
    }

    /// The same over a given database, clock, source of ids and patience: tests fix all of them.
    ///
    /// # Errors
    /// A database that does not answer, a file of permissions that cannot be used, keys that are missing or another
    /// database's.
    pub async fn assemble(db: Db, config: &Config, (clock, ids): (Clock, Ids), waits: Waits) -> Result<Self, Fault> {
        let ring = key_file::ring(&db, config).await?;
        keys::bind(&db, &ring).await?;
        let parts = Parts {
            db: db.clone(),
            keys: ring,
            clock,
            ids,
            max_results: config.max_results,
            max_body_bytes: config.max_body_bytes,
            max_bulk_bytes: config.max_bulk_bytes,
            catalogue: Arc::new(catalogue(config)?),
            listing: if config.advertise_roles {
                Listing::Drafts
            } else {
                Listing::Standard
            },
            guard: Guard {
                allow: config.egress_allow.clone(),
                http: config.egress_http,
            },
            schemas: definitions(config)?,
            waits,
        };
        let services = Services::new(parts).await?;
        let settings = Settings {
            public_url: config
                .public_url
                .as_ref()
                .map(|url| url.as_str().trim_end_matches('/').to_owned()),
            trusted_proxies: config.trusted_proxies.clone(),
            rate_limit: match config.rate_limit {
                RateLimit::Off => None,
                RateLimit::PerSecond(n) => Some::<NonZeroU32>(n),
            },
            max_body_bytes: config.max_body_bytes,
            timeout: Duration::from_secs(config.request_timeout_secs),
        };
        Ok(Self {
            db,
            services,
            settings,
            post: Post::open(&mail(config))?,
            grace: Duration::from_secs(config.shutdown_grace_secs),
        })
    }

    /// The use cases.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The HTTP surface.
    ///
    /// # Errors
    /// Metrics that cannot be set up.
    pub fn router(&self) -> Result<Router, Fault> {
        Ok(router(self.edge()?))
    }

    fn edge(&self) -> Result<Edge, Fault> {
        Ok(Edge::new(
            self.services.clone(),
            self.settings.clone(),
            Some(telemetry::metrics()?),
        ))
    }

    /// Gives an empty database its first tenant, connection and token; changes nothing in any other.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn first_start(
        &self,
        scim: Option<Secret<String>>,
        admin: Option<Secret<String>>,
    ) -> Result<Option<FirstStart>, Fault> {
        if !connections::is_empty(&self.services).await? {
            if scim.is_some() || admin.is_some() {
                tracing::warn!("the database is not empty, so the bootstrap tokens of the environment are ignored");
            }
            return Ok(None);
        }
        let given = scim.is_some();
        let token = connections::bootstrap(&self.services, scim, admin).await?;
        Ok(Some(FirstStart {
            token: (!given).then_some(token),
        }))
    }

    /// Takes the address before anything else happens, so that a second server fails without touching the database.
    ///
    /// # Errors
    /// An address that is taken or not ours.
    pub async fn bind(config: &Config) -> Result<TcpListener, Fault> {
        TcpListener::bind(config.listen)
            .await
            .map_err(|fault| Fault::Listen(config.listen, fault))
    }

    /// Serves until `shutdown`, then lets running requests finish and closes the database.
    ///
    /// # Errors
    /// A listener that fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Fault> {
        let edge = self.edge()?;
        let stop = edge.stop().clone();
        let sweep = tokio::spawn(worker::sweep::run(self.services.clone(), stop.clone()));
        let many = tokio::spawn(many(self.services.clone(), stop.clone()));
        let deferred = tokio::spawn(worker::deferred::run(self.services.clone(), stop.clone()));
        let enforce = tokio::spawn(enforce(self.services.clone(), stop.clone()));
        let offboard = tokio::spawn(worker::offboard::run(self.services.clone(), stop.clone()));
        let prepare = tokio::spawn(worker::prepare::run(self.services.clone(), stop.clone()));
        let purge = tokio::spawn(worker::purge::run(self.services.clone(), stop.clone()));
        let schedule = tokio::spawn(worker::schedule::run(self.services.clone(), stop.clone()));
        let sequence = tokio::spawn(worker::sequence::run(self.services.clone(), stop.clone()));
        let relay = tokio::spawn(relay(self.services.clone(), stop.clone()));
        let holds = tokio::spawn(worker::holds::run(self.services.clone(), stop.clone()));
        let mail = tokio::spawn(worker::mail::run(
            self.services.clone(),
            self.post.clone(),
            stop.clone(),
        ));
        let undo = tokio::spawn(worker::undo::run(self.services.clone(), stop.clone()));
        let forget = tokio::spawn(forget_idle(edge.clone(), stop.clone()));
        let draining = stop.clone();
        let signal = async move {
            shutdown.await;
            tracing::info!("stopping: running requests may finish");
            draining.cancel();
        };
        let service = router(edge).into_make_service_with_connect_info::<SocketAddr>();
        // Nagle's algorithm would hold a small answer back until the client acknowledges the packet before; a socket
        // that does not take the option still works.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = axum::serve(listener, service)
            .with_graceful_shutdown(signal)
            .into_future();
        let late = async {
            stop.cancelled().await;
            tokio::time::sleep(self.grace).await;
        };
        let outcome = tokio::select! {
            outcome = server => outcome.map_err(Fault::Serve),
            () = late => {
                tracing::warn!("requests that did not finish in time are cut off");
                Ok(())
            }
        };
        stop.cancel();
        let _ = tokio::join!(
            many, sweep, deferred, enforce, offboard, prepare, purge, schedule, sequence, relay, holds, mail, undo,
            forget
        );
        self.close().await;
        outcome
    }

    /// Closes the database: what was acknowledged is on disk already.
    pub async fn close(self) {
        self.db.close().await;
    }
}

/// Does to many users what was decided about all of them.
async fn many(services: Services, stop: CancellationToken) {
    tokio::join!(
        worker::closing::run(services.clone(), stop.clone()),
        worker::status_rules::run(services, stop)
    );
}

/// Where mail goes, and what its links begin with.
fn mail(config: &Config) -> worker::mail::Settings {
    let beside = || {
        let file = config.database.strip_prefix("sqlite:").map(Path::new);
        let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
        format!("file:{}", folder.join("mail").display())
    };
    let origin = config.public_url.as_ref();
    worker::mail::Settings {
        mail: config.mail.clone().unwrap_or_else(beside),
        from: config.mail_from.clone(),
        templates: config.mail_templates.clone(),
        origin: origin.map_or_else(|| format!("http://{}", config.listen), ToString::to_string),
    }
}

/// The permissions there are: those of Muster, or those of the operator's file beside the `org.*` ones.
fn catalogue(config: &Config) -> Result<Catalogue, Fault> {
    let Some(path) = &config.permissions else {
        return Ok(Catalogue::builtin());
    };
    let fault = |fault: String| Fault::Permissions {
        file: path.display().to_string(),
        fault,
    };
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    Catalogue::from_json(&text).map_err(|faults| {
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        fault(texts.join("; "))
    })
}

/// Schemas and resource types of every tenant.
fn definitions(config: &Config) -> Result<Definitions, Fault> {
    let Some(folder) = &config.schemas else {
        return Ok(Definitions::default());
    };
    schema_files::read(folder).map_err(|(file, fault)| Fault::Schemas {
        file: file.display().to_string(),
        fault,
    })
}

/// Delivers until `stop`. A server that can send nothing serves all the same, and says so.
async fn relay(services: Services, stop: CancellationToken) {
    match Egress::new(services.guard().clone()) {
        Ok(egress) => worker::relay::run(services, egress, stop).await,
        Err(fault) => tracing::error!(error = &fault as &dyn std::error::Error, "nothing can be delivered"),
    }
}

/// Calls enforcers until `stop`. A server that can call nobody serves all the same, and says so: their runs turn late.
async fn enforce(services: Services, stop: CancellationToken) {
    match Egress::new(services.guard().clone()) {
        Ok(egress) => worker::enforce::run(services, egress, stop).await,
        Err(fault) => tracing::error!(error = &fault as &dyn std::error::Error, "no enforcer can be called"),
    }
}

/// How often budgets of addresses not seen lately are forgotten.
const FORGET_EVERY: Duration = Duration::from_mins(1);

async fn forget_idle(edge: Edge, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(FORGET_EVERY) => edge.forget_idle(),
            () = stop.cancelled() => return,
        }
    }
}
