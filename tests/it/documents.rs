//! The documents say what the program does.

use std::fs;

use muster::scim::dialect::RULES;
use muster::selftest::{Book, report};

#[test]
fn every_tolerance_is_in_the_dialects_document() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/dialects.md");
    let text = fs::read_to_string(path).unwrap();
    for rule in RULES {
        assert!(
            text.contains(&format!("| `{}` |", rule.name)),
            "docs/dialects.md lacks `{}`",
            rule.name
        );
    }
}

#[test]
fn the_conformance_document_is_what_the_requirements_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/conformance.md");
    let written = report::markdown(&Book::embedded().unwrap());
    let kept = fs::read_to_string(path).unwrap();
    assert!(
        kept == written,
        "make it anew: muster selftest --list --markdown > docs/conformance.md"
    );
}
