//! One request many times at once.

use std::sync::Arc;
use tokio::task::JoinSet;

use super::super::client::Ask;
use super::super::requirement::Race;
use super::super::steps::{ask, run_steps};
use super::super::stop::{Outcome, Stop};
use super::super::values::Values;
use super::super::world::World;

/// The status `one` is answered once, and to the others one of the rest.
pub(in crate::selftest) async fn race(world: &mut World<'_>, values: &mut Values, check: &Race) -> Outcome {
    run_steps(world, values, &check.before).await?;
    let ask = Ask {
        alone: true,
        ..ask(world, values, &check.step).await?
    };
    let mut running = JoinSet::new();
    for _ in 0..check.times {
        let (server, ask) = (Arc::clone(&world.server), ask.clone());
        running.spawn(async move { server.send(ask).await });
    }
    let mut replies = Vec::new();
    while let Some(done) = running.join_next().await {
        let reply = done.map_err(|fault| Stop::blocked(fault.to_string()))?;
        replies.push(reply.map_err(|_| Stop::wrong("not every request was answered"))?);
    }
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    let first = statuses.iter().filter(|status| **status == check.one).count();
    let known = |status: &u16| *status == check.one || check.rest.contains(status);
    if first != 1 || !statuses.iter().all(known) {
        let what = format!("{} equal requests at once were answered {statuses:?}", check.times);
        let last = replies.last();
        return Err(last.map_or_else(|| Stop::wrong(&what), |last| Stop::wrong_in(&what, last)));
    }
    run_steps(world, values, &check.after).await
}
