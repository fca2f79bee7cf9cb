//! The requirements, embedded in the program and read into types.

use serde::Deserialize;
use std::collections::BTreeSet;

use super::requirement::{Fixture, Requirement};

macro_rules! embedded {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!("../../conformance/requirements/", $file)))),+]
    };
}

/// File and text of every chapter, in order.
const FILES: &[(&str, &str)] = embedded![
    "01-discovery.toml",
    "02-http.toml",
    "03-authentication.toml",
    "04-resources.toml",
    "05-attributes.toml",
    "06-create.toml",
    "07-read.toml",
    "08-filter.toml",
    "09-sort.toml",
    "10-pages.toml",
    "11-cursor.toml",
    "12-search.toml",
    "13-put.toml",
    "14-patch.toml",
    "15-delete.toml",
    "16-bulk.toml",
    "17-tags.toml",
    "18-me.toml",
    "19-errors.toml",
    "20-people-and-tenants.toml",
    "21-events.toml",
    "22-roles.toml",
    "23-decisions.toml",
];

const FIXTURES: &str = include_str!("../../conformance/requirements/fixtures.toml");
const DEPARTURES: &str = include_str!("../../conformance/departures.txt");

/// The data of the program is not what the program understands.
#[derive(Debug, thiserror::Error)]
#[error("the requirements cannot be read: {0}: {1}")]
pub struct Fault(String, String);

/// All requirements.
#[derive(Debug)]
pub struct Book {
    /// In the order of their files.
    pub chapters: Vec<Chapter>,
    /// Where Muster departs from them on purpose.
    pub departures: Vec<Departure>,
    pub(super) fixtures: Vec<Fixture>,
}

/// The requirements of one file.
#[derive(Debug)]
pub struct Chapter {
    /// Its name, below `conformance/requirements`.
    pub file: String,
    /// What they are about.
    pub title: String,
    /// The requirements.
    pub requirements: Vec<Requirement>,
}

/// A requirement that Muster does not fulfil on purpose.
#[derive(Debug, Clone)]
pub struct Departure {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: String,
}

impl Book {
    /// What the program was built with.
    ///
    /// # Errors
    /// A word that is not in the language, or two requirements of one id.
    pub fn embedded() -> Result<Self, Fault> {
        let mut fixtures = Self::read(&[("fixtures.toml", FIXTURES)])?.fixtures;
        let mut book = Self::read(FILES)?;
        book.fixtures.append(&mut fixtures);
        book.departures = departures(DEPARTURES);
        Ok(book)
    }

    /// Requirements and fixtures of these files: name and text.
    ///
    /// # Errors
    /// As for [`Self::embedded`].
    pub fn read(files: &[(&str, &str)]) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            title: Option<String>,
            #[serde(default)]
            requirement: Vec<Requirement>,
            #[serde(default)]
            fixture: Vec<Fixture>,
        }
        let mut book = Self {
            chapters: Vec::new(),
            departures: Vec::new(),
            fixtures: Vec::new(),
        };
        let mut ids = BTreeSet::new();
        for (name, text) in files {
            let fault = |what: String| Fault((*name).to_owned(), what);
            let file: File = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
            for requirement in &file.requirement {
                if !ids.insert(requirement.id.clone()) {
                    return Err(fault(format!("there are two of {}", requirement.id)));
                }
                if let Some(wrong) = requirement.fault() {
                    return Err(fault(format!("{}: {wrong}", requirement.id)));
                }
            }
            book.fixtures.extend(file.fixture);
            if !file.requirement.is_empty() {
                book.chapters.push(Chapter {
                    file: (*name).to_owned(),
                    title: file.title.unwrap_or_else(|| (*name).to_owned()),
                    requirements: file.requirement,
                });
            }
        }
        Ok(book)
    }

    /// Every requirement, with its chapter.
    pub fn all(&self) -> impl Iterator<Item = (&Chapter, &Requirement)> {
        let of = |chapter| move |requirement| (chapter, requirement);
        self.chapters
            .iter()
            .flat_map(move |chapter| chapter.requirements.iter().map(of(chapter)))
    }
}

/// Lines `requirements | ID | reason`; those of other suites are not ours.
fn departures(text: &str) -> Vec<Departure> {
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| {
        let mut parts = line.splitn(3, '|').map(str::trim);
        (parts.next()? == "requirements").then_some(())?;
        Some(Departure {
            id: parts.next()?.to_owned(),
            reason: parts.next()?.to_owned(),
        })
    })
    .collect()
}
