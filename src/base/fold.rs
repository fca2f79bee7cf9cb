//! Text prepared for comparison: the byte order of the result is the order of the text (RFC 7644 §7.8).

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::{PrecisFastInvocation, Rules};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Text of a `caseExact=false` attribute: composed, lower case, composed again.
///
/// Each character is lowered alone, without a language or its neighbours, so that the order does not depend on either.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// Text of a `caseExact=true` attribute: composed.
#[must_use]
pub fn exact(text: &str) -> String {
    if text.is_ascii() || is_nfc(text) {
        text.to_owned()
    } else {
        text.nfc().collect()
    }
}

/// Key by which user names are unique, found and sorted: full-width and half-width forms mapped, then folded.
#[must_use]
pub fn user_name_key(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    UsernameCaseMapped::new()
        .width_mapping_rule(text)
        .map_or_else(|_| fold(text), |mapped| fold(&mapped))
}

/// Why a user name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserNameFault {
    /// No characters.
    #[error("`userName` must not be empty")]
    Empty,
    /// A space at either end.
    #[error("`userName` must not begin or end with a space")]
    OuterSpace,
    /// Two spaces in a row.
    #[error("`userName` must not hold two spaces in a row")]
    DoubleSpace,
    /// A character outside the PRECIS identifier class.
    #[error("`userName` must not hold the character U+{0:04X}")]
    Forbidden(u32),
    /// The bidi rule is broken.
    #[error("`userName` mixes right-to-left and left-to-right letters")]
    Direction,
    /// Anything else the profile refuses.
    #[error("`userName` is not a valid user name")]
    Unusable,
}

/// Enforces `UsernameCaseMapped` on every part between single spaces (RFC 8265 §3.3, §3.5).
///
/// # Errors
/// The first rule that is broken.
pub fn check_user_name(text: &str) -> Result<(), UserNameFault> {
    use precis_profiles::precis_core::Error;

    if text.is_empty() {
        return Err(UserNameFault::Empty);
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(UserNameFault::OuterSpace);
    }
    for part in text.split(' ') {
        if part.is_empty() {
            return Err(UserNameFault::DoubleSpace);
        }
        if part.bytes().all(|byte| byte.is_ascii_graphic()) {
            continue;
        }
        UsernameCaseMapped::enforce(part).map_err(|error| match error {
            Error::Invalid => UserNameFault::Direction,
            Error::BadCodepoint(info) => UserNameFault::Forbidden(info.cp),
            Error::Unexpected(_) => UserNameFault::Unusable,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_text_in_any_case_fold_alike() {
        assert_eq!(fold("E\u{301}RIN"), fold("érin"));
        assert_eq!(fold("J\u{30c}"), fold("ǰ"));
        assert_eq!(exact("E\u{301}"), "É");
        assert_ne!(exact("É"), exact("é"));
    }

    #[test]
    fn folding_knows_no_language() {
        assert_eq!(fold("I"), "i");
        assert_eq!(fold("ΣΑΣ"), "σασ");
        assert_ne!(fold("ß"), fold("ss"));
    }

    #[test]
    fn full_width_user_names_equal_their_plain_form() {
        assert_eq!(user_name_key("ＡＬＩＣＥ"), "alice");
        assert_eq!(user_name_key("Bob@acme.test"), "bob@acme.test");
    }

    #[test]
    fn ordinary_user_names_pass() {
        for name in [
            "alice@acme.test",
            "corp\\dave",
            "O'Malley",
            "ada lovelace",
            "erin+test",
            "山田",
            "Łukasz",
            "אבג",
        ] {
            assert_eq!(check_user_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn unusable_user_names_say_why() {
        for (name, fault) in [
            ("", UserNameFault::Empty),
            (" a", UserNameFault::OuterSpace),
            ("a ", UserNameFault::OuterSpace),
            ("a  b", UserNameFault::DoubleSpace),
            ("a\tb", UserNameFault::Forbidden(9)),
            ("a\u{200b}b", UserNameFault::Forbidden(0x200b)),
            ("I♥", UserNameFault::Forbidden(0x2665)),
            ("אa", UserNameFault::Direction),
        ] {
            assert_eq!(check_user_name(name), Err(fault), "{name:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn folding_twice_changes_nothing(text: String) {
            let once = fold(&text);
            proptest::prop_assert_eq!(&fold(&once), &once);
            let key = user_name_key(&text);
            proptest::prop_assert_eq!(&user_name_key(&key), &key);
        }
    }
}
