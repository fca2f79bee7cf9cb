//! What other implementations made of the same values: Python's `hashlib`, `cryptography` and `joserfc`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::seal::Place;
use super::super::{Algorithm, Event, Hash, Keyring, Keys, Kind, Owner, PersonKey, Seq, SigningKey, encode, jws};
use super::house::TENANT;
use crate::base::clock::Timestamp;
use crate::base::secret::Secret;

const ADA: &str = "2819c223-7f76-453a-919d-413861904646";
const ED25519_KID: &str = "UDDReOZl1ipXAfp9wYsm13sDBMK5og--QWdBjzuf6o4";
const P256_KID: &str = "_dW8A-GLXVqbPP-vIvMJwYatEeWuGKu-mPxI1ZmIkTs";

fn keys() -> [SigningKey; 2] {
    [(Algorithm::Ed25519, 1), (Algorithm::Es256, 2)]
        .map(|(algorithm, seed)| SigningKey::of(algorithm, &Secret::new([seed; 32])).unwrap())
}

fn counting() -> [u8; 32] {
    std::array::from_fn(|at| u8::try_from(at).unwrap())
}

#[test]
fn the_first_event_of_a_log_has_the_hash_that_the_page_on_the_log_works_out() {
    let event = Event {
        seq: Seq(1),
        at: Timestamp(1_795_330_383_123_456),
        txn: "txn-1".to_owned(),
        part: 0,
        kind: "user.created".to_owned(),
        actor_kind: "connection".to_owned(),
        actor_id: "entra".to_owned(),
        connection: Some("entra".to_owned()),
        request_id: None,
        subject_kind: Some("user".to_owned()),
        subject_id: Some(ADA.to_owned()),
        cause: r#"{"by":"scim"}"#.to_owned(),
        data: r#"{"attributes":["userName"],"version":1}"#.to_owned(),
        sealed: Some("c2VhbGVk".to_owned()),
    };
    let genesis = Hash::genesis(TENANT);
    assert_eq!(
        genesis.to_string(),
        "8d134d4f7939ba0274de770b488932f4864dd79bc21210c95ecbe611d95edccd"
    );
    assert_eq!(
        encode::hash(&genesis, TENANT, &event).to_string(),
        "6410edcf806bcc16dafbb193ea444374c6bca017ff3aeacbfe1aec064b2ac378"
    );
}

#[test]
fn values_and_keys_that_python_sealed_open() {
    let key = PersonKey::new(counting());
    let place = Place {
        tenant: TENANT,
        txn: "txn-1",
        kind: Kind::UserCreated,
        subject: ADA,
    };
    let nonce = std::array::from_fn(|at| 100 + u8::try_from(at).unwrap());
    let values = br#"{"after":{"userName":"ada"}}"#;
    let sealed = "ZGVmZ2hpamtsbW5vMzm/AA2MJLwEGX2dqQAYsyOvYyixTpIWxvPRNS3a5Z4sfTq0//FWyCMt/X4=";
    assert_eq!(key.seal(&place, nonce, values).unwrap(), sealed);
    assert_eq!(key.open(&place, sealed).unwrap(), values);

    let ring = Keyring::of("w1", [7; 32]).unwrap();
    let owner = Owner {
        what: "person",
        tenant: TENANT,
        id: ADA,
    };
    let wrapped = "w1.ZGVmZ2hpamtsbW5v5MjqDl3dRpCAMwS+5297SACVLegJHQlmAbkubhr/97hXjXOn4tSqKtYTA6kEfehv";
    assert_eq!(key.wrap(&ring, &owner, nonce).unwrap(), wrapped);
    assert_eq!(PersonKey::unwrap(&ring, &owner, wrapped), Ok(key));
}

#[test]
fn keys_of_the_same_secrets_have_the_same_public_halves_and_ids() {
    let [ed, ec] = keys();
    let jwk = ed.public().jwk();
    assert_eq!(jwk["x"], "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w");
    assert_eq!(
        (jwk["kid"].as_str(), ed.public().kid()),
        (Some(ED25519_KID), ED25519_KID)
    );
    let jwk = ec.public().jwk();
    assert_eq!(jwk["x"], "VQ9HEAPz35fD31Bqx5f2ch-xoft7j2-D0iRJimXIjiQ");
    assert_eq!(jwk["y"], "E2CT1wEuUJpzcVy9CwCjzA_0tcAbP_oZarH7MnA2uOY");
    assert_eq!((jwk["kid"].as_str(), ec.public().kid()), (Some(P256_KID), P256_KID));
}

#[test]
fn an_ed25519_signature_is_the_same_everywhere() {
    let [ed, _] = keys();
    let signature = ed.sign(b"muster.line.1\n{\"checkpoint\":0").unwrap();
    assert_eq!(
        URL_SAFE_NO_PAD.encode(signature),
        "DQNf24n34FhPKPfteWNNU6tc6V-dcIEm1VRoIEGtld8m9srQNd44b6nqlx0rxz80YFdzbfx0cH6LF4CVqx7FDw"
    );
}

#[test]
fn tokens_that_python_signed_are_taken() {
    let trusted: Keys = keys().iter().map(|key| key.public().clone()).collect();
    for token in [
        "eyJhbGciOiJFUzI1NiIsInR5cCI6InNlY2V2ZW50K2p3dCIsImtpZCI6Il9kVzhBLUdMWFZxYlBQLXZJdk1Kd1lhdEVlV3VHS3UtbVB4STFa\
         bUlrVHMifQ.eyJqdGkiOiIxIn0.50L4ZEoaogGIy7pb0IuPUzqXnr86ObZ4iL-Yu8hGlUg9oSF-fU47mYbiLSzvQMjeA4OEcSaLm4UwyRVTvl\
         AQ6A",
        "eyJhbGciOiJFZDI1NTE5IiwidHlwIjoic2VjZXZlbnQrand0Iiwia2lkIjoiVUREUmVPWmwxaXBYQWZwOXdZc20xM3NEQk1LNW9nLS1RV2RCa\
         np1ZjZvNCJ9.eyJqdGkiOiIxIn0.q_g0MuQq0sT846BLrILWPOEROKKB0xAovC1PhaqvAIZbYDr22Q1F5jPfkuyL9Apl_R3sWp43fQ4re5CtM\
         myUDw",
    ] {
        assert_eq!(jws::verify(token, "secevent+jwt", &trusted).unwrap(), br#"{"jti":"1"}"#);
    }
}
