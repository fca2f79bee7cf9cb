//! `muster stream`: who is told by security event tokens what happens.

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use url::Url;

use crate::base::clock::Timestamp;
use crate::base::secret::Secret;
use crate::config::Config;
use crate::service::access::Paging;
use crate::service::delivery::streams::{self, Asked, Stream};
use crate::service::delivery::{self, Again, Family, Turn};
use crate::service::{Caller, Services};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Have somebody be told what happens from now on; prints the token of one that is polled, this once
    Create(Create),
    /// List a tenant's streams
    List {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Print JSON: {"items": […]}
        #[arg(long)]
        json: bool,
    },
    /// Show a stream, and how it goes with it
    Show {
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Send or give out nothing more until it is resumed; what happens waits
    Pause(Which),
    /// Send or give out again, what waits first
    Resume(Which),
    /// Tell this stream alone a verification event
    Verify(Verify),
    /// Make a new token for one that is polled; the old one ends
    Token(Which),
    /// Send or give out again what was given up, or everything from a position on
    Replay(Replay),
    /// Remove it, and what waits for it
    Delete(Which),
}

/// Which one it is about.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Name or id
    stream: String,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
}

/// How a stream is told.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum How {
    /// Tokens are posted to it (RFC 8935)
    Push,
    /// It fetches them (RFC 8936)
    Poll,
}

/// What it is to be.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// Name, unique in the tenant
    #[arg(long)]
    name: String,
    /// How it is told
    #[arg(long)]
    delivery: How,
    /// Where tokens are posted to
    #[arg(long, required_if_eq("delivery", "push"))]
    url: Option<String>,
    /// `Authorization` header that is sent with them, such as `Bearer …`; better from the environment than typed
    #[arg(long, env = "MUSTER_STREAM_AUTHORIZATION", hide_env_values = true)]
    authorization: Option<String>,
    /// `aud` of its tokens [default: the URL]
    #[arg(long)]
    audience: Option<String>,
    /// URI of an event that it is told; may be repeated [default: SCIM's events without values]
    #[arg(long = "event", value_name = "URI")]
    events: Vec<String>,
    /// What URLs of the server begin with, which its tokens name as who made them [default: `MUSTER_PUBLIC_URL`]
    #[arg(long, value_name = "URL")]
    issuer: Option<Url>,
    /// Print JSON: `{"id", "token"}`
    #[arg(long)]
    json: bool,
}

/// What is verified.
#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    which: Which,
    /// Comes back in the event, to be known again; it is kept in the log
    #[arg(long)]
    state: Option<String>,
}

/// What is to be sent again.
#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    which: Which,
    /// Every event from this position on, instead of what was given up
    #[arg(long, value_name = "SEQ")]
    from: Option<i64>,
}

pub(super) async fn run(services: Services, config: Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create(asked) => create(&services, &config, asked).await,
        Command::List { tenant, json } => list(&services, &tenant, json).await,
        Command::Show { which, json } => {
            let (_, stream) = found(&services, &which).await?;
            told(&stream, json);
            Ok(())
        }
        Command::Pause(which) => turned(&services, &which, Turn::Pause, "is paused").await,
        Command::Resume(which) => turned(&services, &which, Turn::Resume, "is told what happens again").await,
        Command::Verify(Verify { which, state }) => {
            turned(
                &services,
                &which,
                Turn::Test(state),
                "will be told a verification event",
            )
            .await
        }
        Command::Token(which) => {
            let (caller, stream) = found(&services, &which).await?;
            let token = streams::renew(&services, &caller, &stream.id).await?;
            println!("{}", token.expose());
            Ok(())
        }
        Command::Replay(asked) => {
            let (caller, stream) = found(&services, &asked.which).await?;
            let again = asked.from.map_or(Again::Dead, Again::From);
            delivery::replay(&services, &caller, (Family::Streams, &stream.id), again).await?;
            println!("`{}` will be told it again", stream.name);
            Ok(())
        }
        Command::Delete(which) => turned(&services, &which, Turn::Delete, "is removed").await,
    }
}

