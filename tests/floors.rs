//! The plan of the house, kept: which room stands on which floor, what it may import, and the rules that no lint knows.
//!
//! `docs/architecture.md` draws the same plan for people. A room that is added there is added here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use source::{Source, code_of, heads, names_crate, repository, rust_files, sources, walk};

#[path = "floors/source.rs"]
mod source;

/// A folder or file directly under `src/`.
struct Room {
    name: &'static str,
    /// An import goes to a lower number, never up and never sideways.
    floor: u8,
    /// Rooms it may import; `None` is every lower one.
    may: Option<&'static [&'static str]>,
}

const fn room(name: &'static str, floor: u8, may: &'static [&'static str]) -> Room {
    Room {
        name,
        floor,
        may: Some(may),
    }
}

const fn root(name: &'static str, floor: u8) -> Room {
    Room { name, floor, may: None }
}

const PLAN: &[Room] = &[
    room("base", 1, &[]),
    room("config", 2, &["base"]),
    room("scim", 2, &["base"]),
    room("access", 3, &["scim", "base"]),
    room("telemetry", 3, &["config", "base"]),
    room("event", 4, &["access", "base"]),
    room("store", 5, &["event", "access", "scim", "base"]),
    room("service", 6, &["store", "event", "access", "scim", "base"]),
    room("api", 7, &["service", "scim", "base"]),
    room("console", 7, &["service", "base"]),
    room("worker", 7, &["service", "base"]),
    room("selftest", 7, &["scim", "base"]),
    root("app", 8),
    root("cli", 9),
    root("main", 10),
];

/// Crates that belong to some rooms only, and why.
const BOUND: &[(&str, &[&str], &str)] = &[
    ("sqlx", &["store"], "all SQL is in `store`"),
    ("rusqlite", &["store"], "all SQL is in `store`"),
    ("axum", &["api", "console", "app"], "HTTP is unknown below `api`"),
    ("hyper", &["api", "console", "app"], "HTTP is unknown below `api`"),
    ("tower", &["api", "console", "app"], "HTTP is unknown below `api`"),
    ("tower_http", &["api", "console", "app"], "HTTP is unknown below `api`"),
    ("clap", &["cli", "config", "main"], "only the command line knows flags"),
    ("figment", &["config"], "settings come from `config`"),
    (
        "anyhow",
        &["cli", "app", "main"],
        "every other room has an error enum of its own",
    ),
    (
        "reqwest",
        &["worker", "selftest", "cli", "app"],
        "no network call inside a use case",
    ),
    ("lettre", &["worker"], "no network call inside a use case"),
    (
        "aws_lc_rs",
        &["event", "base", "service"],
        "what is sealed and signed is decided in one place",
    ),
];

/// Rooms of values in, values out, and what they can therefore not know.
const PURE: &[&str] = &["base", "scim", "access", "event"];
const IMPURE_CRATES: &[&str] = &["tokio", "tokio_util", "sqlx", "rusqlite", "axum", "tracing", "metrics"];

/// A longer file says why in its first lines, after this word.
const MAX_LINES: usize = 500;
const LENGTH_REASON: &str = "LENGTH:";

/// Names that say nothing: what has no room has not been understood yet.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "helpers", "helper", "common", "types", "manager", "misc",
];

// ---------------------------------------------------------------- the rules

#[test]
fn the_plan_itself_only_goes_down() {
    for room in PLAN {
        for target in room.may.unwrap_or_default() {
            assert!(
                floor(target).floor < room.floor,
                "`{}` may import `{target}`, which is not below it",
                room.name
            );
        }
    }
}

