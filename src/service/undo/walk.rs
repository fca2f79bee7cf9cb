//! What is to be put back of one user or group, by what the log says happened to it.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::event::{Changes, Kind, Seq};

/// The path under which the log keeps what a connection calls something.
pub(super) const EXTERNAL_ID: &str = "externalId";

/// The attribute that says whether a user's account is active.
pub(super) const ACTIVE: &str = "active";

/// Whose event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// It is to be taken back.
    Ours,
    /// Somebody else's, or the same connection's at another time.
    Others,
    /// Of the undo itself, which was at it before, or of nobody: it was done to everybody as a whole.
    Own,
}

/// An event about one user or group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) seq: Seq,
    pub(super) whose: Whose,
    pub(super) kind: Kind,
    /// What it changed in the document; of something that came back, and of a user who was deleted, all of it.
    pub(super) changes: Changes,
    /// Whether it speaks of the name that the connection has for it, rather than of another one's.
    pub(super) names: bool,
    /// Whether provisioning said so, or whoever takes back what it said.
    pub(super) provisioned: bool,
    /// What provisioning said before and after of the account of somebody who is kept out.
    pub(super) noted: Option<(bool, bool)>,
    /// Whether grants did not come back of somebody who came again.
    pub(super) lost_grants: bool,
    /// Ids of who joined, and who left.
    pub(super) joined: Vec<String>,
    pub(super) left: Vec<String>,
}

/// What something was before, what it was left as, and who had the last word about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Was<T> {
    pub(super) before: T,
    pub(super) after: T,
    /// Whether that was somebody else.
    pub(super) by_others: bool,
}

impl<T> Was<T> {
    /// One more change of the same.
    fn touch(slot: &mut Option<Self>, whose: Whose, (from, to): (T, T)) {
        match (slot.as_mut(), whose) {
            (Some(was), Whose::Own) => was.after = to,
            (Some(was), Whose::Others) => (was.after, was.by_others) = (to, true),
            (Some(was), Whose::Ours) if !was.by_others => was.after = to,
            // What others said in between is what it was before.
            (_, Whose::Ours) => {
                *slot = Some(Self {
                    before: from,
                    after: to,
                    by_others: false,
                });
            }
            (None, Whose::Own | Whose::Others) => {}
        }
    }
}

/// What one user or group was.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Past {
    /// Whether it was there.
    pub(super) there: Option<Was<bool>>,
    /// Attributes of its document by their paths.
    pub(super) attributes: BTreeMap<String, Was<Option<Value>>>,
    /// What provisioning took the account of a user for, whatever an administrator made of it.
    pub(super) said: Option<Was<bool>>,
    /// Members by their ids: whether they were in it.
    pub(super) members: BTreeMap<String, Was<bool>>,
    /// Whether others have changed it since it was made.
    pub(super) changed_by_others: bool,
    /// The document of a user whom the connection has deleted, until they are there again.
    gone: Option<Map<String, Value>>,
    /// Whether they had grants that did not come back when the connection created them anew.
    pub(super) lost_grants: bool,
    /// Whether the connection created them anew by another name than the one that it had for them, which the log does not tell.
    pub(super) lost_name: bool,
    /// Position of the last event that is to be taken back.
    pub(super) last: Seq,
}

impl Past {
    /// One more event, later than those before.
    pub(super) fn tell(&mut self, event: &Told) {
        let whose = event.whose;
        if whose == Whose::Ours {
            self.last = event.seq;
        }
        match event.kind {
            Kind::UserCreated | Kind::GroupCreated => Was::touch(&mut self.there, whose, (false, true)),
            Kind::UserRestored | Kind::GroupRestored => {
                Was::touch(&mut self.there, whose, (false, true));
                self.come_back(event);
            }
            Kind::UserDeleted | Kind::GroupDeleted => {
                Was::touch(&mut self.there, whose, (true, false));
                let mut document = Map::new();
                event.changes.backward(&mut document);
                self.gone = (whose == Whose::Ours).then_some(document);
            }
            _ => {
                self.changed_by_others |= whose == Whose::Others;
                self.change(event);
            }
        }
    }

