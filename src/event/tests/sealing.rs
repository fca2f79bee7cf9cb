//! What is sealed opens with its key at its place, and with nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::super::seal::Place;
use super::super::{Error, HANDED_BYTES, Keyring, Kind, Owner, PersonKey};
use super::house::TENANT;

const NONCE: [u8; 12] = [9; 12];
const VALUES: &[u8] = br#"{"after":{"userName":"ada"}}"#;

const PLACE: Place<'_> = Place {
    tenant: TENANT,
    txn: "txn-1",
    kind: Kind::UserCreated,
    subject: "ada",
};

const OWNER: Owner<'_> = Owner {
    what: "person",
    tenant: TENANT,
    id: "ada",
};

fn ring(seed: u8) -> Keyring {
    Keyring::of(&format!("w{seed}"), [seed; 32]).unwrap()
}

/// The newer key before the older one, as a key file has them after a rotation.
fn rotated() -> Keyring {
    let text = [ring(2).text().into_exposed(), ring(1).text().into_exposed()].concat();
    Keyring::read(&text).unwrap()
}

#[test]
fn values_open_with_the_key_of_the_person_at_their_place() {
    let key = PersonKey::new([3; 32]);
    let sealed = key.seal(&PLACE, NONCE, VALUES).unwrap();
    assert!(!sealed.contains("ada"));
    assert_eq!(key.open(&PLACE, &sealed).unwrap(), VALUES);
}

#[test]
fn another_key_or_place_opens_nothing() {
    let key = PersonKey::new([3; 32]);
    let sealed = key.seal(&PLACE, NONCE, VALUES).unwrap();
    assert_eq!(PersonKey::new([4; 32]).open(&PLACE, &sealed), Err(Error::Sealed));
    let kind = Kind::UserUpdated;
    // The last one has the same letters, in other fields.
    for place in [
        Place { tenant: "x", ..PLACE },
        Place { txn: "txn-2", ..PLACE },
        Place { kind, ..PLACE },
        Place {
            subject: "bob",
            ..PLACE
        },
        Place {
            txn: "txn-",
            tenant: &format!("{TENANT}1"),
            ..PLACE
        },
    ] {
        assert_eq!(key.open(&place, &sealed), Err(Error::Sealed), "{place:?}");
    }
}

#[test]
fn another_nonce_gives_other_bytes_and_the_same_one_the_same() {
    let key = PersonKey::new([3; 32]);
    let seal = |nonce| key.seal(&PLACE, nonce, VALUES).unwrap();
    assert_eq!(seal(NONCE), seal(NONCE));
    assert_ne!(seal(NONCE)[16..], seal([8; 12])[16..]);
}

#[test]
fn a_key_opens_from_what_is_stored_and_only_with_the_ring_and_for_its_owner() {
    let key = PersonKey::new([3; 32]);
    let wrapped = key.wrap(&ring(1), &OWNER, NONCE).unwrap();
    assert!(wrapped.starts_with("w1."));
    assert_eq!(PersonKey::unwrap(&ring(1), &OWNER, &wrapped), Ok(key.clone()));

    let bob = Owner { id: "bob", ..OWNER };
    assert_eq!(PersonKey::unwrap(&ring(1), &bob, &wrapped), Err(Error::Sealed));
    let unknown = Error::UnknownWrap("w1".to_owned());
    assert_eq!(PersonKey::unwrap(&ring(2), &OWNER, &wrapped), Err(unknown));
    let renamed = Keyring::of("w1", [2; 32]).unwrap();
    assert_eq!(PersonKey::unwrap(&renamed, &OWNER, &wrapped), Err(Error::Sealed));
    assert_eq!(PersonKey::unwrap(&ring(1), &OWNER, "no dot"), Err(Error::Sealed));
    assert_eq!(PersonKey::unwrap(&ring(1), &OWNER, "w1.AAAA"), Err(Error::Sealed));
}

#[test]
fn a_rotated_ring_opens_what_was_and_seals_anew_until_the_old_key_can_go() {
    let key = PersonKey::new([3; 32]);
    let old = key.wrap(&ring(1), &OWNER, NONCE).unwrap();
    let rewrapped = rotated().rewrap(&OWNER, [7; 12], &old).unwrap().unwrap();
    assert!(rewrapped.starts_with("w2."));
    assert_eq!(rotated().rewrap(&OWNER, [7; 12], &rewrapped), Ok(None));
    assert_eq!(PersonKey::unwrap(&ring(2), &OWNER, &rewrapped), Ok(key));
    let unknown = Error::UnknownWrap("w1".to_owned());
    assert_eq!(PersonKey::unwrap(&ring(2), &OWNER, &old), Err(unknown));
}

