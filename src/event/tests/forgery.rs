//! Every way to change an export, and the place where it is found.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::export::Read;
use super::super::{Broken, Checkpoint, Flaw, Head, Keys, Seq, Verifier};
use super::house::{EVERY, Log, TENANT, broken, head_of, signed, signer, trusted, verified, verified_since};

const EVENTS: usize = 22;

static WHOLE: LazyLock<Log> = LazyLock::new(|| Log::of(EVENTS));
static EXPORT: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| WHOLE.export());
static KEYS: LazyLock<Keys> = LazyLock::new(trusted);

/// What a line is, and the position that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Manifest,
    Event(Seq),
    Checkpoint(Seq),
    End,
}

fn what(line: &[u8]) -> What {
    match Read::line(line).unwrap() {
        Read::Manifest(_) => What::Manifest,
        Read::Event(event, _) => What::Event(event.seq),
        Read::Checkpoint(checkpoint) => What::Checkpoint(checkpoint.seq),
        Read::End(_) => What::End,
    }
}

/// The last position before a line that a signature stands for, and the last one that there is.
fn before(line: usize) -> (Seq, Seq) {
    let mut last = (Seq(0), Seq(0));
    for line in &EXPORT[..line] {
        match what(line) {
            What::Event(seq) => last.1 = seq,
            What::Checkpoint(seq) => last.0 = seq,
            What::Manifest | What::End => {}
        }
    }
    last
}

#[test]
fn a_whole_export_is_whole() {
    let extent = verified(&EXPORT).unwrap();
    assert_eq!((extent.from, extent.to), (Seq(1), WHOLE.head.seq));
    assert_eq!((extent.hash, extent.at), (WHOLE.head.hash, WHOLE.head.at));
    assert_eq!(extent.tenant, TENANT);
    assert_eq!(extent.checkpoints, WHOLE.checkpoints.len() as u64);
    assert!(extent.checkpoints > 3);
}

#[test]
fn a_part_is_whole_wherever_it_begins() {
    for skipped in 0..=WHOLE.rows.len() {
        let extent = verified(&WHOLE.export_after(skipped, 1)).unwrap();
        assert_eq!(extent.from, Seq(i64::try_from(skipped).unwrap() + 1));
        assert_eq!(extent.to, WHOLE.head.seq);
    }
}

