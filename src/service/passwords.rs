//! Passwords of users: kept as salted, slow hashes (RFC 7643 §9.2), and never as they were sent.

use argon2::password_hash::{self, PasswordHasher as _};
use argon2::{Argon2, Params};
use std::thread::available_parallelism;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::context::Services;
use super::error::{Error, Result};
use crate::base::secret::Secret;

/// Memory that the hash of one password takes, in KiB; with [`PASSES`], what OWASP asks of Argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many passwords are hashed at a time: each takes a processor, and memory.
#[derive(Debug)]
pub(super) struct Turns(Semaphore);

impl Default for Turns {
    /// As many as there are processors.
    fn default() -> Self {
        Self(Semaphore::new(available_parallelism().map_or(1, usize::from)))
    }
}

/// What is kept of a password, in the PHC string format: the parameters, the salt and the hash.
///
/// # Errors
/// The operating system has no randomness.
pub(super) async fn hash(services: &Services, password: &Secret<String>) -> Result<String> {
    let _turn = services.hashing().0.acquire().await.map_err(internal)?;
    let password = password.clone();
    let hashing = spawn_blocking(move || hashed(password.expose()));
    hashing.await.map_err(internal)?.map_err(internal)
}

fn hashed(password: &str) -> std::result::Result<String, password_hash::Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| password_hash::Error::ParamsInvalid)?;
    let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    Ok(argon2.hash_password(password.as_bytes())?.to_string())
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Box::new(error))
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier as _;
    use argon2::password_hash::phc::PasswordHash;

    use super::*;

    fn is_of(hash: &str, password: &str) -> bool {
        let hash = PasswordHash::new(hash).unwrap();
        Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
    }

    #[test]
    fn a_hash_is_of_its_password_alone_and_never_twice_the_same() {
        let (one, two) = (hashed("correct horse").unwrap(), hashed("correct horse").unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert!(is_of(&one, "correct horse") && is_of(&two, "correct horse"));
        assert!(!is_of(&one, "Correct horse"));
        assert_ne!(one, two);
    }
}
