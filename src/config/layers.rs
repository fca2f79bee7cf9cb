//! Where each setting comes from, and what it is when nothing says otherwise.

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use url::Url;

use super::RateLimit;
use crate::base::secret::Secret;

/// Everything that can be set. The same names stand in the TOML file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address to serve on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// What clients see in front of `/scim/v2`, when a proxy stands before Muster.
    pub public_url: Option<Url>,
    /// Networks whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests a second per connection.
    pub rate_limit: RateLimit,
    /// File of the keys that seal what is secret in the database.
    pub key_file: Option<PathBuf>,
    /// The keys themselves, in the place of the file: only by environment.
    #[serde(skip)]
    pub key: Option<Secret<String>>,
    /// JSON file of permissions that take the place of the scope-level ones.
    pub permissions: Option<PathBuf>,
    /// Folder of schemas and resource types that every tenant has.
    pub schemas: Option<PathBuf>,
    /// Networks that webhooks may be sent to though they are not public.
    pub egress_allow: Vec<IpNet>,
    /// Whether webhooks may be sent by plain http.
    pub egress_http: bool,
    /// Where mail goes: `file:DIR`, `smtp://…`, `smtps://…` or `off`; the folder `mail` beside the database when absent.
    pub mail: Option<String>,
    /// Who mail is from.
    pub mail_from: String,
    /// Folder of texts that take the place of those of Muster.
    pub mail_templates: Option<PathBuf>,
    /// Largest request body, in bytes. A PUT of a group with 50,000 members is about 5 MB.
    pub max_body_bytes: usize,
    /// Largest body of a bulk request, in bytes: `bulk.maxPayloadSize` of the service provider configuration.
    pub max_bulk_bytes: usize,
    /// Largest page of a list; `filter.maxResults` of the service provider configuration.
    pub max_results: usize,
    /// Longest time a request may take, in seconds.
    pub request_timeout_secs: u64,
    /// Longest time running requests get to finish at shutdown, in seconds.
    pub shutdown_grace_secs: u64,
    /// Whether discovery lists what only drafts define: roles, entitlements, role assignments.
    pub advertise_roles: bool,
    /// Connections to PostgreSQL.
    pub postgres_connections: u32,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database: "sqlite:muster.db".to_owned(),
            public_url: None,
            trusted_proxies: Vec::new(),
            rate_limit: RateLimit::default(),
            key_file: None,
            key: None,
            permissions: None,
            schemas: None,
            egress_allow: Vec::new(),
            egress_http: false,
            mail: None,
            mail_from: "Muster <muster@localhost>".to_owned(),
            mail_templates: None,
            max_body_bytes: 8 << 20,
            max_bulk_bytes: 16 << 20,
            max_results: 1000,
            request_timeout_secs: 60,
            shutdown_grace_secs: 20,
            advertise_roles: false,
            postgres_connections: 16,
            log_format: LogFormat::Auto,
            log: "info".to_owned(),
        }
    }
}

/// What flags and environment set; `clap` has already let the flag win.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Overrides {
    /// `--listen`, `MUSTER_LISTEN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// `--database`, `MUSTER_DATABASE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// `--public-url`, `MUSTER_PUBLIC_URL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<Url>,
    /// `--trusted-proxy`, `MUSTER_TRUSTED_PROXIES`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<IpNet>,
    /// `--rate-limit`, `MUSTER_RATE_LIMIT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// `--key-file`, `MUSTER_KEY_FILE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// `--schemas`, `MUSTER_SCHEMAS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schemas: Option<PathBuf>,
    /// `--permissions`, `MUSTER_PERMISSIONS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<PathBuf>,
    /// `--egress-allow`, `MUSTER_EGRESS_ALLOW`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub egress_allow: Vec<IpNet>,
    /// `--egress-http`, `MUSTER_EGRESS_HTTP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress_http: Option<bool>,
    /// `--mail`, `MUSTER_MAIL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// `--mail-from`, `MUSTER_MAIL_FROM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<String>,
    /// `--mail-templates`, `MUSTER_MAIL_TEMPLATES`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_templates: Option<PathBuf>,
    /// `--advertise-roles`, `MUSTER_ADVERTISE_ROLES`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise_roles: Option<bool>,
    /// `--log-format`, `MUSTER_LOG_FORMAT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
    /// `--log`, `MUSTER_LOG`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// Why settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// `--config` names nothing.
    #[error("the configuration file `{}` does not exist", .0.display())]
    NoFile(PathBuf),
    /// A value does not fit.
    #[error("the configuration is not usable: {0}")]
    Unusable(Box<figment::Error>),
    /// `--public-url` is not something clients can use.
    #[error("the public URL must start with http:// or https:// and have neither query nor fragment")]
    PublicUrl,
}

impl Config {
    /// Lays the file and the overrides over the defaults.
    ///
    /// # Errors
    /// A missing file, an unknown name in it, or a value that does not fit.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, Fault> {
        let mut layers = Figment::from(Serialized::defaults(Self::default()));
        if let Some(path) = file {
            if !path.is_file() {
                return Err(Fault::NoFile(path.to_owned()));
            }
            layers = layers.merge(Toml::file_exact(path));
        }
        let config: Self = layers
            .merge(Serialized::defaults(overrides))
            .extract()
            .map_err(|fault| Fault::Unusable(Box::new(fault)))?;
        match &config.public_url {
            Some(url)
                if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() =>
            {
                Err(Fault::PublicUrl)
            }
            _ => Ok(config),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_beats_the_file_and_the_file_beats_the_default() {
        let dir = std::env::temp_dir().join(format!("muster-config-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("muster.toml");
        std::fs::write(
            &file,
            "database = \"sqlite:from-file.db\"\nlisten = \"127.0.0.1:1\"\nrate_limit = \"off\"\n",
        )
        .unwrap();
        let overrides = Overrides {
            listen: Some("127.0.0.1:2".parse().unwrap()),
            ..Overrides::default()
        };
        let config = Config::load(Some(&file), &overrides).unwrap();
        assert_eq!(
            (config.database.as_str(), config.listen.port()),
            ("sqlite:from-file.db", 2)
        );
        assert_eq!(config.rate_limit, RateLimit::Off);
        assert_eq!(config.max_results, Config::default().max_results);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_public_url_of_another_scheme_is_refused() {
        let overrides = Overrides {
            public_url: Some("ftp://idp.example".parse().unwrap()),
            ..Overrides::default()
        };
        assert!(matches!(Config::load(None, &overrides), Err(Fault::PublicUrl)));
    }
}