#[test]
fn a_log_without_events_is_whole() {
    let empty = Log {
        rows: Vec::new(),
        checkpoints: Vec::new(),
        head: signed(&Head::genesis(TENANT), 1),
    };
    let extent = verified(&empty.export()).unwrap();
    assert_eq!((extent.from, extent.to), (Seq(1), Seq(0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_flipped_bit_is_found_in_its_line(at: Index, bit in 0_u8..8) {
        let mut bytes = EXPORT.concat();
        let at = at.index(bytes.len());
        let line = line_of(&bytes, at);
        bytes[at] ^= 1_u8 << bit;

        let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let broken = broken(&lines);
        prop_assert_eq!(broken.line, Some(line + 1), "{:?}", &broken);
        prop_assert!(possible(line, broken.at), "{:?}", &broken);
    }

    #[test]
    fn bytes_that_are_cut_off_are_missed(at: Index) {
        let bytes = EXPORT.concat();
        let at = at.index(bytes.len());
        let lines: Vec<_> = bytes[..at].split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let broken = broken(&lines);
        let line = line_of(&bytes, at);
        prop_assert_eq!(broken.line, Some(line + 1));
        prop_assert_eq!(broken.flaw, Flaw::Missing);
    }
}

/// The line of a byte, counted from 0.
fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes[..at].split(|byte| *byte == b'\n').count() - 1
}

/// Whether a position may be named for a flaw in a line: its own, or the range that a signature would have proven.
fn possible(line: usize, at: Seq) -> bool {
    let (proven, last) = before(line);
    match what(&EXPORT[line]) {
        What::Manifest => at == Seq(0),
        What::Event(seq) => at == seq,
        What::Checkpoint(_) | What::End => at == proven.next() || at == last.next(),
    }
}

#[test]
fn lines_that_are_cut_off_are_missed() {
    for left in 0..EXPORT.len() {
        let missing = broken(&EXPORT[..left]);
        let at = if left == 0 { Seq(0) } else { before(left).1.next() };
        let expected = Broken {
            at,
            line: Some(left + 1),
            flaw: Flaw::Missing,
        };
        assert_eq!(missing, expected);
    }
}

#[test]
fn last_events_cut_off_before_the_end_are_missed() {
    for cut in 1..EVERY {
        let mut lines = EXPORT.clone();
        let end = lines.pop().unwrap();
        let events = lines
            .iter()
            .rposition(|line| matches!(what(line), What::Checkpoint(_)))
            .unwrap();
        lines.truncate((lines.len() - cut).max(events + 1));
        lines.push(end);
        let missing = broken(&lines);
        assert_eq!((missing.line, missing.flaw), (Some(lines.len()), Flaw::Missing));
        assert_eq!(missing.at, before(lines.len() - 1).1.next());
    }
}

#[test]
fn two_lines_that_changed_places_are_found_at_the_first() {
    for one in 0..EXPORT.len() {
        for other in one + 1..EXPORT.len() {
            let mut lines = EXPORT.clone();
            lines.swap(one, other);
            let found = broken(&lines);
            // An event may follow at once where a checkpoint should be: then the checkpoint is the one that is late.
            let late = matches!(what(&EXPORT[one]), What::Checkpoint(_)) && other == one + 1;
            let late = late && matches!(what(&EXPORT[other]), What::Event(_));
            let expected = if late { other } else { one };
            assert_eq!(found.line, Some(expected + 1), "{one} and {other}: {found:?}");
        }
    }
}

#[test]
fn a_line_that_was_removed_is_missed() {
    for gone in 0..EXPORT.len() {
        let mut lines = EXPORT.clone();
        lines.remove(gone);
        let found = broken(&lines);
        match what(&EXPORT[gone]) {
            What::Manifest => assert_eq!((found.line, found.flaw), (Some(1), Flaw::Line)),
            What::Event(seq) => assert_eq!((found.line, found.at), (Some(gone + 1), seq)),
            // No event's hash says that a checkpoint was there: the end does.
            What::Checkpoint(_) => assert_eq!((found.line, found.flaw), (Some(lines.len()), Flaw::Digest)),
            What::End => assert_eq!((found.line, found.flaw), (Some(lines.len() + 1), Flaw::Missing)),
        }
    }
}

#[test]
fn a_line_that_is_there_twice_is_found() {
    for line in 0..EXPORT.len() {
        let mut lines = EXPORT.clone();
        lines.insert(line, EXPORT[line].clone());
        let found = broken(&lines);
        assert_eq!(found.line, Some(line + 2));
        let expected = before(line + 1).1.next();
        match what(&EXPORT[line]) {
            What::Manifest | What::End => assert_eq!(found.flaw, Flaw::Line),
            What::Event(_) | What::Checkpoint(_) => assert_eq!(found.flaw, Flaw::Position { expected }),
        }
    }
}

/// The first signature at or after a position, and the one before it.
fn around(position: Seq) -> (Seq, Seq) {
    let signed = WHOLE
        .checkpoints
        .iter()
        .chain([&WHOLE.head])
        .map(|checkpoint| checkpoint.seq);
    let good = signed
        .clone()
        .take_while(|seq| *seq < position)
        .last()
        .unwrap_or(Seq(0));
    let bad = signed.into_iter().find(|seq| *seq >= position).unwrap();
    (good, bad)
}

/// The lines of a log with the manifest and the end of the genuine export: what a forger without keys can make.
fn disguised(log: &Log) -> Vec<Vec<u8>> {
    let mut lines = log.export();
    let last = lines.len() - 1;
    (lines[0], lines[last]) = (EXPORT[0].clone(), EXPORT[EXPORT.len() - 1].clone());
    lines
}

#[test]
fn a_log_that_was_written_anew_from_the_middle_is_found_at_the_next_signature() {
    for at in 0..WHOLE.rows.len() {
        let forged = WHOLE.rechained(at, |row| row.event.actor_id = "somebody else".to_owned());
        let found = broken(&disguised(&forged));
        let (good, bad) = around(WHOLE.rows[at].event.seq);
        assert_eq!(found.flaw, Flaw::Rewritten { signed: bad });
        assert_eq!(found.at, good.next());
    }
}

#[test]
fn without_its_checkpoints_it_is_found_at_the_end() {
    for at in 0..WHOLE.rows.len() {
        let mut forged = WHOLE.rechained(at, |row| row.event.data = "{}".to_owned());
        forged.checkpoints.clear();
        let found = broken(&disguised(&forged));
        let signed = WHOLE.head.seq;
        assert_eq!((found.at, found.flaw), (Seq(1), Flaw::Rewritten { signed }));
    }
}

#[test]
fn an_end_that_a_forger_signs_is_not_proven() {
    let forged = WHOLE.rechained(9, |row| row.event.data = "{}".to_owned());
    let mut lines = forged.export_after(0, 2);
    lines[0].clone_from(&EXPORT[0]);
    lines.retain(|line| !matches!(what(line), What::Checkpoint(_)));
    let kid = signer(2).public().kid().to_owned();
    assert_eq!(broken(&lines).flaw, Flaw::UnknownKey(kid));
}

#[test]
fn keys_in_the_manifest_are_not_trusted() {
    let forged = WHOLE.rechained(9, |row| row.event.data = "{}".to_owned()).signed_by(2);
    let found = broken(&forged.export_after(0, 2));
    let kid = signer(2).public().kid().to_owned();
    let expected = Broken {
        at: Seq(0),
        line: Some(1),
        flaw: Flaw::UnknownKey(kid),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_forger_who_claims_the_name_of_a_trusted_key_is_found() {
    let (mine, trusted) = (signer(2), signer(1));
    let (mine, trusted) = (mine.public().kid(), trusted.public().kid());
    let lines = WHOLE.signed_by(2).export_after(0, 2);
    let claims = |line: &Vec<u8>| {
        let text = String::from_utf8(line.clone()).unwrap();
        let (keys, rest) = text
            .split_once("],")
            .map_or(("", text.as_str()), |(keys, rest)| (keys, rest));
        let glue = if keys.is_empty() { "" } else { "]," };
        [keys, glue, &rest.replace(mine, trusted)].concat().into_bytes()
    };
    let found = broken(&lines.iter().map(claims).collect::<Vec<_>>());
    assert_eq!((found.line, found.flaw), (Some(1), Flaw::Signature));
}

#[test]
fn parts_of_two_exports_do_not_make_a_third() {
    let older = Log::of(10);
    let shorter = older.export();
    assert!(verified(&shorter).is_ok());
    // The manifest of the one with the events of the other: both are genuine, and the end is signed.
    let mut lines = shorter.clone();
    lines[0].clone_from(&EXPORT[0]);
    assert_eq!(broken(&lines).flaw, Flaw::Digest);
    // The end of the longer one after the events of the shorter one.
    let mut lines = shorter;
    let last = lines.len() - 1;
    lines[last].clone_from(&EXPORT[EXPORT.len() - 1]);
    assert_eq!(broken(&lines).flaw, Flaw::Missing);
}

#[test]
fn a_line_that_says_the_same_in_other_bytes_is_refused() {
    for line in 0..EXPORT.len() {
        let text = String::from_utf8(EXPORT[line].clone()).unwrap();
        let others = [
            text.replacen(':', ": ", 1),
            text.replacen('n', "\\u006e", 1),
            text.replace("}\n", "}\r\n"),
            text.replace("}\n", " }\n"),
            text.replacen('{', "{\"hash\":\"\",", 1),
            format!(" {text}"),
        ];
        for other in others {
            let mut lines = EXPORT.clone();
            lines[line] = other.clone().into_bytes();
            let found = broken(&lines);
            assert_eq!(found.line, Some(line + 1), "{other}");
            assert!(matches!(found.flaw, Flaw::Line | Flaw::Reprint), "{other}: {found:?}");
        }
    }
}

#[test]
fn an_older_export_is_whole_and_a_checkpoint_kept_elsewhere_tells_that_it_is_older() {
    let older = Log::of(10);
    let kept = WHOLE.head.clone();
    assert!(verified(&older.export()).is_ok());
    let found = verified_since(&older.export(), Some(kept)).unwrap_err();
    assert_eq!((found.at, found.flaw), (older.head.seq.next(), Flaw::Missing));
}

#[test]
fn a_checkpoint_kept_elsewhere_is_compared() {
    let since = |kept: &Checkpoint, skipped| verified_since(&WHOLE.export_after(skipped, 1), Some(kept.clone()));
    let kept = signed(&head_of(&WHOLE.rows[6]), 1);
    assert!(since(&kept, 0).is_ok());
    assert!(since(&kept, 7).is_ok());
    assert_eq!(since(&kept, 8).unwrap_err().flaw, Flaw::Apart);

    // The organisation's own key signed another history: only who kept a checkpoint of the first one can know.
    let other = WHOLE.rechained(5, |row| row.event.data = "{}".to_owned()).signed_by(1);
    assert!(verified(&other.export()).is_ok());
    let found = verified_since(&other.export(), Some(kept.clone())).unwrap_err();
    assert_eq!(found.flaw, Flaw::Rewritten { signed: Seq(7) });
    assert_eq!(found.at, Seq(5), "the checkpoint before it is taken for good");

    let forged = Checkpoint {
        hash: other.head.hash,
        ..kept.clone()
    };
    assert_eq!(since(&forged, 0).unwrap_err().flaw, Flaw::Signature);
    let elsewhere = Checkpoint {
        tenant: "another".to_owned(),
        ..kept
    };
    assert_eq!(since(&elsewhere, 0).unwrap_err().flaw, Flaw::OtherTenant);
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange_to_be_refused(head in 0..EXPORT.len(), keep: Index, tail: Vec<u8>) {
        let line = &EXPORT[head];
        let mut bytes = line[..keep.index(line.len())].to_vec();
        bytes.extend(&tail);
        let strange = bytes != *line;
        prop_assert_eq!(Read::line(&bytes).is_err(), strange);
        let mut verifier = Verifier::new(&KEYS, None);
        prop_assert_eq!(verifier.line(&bytes).is_err(), strange || head != 0);
        prop_assert!(verifier.finish().is_err());
    }
}
