//! The keys of an installation: read from where they are kept apart from the database, made at its first start.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::Fault;
use crate::config::Config;
use crate::event::Keyring;
use crate::service::keys;
use crate::store::Db;

/// Name of the file where nothing else is said.
const FILE: &str = "muster.key";

/// Whoever runs Muster may read and write it, and nobody else.
const PRIVATE: u32 = 0o600;

/// What a reader of the file should know.
const ABOUT: &str = "# Keys of Muster, newest first. Without this file the database cannot be used, and with it everything\n\
                     # sealed in the database can be read: keep a copy of it, and keep it apart from backups of the database.\n";

/// The keys: given by the environment, or in the key file, which is made for a database that was never begun.
pub(super) async fn ring(db: &Db, config: &Config) -> Result<Keyring, Fault> {
    if let Some(text) = &config.key {
        return Keyring::read(text.expose()).map_err(|fault| Fault::Keys("MUSTER_KEY".to_owned(), fault));
    }
    let path = place(config);
    match fs::read_to_string(&path) {
        Ok(text) => read(&path, &text),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
            if keys::is_bound(db).await? {
                return Err(Fault::NoKeyFile(path.display().to_string()));
            }
            make(&path)
        }
        Err(fault) => Err(unusable(&path, fault)),
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
    let others_may = fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
    if others_may {
        tracing::warn!(file = %path.display(), "others than the owner may read or change the key file; chmod 600 it");
    }
    Keyring::read(text).map_err(|fault| Fault::Keys(path.display().to_string(), fault))
}

/// Makes the file as a whole or not at all; where another node did so meanwhile, theirs is taken.
fn make(path: &Path) -> Result<Keyring, Fault> {
    let id = format!("k{:08x}", rand::random::<u32>());
    let ring = Keyring::of(&id, rand::random()).map_err(|fault| Fault::Keys(path.display().to_string(), fault))?;
    let draft = path.with_extension(format!("{id}.new"));
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

    #[test]
    fn a_new_file_is_private_and_never_takes_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("muster.key");
        let made = make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE);
        let again = make(&path).unwrap();
        assert_eq!(again.text().expose(), made.text().expose(), "the first stays");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }
}
