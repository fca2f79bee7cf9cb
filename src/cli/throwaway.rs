//! A Muster that is started, tested and removed: nothing of it stays, and nothing of the operator's steers it.

use anyhow::Context as _;
use std::fs::{self, DirBuilder};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::app::App;
use crate::base::id::Ids;
use crate::base::secret::Secret;
use crate::config::{Config, RateLimit};
use crate::scim::dialect::Setting;
use crate::selftest::Target;
use crate::service::connections::{create_connection, create_tenant};
use crate::service::credentials::{self, Holder};
use crate::service::fuse::{self, FuseChange, Harm};
use crate::service::{Caller, Services};

/// The tenant that is tested, and one that must not be seen from it.
const TENANTS: [&str; 2] = ["selftest", "neighbour"];

/// A running server in a folder of its own.
pub(super) struct Throwaway {
    server: JoinHandle<Result<(), crate::app::Fault>>,
    stop: CancellationToken,
    folder: Folder,
}

impl Throwaway {
    /// Starts it on a port of the loopback interface, and gives its address with tokens of three clients.
    pub(super) async fn start() -> anyhow::Result<(Target, Self)> {
        let folder = Folder::make().context("a folder for the throw-away server cannot be made")?;
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database: format!("sqlite:{}", folder.0.join("muster.db").display()),
            key_file: Some(folder.0.join("muster.key")),
            mail: Some("off".to_owned()),
            rate_limit: RateLimit::Off,
            advertise_roles: true,
            ..Config::default()
        };
        let listener = App::bind(&config).await?;
        let address = listener.local_addr()?;
        let app = App::open(&config).await?;
        let services = app.services();
        for tenant in TENANTS {
            create_tenant(services, tenant).await?;
        }
        let target = Target {
            url: Url::parse(&format!("http://{address}/scim/v2"))?,
            token: client(services, TENANTS[0], "strict").await?,
            second: Some(client(services, TENANTS[0], "second").await?),
            foreign: Some(client(services, TENANTS[1], "foreign").await?),
            strict: true,
            departs: true,
        };
        let stop = CancellationToken::new();
        let server = tokio::spawn(app.serve(listener, stop.clone().cancelled_owned()));
        Ok((target, Self { server, stop, folder }))
    }

    /// Ends it and removes its folder.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.server.await??;
        drop(self.folder);
        Ok(())
    }
}

/// A connection without tolerances, and its token.
async fn client(services: &Services, tenant: &str, name: &str) -> anyhow::Result<Secret<String>> {
    let made = create_connection(services, tenant, name, &Setting::Strict).await?;
    // A run deletes as much as it makes, which is what a fuse is there to stop.
    let counted = [Harm::Deactivations, Harm::Deletions, Harm::Departures, Harm::Renames];
    let change = FuseChange {
        window: None,
        beyond: None,
        limits: counted.map(|harm| (harm, None)).into_iter().collect(),
    };
    let operator = Caller::operator(services, tenant, "selftest").await?;
    fuse::change(services, &operator, &made.id, &change).await?;
    let holder = Holder::Connection(name.to_owned());
    Ok(credentials::issue(services, tenant, &holder, None).await?.token)
}

/// A folder that nobody else may enter. Dropped, it is removed.
struct Folder(PathBuf);

impl Folder {
    fn make() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("muster-selftest-{}", Ids::system().next().as_str()));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the folder for temporary files, and the system's to remove.
        drop(fs::remove_dir_all(&self.0));
    }
}
