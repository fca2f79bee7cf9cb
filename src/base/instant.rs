//! `xsd:dateTime` text and the instant it names (RFC 7643 §2.3.5).

use jiff::civil::{Date, DateTime, Time};

use super::clock::Timestamp;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i128);

/// Larger than the nanoseconds of any year of four digits, so that sums are positive.
const SHIFT: i128 = 1_000_000_000_000_000_000_000;

/// Nanoseconds of a day.
const DAY: i128 = 24 * 60 * 60 * 1_000_000_000;

/// Largest UTC offset of `xsd:dateTime`, in minutes.
const MAX_OFFSET: i128 = 14 * 60;

impl Moment {
    /// Nanoseconds since the epoch.
    #[must_use]
    pub fn nanoseconds(self) -> i128 {
        self.0
    }

    /// Text of 22 digits whose byte order is the order of time, before 1970 too.
    #[must_use]
    pub fn sortable(self) -> String {
        format!("{:022}", self.0 + SHIFT)
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(i128::from(at.0) * 1000)
    }
}

/// Reads `YYYY-MM-DDThh:mm:ss[.f][Z|±hh:mm]`; without an offset it is UTC. Digits after the nanosecond do not count, and
/// `24:00:00` is the midnight at the end of the day.
///
/// Leap seconds and years outside 0000 to 9999 are refused.
#[must_use]
pub fn parse_date_time(text: &str) -> Option<Moment> {
    let (date, time) = text.split_once('T')?;
    let (time, offset) = split_offset(time)?;
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, nanoseconds(fraction)?),
        None => (time, 0),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let date = Date::new(year, small(month)?, small(day)?).ok()?;
    let (hour, over) = match (hour, minute, second, fraction) {
        (24, 0, 0, 0) => (0, DAY),
        _ => (hour, 0),
    };
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    let since = DateTime::from_parts(date, time).duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    Some(Moment(since.as_nanos() + over + fraction - offset * 60_000_000_000))
}

/// An instant as text, which must name its zone: local time of whom? To the microsecond.
#[must_use]
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    let (_, time) = text.split_once('T')?;
    if !time.contains(['Z', '+', '-']) {
        return None;
    }
    let micros = parse_date_time(text)?.nanoseconds().div_euclid(1000);
    i64::try_from(micros).ok().map(Timestamp)
}

/// Splits off the zone; the offset is in minutes east of UTC.
fn split_offset(time: &str) -> Option<(&str, i128)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else {
        return Some((time, 0));
    };
    let [hours, minutes] = numbers(&time[at + 1..], ':', [2, 2])?;
    let offset = i128::from(hours) * 60 + i128::from(minutes);
    let sign = if time.as_bytes()[at] == b'-' { -1 } else { 1 };
    (minutes < 60 && offset <= MAX_OFFSET).then_some((&time[..at], sign * offset))
}

/// Exactly N numbers of these widths, digits only.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i16; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (slot, width) in found.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && digits(part))?;
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// Digits of a fraction of a second, at least one, as whole nanoseconds.
fn nanoseconds(fraction: &str) -> Option<i128> {
    if fraction.is_empty() || !digits(fraction) {
        return None;
    }
    format!("{:0<9}", &fraction[..fraction.len().min(9)]).parse().ok()
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn small(number: i16) -> Option<i8> {
    i8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> i128 {
        parse_date_time(text)
            .unwrap_or_else(|| panic!("{text} is refused"))
            .nanoseconds()
    }

    #[test]
    fn the_same_instant_in_any_zone_is_equal() {
        let noon = nanos("2024-03-01T00:00:00Z");
        assert_eq!(nanos("2024-03-01T02:00:00+02:00"), noon);
        assert_eq!(nanos("2024-02-29T14:30:00-09:30"), noon);
        assert_eq!(nanos("2024-03-01T00:00:00"), noon);
        assert_eq!(nanos("2024-03-01T00:00:00.000000000-00:00"), noon);
        assert_eq!(nanos("2024-03-01T00:00:00.5Z"), noon + 500_000_000);
        assert_eq!(nanos("1970-01-01T00:00:00.000000001Z"), 1);
        assert_eq!(nanos("1970-01-01T00:00:00.0000000019Z"), 1);
        assert_eq!(nanos("2024-02-29T24:00:00.0Z"), noon);
    }

    #[test]
    fn text_that_is_no_date_time_is_refused() {
        for text in [
            "",
            "T",
            "2024-01-01",
            "2024-01-01T",
            "2024-01-01T00:00Z",
            "2024-01-01 00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01T24:00:01Z",
            "2024-01-01T24:00:00.5Z",
            "2024-01-01T25:00:00Z",
            "2024-01-01T23:59:60Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567890x",
            "2024-01-01T00:00:00+1:00",
            "2024-01-01T00:00:00+15:00",
            "2024-01-01T00:00:00+01:60",
            "2024-01-01T00:00:00+0100",
            "+024-01-01T00:00:00Z",
            "2024-1-01T00:00:00Z",
            "2024-01-01T00:00:00z",
            "2024-01-01t00:00:00Z",
            "2024-01-01T00:00:00ZZ",
            "2024-01-01T00:00:00 Z",
            "20é4-01-01T00:00:00Z",
            "99999-01-01T00:00:00Z",
            "2024-01-01T00:00:00Z2024-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_date_time(text), None, "{text}");
        }
    }

    #[test]
    fn byte_order_of_sortable_text_is_time_order() {
        let ascending = [
            "0000-01-01T00:00:00+14:00",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999999Z",
            "1970-01-01T00:00:00Z",
            "2024-03-01T00:00:00Z",
            "2024-03-01T00:00:00.001Z",
            "9999-12-31T23:59:59.999-14:00",
        ];
        let sortable: Vec<_> = ascending
            .iter()
            .filter_map(|text| parse_date_time(text))
            .map(Moment::sortable)
            .collect();
        assert_eq!(sortable.len(), ascending.len());
        assert!(sortable.windows(2).all(|pair| pair[0] < pair[1] && pair[0].len() == 22));
    }

    #[test]
    fn a_printed_timestamp_reads_back() {
        for micros in [0, -1, 1_795_330_383_123_456, -62_135_596_800_000_000] {
            let at = Timestamp(micros);
            assert_eq!(parse_date_time(&at.rfc3339()), Some(Moment::from(at)));
        }
    }
}
