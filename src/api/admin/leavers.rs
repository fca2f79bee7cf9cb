//! Who leaves when, as a table and as a calendar.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::page::Page;
use super::query::{Query, unusable};
use super::schedules::Schedule;
use super::views::{CSV, quoted, wants};
use crate::api::problem::Problem;
use crate::api::table::Parameter;
use crate::base::clock::Timestamp;
use crate::service::access;
use crate::service::lifecycle::schedule;

/// The media type of a calendar (RFC 5545 §8.1).
pub const CALENDAR: &str = "text/calendar";

/// Octets of a line of a calendar, without its end (RFC 5545 §3.1).
const LINE_OCTETS: usize = 75;

/// For who cannot send an `Accept`, such as a program that subscribes to a calendar.
pub const FORMAT: &[Parameter] = &[Parameter {
    name: "format",
    says: "`json`, `csv` or `ics`; what `Accept` says when absent",
    kind: "string",
}];

/// What leavers are given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON, as everything else.
    Json,
    /// A table (RFC 4180).
    Table,
    /// A calendar (RFC 5545).
    Calendar,
}

impl Form {
    /// What the client wants.
    ///
    /// # Errors
    /// A format that is none.
    pub fn wanted(query: &Query, headers: &HeaderMap) -> Result<Self, Problem> {
        match query.text("format") {
            Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Table),
            Some("ics") => Ok(Self::Calendar),
            Some(_) => Err(unusable("format", "`json`, `csv` or `ics` belongs here")),
            None if wants(headers, CSV) => Ok(Self::Table),
            None if wants(headers, CALENDAR) => Ok(Self::Calendar),
            None => Ok(Self::Json),
        }
    }

    /// A page in this form; a table and a calendar say the next page in `Link`.
    #[must_use]
    pub fn of(self, page: access::Page<schedule::Schedule>, query: &Query) -> Response {
        let text = match self {
            Self::Json => return Json(Page::<Schedule>::from(page)).into_response(),
            Self::Table => table(&page.items),
            Self::Calendar => calendar(&page.items),
        };
        let media = match self {
            Self::Calendar => "text/calendar; charset=utf-8",
            _ => "text/csv; charset=utf-8",
        };
        let mut response = ([(header::CONTENT_TYPE, media)], text).into_response();
        if let Some(next) = &page.next {
            let link = format!("<?{}>; rel=\"next\"", query.followed_by("after", next));
            if let Ok(link) = HeaderValue::from_str(&link) {
                response.headers_mut().insert(header::LINK, link);
            }
        }
        response
    }
}

fn table(leavers: &[schedule::Schedule]) -> String {
    let mut text = "id,user,name,due,reason\r\n".to_owned();
    for leaver in leavers {
        let (id, name) = named(leaver);
        let reason = leaver.reason.as_deref().unwrap_or_default();
        let due = leaver.due.rfc3339();
        let cells = [leaver.id.as_str(), id, name, &due, reason].map(quoted);
        text += &(cells.join(",") + "\r\n");
    }
    text
}

fn named(leaver: &schedule::Schedule) -> (&str, &str) {
    let user = leaver.user.as_ref();
    user.map_or(("", ""), |user| (user.id.as_str(), user.name.as_str()))
}

fn calendar(leavers: &[schedule::Schedule]) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| fold(&mut out, &format!("{name}:{value}"));
    line("BEGIN", "VCALENDAR");
    line("VERSION", "2.0");
    line("PRODID", "-//Muster//Leavers//EN");
    for leaver in leavers {
        let (_, name) = named(leaver);
        line("BEGIN", "VEVENT");
        line("UID", &leaver.id);
        line("DTSTAMP", &utc(leaver.created));
        line("DTSTART", &utc(leaver.due));
        line("SUMMARY", &escaped(&format!("{name} leaves")));
        if let Some(reason) = &leaver.reason {
            line("DESCRIPTION", &escaped(reason));
        }
        line("TRANSP", "TRANSPARENT");
        line("END", "VEVENT");
    }
    line("END", "VCALENDAR");
    out
}

/// `20260131T225959Z` (RFC 5545 §3.3.5).
fn utc(at: Timestamp) -> String {
    let text = at.rfc3339();
    let plain = text.split('.').next().unwrap_or_default().replace(['-', ':'], "");
    plain + "Z"
}

/// A text (RFC 5545 §3.3.11); control characters but for line ends go.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// Writes a line, broken where it is too long: what goes on begins with a blank (RFC 5545 §3.1).
fn fold(out: &mut String, line: &str) {
    let mut used = 0;
    for character in line.chars() {
        if used + character.len_utf8() > LINE_OCTETS {
            out.push_str("\r\n ");
            used = 1;
        }
        out.push(character);
        used += character.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_at_most_75_octets_and_breaks_no_character() {
        let mut out = String::new();
        fold(&mut out, &"ü".repeat(100));
        let lines: Vec<&str> = out.split("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= LINE_OCTETS));
        assert_eq!(out.replace("\r\n ", "").trim_end(), "ü".repeat(100));
        assert!(lines.len() > 3 && out.ends_with("\r\n"));
    }

    #[test]
    fn a_text_cannot_end_its_line() {
        assert_eq!(escaped("a,b;c\\d\r\nEND:VEVENT"), "a\\,b\\;c\\\\d\\nEND:VEVENT");
        assert_eq!(utc(Timestamp(1_769_900_399_000_000)), "20260131T225959Z");
    }
}
