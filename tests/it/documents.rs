//! The documents say what the program does.

use std::fs;

use muster::scim::dialect::RULES;

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
