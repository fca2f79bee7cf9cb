//! `muster migrate`: bring the database up to date, for deployments that do not want `serve` to do it.

use super::args::Common;
use super::run::{Failure, block_on};
use crate::app::App;
use crate::telemetry;

pub(super) fn run(common: &Common) -> Result<(), Failure> {
    let config = common.load(None).map_err(|fault| Failure::Start(fault.into()))?;
    telemetry::log(config.log_format, &config.log).map_err(|fault| Failure::Start(fault.into()))?;
    block_on(async {
        let app = App::open(&config).await.map_err(|fault| Failure::Start(fault.into()))?;
        println!("the database is up to date");
        app.close().await;
        Ok(())
    })
}
