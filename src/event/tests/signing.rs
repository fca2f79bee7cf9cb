//! Keys, their texts, and tokens that somebody would like to pass off.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::{Algorithm, Error, Keys, PublicKey, SigningKey, jws};
use crate::base::secret::Secret;

const TYP: &str = "secevent+jwt";
const PAYLOAD: &[u8] = br#"{"jti":"1"}"#;
const BOTH: [Algorithm; 2] = [Algorithm::Ed25519, Algorithm::Es256];

fn key(algorithm: Algorithm, seed: u8) -> SigningKey {
    SigningKey::of(algorithm, &Secret::new([seed; 32])).unwrap()
}

fn keys(of: &[&SigningKey]) -> Keys {
    of.iter().map(|key| key.public().clone()).collect()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[test]
fn a_signature_is_the_keys_and_the_messages() {
    for algorithm in BOTH {
        let (mine, other) = (key(algorithm, 1), key(algorithm, 2));
        let signature = mine.sign(b"message").unwrap();
        assert_eq!(signature.len(), 64);
        assert!(mine.public().verify(b"message", &signature));
        assert!(!mine.public().verify(b"massage", &signature));
        assert!(!mine.public().verify(b"message", &signature[..63]));
        assert!(!other.public().verify(b"message", &signature));
        for at in 0..signature.len() {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert!(!mine.public().verify(b"message", &changed));
        }
    }
}

#[test]
fn numbers_that_are_no_key_of_the_curve_are_refused() {
    for secret in [[0; 32], [0xff; 32]] {
        let made = SigningKey::of(Algorithm::Es256, &Secret::new(secret));
        assert_eq!(made.err(), Some(Error::NotASecret));
    }
    let printed = format!("{:?}", key(Algorithm::Es256, 1));
    assert_eq!(
        printed,
        format!("SigningKey({})", key(Algorithm::Es256, 1).public().kid())
    );
}

#[test]
fn a_public_key_reads_back_from_its_jwk() {
    for algorithm in BOTH {
        let made = key(algorithm, 1);
        let jwk = made.public().jwk();
        assert_eq!(PublicKey::from_jwk(&jwk).as_ref(), Ok(made.public()));
        let set = keys(&[&made, &key(algorithm, 2)]);
        assert_eq!(Keys::read(&set.jwks().to_string()), Ok(set));
        assert_eq!(Keys::read(&jwk.to_string()), Ok(keys(&[&made])));
        assert!(jwk.get("d").is_none());
    }
}

#[test]
fn a_jwk_that_is_no_public_key_of_ours_is_refused() {
    let (ed, ec) = (key(Algorithm::Ed25519, 1), key(Algorithm::Es256, 1));
    let (ed, ec) = (ed.public().jwk(), ec.public().jwk());
    let with = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    for wrong in [
        json!({}),
        json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }),
        json!({ "kty": "oct", "k": "AAAA" }),
        with(&ed, "crv", json!("Ed448")),
        with(&ed, "kid", json!("mine")),
        with(&ed, "alg", json!("ES256")),
        with(&ed, "d", ed["x"].clone()),
        with(&ed, "x", json!(format!("{}=", ed["x"].as_str().unwrap()))),
        with(&ed, "x", json!("AAAA")),
        with(&ec, "y", ec["x"].clone()),
        with(&ec, "x", json!(0)),
        with(&ec, "alg", json!("none")),
    ] {
        assert_eq!(PublicKey::from_jwk(&wrong), Err(Error::NotAKey), "{wrong}");
    }
    for text in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":1}"#, r#"{"keys":[{}]}"#] {
        assert!(Keys::read(text).is_err(), "{text}");
    }
}

#[test]
fn a_token_gives_its_payload_to_who_trusts_the_key() {
    for algorithm in BOTH {
        let mine = key(algorithm, 1);
        let token = jws::sign(&mine, TYP, PAYLOAD).unwrap();
        assert_eq!(jws::verify(&token, TYP, &keys(&[&mine])).unwrap(), PAYLOAD);
        assert_eq!(jws::verify(&token, "JWT", &keys(&[&mine])), Err(Error::Unproven));
        let other = key(algorithm, 2);
        assert_eq!(jws::verify(&token, TYP, &keys(&[&other])), Err(Error::Unproven));
    }
}

#[test]
fn what_a_token_says_of_its_algorithm_is_not_followed() {
    let mine = key(Algorithm::Es256, 1);
    let kid = mine.public().kid();
    let signed = |header: Value| {
        let input = format!("{}.{}", encoded(&header), encoded(&json!({ "jti": "1" })));
        let signature = mine.sign(input.as_bytes()).unwrap();
        let signature = URL_SAFE_NO_PAD.encode(signature);
        jws::verify(&format!("{input}.{signature}"), TYP, &keys(&[&mine]))
    };
    assert!(signed(json!({ "alg": "ES256", "typ": TYP, "kid": kid })).is_ok());
    for alg in ["none", "HS256", "Ed25519", "es256"] {
        let verified = signed(json!({ "alg": alg, "typ": TYP, "kid": kid }));
        assert_eq!(verified, Err(Error::Unproven), "{alg}");
    }
    let critical = signed(json!({ "alg": "ES256", "typ": TYP, "kid": kid, "crit": ["b64"], "b64": false }));
    assert_eq!(critical, Err(Error::Unreadable("signed token")));
    let header = encoded(&json!({ "alg": "none", "typ": TYP, "kid": kid }));
    let unsigned = format!("{header}.{}.", encoded(&json!({ "jti": "1" })));
    assert_eq!(jws::verify(&unsigned, TYP, &keys(&[&mine])), Err(Error::Unproven));
}

#[test]
fn a_token_with_any_byte_changed_is_refused() {
    let mine = key(Algorithm::Es256, 1);
    let token = jws::sign(&mine, TYP, PAYLOAD).unwrap();
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(jws::verify(&changed, TYP, &keys(&[&mine])).is_err(), "{changed}");
    }
    for cut in 0..token.len() {
        assert!(jws::verify(&token[..cut], TYP, &keys(&[&mine])).is_err());
    }
}
