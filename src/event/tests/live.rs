//! The same walk over the rows of a database, whose forger can change any of them.

use super::super::{Broken, Extent, Flaw, Head, Placed, Seq, Walk};
use super::house::{Log, TENANT, head_of, signed, trusted};

/// Events and checkpoints by their positions, then the signed head.
fn walked(log: &Log) -> Result<Extent, Broken> {
    let keys = trusted();
    let mut walk = Walk::begin(TENANT, &keys);
    let mut checkpoints = log.checkpoints.iter().peekable();
    for row in &log.rows {
        walk.event(&row.event, &row.hash)?;
        while let Some(checkpoint) = checkpoints.next_if(|checkpoint| checkpoint.seq <= row.event.seq) {
            walk.checkpoint(checkpoint)?;
        }
    }
    checkpoints.try_for_each(|checkpoint| walk.checkpoint(checkpoint))?;
    walk.close(&log.head)
}

#[test]
fn a_whole_log_is_whole() {
    let log = Log::of(12);
    assert_eq!(walked(&log).unwrap().to, log.head.seq);
}

#[test]
fn any_column_that_was_changed_is_found_at_its_row() {
    let changes: [fn(&mut Placed); 15] = [
        |row| row.event.at.0 += 1,
        |row| row.event.txn.push('x'),
        |row| row.event.part += 1,
        |row| row.event.kind = "user.deleted".to_owned(),
        |row| row.event.actor_kind = "admin".to_owned(),
        |row| row.event.actor_id.push('x'),
        |row| row.event.connection = Some(String::new()),
        |row| row.event.request_id = Some("x".to_owned()),
        |row| row.event.subject_kind = None,
        |row| row.event.subject_id = Some("x".to_owned()),
        |row| row.event.cause.push(' '),
        |row| row.event.data = row.event.data.replace("title", "Title"),
        |row| row.event.sealed = row.event.sealed.as_ref().map_or(Some(String::new()), |_| None),
        |row| row.hash = Head::genesis("x").hash,
        // Text that moves from one column to the next gives other bytes, too.
        |row| row.event.actor_id = row.event.actor_kind.split_off(3) + &row.event.actor_id,
    ];
    let log = Log::of(12);
    for change in changes {
        let mut forged = log.clone();
        change(&mut forged.rows[6]);
        let found = walked(&forged).unwrap_err();
        assert_eq!((found.at, found.flaw), (Seq(7), Flaw::Hash));
    }
}

#[test]
fn a_row_that_is_gone_or_has_another_number_is_found() {
    let log = Log::of(12);
    let expected = Seq(7);
    let mut gone = log.clone();
    gone.rows.remove(6);
    let mut renumbered = log.clone();
    renumbered.rows[6].event.seq = Seq(8);
    for forged in [gone, renumbered] {
        let found = walked(&forged).unwrap_err();
        assert_eq!((found.at, found.flaw), (expected, Flaw::Position { expected }));
    }
}

#[test]
fn last_rows_that_were_cut_off_are_missed() {
    let log = Log::of(12);
    let mut cut = log.clone();
    cut.rows.truncate(10);
    let found = walked(&cut).unwrap_err();
    assert_eq!((found.at, found.flaw), (Seq(11), Flaw::Missing));
}

#[test]
fn a_head_that_was_set_back_does_not_stand_for_rows_or_checkpoints_above_it() {
    let log = Log::of(12);
    let mut back = log.clone();
    back.head = signed(&head_of(&log.rows[9]), 1);
    let found = walked(&back).unwrap_err();
    assert_eq!((found.at, found.flaw), (Seq(11), Flaw::Rewritten { signed: Seq(10) }));

    let mut both = log.clone();
    both.rows.truncate(6);
    both.head = signed(&head_of(&log.rows[5]), 1);
    let found = walked(&both).unwrap_err();
    assert_eq!(
        (found.at, found.flaw),
        (Seq(7), Flaw::Missing),
        "a newer checkpoint is left"
    );
}

#[test]
fn a_database_that_was_set_back_as_a_whole_needs_a_checkpoint_from_elsewhere() {
    let (older, newer) = (Log::of(6), Log::of(12));
    assert!(walked(&older).is_ok());
    let keys = trusted();
    let mut walk = Walk::begin(TENANT, &keys).since(newer.head).unwrap();
    for row in &older.rows {
        walk.event(&row.event, &row.hash).unwrap();
    }
    let found = walk.close(&older.head).unwrap_err();
    assert_eq!((found.at, found.flaw), (older.head.seq.next(), Flaw::Missing));
}

#[test]
fn a_log_that_was_written_anew_is_found_by_a_checkpoint_or_the_head() {
    let log = Log::of(12);
    for at in 0..log.rows.len() {
        let found = walked(&log.rechained(at, |row| row.event.data = "{}".to_owned())).unwrap_err();
        let position = log.rows[at].event.seq;
        let Flaw::Rewritten { signed } = found.flaw else {
            panic!("{found:?}");
        };
        assert!(found.at <= position && position <= signed, "{found:?}");
    }
}

#[test]
fn an_instant_that_does_not_ascend_is_found() {
    let log = Log::of(12);
    let earlier = log.rows[3].event.at;
    let forged = log.rechained(5, |row| row.event.at = earlier);
    let found = walked(&forged).unwrap_err();
    assert_eq!((found.at, found.flaw), (Seq(6), Flaw::Instant));
}

#[test]
fn checkpoints_of_another_tenant_or_twice_are_refused() {
    let log = Log::of(12);
    let mut twice = log.clone();
    twice.checkpoints.insert(0, log.checkpoints[0].clone());
    assert!(matches!(walked(&twice).unwrap_err().flaw, Flaw::Position { .. }));
    let mut other = log;
    other.checkpoints[0].tenant = "another".to_owned();
    assert_eq!(walked(&other).unwrap_err().flaw, Flaw::OtherTenant);
}