    /// It came back, perhaps not as it was.
    fn come_back(&mut self, event: &Told) {
        if event.changes.is_empty() {
            return;
        }
        let mut document = Map::new();
        event.changes.forward(&mut document);
        if let Some(gone) = self.gone.take().filter(|_| event.whose == Whose::Ours) {
            // Created anew under the old id: the document of now took the place of the one before.
            let tells = gone.contains_key(EXTERNAL_ID);
            self.lost_name |= event.names && !tells && document.contains_key(EXTERNAL_ID);
            let changes = Changes::of(&gone, &document);
            self.change(&Told {
                changes,
                names: event.names && tells,
                ..event.clone()
            });
            self.lost_grants |= event.lost_grants;
        }
        for (path, was) in &mut self.attributes {
            let now = Changes::value_at(&document, path).cloned();
            if path != EXTERNAL_ID && now != was.after {
                (was.after, was.by_others) = (now, was.by_others || event.whose == Whose::Others);
            }
        }
    }

    fn change(&mut self, event: &Told) {
        for change in event.changes.iter() {
            if change.path == EXTERNAL_ID && !event.names {
                continue;
            }
            let turn = (change.before.clone(), change.after.clone());
            touch_in(&mut self.attributes, &change.path, event.whose, turn);
            if change.path == ACTIVE && event.provisioned {
                let turn = (is_active(change.before.as_ref()), is_active(change.after.as_ref()));
                Was::touch(&mut self.said, event.whose, turn);
            }
        }
        if let Some(turn) = event.noted {
            Was::touch(&mut self.said, event.whose, turn);
        }
        for (ids, turn) in [(&event.joined, (false, true)), (&event.left, (true, false))] {
            for id in ids {
                touch_in(&mut self.members, id, event.whose, turn);
            }
        }
    }
}

/// Who does not say that an account is not active takes it for active.
pub(super) fn is_active(value: Option<&Value>) -> bool {
    value != Some(&Value::Bool(false))
}

