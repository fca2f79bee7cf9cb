//! The budgets of a connection as a JSON object. A member that is not there has its default, so a later build can add
//! one; a budget that is `null` is none.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::access::fuse::{Beyond, Fuse, Limit};
use crate::store::error::{Error, Result};

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Written {
    window_seconds: u64,
    hold_what_is_beyond: bool,
    deactivations: Option<Budget>,
    deletions: Option<Budget>,
    departures: Option<Budget>,
    renames: Option<Budget>,
}

#[derive(Serialize, Deserialize)]
struct Budget {
    percent: u32,
    least: u64,
}

impl Default for Written {
    fn default() -> Self {
        Self::from(&Fuse::default())
    }
}

impl From<Limit> for Budget {
    fn from(limit: Limit) -> Self {
        let Limit { percent, least } = limit;
        Self { percent, least }
    }
}

impl From<Budget> for Limit {
    fn from(budget: Budget) -> Self {
        let Budget { percent, least } = budget;
        Self { percent, least }
    }
}

impl From<&Fuse> for Written {
    fn from(fuse: &Fuse) -> Self {
        Self {
            window_seconds: fuse.window.as_secs(),
            hold_what_is_beyond: fuse.beyond == Beyond::Hold,
            deactivations: fuse.deactivations.map(Budget::from),
            deletions: fuse.deletions.map(Budget::from),
            departures: fuse.departures.map(Budget::from),
            renames: fuse.renames.map(Budget::from),
        }
    }
}

pub(super) fn write(fuse: &Fuse) -> String {
    serde_json::json!(Written::from(fuse)).to_string()
}

/// The budgets that every connection has where nothing is written.
pub(super) fn read(text: Option<&str>) -> Result<Fuse> {
    let Some(text) = text else {
        return Ok(Fuse::default());
    };
    let written: Written = serde_json::from_str(text).map_err(|_| Error::Damaged("connection.fuse"))?;
    Ok(Fuse {
        window: Duration::from_secs(written.window_seconds),
        beyond: if written.hold_what_is_beyond {
            Beyond::Hold
        } else {
            Beyond::Refuse
        },
        deactivations: written.deactivations.map(Limit::from),
        deletions: written.deletions.map(Limit::from),
        departures: written.departures.map(Limit::from),
        renames: written.renames.map(Limit::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_read_back_and_what_is_not_there_has_its_default() {
        let fuse = Fuse {
            window: Duration::from_mins(5),
            beyond: Beyond::Hold,
            deletions: None,
            ..Fuse::default()
        };
        assert_eq!(read(Some(&write(&fuse))).unwrap(), fuse);
        assert_eq!(read(Some("{}")).unwrap(), Fuse::default());
        assert_eq!(read(None).unwrap(), Fuse::default());
        assert!(read(Some("7")).is_err());
    }
}
