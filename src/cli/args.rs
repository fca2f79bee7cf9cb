//! What can be typed.

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

use super::{
    audit, connection, enforcer, explain, fuse, history, hold, invite, keys, owner, rules, schema, selftest, serve,
    status_rules, stream, tenant, token, undo, user, verify, webhook, who_could,
};
use crate::base::secret::Secret;
use crate::config::{Config, Fault, LogFormat, Overrides, RateLimit};

/// Muster: a SCIM 2.0 server that identity providers provision users and groups into
///
/// Without a command it serves. Settings come from flags, then the environment, then the file of --config, then
/// defaults.
#[derive(Debug, Parser)]
#[command(name = "muster", version, subcommand_required = false)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) serve: serve::Serve,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve SCIM over HTTP (the default)
    Serve(Box<serve::Serve>),
    /// Bring the database to the version of this program, and stop
    Migrate,
    /// Customer organisations
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Provisioning sources of a tenant: Okta, Entra, an HR system
    #[command(subcommand)]
    Connection(connection::Command),
    /// Bearer tokens: shown once, stored as a hash
    #[command(subcommand)]
    Token(token::Command),
    /// Who owns a tenant: the first owner, and break-glass
    #[command(subcommand)]
    Owner(owner::Command),
    /// Rules of a tenant as a file
    #[command(subcommand)]
    Rules(rules::Command),
    /// Rules of a tenant that keep users out because of what is known of them
    #[command(subcommand)]
    StatusRules(status_rules::Command),
    /// Schemas of a tenant, and which resource types have them
    #[command(subcommand)]
    Schema(schema::Command),
    /// Whether people may come in
    #[command(subcommand)]
    User(user::Command),
    /// Who has to end what a person has open, when their account ends
    #[command(subcommand)]
    Enforcer(enforcer::Command),
    /// Who is told of what happens
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// Who is told of it by security event tokens
    #[command(subcommand)]
    Stream(stream::Command),
    /// Ask several people to come, by e-mail, with a role
    Invite(invite::Invite),
    /// What a connection may take away before an administrator has to decide
    #[command(subcommand)]
    Fuse(fuse::Command),
    /// What went beyond that, and waits for a decision
    #[command(subcommand)]
    Hold(hold::Command),
    /// Take back what a connection did in a time, or what an undo did
    Undo(undo::TakeBack),
    /// Why a user may do something, or why not
    Explain(explain::Explain),
    /// What was known of a user at an instant and what they had, or what became of them between two
    History(history::History),
    /// Who could do something at an instant
    WhoCould(who_could::WhoCould),
    /// Test a SCIM server, whoever made it, by what the standards ask of it
    Selftest(Box<selftest::SelfTest>),
    /// Check what Muster signed, without a database
    #[command(subcommand)]
    Verify(verify::Command),
    /// The log of a tenant: taken out, and proved to be what it was
    #[command(subcommand)]
    Audit(audit::Command),
    /// What the installation signs with
    #[command(subcommand)]
    Keys(keys::Command),
}

/// Settings that every command understands.
#[derive(Debug, Clone, Args)]
pub(super) struct Common {
    /// TOML file with settings; the names are those of the flags, with underscores
    #[arg(long, global = true, env = "MUSTER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME` [default: sqlite:muster.db]
    #[arg(
        long,
        global = true,
        env = "MUSTER_DATABASE",
        hide_env_values = true,
        value_name = "URL"
    )]
    database: Option<String>,
    /// What is logged to standard error, e.g. `info` or `muster=debug` [default: info]
    #[arg(long, global = true, env = "MUSTER_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How log lines look [default: human on a terminal, JSON otherwise]
    #[arg(long, global = true, env = "MUSTER_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
    /// What clients see in front of /scim/v2, when a proxy stands before Muster, e.g. `https://muster.example`
    #[arg(long, global = true, env = "MUSTER_PUBLIC_URL", value_name = "URL")]
    public_url: Option<Url>,
    /// File of the keys that seal what is secret in the database [default: muster.key beside a SQLite file, else here]
    #[arg(long, global = true, env = "MUSTER_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Text of such a file; only by environment, so that it never shows in a process list
    #[arg(
        long = "sealing-keys",
        global = true,
        env = "MUSTER_KEY",
        hide = true,
        hide_env_values = true
    )]
    sealing_keys: Option<String>,
    /// JSON file of permissions that take the place of the scope-level ones; every command must be given the same
    #[arg(long, global = true, env = "MUSTER_PERMISSIONS", value_name = "FILE")]
    permissions: Option<PathBuf>,
    /// Folder of `*.json`: SCIM schemas and resource types of every tenant; every command must be given the same
    #[arg(long, global = true, env = "MUSTER_SCHEMAS", value_name = "DIR")]
    schemas: Option<PathBuf>,
}

