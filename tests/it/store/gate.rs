//! Units of work: many at once, refused, dropped, waiting for the disk.

use std::sync::Arc;

use muster::base::id::Pk;
use muster::store::error::Unique;
use muster::store::resources::{Groups, New};
use muster::store::{Error, Kind, Unit};

use super::shelf::{Shelf, user};

/// Writes a user in a unit of its own; the name decides about the outcome.
async fn write(shelf: Shelf, name: String, later: bool) -> Result<Pk, Error> {
    let content = shelf.content(Kind::User, &user(&name));
    let id = shelf.ids.next();
    let mut unit = Unit::begin(&shelf.db, shelf.tenant).await?;
    let now = shelf.now();
    let new = New {
        kind: Kind::User,
        id: &id,
        connection: Some(shelf.connection),
        external_id: Some(&name),
        seal: None,
        content: &content,
        now,
    };
    let pk = if later {
        unit.resources().insert_later(new).await?
    } else {
        match unit.resources().insert(new).await {
            Ok(pk) => pk,
            Err(error) => {
                unit.dismiss().await?;
                return Err(error);
            }
        }
    };
    if name.starts_with("dropped") {
        drop(unit);
        return Err(Error::Lost);
    }
    unit.save().await?;
    Ok(pk)
}

each_database! {
    async fn of_many_at_once_each_has_its_own_outcome(shelf: Shelf) {
        let mut tasks = Vec::new();
        for number in 0..200 {
            let name = match number % 5 {
                0 => "taken".to_owned(),
                1 => format!("dropped{number}"),
                _ => format!("kept{number}"),
            };
            tasks.push((name.clone(), tokio::spawn(write(shelf.clone(), name, number % 2 == 0))));
        }
        let (mut kept, mut taken) = (0, 0);
        for (name, task) in tasks {
            match task.await.unwrap() {
                Ok(_) if name == "taken" => taken += 1,
                Ok(_) => kept += 1,
                Err(Error::Taken(Unique::Name)) => assert_eq!(name, "taken"),
                Err(Error::Lost) => assert!(name.starts_with("dropped")),
                Err(other) => panic!("{name}: {other:?}"),
            }
        }
        assert_eq!((kept, taken), (120, 1));
        assert_eq!(shelf.reader().resources().count(Kind::User).await.unwrap(), 121);
        assert_eq!(names(&shelf).await.len(), 121);
    }

    async fn what_is_saved_is_seen_by_everybody_at_once(shelf: Shelf) {
        for number in 0..20 {
            let pk = write(shelf.clone(), format!("user{number}"), number % 2 == 0).await.unwrap();
            assert!(names(&shelf).await.contains(&(pk, format!("user{number}"))));
        }
    }

    async fn a_task_that_is_cut_off_leaves_nothing_and_harms_nobody(shelf: Shelf) {
        for round in 0..40_u64 {
            let cut = tokio::spawn(write(shelf.clone(), format!("cut{round}"), round % 2 == 0));
            let others: Vec<_> = (0..4).map(|number| tokio::spawn(write(shelf.clone(), format!("kept{round}-{number}"), true))).collect();
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            cut.abort();
            let cut = cut.await;
            for other in others {
                other.await.unwrap().unwrap();
            }
            let there = names(&shelf).await.iter().any(|(_, name)| *name == format!("cut{round}"));
            assert!(there || cut.is_err() || cut.unwrap().is_err());
        }
        let kept = names(&shelf).await.iter().filter(|(_, name)| name.starts_with("kept")).count();
        assert_eq!(kept, 160);
    }

    async fn a_unit_that_changes_nothing_can_be_saved_and_dismissed(shelf: Shelf) {
        let (_, id) = shelf.user("ada").await;
        for save in [true, false] {
            let mut unit = shelf.unit().await;
            let found = unit.resources().find_for_update(Kind::User, &id, None, Groups::LeftOut).await.unwrap();
            assert!(found.is_some());
            if save { unit.save().await.unwrap() } else { unit.dismiss().await.unwrap() }
        }
    }

    async fn a_lost_unit_cannot_be_saved(shelf: Shelf) {
        shelf.user("ada").await;
        let content = shelf.content(Kind::User, &user("ada"));
        let id = shelf.ids.next();
        let new = New { kind: Kind::User, id: &id, connection: None, external_id: None, seal: None, content: &content, now: shelf.now() };
        let mut unit = shelf.unit().await;
        unit.resources().insert(new).await.unwrap_err();
        assert!(unit.save().await.is_err());
        assert_eq!(names(&shelf).await.len(), 1);
    }

    async fn reads_by_key_that_share_a_statement_get_their_own_rows(shelf: Shelf) {
        let mut ids = Vec::new();
        for number in 0..50 {
            ids.push(shelf.user(&format!("user{number}")).await.1);
        }
        let ids = Arc::new(ids);
        let tasks: Vec<_> = (0..500_usize)
            .map(|number| {
                let (shelf, ids) = (shelf.clone(), Arc::clone(&ids));
                tokio::spawn(async move {
                    let id = if number % 10 == 9 { shelf.ids.next() } else { ids[number % 50].clone() };
                    let found = shelf.reader().resources().find(Kind::User, &id, Some(shelf.connection), Groups::Listed).await.unwrap();
                    assert_eq!(found.map(|found| found.id), (number % 10 != 9).then_some(id));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
}

async fn names(shelf: &Shelf) -> Vec<(Pk, String)> {
    shelf
        .all(Kind::User)
        .await
        .into_iter()
        .map(|stored| (stored.pk, stored.label))
        .collect()
}
