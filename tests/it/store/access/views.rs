//! Who has to do with what.

use muster::access::{Reach, State, Subject};
use muster::base::id::{Pk, RoleKey};
use muster::store::access::views::Sources;

use super::super::shelf::Shelf;
use super::{READ_ONLY, record};

async fn users(shelf: &Shelf, sources: &Sources<'_>) -> Vec<Pk> {
    let mut all = Vec::new();
    loop {
        let after = all.last().copied().unwrap_or(Pk(0));
        let page = shelf.reader().views().users(sources, after, 2).await.unwrap();
        assert!(page.len() <= 2 && page.first().is_none_or(|first| *first > after));
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

each_database! {
    async fn users_are_found_by_every_way_access_can_come(shelf: Shelf) {
        let mut people = Vec::new();
        for at in 0..8 {
            people.push(shelf.user(&format!("u{at}")).await);
        }
        let pk = |at: usize| people[at].0;
        let (emea, dach) = (shelf.scope("EMEA", None).await, shelf.scope("DACH", None).await);
        let lead = record("lead", "1");
        shelf.grant(Subject::User(pk(0)), READ_ONLY, Reach::All).await;
        shelf.grant(Subject::User(pk(0)), READ_ONLY, Reach::Scope(emea)).await;
        shelf.grant(Subject::User(pk(1)), READ_ONLY, Reach::Scope(emea)).await;
        shelf.grant(Subject::User(pk(2)), RoleKey(3), Reach::Scope(dach)).await;
        shelf.grant(Subject::User(pk(3)), READ_ONLY, Reach::Record(lead.clone())).await;
        let (top, _) = shelf.group("Top").await;
        let (low, low_id) = shelf.group("Low").await;
        shelf.grant(Subject::Group(top), READ_ONLY, Reach::Scope(emea)).await;
        shelf.join(top, &[&low_id, &people[4].1]).await;
        shelf.join(low, &[&people[5].1, &people[4].1]).await;
        let rule = shelf.rule("R", &[], State::Active).await;
        let mut unit = shelf.unit().await;
        unit.matches().set_first(pk(6), &[(rule, 1, 1)], shelf.by().cause);
        unit.matches().set_first(pk(7), &[(rule, 2, 1)], shelf.by().cause);
        unit.save().await.unwrap();

        let of = async |sources: Sources<'_>| users(&shelf, &sources).await;
        assert!(of(Sources::default()).await.is_empty());
        assert_eq!(of(Sources { everywhere: true, ..Sources::default() }).await, [pk(0)]);
        assert_eq!(of(Sources { scopes: &[emea, dach], ..Sources::default() }).await, [pk(0), pk(1), pk(2)]);
        assert_eq!(of(Sources { scopes: &[emea, dach], roles: Some(&[READ_ONLY]), ..Sources::default() }).await, [pk(0), pk(1)]);
        assert!(of(Sources { scopes: &[emea], roles: Some(&[]), ..Sources::default() }).await.is_empty());
        assert_eq!(of(Sources { record: Some(&lead), everywhere: true, ..Sources::default() }).await, [pk(0), pk(3)]);
        assert_eq!(of(Sources { groups: &[top], ..Sources::default() }).await, [pk(4), pk(5)]);
        assert_eq!(of(Sources { groups: &[low], rules: &[(rule, 1)], ..Sources::default() }).await, [pk(4), pk(5), pk(6)]);
        let everything = Sources { roles: None, everywhere: true, scopes: &[emea, dach], record: Some(&lead), groups: &[top, low], rules: &[(rule, 1), (rule, 2)] };
        assert_eq!(of(everything).await, people.iter().map(|one| one.0).collect::<Vec<_>>());
        let many: Vec<_> = (0..500).map(|at| (rule, at)).collect();
        assert_eq!(of(Sources { groups: &[top], rules: &many, ..Sources::default() }).await, [pk(4), pk(5), pk(6), pk(7)], "more than there are arms");
        let shown = shelf.reader().views().people(&[pk(3), pk(1), low]).await.unwrap();
        assert_eq!(shown.iter().map(|one| (one.pk, one.name.as_str(), one.status.is_active())).collect::<Vec<_>>(), [(pk(1), "u1", true), (pk(3), "u3", true)]);
    }
}