#[test]
fn no_import_goes_up_or_into_a_room_it_may_not_enter() {
    let mut faults = Vec::new();
    for file in sources() {
        let from = floor(&file.room);
        for target in file.imports() {
            let to = floor(&target);
            let may = from.may.is_none_or(|may| may.contains(&to.name));
            if target != file.room && (to.floor >= from.floor || !may) {
                let allowed = from.may.map_or("every lower room".to_owned(), |may| may.join(", "));
                faults.push(format!(
                    "{} imports `{target}`; `{}` may import: {allowed}",
                    file.path, from.name
                ));
            }
        }
        if file.leaves_by_super() {
            faults.push(format!(
                "{} leaves its room by `super::`: name the other room with `crate::`",
                file.path
            ));
        }
    }
    none(&faults);
}

#[test]
fn no_rooms_import_each_other_in_a_circle() {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources() {
        let targets = file.imports().into_iter().filter(|target| *target != file.room);
        arrows.entry(file.room.clone()).or_default().extend(targets);
    }
    // Takes away, again and again, the rooms that import nothing that is left: a circle never goes.
    loop {
        let free: Vec<_> = arrows
            .iter()
            .filter(|(_, to)| to.is_empty())
            .map(|(room, _)| room.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        arrows.retain(|room, _| !free.contains(room));
        for to in arrows.values_mut() {
            to.retain(|room| !free.contains(room));
        }
        let left: BTreeSet<_> = arrows.keys().cloned().collect();
        for to in arrows.values_mut() {
            to.retain(|room| left.contains(room));
        }
    }
    assert!(
        arrows.is_empty(),
        "a circle among {:?}",
        arrows.keys().collect::<Vec<_>>()
    );
}

#[test]
fn every_outside_crate_stays_in_its_rooms() {
    let mut faults = Vec::new();
    for file in sources() {
        for (name, rooms, why) in BOUND {
            if file.names_crate(name) && !rooms.contains(&file.room.as_str()) {
                faults.push(format!("{} uses `{name}`: {why}", file.path));
            }
        }
        for name in IMPURE_CRATES {
            if PURE.contains(&file.room.as_str()) && file.names_crate(name) {
                faults.push(format!(
                    "{} uses `{name}`: `{}` is values in, values out",
                    file.path, file.room
                ));
            }
        }
        let rows_only = file.code.replace("sqlx::FromRow", "");
        let drivers = names_crate(&rows_only, "sqlx") || names_crate(&rows_only, "rusqlite");
        if file.room == "store" && !file.path.starts_with("src/store/sql/") && drivers {
            faults.push(format!(
                "{} uses a driver for more than `sqlx::FromRow`: SQL runs in src/store/sql",
                file.path
            ));
        }
    }
    none(&faults);
}

#[test]
fn the_protocol_and_the_access_engine_know_no_tenant() {
    let pure = |file: &Source| matches!(file.room.as_str(), "scim" | "access");
    let faults = sources()
        .into_iter()
        .filter(pure)
        .filter(|file| file.code.to_lowercase().contains("tenant"));
    none(
        &faults
            .map(|file| format!("{} speaks of a tenant", file.path))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn only_one_file_turns_text_into_sql() {
    let files: Vec<_> = sources()
        .into_iter()
        .filter(|file| file.code.contains("AssertSqlSafe"))
        .collect();
    let paths: Vec<_> = files.iter().map(|file| &file.path).collect();
    assert!(
        paths.len() <= 1,
        "`AssertSqlSafe` is in {paths:?}: only the statement builder may use it"
    );
}

#[test]
fn every_migration_has_its_twin() {
    let names = |engine: &str| -> BTreeSet<String> {
        let files = walk(&repository().join("migrations").join(engine));
        files
            .iter()
            .filter_map(|path| path.file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    let alone: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
    assert!(
        alone.is_empty(),
        "on one engine only, of the same number and name: {alone:?}"
    );
    assert!(!sqlite.is_empty(), "no migrations found");
}

#[test]
fn no_file_is_longer_than_can_be_read_at_once() {
    let mut faults = Vec::new();
    for path in rust_files(&["src", "tests", "fuzz"]) {
        let text = fs::read_to_string(repository().join(&path)).unwrap();
        let reasoned = text.lines().take(12).any(|line| line.contains(LENGTH_REASON));
        if text.lines().count() > MAX_LINES && !reasoned {
            faults.push(format!(
                "{path}: over {MAX_LINES} lines; split it by meaning, or say why after `{LENGTH_REASON}`"
            ));
        }
    }
    none(&faults);
}

#[test]
fn every_folder_has_a_caption_and_holds_declarations_only() {
    let mut faults = Vec::new();
    for file in sources()
        .iter()
        .filter(|file| file.path.ends_with("/mod.rs") && !file.path.contains("/tests/"))
    {
        let caption: String = file.text.lines().take_while(|line| line.starts_with("//!")).collect();
        if !caption.to_lowercase().contains("must never") {
            faults.push(format!(
                "{}: the caption says what the folder is for, may import and must never import",
                file.path
            ));
        }
        let holds_more = |line: &str| {
            let line = line
                .trim_start_matches("pub ")
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub(super) ");
            ["fn ", "async fn ", "struct ", "enum ", "impl", "trait "]
                .iter()
                .any(|word| line.starts_with(word))
        };
        if file.code.lines().any(|line| holds_more(line.trim())) {
            faults.push(format!(
                "{}: declarations only; the rest belongs into a file of its own",
                file.path
            ));
        }
    }
    none(&faults);
}

#[test]
fn names_of_files_say_something() {
    let stem = |path: &String| {
        Path::new(path)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let says_nothing = |path: &&String| {
        let folders = path.split('/').any(|part| EMPTY_NAMES.contains(&part));
        folders || EMPTY_NAMES.contains(&stem(path).as_str())
    };
    none(
        &rust_files(&["src", "tests", "fuzz"])
            .iter()
            .filter(says_nothing)
            .cloned()
            .collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_is_unfinished_silenced_or_unwrapped() {
    let mut faults = Vec::new();
    for file in sources() {
        for word in ["todo!", "unimplemented!", "#[allow(", "#![allow(", "dbg!"] {
            if file.code.contains(word) {
                faults.push(format!("{} holds `{word}`", file.path));
            }
        }
        if !file.path.ends_with("tests.rs") && !file.path.contains("/tests/") {
            faults.extend(
                file.unwraps()
                    .into_iter()
                    .map(|line| format!("{}:{line}: `INVARIANT:` is missing", file.path)),
            );
        }
    }
    none(&faults);
}

#[test]
fn every_dependency_is_justified() {
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let reasons = fs::read_to_string(repository().join("docs/decisions/005-dependencies.md")).unwrap();
    let mut counts = false;
    let mut missing = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            counts = line.ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (counts, line.split_once(" = "))
            && !reasons.contains(&format!("| `{name}` |"))
        {
            missing.push(name);
        }
    }
    assert!(
        missing.is_empty(),
        "{missing:?}: give the reason in docs/decisions/005-dependencies.md"
    );
}

fn floor(name: &str) -> &'static Room {
    let found = PLAN.iter().find(|room| room.name == name);
    found.unwrap_or_else(|| panic!("`{name}` has no floor: give it one here and in docs/architecture.md"))
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn code_is_read_without_comments_and_literals() {
    let text = r#"use crate::a::{self, b::{c}}; // crate::no
        /* crate::no */ let x: &'static str = "crate::no \" crate::no"; let y = '"'; let z = r"crate::no"; crate::d::e();"#;
    let code = code_of(text);
    assert!(!code.contains("no"), "{code}");
    assert!(code.contains("crate::d::e()"));
    assert_eq!(
        heads("{store::Db, scim::{filter, path}, base};"),
        ["store", "scim", "base"]
    );
    assert!(names_crate("#[tokio::test] fn x() {}", "tokio"));
    assert!(!names_crate("use crate::tokio::x; let tokio_like = 1;", "tokio"));
}
