//! The fuzz targets over a bounded number of inputs: every sample of `conformance/vectors`, and mutations of them.
//!
//! `MUSTER_FUZZ_RUNS` sets the number of mutations. An input that fails is printed.

use serde_json::Value;

use crate::support::dice::{self, Dice};
use crate::support::setting;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

/// Mutations of a target: some seconds without optimisation.
const RUNS: usize = 20_000;

/// Words that random bytes would hardly ever make.
const WORDS: &[&str] = &[
    " and ",
    " or ",
    "not (",
    " eq ",
    " co ",
    " pr",
    "((((((((",
    "))))))))",
    "[",
    "]",
    "\"",
    "\\u",
    "\\ud800",
    "\0",
    "\u{1F600}",
    "I\u{307}",
    "urn:ietf:params:scim:schemas:core:2.0:User:",
    ".",
    ":",
    "$ref",
    "null",
    "true",
    "1e999",
    "-0",
    "{\"op\":\"add\"}",
    "\"path\":",
    "\"value\":",
    "\"members\"",
    "[{}]",
    ",",
    "emails[type eq \"work\"]",
    ".value",
    "\"bulkId:",
    "bulkId:east",
    "\"bulkId\": \"usr\"",
];

#[test]
fn no_filter_breaks_the_parser_and_what_it_takes_reads_back_the_same() {
    fuzz(bodies::filter, &texts("filters.json", "filter"));
}

#[test]
fn no_path_breaks_the_parser() {
    let mut seeds = texts("patches.json", "path");
    seeds.extend(texts("filters.json", "filter"));
    fuzz(bodies::path, &seeds);
}

#[test]
fn no_body_breaks_validation_or_patching() {
    let mut seeds = bodies_of("patches.json", "request");
    seeds.extend(bodies_of("patches.json", "before"));
    fuzz(bodies::body, &seeds);
}

#[test]
fn no_bulk_request_breaks_reading_or_planning() {
    let seeds: Vec<Vec<u8>> = bodies_of("more.json", "input");
    let seeds: Vec<_> = seeds
        .into_iter()
        .filter(|seed| seed.windows(11).any(|part| part == b"BulkRequest"))
        .collect();
    fuzz(bodies::bulk, &seeds);
}

#[test]
fn no_cursor_opens_that_was_not_given() {
    let texts = [
        "k1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "[1764000000000000,7,3,false,\"ada\",\"12\"]",
        "[-1,18446744073709551615,0,true,null,\"\"]",
    ];
    let seeds: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    fuzz(bodies::cursor, &seeds);
}

fn fuzz(target: fn(&[u8]), seeds: &[Vec<u8>]) {
    assert!(!seeds.is_empty());
    let runs = setting("MUSTER_FUZZ_RUNS").map_or(RUNS, |text| text.parse().unwrap());
    let mut dice = Dice::new(dice::seed(), 0);
    for seed in seeds {
        Told(seed).run(target);
    }
    for _ in 0..runs {
        let input = mutated(&mut dice, seeds);
        Told(&input).run(target);
    }
}

/// Prints the input when the target fails on it.
struct Told<'a>(&'a [u8]);

impl Told<'_> {
    fn run(self, target: fn(&[u8])) {
        target(self.0);
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("input: {:?}", String::from_utf8_lossy(self.0));
        }
    }
}

/// One of the seeds with some damage done to it.
fn mutated(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut input = dice.pick(seeds).clone();
    for _ in 0..=dice.below(4) {
        let (from, to) = (dice.below(input.len() + 1), dice.below(input.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        match dice.below(6) {
            0 => drop(input.drain(from..to.min(from + 8))),
            1 => insert(&mut input, from, dice.pick(WORDS).as_bytes()),
            2 => insert(&mut input, from, &dice.throw().to_le_bytes()[..1]),
            3 => insert(&mut input, from, &seeds[dice.below(seeds.len())]),
            4 => insert(
                &mut input,
                from,
                &dice.pick(WORDS).repeat(1 + dice.below(200)).into_bytes(),
            ),
            _ => {
                let copy = input[from..to].to_vec();
                insert(&mut input, from, &copy);
            }
        }
    }
    input
}

fn insert(input: &mut Vec<u8>, at: usize, what: &[u8]) {
    drop(input.splice(at..at, what.iter().copied()));
}

/// Every text that stands under this name anywhere in the samples.
fn texts(file: &str, name: &str) -> Vec<Vec<u8>> {
    let found = collect(&samples(file), name);
    found
        .iter()
        .filter_map(Value::as_str)
        .map(|text| text.as_bytes().to_vec())
        .collect()
}

/// Every object that stands under this name, as JSON.
fn bodies_of(file: &str, name: &str) -> Vec<Vec<u8>> {
    let found = collect(&samples(file), name);
    found
        .iter()
        .filter(|value| value.is_object())
        .map(|value| value.to_string().into_bytes())
        .collect()
}

fn samples(file: &str) -> Value {
    let path = format!("{}/conformance/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn collect(value: &Value, name: &str) -> Vec<Value> {
    let mut found = Vec::new();
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if key == name {
                    found.push(inner.clone());
                }
                found.extend(collect(inner, name));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| found.extend(collect(item, name))),
        _ => {}
    }
    found
}
