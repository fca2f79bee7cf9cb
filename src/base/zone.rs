//! Time zones, and the instants that dates and times of day name in them (IANA database, compiled in).

use jiff::civil::{Date, DateTime};
use jiff::tz::{Disambiguation, TimeZone, TimeZoneDatabase};

use super::clock::Timestamp;

/// A time zone of the IANA database.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

/// When a date that says no time of day has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OfDay {
    /// At its first second.
    Start,
    /// At its last second.
    #[default]
    End,
}

impl Zone {
    /// The zone of this name, such as `Europe/Berlin`, in any letter case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZoneDatabase::bundled().get(name).ok().map(Self)
    }

    /// The instant that a text names: `2026-03-31`, `2026-03-31T17:00:00` in this zone, or `2026-03-31T17:00:00+01:00` in
    /// its own.
    ///
    /// A time that the clocks leave out is read by the clock before, one that they show twice is the second: what ends
    /// then does not end too early.
    #[must_use]
    pub fn instant(&self, text: &str, of_day: OfDay) -> Option<Timestamp> {
        let text = text.trim();
        let Some((_, time)) = text.split_once(['T', 't', ' ']) else {
            return self.of_day(text, of_day);
        };
        // A zone of its own by name would be another word for the one that is set.
        if time.contains('[') {
            return None;
        }
        let micros = if time.contains(['Z', 'z', '+', '-']) {
            text.parse::<jiff::Timestamp>().ok()?.as_microsecond()
        } else {
            self.at(text.parse().ok()?)?
        };
        Some(Timestamp(micros))
    }

    fn of_day(&self, text: &str, of_day: OfDay) -> Option<Timestamp> {
        // A date in full, and nothing else: the parser would take more.
        if text.len() != "YYYY-MM-DD".len() {
            return None;
        }
        let date: Date = text.parse().ok()?;
        let at = match of_day {
            OfDay::Start => date.at(0, 0, 0, 0),
            OfDay::End => date.at(23, 59, 59, 0),
        };
        self.at(at).map(Timestamp)
    }

    fn at(&self, at: DateTime) -> Option<i64> {
        let zoned = self.0.clone().into_ambiguous_zoned(at);
        let zoned = zoned.disambiguate(Disambiguation::Later).ok()?;
        Some(zoned.timestamp().as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(zone: &str, text: &str, of_day: OfDay) -> String {
        let zone = Zone::named(zone).unwrap();
        zone.instant(text, of_day)
            .map_or_else(|| "none".to_owned(), Timestamp::rfc3339)
    }

    #[test]
    fn a_date_is_a_day_where_somebody_lives() {
        let end = |zone, text| at(zone, text, OfDay::End);
        assert_eq!(end("Europe/Berlin", "2026-01-31"), "2026-01-31T22:59:59.000000Z");
        assert_eq!(end("europe/berlin", "2026-07-31"), "2026-07-31T21:59:59.000000Z");
        assert_eq!(end("Pacific/Auckland", "2026-01-31"), "2026-01-31T10:59:59.000000Z");
        assert_eq!(end("UTC", " 2026-01-31 "), "2026-01-31T23:59:59.000000Z");
        assert_eq!(
            at("Europe/Berlin", "2026-01-31", OfDay::Start),
            "2026-01-30T23:00:00.000000Z"
        );
        assert!(Zone::named("Europe/Atlantis").is_none() && Zone::named("").is_none());
    }

    #[test]
    fn a_time_is_of_its_own_zone_or_of_the_one_that_is_set() {
        let of = |text| at("Europe/Berlin", text, OfDay::End);
        assert_eq!(of("2026-01-31T17:00:00"), "2026-01-31T16:00:00.000000Z");
        assert_eq!(of("2026-01-31T17:00:00Z"), "2026-01-31T17:00:00.000000Z");
        assert_eq!(of("2026-01-31T17:00:00.5-05:00"), "2026-01-31T22:00:00.500000Z");
    }

    #[test]
    fn what_the_clocks_leave_out_or_show_twice_is_the_later_instant() {
        let of = |text| at("Europe/Berlin", text, OfDay::End);
        assert_eq!(of("2026-03-29T02:30:00"), "2026-03-29T01:30:00.000000Z");
        assert_eq!(of("2026-10-25T02:30:00"), "2026-10-25T01:30:00.000000Z");
        // A day that never was: Samoa went from the 29th to the 31st.
        assert_eq!(
            at("Pacific/Apia", "2011-12-30", OfDay::End),
            "2011-12-31T09:59:59.000000Z"
        );
        // Clocks that leave out midnight.
        assert_eq!(
            at("America/Sao_Paulo", "2018-11-04", OfDay::Start),
            "2018-11-04T03:00:00.000000Z"
        );
    }

    #[test]
    fn what_cannot_be_read_is_no_instant() {
        for text in [
            "",
            "soon",
            "31.01.2026",
            "01/31/2026",
            "2026-1-31",
            "2026-02-30",
            "20260131",
            "2026-01-31T25:00:00",
            "2026-01",
            "2026-W05-6",
            "2026-01-31T17:00:00[Nowhere/City]",
        ] {
            assert_eq!(at("UTC", text, OfDay::End), "none", "{text}");
        }
    }
}