/// Settings of `serve`.
#[derive(Debug, Clone, Args)]
pub(super) struct Listening {
    /// Address to serve on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "MUSTER_LISTEN", value_name = "HOST:PORT")]
    pub(super) listen: Option<SocketAddr>,
    /// Network whose X-Forwarded-For, -Proto and -Host headers are believed; may be repeated
    #[arg(
        long = "trusted-proxy",
        env = "MUSTER_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "CIDR"
    )]
    pub(super) trusted_proxies: Vec<IpNet>,
    /// Requests a second per connection, with a burst of twice that; `off` for load tests [default: 1000]
    #[arg(long, env = "MUSTER_RATE_LIMIT", value_name = "N|off")]
    pub(super) rate_limit: Option<RateLimit>,
    /// Where mail goes: `file:DIR`, `smtp://USER:PASSWORD@HOST`, `smtps://…` or `off` [default: the folder `mail` beside the database]
    #[arg(long, env = "MUSTER_MAIL", hide_env_values = true, value_name = "URL")]
    pub(super) mail: Option<String>,
    /// Who mail is from; `Muster <muster@localhost>` when nobody says
    #[arg(long, env = "MUSTER_MAIL_FROM", value_name = "NAME <ADDRESS>")]
    pub(super) mail_from: Option<String>,
    /// Folder of mail texts that take the place of those of Muster
    #[arg(long, env = "MUSTER_MAIL_TEMPLATES", value_name = "DIR")]
    pub(super) mail_templates: Option<PathBuf>,
    /// Have discovery list roles, entitlements and role assignments, which only drafts define [default: false]
    #[arg(
        long,
        env = "MUSTER_ADVERTISE_ROLES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL"
    )]
    pub(super) advertise_roles: Option<bool>,
    /// Network that webhooks may be sent to though it is not public, e.g. 10.1.0.0/16; may be repeated
    #[arg(
        long = "egress-allow",
        env = "MUSTER_EGRESS_ALLOW",
        value_delimiter = ',',
        value_name = "CIDR"
    )]
    pub(super) egress_allow: Vec<IpNet>,
    /// Allow webhooks by plain http, too [default: false]
    #[arg(
        long,
        env = "MUSTER_EGRESS_HTTP",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL"
    )]
    pub(super) egress_http: Option<bool>,
}

impl Common {
    /// The settings in force.
    pub(super) fn load(&self, listening: Option<&Listening>) -> Result<Config, Fault> {
        let overrides = Overrides {
            database: self.database.clone(),
            log: self.log.clone(),
            log_format: self.log_format,
            public_url: self.public_url.clone(),
            key_file: self.key_file.clone(),
            permissions: self.permissions.clone(),
            schemas: self.schemas.clone(),
            listen: listening.and_then(|l| l.listen),
            trusted_proxies: listening.map(|l| l.trusted_proxies.clone()).unwrap_or_default(),
            rate_limit: listening.and_then(|l| l.rate_limit),
            mail: listening.and_then(|l| l.mail.clone()),
            mail_from: listening.and_then(|l| l.mail_from.clone()),
            mail_templates: listening.and_then(|l| l.mail_templates.clone()),
            advertise_roles: listening.and_then(|l| l.advertise_roles),
            egress_allow: listening.map(|l| l.egress_allow.clone()).unwrap_or_default(),
            egress_http: listening.and_then(|l| l.egress_http),
        };
        let mut config = Config::load(self.config.as_deref(), &overrides)?;
        config.key = self.sealing_keys.clone().map(Secret::new);
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_means_serve() {
        let cli = Cli::parse_from(["muster", "--listen", "127.0.0.1:0"]);
        assert!(cli.command.is_none());
    }
}
