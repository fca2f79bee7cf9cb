//! `muster token`: bearer tokens of connections, administrators and users.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::{Span, SpanRelativeTo};
use serde_json::json;

use crate::base::clock::Timestamp;
use crate::service::Services;
use crate::service::credentials::{self, Holder, Issued};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token and show it this once
    Create {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        #[command(flatten)]
        holder: HolderArgs,
        /// Lifetime such as 90d, 12h; without it the token stays valid until it is revoked
        #[arg(long, value_parser = lifetime)]
        expires: Option<Span>,
        /// Print JSON: {"id", "token", "expires"}
        #[arg(long)]
        json: bool,
    },
    /// List a tenant's tokens: never the tokens themselves
    List {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Print JSON: `{"items": [{"id", "holder", "created", "expires", "last_used", "revoked"}]}`
        #[arg(long)]
        json: bool,
    },
    /// End a token; when this returns, no server accepts it any more
    Revoke {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Id as listed
        id: String,
    },
    /// Make a successor and let the old token live on for a while
    Rotate {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Id as listed
        id: String,
        /// How long the old token stays valid
        #[arg(long, value_parser = lifetime, default_value = "24h")]
        overlap: Span,
        /// Lifetime of the new token; without it as long as the old one was made for
        #[arg(long, value_parser = lifetime)]
        expires: Option<Span>,
        /// Print JSON: {"id", "token", "expires"}
        #[arg(long)]
        json: bool,
    },
}

/// Whose token it is.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct HolderArgs {
    /// Name of the connection that the token is for
    #[arg(long)]
    connection: Option<String>,
    /// A token for the admin API
    #[arg(long)]
    admin: bool,
    /// Id of the user that the token acts for
    #[arg(long, value_name = "ID")]
    user: Option<String>,
}

impl HolderArgs {
    fn holder(self) -> Holder {
        match (self.connection, self.user) {
            (Some(name), _) => Holder::Connection(name),
            (None, Some(id)) => Holder::User(id),
            (None, None) => Holder::Admin,
        }
    }
}

/// `90d`, `12h`, `30m`: above zero.
fn lifetime(text: &str) -> Result<Span, String> {
    let span: Span = text
        .parse()
        .map_err(|_| format!("`{text}` is not a time span such as 90d or 12h"))?;
    if span.is_positive() {
        Ok(span)
    } else {
        Err("a time span must be longer than nothing".to_owned())
    }
}

fn after(now: Timestamp, span: &Span) -> anyhow::Result<Timestamp> {
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .context("use weeks, days, hours or minutes")?;
    let micros = i64::try_from(duration.as_micros()).context("the time span is too long")?;
    now.0
        .checked_add(micros)
        .map(Timestamp)
        .context("the time span is too long")
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    let now = services.clock().now();
    match command {
        Command::Create {
            tenant,
            holder,
            expires,
            json,
        } => {
            let expires = expires.map(|span| after(now, &span)).transpose()?;
            let issued = credentials::issue(&services, &tenant, &holder.holder(), expires).await?;
            print(&issued, json);
        }
        Command::List { tenant, json } => list(&services, &tenant, json).await?,
        Command::Revoke { tenant, id } => {
            credentials::revoke(&services, &tenant, &id).await?;
            println!("revoked; no server accepts it any more");
        }
        Command::Rotate {
            tenant,
            id,
            overlap,
            expires,
            json,
        } => {
            let expires = expires.map(|span| after(now, &span)).transpose()?;
            let issued = credentials::rotate(&services, &tenant, &id, after(now, &overlap)?, expires).await?;
            print(&issued, json);
        }
    }
    Ok(())
}

fn print(issued: &Issued, as_json: bool) {
    let expires = issued.expires.map(Timestamp::rfc3339);
    if as_json {
        println!(
            "{}",
            json!({"id": issued.id, "token": issued.token.expose(), "expires": expires})
        );
    } else {
        println!("{}", issued.token.expose());
        eprintln!(
            "token {} is shown this once; {}",
            issued.id,
            expires.map_or_else(|| "it does not expire".to_owned(), |at| format!("it expires {at}"))
        );
    }
}

async fn list(services: &Services, tenant: &str, as_json: bool) -> anyhow::Result<()> {
    let tokens = credentials::list(services, tenant).await?;
    let time = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
    if as_json {
        let items: Vec<_> = tokens
            .iter()
            .map(|t| {
                json!({"id": t.id, "holder": t.holder, "created": t.created.rfc3339(), "expires": time(t.expires),
                       "last_used": time(t.last_used), "revoked": time(t.revoked)})
            })
            .collect();
        println!("{}", json!({"items": items}));
        return Ok(());
    }
    for t in &tokens {
        let state = match (t.revoked, t.expires) {
            (Some(_), _) => "revoked".to_owned(),
            (None, Some(at)) => format!("until {}", at.rfc3339()),
            (None, None) => "no end".to_owned(),
        };
        let used = time(t.last_used).unwrap_or_else(|| "never".to_owned());
        println!("{}  {:28} {state:36} last used {used}", t.id, t.holder);
    }
    Ok(())
}
