//! The steps of a check: make a resource, send a request and look at its answer, wait.

use regex::{Captures, Regex};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::client::Ask;
use super::exchange::Exchange;
use super::fact::first_wrong;
use super::place::{place, select};
use super::requirement::{Pause, Request, Step};
use super::shape::Refusal;
use super::stop::{Outcome, Stop};
use super::values::{Values, plain};
use super::world::{MESSAGE, World, keep};

/// Most bytes of one body: some servers allow bulk requests of gigabytes.
const MAX_BODY_BYTES: usize = 20_000_000;

/// Long enough for `lastModified` to move, where it shows fractions of a second and where it does not.
const FINE_TICK: Duration = Duration::from_millis(5);
const COARSE_TICK: Duration = Duration::from_millis(1100);

pub(super) async fn run_steps(world: &mut World<'_>, values: &mut Values, steps: &[Step]) -> Outcome {
    for step in steps {
        match step {
            Step::Pause(pause) => world.server.pause(length(values, *pause)).await,
            Step::Create(step) => drop(world.create(values, step).await?),
            Step::Send(step) => send(world, values, step).await?,
        }
    }
    Ok(())
}

fn length(values: &Values, pause: Pause) -> Duration {
    // A fraction of zeros is that of a server which counts seconds.
    let shows_fractions = |value: &Value| {
        let shown = value.pointer("/meta/lastModified").and_then(Value::as_str);
        let fraction = shown
            .and_then(|text| text.split_once('.'))
            .map_or("", |(_, fraction)| fraction);
        fraction
            .chars()
            .take_while(char::is_ascii_digit)
            .any(|digit| digit != '0')
    };
    match pause {
        Pause::Seconds(seconds) => Duration::from_secs_f64(seconds),
        Pause::Tick if values.known.values().any(shows_fractions) => FINE_TICK,
        Pause::Tick => COARSE_TICK,
    }
}

/// The request of a step, its placeholders filled in.
pub(super) async fn ask(world: &mut World<'_>, values: &Values, step: &Request) -> Outcome<Ask> {
    let line = values.text(&step.send)?;
    let (method, path) = line.split_once(' ').unwrap_or((&line, ""));
    let query = values.members(&step.query)?.into_iter();
    let body = payload(world, values, (step, method, path)).await?;
    Ok(Ask {
        method: method.to_owned(),
        path: path.to_owned(),
        body,
        headers: values.texts(&step.headers)?,
        query: query
            .map(|(name, value)| Ok((name, big(&value)?)))
            .collect::<Outcome<_>>()?,
        auth: step.auth.as_deref().map(|auth| values.text(auth)).transpose()?,
        alone: false,
    })
}

/// The body of a step, completed by what the server requires beyond it.
async fn payload(
    world: &mut World<'_>,
    values: &Values,
    (step, method, path): (&Request, &str, &str),
) -> Outcome<Option<Vec<u8>>> {
    let message =
        |kind: &str, operations: Value| json!({"schemas": [format!("{MESSAGE}{kind}")], "Operations": operations});
    let (mut value, raw) = if let Some(raw) = &step.raw {
        let text = values.text(raw)?;
        // What is no JSON before the repetitions are written out goes as it is.
        (serde_json::from_str(&text).unwrap_or_default(), Some(text))
    } else if let Some(ops) = &step.ops {
        (message("PatchOp", values.fill(&ops.0)?), None)
    } else if let Some(bulk) = &step.bulk {
        (message("BulkRequest", values.fill(&bulk.0)?), None)
    } else if let Some(body) = &step.body {
        (values.fill(&body.0)?, None)
    } else {
        return Ok(None);
    };
    let before = value.clone();
    if !step.exact {
        world.complete(method, path, &mut value).await?;
    }
    // As it was written, as long as nothing had to be added: how it is written may be what the check is about.
    let text = match raw {
        Some(text) if value == before => big(&text)?,
        Some(_) => big(&value.to_string())?,
        None => value.to_string(),
    };
    Ok(Some(text.into_bytes()))
}

/// `<<10000 x>>` stands for 10,000 times x.
fn big(text: &str) -> Outcome<String> {
    // INVARIANT: the pattern is fixed and valid.
    static REPEATED: LazyLock<Regex> = LazyLock::new(|| Regex::new("<<([0-9]+) (.+?)>>").expect("a valid pattern"));
    let times = |found: &Captures<'_>| found[1].parse::<usize>().unwrap_or(usize::MAX);
    let too_big = |found: Captures<'_>| times(&found).saturating_mul(found[2].len()) > MAX_BODY_BYTES;
    if REPEATED.captures_iter(text).any(too_big) {
        return Err(Stop::blocked("the limit is too high to be tried"));
    }
    Ok(REPEATED
        .replace_all(text, |found: &Captures<'_>| found[2].repeat(times(found)))
        .into_owned())
}

async fn send(world: &mut World<'_>, values: &mut Values, step: &Request) -> Outcome {
    let ask = ask(world, values, step).await?;
    let exchange = world.server.send(ask).await?;
    world.note(&exchange);
    if let Some(wrong) = complaint(&exchange, values, step)? {
        return Err(if step.setup || exchange.status == 429 {
            Stop::blocked_by(wrong, &exchange)
        } else {
            Stop::wrong_in(wrong, &exchange)
        });
    }
    for (name, at) in &step.save {
        let found = place(&exchange, at)?;
        if at.contains("[*]") {
            values.put(name, found);
        } else if let Some(first) = found.into_iter().next() {
            values.put(name, first);
        } else {
            return Err(Stop::blocked_by(format!("nothing at {at} to go on with"), &exchange));
        }
    }
    if let Some(name) = &step.keep
        && exchange.member("id").is_some_and(|id| !plain(id).is_empty())
    {
        let base = world.server.base_path();
        let path = exchange
            .path
            .strip_prefix(base)
            .unwrap_or(&exchange.path)
            .trim_matches('/');
        let first = path.split(['/', '?']).next().unwrap_or_default();
        keep(values, name, &format!("/{first}"), &exchange);
    }
    Ok(())
}

/// The first thing about the answer that is not as the step says, `None` if all is.
fn complaint(exchange: &Arc<Exchange>, values: &mut Values, step: &Request) -> Outcome<Option<String>> {
    let status = exchange.status;
    let either = |words: Vec<String>| words.join(" or ");
    if !step.status.is_empty() && !step.status.contains(&status) {
        let wanted = either(step.status.iter().map(ToString::to_string).collect());
        return Ok(Some(format!("the status is {status}, not {wanted}")));
    }
    if !step.error.is_empty() {
        let shown = select(&exchange.json, "$.scimType")?;
        if !step.error.iter().any(|wanted| is_error(status, &shown, wanted)) {
            let words = std::iter::once(status.to_string()).chain(shown.into_iter().map(plain));
            let answer = words.collect::<Vec<_>>().join(" ");
            let wanted = either(step.error.iter().map(ToString::to_string).collect());
            return Ok(Some(format!("the answer is {answer}, not the error {wanted}")));
        }
    }
    first_wrong(exchange, values, &step.expect)
}

/// `400 invalidValue` wants that scimType, `400 invalidValue?` that or none: it is optional where no section demands it.
fn is_error(status: u16, shown: &[&Value], wanted: &Refusal) -> bool {
    let fits = match (&wanted.scim_type, shown) {
        (None, _) => true,
        (Some(word), [one]) => *one == word,
        (Some(_), _) => shown.is_empty() && wanted.may_be_missing,
    };
    status == wanted.status && fits
}
