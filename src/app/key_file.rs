//! The keys of an installation: read from where they are kept apart from the database, made at its first start.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::Fault;
use crate::config::Config;
use crate::event::Keyring;
use crate::service::keys;
use crate::store::{self, Db};

/// Name of the file where nothing else is said.
const FILE: &str = "muster.key";

/// Whoever runs Muster may read and write it, and nobody else.
const PRIVATE: u32 = 0o600;

/// How the name of a file that is being made ends.
const DRAFT: &str = ".new";

/// What a reader of the file should know.
const ABOUT: &str = "# Keys of Muster, newest first. Without this file the database cannot be used, and with it everything\n\
                     # sealed in the database can be read: keep a copy of it, and keep it apart from backups of the database.\n";

/// The keys: given by the environment, or in the key file, which is made for a database that was never begun.
pub(super) async fn ring(db: &Db, config: &Config) -> Result<Keyring, Fault> {
    if let Some(text) = &config.key {
        return Keyring::read(text.expose()).map_err(|fault| Fault::Keys("MUSTER_KEY".to_owned(), fault));
    }
    found_or_made(&place(config), keys::is_bound(db)).await
}

/// The keys in the file, which is made unless the database has been begun with keys.
///
/// A node that begins a database makes the file first: where another node has begun it since this one looked for the
/// file, the file is there by now.
async fn found_or_made(path: &Path, is_begun: impl Future<Output = store::Result<bool>>) -> Result<Keyring, Fault> {
    if let Some(ring) = found(path)? {
        return Ok(ring);
    }
    if is_begun.await? {
        return found(path)?.ok_or_else(|| Fault::NoKeyFile(path.display().to_string()));
    }
    make(path)
}

/// The keys in the file, if there is one.
fn found(path: &Path) -> Result<Option<Keyring>, Fault> {
    match fs::read_to_string(path) {
        Ok(text) => read(path, &text).map(Some),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(unusable(path, fault)),
    }
}

/// Where the file is: as it was said, or beside the file of the database, or in the working folder.
fn place(config: &Config) -> PathBuf {
    if let Some(path) = &config.key_file {
        return path.clone();
    }
    let file = config.database.strip_prefix("sqlite:");
    let file = file.map(|path| Path::new(path.strip_prefix("//").unwrap_or(path)));
    file.and_then(Path::parent).unwrap_or(Path::new("")).join(FILE)
}

fn read(path: &Path, text: &str) -> Result<Keyring, Fault> {
    for draft in drafts(path) {
        tracing::warn!(file = %draft.display(), "a start that was killed has left a copy of the keys; remove it");
    }
    let others_may = fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
    if others_may {
        tracing::warn!(file = %path.display(), "others than the owner may read or change the key file; chmod 600 it");
    }
    Keyring::read(text).map_err(|fault| Fault::Keys(path.display().to_string(), fault))
}

/// What starts that were killed while they made the file have left beside it.
fn drafts(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let is_draft = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.strip_prefix(&*stem).is_some_and(|rest| rest.starts_with(".k")) && name.ends_with(DRAFT)
    };
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).filter(is_draft).collect()
}

/// Makes the file as a whole or not at all; where another node did so meanwhile, theirs is taken.
fn make(path: &Path) -> Result<Keyring, Fault> {
    let id = format!("k{:08x}", rand::random::<u32>());
    let ring = Keyring::of(&id, rand::random()).map_err(|fault| Fault::Keys(path.display().to_string(), fault))?;
    let draft = path.with_extension(format!("{id}{DRAFT}"));
    let linked = write(&draft, &ring).and_then(|()| fs::hard_link(&draft, path));
    drop(fs::remove_file(&draft));
    match linked {
        Ok(()) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
            folder.map_err(|fault| unusable(path, fault))?;
            tracing::warn!(
                file = %path.display(),
                "made the key file: the database cannot be used without it. Keep a copy, apart from backups of the database"
            );
            Ok(ring)
        }
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {
            let text = fs::read_to_string(path).map_err(|fault| unusable(path, fault))?;
            read(path, &text)
        }
        Err(fault) => Err(unusable(path, fault)),
    }
}

fn write(path: &Path, ring: &Keyring) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(path)?;
    // The mask of the process may take more away than it should.
    file.set_permissions(Permissions::from_mode(PRIVATE))?;
    file.write_all(ABOUT.as_bytes())?;
    file.write_all(ring.text().expose().as_bytes())?;
    file.sync_all()
}

fn unusable(path: &Path, fault: io::Error) -> Fault {
    Fault::KeyFile(path.display().to_string(), fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_beside_the_database_where_nothing_else_is_said() {
        let place_of = |database: &str, key_file: Option<&str>| {
            place(&Config {
                database: database.to_owned(),
                key_file: key_file.map(PathBuf::from),
                ..Config::default()
            })
        };
        assert_eq!(
            place_of("sqlite:/var/lib/muster/m.db", None),
            Path::new("/var/lib/muster/muster.key")
        );
        assert_eq!(place_of("sqlite:m.db", None), Path::new("muster.key"));
        assert_eq!(place_of("postgres://a@b/c", None), Path::new("muster.key"));
        assert_eq!(place_of("sqlite:/a/m.db", Some("/b/k")), Path::new("/b/k"));
    }

    #[tokio::test]
    async fn a_database_that_another_node_begins_meanwhile_has_the_keys_of_that_node() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("muster.key");
        let mut theirs = None;
        let ring = found_or_made(&path, async {
            theirs = Some(make(&path).unwrap().text().expose().to_owned());
            Ok(true)
        });
        let ring = ring.await.unwrap().text().expose().to_owned();
        assert_eq!(Some(ring), theirs);
        let missing = folder.path().join("other.key");
        let refused = found_or_made(&missing, async { Ok(true) }).await;
        assert!(matches!(refused, Err(Fault::NoKeyFile(_))), "no other one is made");
        assert!(!missing.exists());
    }

    #[test]
    fn a_new_file_is_private_and_never_takes_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("muster.key");
        let made = make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE);
        let again = make(&path).unwrap();
        assert_eq!(again.text().expose(), made.text().expose(), "the first stays");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
        let draft = folder.path().join("muster.k0a1b2c3d.new");
        fs::copy(&path, &draft).unwrap();
        fs::write(folder.path().join("other.new"), "").unwrap();
        assert_eq!(drafts(&path), [draft], "one that was left is found");
    }
}
