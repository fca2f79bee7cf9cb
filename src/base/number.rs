//! Numbers as text whose byte order is their order.

use serde_json::Number;

/// Added to exponents, so that they are positive and have four digits; a double needs -324 to 309.
const EXPONENT_SHIFT: i32 = 5000;

/// Text for which equality is numeric equality and byte order is numeric order: `4`, `4.0` and `4e0` give the same.
///
/// The layout is a sign (`0` negative, `1` zero, `2` positive), four digits of exponent and the decimal digits
/// without trailing zeros; a negative number has every digit complemented and ends in `~`, above all digits.
#[must_use]
pub fn sortable(number: &Number) -> String {
    let (negative, digits, exponent) = decimal(number);
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return "1".to_owned();
    }
    let shifted = exponent + EXPONENT_SHIFT;
    if negative {
        let complement: String = digits.bytes().map(|digit| char::from(b'9' - (digit - b'0'))).collect();
        format!("0{:04}{complement}~", 9999 - shifted)
    } else {
        format!("2{shifted:04}{digits}")
    }
}

/// Sign, decimal digits without leading zeros, and the exponent of the first digit.
fn decimal(number: &Number) -> (bool, String, i32) {
    let (negative, digits, exponent) = if let Some(whole) = number.as_i64() {
        (whole < 0, whole.unsigned_abs().to_string(), 0)
    } else if let Some(whole) = number.as_u64() {
        (false, whole.to_string(), 0)
    } else {
        let text = format!("{:e}", number.as_f64().unwrap_or_default());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        return (mantissa.starts_with('-'), digits, exponent.parse().unwrap_or_default());
    };
    let length = i32::try_from(digits.len()).unwrap_or_default();
    (negative, digits, exponent + length - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        sortable(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn numerically_equal_is_textually_equal() {
        for (one, other) in [
            ("4", "4.0"),
            ("4", "4e0"),
            ("40", "4e1"),
            ("-2.50", "-2.5"),
            ("0", "-0"),
            ("0", "0.0"),
            ("0", "-0e9"),
            ("1000000", "1e6"),
            ("0.001", "1e-3"),
            ("9007199254740992", "9007199254740992.0"),
            ("100", "1E+2"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
    }

    #[test]
    fn numeric_order_is_byte_order() {
        let ascending = [
            "-1e308",
            "-9223372036854775808",
            "-9223372036854775807",
            "-11",
            "-10",
            "-9.5",
            "-9",
            "-4.51",
            "-4.5",
            "-4",
            "-0.1",
            "-0.01",
            "-5e-324",
            "0",
            "5e-324",
            "0.01",
            "0.1",
            "0.11",
            "1",
            "3",
            "3.5",
            "4",
            "4.5",
            "9",
            "10",
            "10.5",
            "100",
            "9223372036854775806",
            "9223372036854775807",
            "18446744073709551614",
            "18446744073709551615",
            "1e308",
        ];
        let keys: Vec<_> = ascending.iter().map(|text| key(text)).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{keys:?}");
    }

    proptest::proptest! {
        #[test]
        fn any_two_doubles_compare_as_their_texts(one in -1e18..1e18_f64, other in -1e3..1e3_f64) {
            let [first, second] = [one, other].map(|value| Number::from_f64(value).map(|number| sortable(&number)).unwrap());
            proptest::prop_assert_eq!(one.partial_cmp(&other), Some(first.cmp(&second)));
        }

        #[test]
        fn any_two_integers_compare_as_their_texts(one: i64, other: i64) {
            proptest::prop_assert_eq!(one.cmp(&other), sortable(&one.into()).cmp(&sortable(&other.into())));
        }
    }
}
