//! `muster serve`: the server, until a signal ends it.

use clap::Args;
use std::future::Future;
use std::io::Write as _;
use tokio::signal::unix::{SignalKind, signal};

use super::args::{Common, Listening};
use super::run::{Failure, block_on};
use crate::app::{App, FirstStart};
use crate::base::secret::Secret;
use crate::telemetry;

/// Flags of `serve`, also accepted without the word.
#[derive(Debug, Clone, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    listening: Listening,
    /// SCIM token of the first start; only by environment, so that it never shows in a process list
    #[arg(long, env = "MUSTER_BOOTSTRAP_TOKEN", hide = true, hide_env_values = true)]
    bootstrap_token: Option<String>,
    /// Admin API token of the first start
    #[arg(long, env = "MUSTER_BOOTSTRAP_ADMIN_TOKEN", hide = true, hide_env_values = true)]
    bootstrap_admin_token: Option<String>,
}

impl Serve {
    pub(super) fn run(self, common: &Common) -> Result<(), Failure> {
        let config = common
            .load(Some(&self.listening))
            .map_err(|fault| Failure::Start(fault.into()))?;
        telemetry::log(config.log_format, &config.log).map_err(|fault| Failure::Start(fault.into()))?;
        block_on(async {
            let start = |fault: crate::app::Fault| Failure::Start(fault.into());
            let listener = App::bind(&config).await.map_err(start)?;
            let app = App::open(&config).await.map_err(start)?;
            let first = app
                .first_start(
                    self.bootstrap_token.map(Secret::new),
                    self.bootstrap_admin_token.map(Secret::new),
                )
                .await
                .map_err(start)?;
            let address = listener.local_addr().map_err(|fault| Failure::Start(fault.into()))?;
            if let Some(first) = first {
                welcome(
                    &first,
                    &config
                        .public_url
                        .as_ref()
                        .map_or_else(|| format!("http://{address}"), ToString::to_string),
                );
            }
            // The signals are ours before anybody can know that we serve.
            let shutdown = shutdown().map_err(|fault| Failure::Start(fault.into()))?;
            println!("listening on http://{address}");
            // A pipe is block-buffered, and whoever waits for this line waits behind one.
            let _ = std::io::stdout().flush();
            app.serve(listener, shutdown)
                .await
                .map_err(|fault| Failure::Refused(fault.into()))
        })
    }
}

/// What an admin needs to point an identity provider here.
fn welcome(first: &FirstStart, origin: &str) {
    println!("Muster starts on an empty database: tenant `default`, connection `default`.\n");
    println!("  SCIM base URL   {}/scim/v2", origin.trim_end_matches('/'));
    match &first.token {
        Some(token) => println!("  bearer token    {}\n", token.expose()),
        None => println!("  bearer token    as given by MUSTER_BOOTSTRAP_TOKEN\n"),
    }
    if first.token.is_some() {
        println!(
            "The token is shown this once and stored as a hash. Another: muster token create --tenant default --connection default\n"
        );
    }
}

/// Takes SIGTERM and SIGINT over; what it gives resolves at the first of them.
pub(super) fn shutdown() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
