//! `muster fuse`: what a connection may take away before an administrator has to decide.

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::service::fuse::{self, Beyond, FuseChange, Fused, Harm, Limit};
use crate::service::{Caller, Services, connections};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the budgets of a connection, and what it has used of them
    Show(Which),
    /// Change budgets; what is left out stays
    Set(Set),
}

/// Which connection it is about.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// Name of the connection
    connection: String,
    /// Print JSON: `{"window_seconds", "beyond", budgets …, "used": [{"what", "opened", "budget", "used", "tripped"}]}`
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Set {
    #[command(flatten)]
    which: Which,
    /// How long a budget lasts, in seconds
    #[arg(long, value_name = "SECONDS")]
    window: Option<u64>,
    /// What becomes of a request beyond a budget
    #[arg(long)]
    beyond: Option<Word>,
    /// Users who become inactive, e.g. `10%,1000`: that share of everybody, and never less than the number
    #[arg(long, value_name = "PERCENT%,LEAST|off", value_parser = budget)]
    deactivations: Option<Budget>,
    /// Users and groups that are deleted
    #[arg(long, value_name = "PERCENT%,LEAST|off", value_parser = budget)]
    deletions: Option<Budget>,
    /// Members who leave groups
    #[arg(long, value_name = "PERCENT%,LEAST|off", value_parser = budget)]
    departures: Option<Budget>,
    /// Users and groups that get another name
    #[arg(long, value_name = "PERCENT%,LEAST|off", value_parser = budget)]
    renames: Option<Budget>,
}

/// `refuse` or `hold`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Word {
    /// The client asks again later
    Refuse,
    /// It is kept, and made when an administrator approves
    Hold,
}

impl From<Word> for Beyond {
    fn from(word: Word) -> Self {
        match word {
            Word::Refuse => Self::Refuse,
            Word::Hold => Self::Hold,
        }
    }
}

/// A budget, or that nothing is counted.
#[derive(Debug, Clone, Copy)]
struct Budget(Option<Limit>);

fn budget(text: &str) -> anyhow::Result<Budget> {
    if text == "off" {
        return Ok(Budget(None));
    }
    let limit = text.split_once("%,").and_then(|(percent, least)| {
        let (percent, least) = (percent.parse().ok()?, least.parse().ok()?);
        Some(Limit { percent, least })
    });
    let limit = limit.ok_or_else(|| anyhow!("a budget is such as `10%,1000`, or `off`"))?;
    Ok(Budget(Some(limit)))
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    let (which, fused) = match command {
        Command::Show(which) => {
            let (caller, connection) = found(&services, &which).await?;
            let fused = fuse::find(&services, &caller, &connection).await?;
            (which, fused)
        }
        Command::Set(set) => {
            let (caller, connection) = found(&services, &set.which).await?;
            let fused = fuse::change(&services, &caller, &connection, &set.change()).await?;
            (set.which, fused)
        }
    };
    if which.json {
        println!("{}", document(&fused));
    } else {
        told(&fused);
    }
    Ok(())
}

async fn found(services: &Services, which: &Which) -> anyhow::Result<(Caller, String)> {
    let caller = Caller::operator(services, &which.tenant, "cli").await?;
    let found = connections::show_connection(services, &which.tenant, &which.connection).await?;
    Ok((caller, found.connection.id))
}

impl Set {
    fn change(&self) -> FuseChange {
        let budgets = [
            (Harm::Deactivations, self.deactivations),
            (Harm::Deletions, self.deletions),
            (Harm::Departures, self.departures),
            (Harm::Renames, self.renames),
        ];
        let limits = budgets.into_iter();
        FuseChange {
            window: self.window,
            beyond: self.beyond.map(Beyond::from),
            limits: limits.filter_map(|(harm, budget)| Some((harm, budget?.0))).collect(),
        }
    }
}

const fn word(beyond: Beyond) -> &'static str {
    match beyond {
        Beyond::Refuse => "refuse",
        Beyond::Hold => "hold",
    }
}

fn document(Fused { fuse, used }: &Fused) -> Value {
    let used = used.iter().map(|used| {
        json!({
            "what": used.harm.as_str(),
            "opened": used.opened.rfc3339(),
            "budget": used.budget,
            "used": used.used,
            "tripped": used.tripped,
        })
    });
    let used: Value = used.collect();
    let mut document = json!({ "window_seconds": fuse.window.as_secs(), "beyond": word(fuse.beyond), "used": used });
    for harm in Harm::ALL {
        let limit = |limit: Limit| json!({ "percent": limit.percent, "least": limit.least });
        document[harm.as_str()] = fuse.limit(harm).map(limit).into();
    }
    document
}

fn told(Fused { fuse, used }: &Fused) {
    println!(
        "within {} seconds; what is beyond: {}",
        fuse.window.as_secs(),
        word(fuse.beyond)
    );
    for harm in Harm::ALL {
        let budget = fuse.limit(harm).map_or_else(
            || "not counted".to_owned(),
            |limit| format!("{} %, at least {}", limit.percent, limit.least),
        );
        let used = used.iter().find(|used| used.harm == harm);
        let used = used.map_or_else(String::new, |used| {
            let of = used
                .budget
                .map_or_else(|| "any number".to_owned(), |budget| budget.to_string());
            let tripped = if used.tripped {
                ", TRIPPED: see muster hold list"
            } else {
                ""
            };
            format!("; {} of {of} since {}{tripped}", used.used, used.opened)
        });
        println!("{:16} {budget}{used}", harm.as_str());
    }
}