fn touch_in<T>(map: &mut BTreeMap<String, Was<T>>, key: &str, whose: Whose, turn: (T, T)) {
    let mut slot = map.remove(key);
    Was::touch(&mut slot, whose, turn);
    if let Some(was) = slot {
        map.insert(key.to_owned(), was);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(events: &[Told]) -> Past {
        let mut past = Past::default();
        for event in events {
            past.tell(event);
        }
        past
    }

    fn event(seq: i64, whose: Whose, kind: Kind) -> Told {
        Told {
            seq: Seq(seq),
            whose,
            kind,
            changes: Changes::default(),
            names: true,
            provisioned: true,
            noted: None,
            lost_grants: false,
            joined: Vec::new(),
            left: Vec::new(),
        }
    }

    fn title(seq: i64, whose: Whose, before: &str, after: &str) -> Told {
        let value = json!({"before": {"title": before}, "after": {"title": after}});
        Told {
            changes: Changes::read(&value).unwrap(),
            ..event(seq, whose, Kind::UserUpdated)
        }
    }

    fn moved(seq: i64, whose: Whose, joined: &[&str], left: &[&str]) -> Told {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Told {
            joined: ids(joined),
            left: ids(left),
            ..event(seq, whose, Kind::GroupUpdated)
        }
    }

    const fn was<T>(before: T, after: T, by_others: bool) -> Was<T> {
        Was {
            before,
            after,
            by_others,
        }
    }

    #[test]
    fn the_first_value_before_is_put_back_however_often_it_changed() {
        let past = of(&[title(1, Whose::Ours, "a", "b"), title(2, Whose::Ours, "b", "c")]);
        assert_eq!(past.attributes["title"], was(Some(json!("a")), Some(json!("c")), false));
        assert_eq!(past.last, Seq(2));
        assert!(!past.changed_by_others);
    }

    #[test]
    fn what_others_said_in_between_is_what_was_before() {
        let past = of(&[
            title(1, Whose::Ours, "a", "b"),
            title(2, Whose::Others, "b", "x"),
            title(3, Whose::Ours, "x", "c"),
        ]);
        assert_eq!(past.attributes["title"], was(Some(json!("x")), Some(json!("c")), false));
    }

    #[test]
    fn the_last_word_of_others_is_told() {
        let past = of(&[title(1, Whose::Ours, "a", "b"), title(2, Whose::Others, "b", "x")]);
        assert_eq!(past.attributes["title"], was(Some(json!("a")), Some(json!("x")), true));
        let others = of(&[title(1, Whose::Others, "a", "b")]);
        assert!(others.attributes.is_empty() && others.changed_by_others);
    }

    #[test]
    fn what_the_undo_itself_did_is_what_is_left() {
        let past = of(&[title(1, Whose::Ours, "a", "b"), title(2, Whose::Own, "b", "between")]);
        let expected = was(Some(json!("a")), Some(json!("between")), false);
        assert_eq!(past.attributes["title"], expected);
        assert_eq!(past.last, Seq(1));
        assert!(!past.changed_by_others);
    }

    #[test]
    fn who_came_back_as_somebody_else_was_changed_by_who_brought_them_back() {
        let back = |whose, title: &str| Told {
            changes: Changes::read(&json!({"after": {"title": title}})).unwrap(),
            ..event(2, whose, Kind::UserRestored)
        };
        let first = title(1, Whose::Ours, "a", "b");
        let as_it_was = of(&[first.clone(), back(Whose::Others, "b")]);
        assert_eq!(
            as_it_was.attributes["title"],
            was(Some(json!("a")), Some(json!("b")), false)
        );
        let renamed = of(&[first, back(Whose::Others, "x")]);
        assert_eq!(
            renamed.attributes["title"],
            was(Some(json!("a")), Some(json!("x")), true)
        );
    }

    #[test]
    fn members_and_whether_it_is_there_are_kept_the_same_way() {
        let past = of(&[
            moved(1, Whose::Ours, &["u-2"], &["u-1"]),
            moved(2, Whose::Others, &["u-1"], &[]),
            event(3, Whose::Ours, Kind::GroupDeleted),
        ]);
        assert_eq!(past.members["u-1"], was(true, true, true));
        assert_eq!(past.members["u-2"], was(false, true, false));
        assert_eq!(past.there, Some(was(true, false, false)));
        let made = of(&[
            event(1, Whose::Ours, Kind::UserCreated),
            event(2, Whose::Ours, Kind::UserDeleted),
        ]);
        assert_eq!(made.there, Some(was(false, false, false)));
    }

    #[test]
    fn what_another_connection_calls_it_is_another_matter() {
        let value = json!({"before": {"externalId": "a"}, "after": {"externalId": "b"}});
        let named = |names| Told {
            changes: Changes::read(&value).unwrap(),
            names,
            ..event(2, Whose::Others, Kind::UserUpdated)
        };
        let first = || Told {
            whose: Whose::Ours,
            seq: Seq(1),
            ..named(true)
        };
        assert!(!of(&[first(), named(false)]).attributes[EXTERNAL_ID].by_others);
        assert!(of(&[first(), named(true)]).attributes[EXTERNAL_ID].by_others);
    }

    #[test]
    fn what_provisioning_says_of_an_account_is_told_apart_from_what_administrators_make_of_it() {
        let active = |seq, whose, provisioned, before: bool, after: bool| Told {
            changes: Changes::read(&json!({"before": {"active": before}, "after": {"active": after}})).unwrap(),
            provisioned,
            ..event(seq, whose, Kind::UserUpdated)
        };
        let noted = |seq, whose, turn| Told {
            noted: Some(turn),
            ..event(seq, whose, Kind::UserSourceNoted)
        };
        let kept_out = of(&[
            active(1, Whose::Others, false, true, false),
            noted(2, Whose::Ours, (true, false)),
        ]);
        assert_eq!(kept_out.said, Some(was(true, false, false)));
        let let_in = of(&[
            active(1, Whose::Ours, true, true, false),
            active(2, Whose::Others, false, false, true),
        ]);
        assert_eq!(let_in.said, Some(was(true, false, false)));
        assert!(let_in.attributes[ACTIVE].by_others);
    }
}
