//! Words that sentences and explanations have in common: instants, spans of time, names, enumerations.

use serde_json::Value;

use super::grant::Validity;
use crate::base::clock::Timestamp;
use crate::base::instant::Moment;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A date, and the time of day in UTC without trailing zeros.
struct Civil {
    date: String,
    time: String,
}

impl Civil {
    /// `extra` is what is left below a microsecond, in nanoseconds.
    fn of(at: Timestamp, extra: i128) -> Self {
        let text = at.rfc3339();
        let (date, time) = text.split_once('T').unwrap_or((&text, ""));
        let mut parts = date.rsplitn(3, '-');
        let [day, month, year] = [(); 3].map(|()| parts.next().unwrap_or_default());
        let month = month
            .parse()
            .ok()
            .and_then(|month: usize| MONTHS.get(month - 1))
            .unwrap_or(&"");
        let digits = format!("{}{extra:03}", time.trim_end_matches('Z'));
        let time = digits.trim_end_matches('0').trim_end_matches('.');
        let time = if time.len() <= "hh:mm:ss".len() {
            &digits[..8]
        } else {
            time
        };
        Self {
            date: format!("{} {month} {year}", day.trim_start_matches('0')),
            time: time.strip_suffix(":00").unwrap_or(time).to_owned(),
        }
    }

    fn is_midnight(&self) -> bool {
        self.time == "00:00"
    }

    fn with_time(&self) -> String {
        format!("{} UTC on {}", self.time, self.date)
    }
}

/// `08:00 UTC on 1 March 2027`; seconds and their fraction only where there are any.
pub(super) fn instant(at: Timestamp) -> String {
    Civil::of(at, 0).with_time()
}

/// The same, to the nanosecond.
pub(super) fn moment(at: Moment) -> String {
    let nanoseconds = at.nanoseconds();
    let micros = i64::try_from(nanoseconds.div_euclid(1000)).unwrap_or(i64::MAX);
    Civil::of(Timestamp(micros), nanoseconds.rem_euclid(1000)).with_time()
}

/// `from 1 March 2027 to the end of 31 May 2027`; empty for always. Times of day only where they are not midnight.
pub(super) fn span(validity: &Validity) -> String {
    let from = validity.from.map(|from| {
        let at = Civil::of(from, 0);
        let start = if at.is_midnight() { at.date } else { at.with_time() };
        format!("from {start}")
    });
    let to = validity.to.map(|to| {
        let at = Civil::of(to, 0);
        if at.is_midnight() {
            format!("to the end of {}", Civil::of(Timestamp(to.0.saturating_sub(1)), 0).date)
        } else {
            format!("until {}", at.with_time())
        }
    });
    [from, to].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A text in double quotes, as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A name as it is where it cannot be mistaken for words of the sentence, else in quotes: `Sales EMEA`, `"north"`.
pub(super) fn name(text: &str) -> String {
    let plain = |word: &str| {
        word.starts_with(|first: char| first.is_uppercase() || first.is_ascii_digit())
            && word.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
    };
    if !text.is_empty() && text.split(' ').all(plain) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// `a`, `a and b`, `a, b and c`, with any word for the last comma.
pub(super) fn list(parts: &[String], word: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::instant::parse_date_time;

    fn at(text: &str) -> Timestamp {
        Timestamp(i64::try_from(parse_date_time(text).unwrap().nanoseconds() / 1000).unwrap())
    }

    #[test]
    fn instants_are_written_as_short_as_they_are_exact() {
        let moment = |text: &str| moment(parse_date_time(text).unwrap());
        assert_eq!(moment("2027-03-01T08:00:00Z"), "08:00 UTC on 1 March 2027");
        assert_eq!(moment("2027-12-31T08:00:30Z"), "08:00:30 UTC on 31 December 2027");
        assert_eq!(moment("2027-03-01T08:00:00.5Z"), "08:00:00.5 UTC on 1 March 2027");
        assert_eq!(
            moment("2027-03-01T10:20:10.000000001Z"),
            "10:20:10.000000001 UTC on 1 March 2027"
        );
        assert_eq!(
            moment("1969-12-31T23:59:59.999999999Z"),
            "23:59:59.999999999 UTC on 31 December 1969"
        );
        assert_eq!(instant(at("2027-10-20T10:20:20Z")), "10:20:20 UTC on 20 October 2027");
        assert_eq!(instant(at("2027-10-20T10:00:20Z")), "10:00:20 UTC on 20 October 2027");
    }

    #[test]
    fn a_span_says_which_days_belong_to_it() {
        let span = |from: Option<&str>, to: Option<&str>| {
            span(&Validity {
                from: from.map(at),
                to: to.map(at),
            })
        };
        assert_eq!(span(None, None), "");
        assert_eq!(span(Some("2027-03-01T00:00:00Z"), None), "from 1 March 2027");
        assert_eq!(
            span(Some("2027-03-01T08:30:00Z"), Some("2027-06-01T00:00:00Z")),
            "from 08:30 UTC on 1 March 2027 to the end of 31 May 2027"
        );
        assert_eq!(
            span(None, Some("2027-06-01T08:00:00Z")),
            "until 08:00 UTC on 1 June 2027"
        );
    }

    #[test]
    fn names_that_could_be_words_are_quoted() {
        for (plain, shown) in [
            ("Germany", "Germany"),
            ("Sales EMEA", "Sales EMEA"),
            ("Read-Only", "Read-Only"),
            ("Österreich", "Österreich"),
            ("north", "\"north\""),
            ("Trust and Safety", "\"Trust and Safety\""),
            ("A  B", "\"A  B\""),
            ("", "\"\""),
            ("Q\"1\"", "\"Q\\\"1\\\"\""),
        ] {
            assert_eq!(name(plain), shown);
        }
    }
}