async fn create(services: &Services, config: &Config, new: Create) -> anyhow::Result<()> {
    let caller = Caller::operator(services, &new.tenant, "cli").await?;
    let issuer = new.issuer.or_else(|| config.public_url.clone());
    let issuer = issuer.context("its tokens have to name who made them: give --issuer, or set MUSTER_PUBLIC_URL")?;
    let issuer = issuer.as_str().trim_end_matches('/').to_owned();
    let delivery = match new.delivery {
        How::Push => streams::Delivery::Push,
        How::Poll => streams::Delivery::Poll,
    };
    let asked = Asked {
        name: Some(new.name),
        url: new.url,
        authorization: Some(new.authorization.map(Secret::new)),
        audience: new.audience,
        events: (!new.events.is_empty()).then_some(new.events),
    };
    let (made, token) = streams::create(services, &caller, (delivery, issuer), asked).await?;
    let token = token.map(Secret::into_exposed);
    if new.json {
        println!("{}", json!({"id": made.id, "token": token}));
        return Ok(());
    }
    println!("stream `{}` is there", made.name);
    if let Some(token) = token {
        println!("it is polled at {} with {token}", address(&made));
    }
    println!("next: muster stream verify {} --tenant {}", made.id, new.tenant);
    Ok(())
}

async fn all(services: &Services, caller: &Caller) -> anyhow::Result<Vec<Stream>> {
    let (mut paging, mut all) = (Paging::default(), Vec::new());
    loop {
        let page = streams::list(services, caller, &paging).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => paging.after = Some(next),
            None => return Ok(all),
        }
    }
}

async fn list(services: &Services, tenant: &str, as_json: bool) -> anyhow::Result<()> {
    let caller = Caller::operator(services, tenant, "cli").await?;
    let streams = all(services, &caller).await?;
    if as_json {
        let items: Vec<Value> = streams.iter().map(shown).collect();
        println!("{}", json!({"items": items}));
        return Ok(());
    }
    for one in &streams {
        let how = how(one);
        println!("{}  {:24} {how:4} {:8} {}", one.id, one.name, one.state, address(one));
    }
    Ok(())
}

async fn found(services: &Services, which: &Which) -> anyhow::Result<(Caller, Stream)> {
    let caller = Caller::operator(services, &which.tenant, "cli").await?;
    let mut all = all(services, &caller).await?.into_iter();
    let stream = all.find(|one| one.id == which.stream || one.name == which.stream);
    let stream = stream.with_context(|| format!("there is no stream `{}`", which.stream))?;
    Ok((caller, stream))
}

async fn turned(services: &Services, which: &Which, turn: Turn, done: &str) -> anyhow::Result<()> {
    let (caller, stream) = found(services, which).await?;
    delivery::turn(services, &caller, (Family::Streams, &stream.id), turn).await?;
    println!("`{}` {done}", stream.name);
    Ok(())
}

const fn how(stream: &Stream) -> &'static str {
    if stream.url.is_some() { "push" } else { "poll" }
}

/// Where tokens are posted to, or fetched.
fn address(stream: &Stream) -> String {
    let poll = || format!("{}/events/v1/streams/{}/poll", stream.issuer, stream.id);
    stream.url.clone().unwrap_or_else(poll)
}

fn shown(stream: &Stream) -> Value {
    let (waiting, behind, dead) = stream.deliveries;
    json!({
        "id": stream.id, "name": stream.name, "delivery": how(stream), "url": address(stream),
        "authorized": stream.authorized, "issuer": stream.issuer, "audience": stream.audience, "events": stream.events,
        "state": stream.state, "reason": stream.reason, "position": stream.position,
        "deliveries": {"waiting": waiting, "behind": behind, "dead": dead},
        "last_success": stream.last_success.map(Timestamp::rfc3339),
    })
}

fn told(stream: &Stream, as_json: bool) {
    if as_json {
        println!("{}", shown(stream));
        return;
    }
    let (waiting, behind, dead) = stream.deliveries;
    let reason = stream.reason.as_deref().map(|reason| format!(" ({reason})"));
    let reason = reason.unwrap_or_default();
    println!("{}  {}  {}{reason}", stream.id, stream.name, stream.state);
    println!("{} {}, for {}", how(stream), address(stream), stream.audience);
    for uri in &stream.events {
        println!("told {uri}");
    }
    println!(
        "everything up to {} got through, but for {waiting} waiting, {behind} behind these, {dead} given up",
        stream.position
    );
    if let Some(last) = stream.last_success {
        println!("something last got through {last}");
    }
}
