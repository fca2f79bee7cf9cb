//! `muster enforcer`: who has to end what a person has open, when their account ends.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::base::clock::Timestamp;
use crate::service::access::Paging;
use crate::service::offboarding::enforcers::{self, Asked, Enforcer, NewEnforcer, Probing, Said, Turn};
use crate::service::{Caller, Services};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Have an enforcer take part in every run that is opened from now on; prints its secret, this once
    Create(Create),
    /// List a tenant's enforcers
    List {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Print JSON: {"items": […]}
        #[arg(long)]
        json: bool,
    },
    /// Show an enforcer, what waits for it, and what came of trying it
    Show {
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give it a time of its own, for runs that are opened from now on
    Deadline {
        #[command(flatten)]
        which: Which,
        /// 60 to 604800 seconds; without it, as long as the settings say
        #[arg(long)]
        seconds: Option<u64>,
    },
    /// Call it no more: new runs go without it, those under way wait for it
    Pause(Which),
    /// Call it again, at once for everything that waits
    Resume(Which),
    /// Have the server try it; `show` says a moment later what came of it
    Test(Which),
    /// Make a new secret; the old one signs beside it for 24 hours
    Rotate(Which),
    /// Remove it, from the runs under way, too; their certificates say so
    Delete(Which),
}

/// Which one it is about.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Name or id
    enforcer: String,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
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
    /// Where it is told to end everything of a person
    #[arg(long)]
    url: String,
    /// Where it is asked what is still open
    #[arg(long, required_unless_present = "believed", conflicts_with = "believed")]
    probe: Option<String>,
    /// There is no probe: its acknowledgement confirms
    #[arg(long)]
    believed: bool,
    /// Seconds in which it has to confirm: 60 to 604800; as long as the settings say when nobody says it
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
    /// Print JSON: `{"id", "secret"}`
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create(asked) => create(&services, asked).await,
        Command::List { tenant, json } => list(&services, &tenant, json).await,
        Command::Show { which, json } => {
            let (_, enforcer) = found(&services, &which).await?;
            told(&enforcer, json);
            Ok(())
        }
        Command::Deadline { which, seconds } => deadline(&services, &which, seconds).await,
        Command::Pause(which) => turned(&services, &which, Turn::Pause).await,
        Command::Resume(which) => turned(&services, &which, Turn::Resume).await,
        Command::Test(which) => turned(&services, &which, Turn::Test).await,
        Command::Delete(which) => turned(&services, &which, Turn::Delete).await,
        Command::Rotate(which) => {
            let (caller, enforcer) = found(&services, &which).await?;
            let made = enforcers::add_secret(&services, &caller, &enforcer.id).await?;
            println!("{}", made.secret.expose());
            Ok(())
        }
    }
}

async fn create(services: &Services, asked: Create) -> anyhow::Result<()> {
    let caller = Caller::operator(services, &asked.tenant, "cli").await?;
    let probing = asked.probe.map_or(Probing::Believed, Probing::At);
    let new = NewEnforcer {
        name: asked.name,
        url: asked.url,
        probing,
        deadline_s: asked.deadline,
    };
    let (made, secret) = enforcers::create(services, &caller, new).await?;
    if asked.json {
        println!("{}", json!({"id": made.id, "secret": secret.secret.expose()}));
    } else {
        println!(
            "enforcer `{}` is there; it checks requests with {}",
            made.name,
            secret.secret.expose()
        );
        println!("next: muster enforcer test {} --tenant {}", made.id, asked.tenant);
    }
    Ok(())
}

async fn all(services: &Services, caller: &Caller) -> anyhow::Result<Vec<Enforcer>> {
    let (mut paging, mut all) = (Paging::default(), Vec::new());
    loop {
        let page = enforcers::list(services, caller, &paging).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => paging.after = Some(next),
            None => return Ok(all),
        }
    }
}

async fn list(services: &Services, tenant: &str, as_json: bool) -> anyhow::Result<()> {
    let caller = Caller::operator(services, tenant, "cli").await?;
    let enforcers = all(services, &caller).await?;
    if as_json {
        let items: Vec<Value> = enforcers.iter().map(shown).collect();
        println!("{}", json!({"items": items}));
        return Ok(());
    }
    for one in &enforcers {
        println!(
            "{}  {:24} {:6} {:4} waiting  {}",
            one.id, one.name, one.state, one.waiting, one.url
        );
    }
    Ok(())
}

async fn found(services: &Services, which: &Which) -> anyhow::Result<(Caller, Enforcer)> {
    let caller = Caller::operator(services, &which.tenant, "cli").await?;
    let mut all = all(services, &caller).await?.into_iter();
    let enforcer = all.find(|one| one.id == which.enforcer || one.name == which.enforcer);
    let enforcer = enforcer.with_context(|| format!("there is no enforcer `{}`", which.enforcer))?;
    Ok((caller, enforcer))
}

async fn deadline(services: &Services, which: &Which, seconds: Option<u64>) -> anyhow::Result<()> {
    let (caller, enforcer) = found(services, which).await?;
    let asked = Asked {
        deadline_s: Some(seconds),
        ..Asked::default()
    };
    let changed = enforcers::change(services, &caller, &enforcer.id, asked).await?;
    println!("`{}` {}", changed.name, given(&changed));
    Ok(())
}

/// How long it is given, in words.
fn given(enforcer: &Enforcer) -> String {
    match enforcer.deadline_s {
        Some(seconds) => format!("is given {seconds} seconds"),
        None => "is given as long as the settings say".to_owned(),
    }
}

async fn turned(services: &Services, which: &Which, turn: Turn) -> anyhow::Result<()> {
    let (caller, enforcer) = found(services, which).await?;
    enforcers::turn(services, &caller, &enforcer.id, turn).await?;
    let done = match turn {
        Turn::Pause => "is paused",
        Turn::Resume => "is called again",
        Turn::Test => "will be tried by the server",
        Turn::Delete => "is removed",
    };
    println!("`{}` {done}", enforcer.name);
    Ok(())
}

fn shown(enforcer: &Enforcer) -> Value {
    let said = |said: &Said| json!({"ok": said.ok, "says": said.says});
    let tested = enforcer.tested.as_ref().map(|tested| {
        json!({"at": tested.when().rfc3339(), "hook": said(&tested.hook), "probe": tested.probe.as_ref().map(said)})
    });
    json!({
        "id": enforcer.id, "name": enforcer.name, "url": enforcer.url, "probe": enforcer.probe, "state": enforcer.state,
        "deadline_s": enforcer.deadline_s, "waiting": enforcer.waiting, "tested": tested, "created": enforcer.created.rfc3339(),
    })
}

fn told(enforcer: &Enforcer, as_json: bool) {
    if as_json {
        println!("{}", shown(enforcer));
        return;
    }
    println!("{}  {}  {}", enforcer.id, enforcer.name, enforcer.state);
    println!("told at {}", enforcer.url);
    match &enforcer.probe {
        Some(probe) => println!("asked at {probe}"),
        None => println!("not asked: it is believed"),
    }
    println!("it {}", given(enforcer));
    println!("{} steps wait for it", enforcer.waiting);
    if let Some(tested) = &enforcer.tested {
        let probe = tested
            .probe
            .as_ref()
            .map(|said| format!("; {}", said.says))
            .unwrap_or_default();
        println!("tried {}: {}{probe}", Timestamp(tested.at), tested.hook.says);
    }
}