#[test]
fn forgetting_the_wrapped_key_leaves_nothing_that_opens_the_values() {
    let other = PersonKey::new([4; 32]);
    let sealed = PersonKey::new([3; 32]).seal(&PLACE, NONCE, VALUES).unwrap();
    let others = other.wrap(&ring(1), &Owner { id: "bob", ..OWNER }, NONCE).unwrap();
    // What is left after the row of the person went: the wrapping key, and the keys of other people.
    let left = PersonKey::unwrap(&ring(1), &Owner { id: "bob", ..OWNER }, &others).unwrap();
    for key in [left, PersonKey::new([1; 32]), PersonKey::new([0; 32])] {
        assert_eq!(key.open(&PLACE, &sealed), Err(Error::Sealed));
    }
}

#[test]
fn a_key_file_reads_back() {
    let text = format!("# kept apart from backups\n\n{}", rotated().text().expose());
    assert_eq!(Keyring::read(&text).unwrap().text(), rotated().text());
    assert_eq!(format!("{:?}", ring(1)).matches("[redacted]").count(), 1);
    assert_eq!(format!("{:?}", PersonKey::new([3; 32])), "PersonKey([redacted])");
}

#[test]
fn a_key_file_that_is_none_is_refused_by_its_line() {
    let good = ring(1).text().into_exposed();
    let refused = |text: &str| Keyring::read(text).unwrap_err();
    assert_eq!(refused("# nothing\n"), Error::NoKey);
    assert_eq!(refused(&format!("{good}{good}")), Error::KeyLine(2));
    for line in [
        "wrap w1",
        "wrap w1 AAAA",
        &good.replace("wrap", "seal"),
        &good.replace("w1", "w.1"),
        &good.replace("w1", &"w".repeat(33)),
        &good.replace('\n', " more\n"),
    ] {
        assert_eq!(refused(&format!("\n{line}")), Error::KeyLine(2), "{line}");
    }
    assert!(Keyring::of("", [1; 32]).is_err());
}

proptest! {
    #[test]
    fn a_changed_bit_opens_nothing(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let key = PersonKey::new([3; 32]);
        let sealed = key.seal(&PLACE, NONCE, VALUES).unwrap();
        let mut bytes = STANDARD.decode(&sealed).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        prop_assert_eq!(key.open(&PLACE, &STANDARD.encode(&bytes)), Err(Error::Sealed));
        prop_assert_eq!(key.open(&PLACE, &STANDARD.encode(&bytes[..at])), Err(Error::Sealed));
    }

    #[test]
    fn whatever_is_sealed_opens(key: [u8; 32], nonce: [u8; 12], values: Vec<u8>) {
        let key = PersonKey::new(key);
        let sealed = key.seal(&PLACE, nonce, &values).unwrap();
        prop_assert_eq!(key.open(&PLACE, &sealed), Ok(values));
    }
}

#[test]
fn what_is_handed_out_comes_back_to_its_owner_alone() {
    let handed = ring(1).hand_out(&OWNER, [5; HANDED_BYTES], b"place").unwrap();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    assert!(handed.bytes().all(plain), "an address takes it as it is: {handed}");
    assert_eq!(ring(1).take_back(&OWNER, &handed).unwrap(), b"place");
    assert_eq!(rotated().take_back(&OWNER, &handed).unwrap(), b"place");
    assert!(ring(2).take_back(&OWNER, &handed).is_err());
    for owner in [
        Owner {
            what: "cursor",
            ..OWNER
        },
        Owner { tenant: "x", ..OWNER },
        Owner { id: "bob", ..OWNER },
    ] {
        assert_eq!(ring(1).take_back(&owner, &handed), Err(Error::Sealed));
    }
    let stored = ring(1).seal(&OWNER, NONCE, b"place").unwrap();
    assert!(
        ring(1).take_back(&OWNER, &stored).is_err(),
        "what is stored is not what is handed out"
    );
    assert!(ring(1).open(&OWNER, &handed).is_err());
}

#[test]
fn no_change_of_what_is_handed_out_is_taken() {
    let handed = ring(1).hand_out(&OWNER, [5; HANDED_BYTES], b"place").unwrap();
    for at in 0..handed.len() {
        for letter in [b'A', b'B', b'-', b'.', b'=', b'%'] {
            let mut bytes = handed.clone().into_bytes();
            if bytes[at] != letter {
                bytes[at] = letter;
                let changed = String::from_utf8(bytes).unwrap();
                assert!(ring(1).take_back(&OWNER, &changed).is_err(), "{changed}");
            }
        }
        assert!(ring(1).take_back(&OWNER, &handed[..at]).is_err());
    }
    for longer in [format!("{handed}A"), format!("{handed}=="), format!("{handed}{handed}")] {
        assert!(ring(1).take_back(&OWNER, &longer).is_err(), "{longer}");
    }
}

#[test]
fn each_that_is_handed_out_has_a_key_of_its_own() {
    let mut chance = [5; HANDED_BYTES];
    let one = ring(1).hand_out(&OWNER, chance, &[0; 64]).unwrap();
    chance[0] = 6;
    let other = ring(1).hand_out(&OWNER, chance, &[0; 64]).unwrap();
    // Behind the name, the salt and the nonce, which is the same: two keys give two streams.
    assert_ne!(one[44..], other[44..]);
}
