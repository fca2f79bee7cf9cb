//! From a parsed command line to an exit code.

use anyhow::Context as _;
use std::future::Future;
use std::process::ExitCode;

use super::args::{Cli, Command, Common};
use super::{
    audit, connection, enforcer, explain, fuse, history, hold, invite, keys, migrate, owner, rules, schema, selftest,
    status_rules, stream, tenant, token, undo, user, verify, webhook, who_could,
};
use crate::app::App;
use crate::config::Config;
use crate::service::Services;
use crate::telemetry;

/// Could not start: a wrong setting, a port that is taken, a database that cannot be opened.
const CANNOT_START: u8 = 2;

/// Runs the command. Exit code 0 is success, 1 a refusal, 2 a failure to start.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let Cli { command, serve, common } = cli;
    let outcome = match command {
        None => serve.run(&common),
        Some(Command::Serve(serve)) => serve.run(&common),
        Some(Command::Migrate) => migrate::run(&common),
        Some(Command::Tenant(command)) => with_services(&common, |services, _| tenant::run(services, command)),
        Some(Command::Connection(command)) => {
            with_services(&common, |services, config| connection::run(services, config, command))
        }
        Some(Command::Token(command)) => with_services(&common, |services, _| token::run(services, command)),
        Some(Command::Owner(command)) => with_services(&common, |services, _| owner::run(services, command)),
        Some(Command::Rules(command)) => with_services(&common, |services, _| rules::run(services, command)),
        Some(Command::StatusRules(command)) => {
            with_services(&common, |services, _| status_rules::run(services, command))
        }
        Some(Command::Schema(command)) => with_services(&common, |services, _| schema::run(services, command)),
        Some(Command::Verify(command)) => verify::run(&command),
        Some(Command::Selftest(asked)) => selftest::run(&asked),
        Some(Command::User(command)) => with_services(&common, |services, _| user::run(services, command)),
        Some(Command::Enforcer(command)) => with_services(&common, |services, _| enforcer::run(services, command)),
        Some(Command::Webhook(command)) => with_services(&common, |services, _| webhook::run(services, command)),
        Some(Command::Stream(command)) => {
            with_services(&common, |services, config| stream::run(services, config, command))
        }
        Some(Command::Invite(asked)) => with_services(&common, |services, _| invite::run(services, asked)),
        Some(Command::Fuse(command)) => with_services(&common, |services, _| fuse::run(services, command)),
        Some(Command::Hold(command)) => with_services(&common, |services, _| hold::run(services, command)),
        Some(Command::Undo(asked)) => with_services(&common, |services, _| undo::run(services, asked)),
        Some(Command::Explain(asked)) => with_services(&common, |services, _| explain::run(services, asked)),
        Some(Command::History(asked)) => with_services(&common, |services, _| history::run(services, asked)),
        Some(Command::WhoCould(asked)) => with_services(&common, |services, _| who_could::run(services, asked)),
        Some(Command::Audit(command)) => audit::run(&common, command),
        Some(Command::Keys(command)) => with_services(&common, |services, _| keys::run(services, command)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Start(fault)) => {
            eprintln!("muster: {}", told(&fault));
            ExitCode::from(CANNOT_START)
        }
        Err(Failure::Refused(fault)) => {
            eprintln!("muster: {}", told(&fault));
            ExitCode::FAILURE
        }
    }
}

/// A failure and its causes in one line, each said once: some errors repeat their cause in their own words.
fn told(fault: &anyhow::Error) -> String {
    fault
        .chain()
        .map(ToString::to_string)
        .fold(String::new(), |mut line, cause| {
            if !line.contains(&cause) {
                line.push_str(if line.is_empty() { "" } else { ": " });
                line.push_str(&cause);
            }
            line
        })
}

/// Why a command did not do its work.
pub(super) enum Failure {
    /// Before it began.
    Start(anyhow::Error),
    /// While it ran.
    Refused(anyhow::Error),
}

/// Opens the database, runs one command over the use cases, and closes it.
pub(super) fn with_services<F, Fut>(common: &Common, command: F) -> Result<(), Failure>
where
    F: FnOnce(Services, Config) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    let config = common.load(None).map_err(|fault| Failure::Start(fault.into()))?;
    telemetry::log(config.log_format, &config.log).map_err(|fault| Failure::Start(fault.into()))?;
    block_on(async {
        let app = App::open(&config).await.map_err(|fault| Failure::Start(fault.into()))?;
        let outcome = command(app.services().clone(), config).await;
        app.close().await;
        outcome.map_err(Failure::Refused)
    })
}

/// Runs on the multi-threaded runtime.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime
        .context("the runtime could not be started")
        .map_err(Failure::Start)?
        .block_on(work)
}
