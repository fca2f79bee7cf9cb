//! The rounds: what is done in one is done at once, and looked at meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use muster::service::Error;
use muster::service::access::ownership;
use serde_json::json;
use tokio::task::JoinSet;

use super::deeds::Outcome;
use super::world::World;
use super::{deeds, founding, losing};
use crate::access::census::{self, Census, Sworn};
use crate::access::house::AccessHouse;
use crate::support::dice::{self, Dice};

/// Rounds of a run.
const ROUNDS: usize = 120;
/// Rounds at first in which nobody becomes an administrator for good, so nobody may be one for a while.
const FOUNDING: usize = 40;
/// Most deeds of a round: enough to meet, few enough that what is refused is not all.
const AT_ONCE: usize = 6;

each_database! {
    async fn whatever_happens_at_once_what_must_hold_is_never_broken(house: AccessHouse) {
        let seed = dice::seed();
        let mut dice = Dice::new(seed, 0);
        let mut world = World::furnished(&house, &mut dice).await;
        let mut sworn = Sworn::default();
        let (mut done, mut refused) = (0, 0);
        for round in 0..ROUNDS {
            let of = |one: usize| Dice::new(seed, round * AT_ONCE + one + 1);
            let work = if round < FOUNDING {
                at_once(0..=dice.below(AT_ONCE), |one| founding::deed(world.clone(), of(one)))
            } else if dice.below(4) == 0 {
                // One of them can go, and they do not know of each other, nor does who relies on them.
                world.spare(1).await;
                let admins = world.admins.iter().take(AT_ONCE - 1).cloned().enumerate();
                let mut work = at_once(admins, |(one, admin)| losing::deed(world.clone(), admin, of(one)));
                work.spawn(losing::relying(world.clone(), of(AT_ONCE - 1)));
                work
            } else {
                at_once(0..=dice.below(AT_ONCE), |one| deeds::deed(world.clone(), of(one)))
            };
            sworn = watched(&house, sworn, async {
                for outcome in work.join_all().await {
                    match outcome {
                        Ok(()) => done += 1,
                        Err(Error::Internal(fault)) => panic!("{fault:?}"),
                        Err(_) => refused += 1,
                    }
                }
            })
            .await;
            assert!(round >= FOUNDING || !sworn.administered(), "round {round} is not one of founding");
            house.clock.advance(Duration::from_secs(dice.below(4000) as u64));
            if round >= FOUNDING {
                world.reinforce(&mut dice).await;
            }
            let (census, now) = (Census::take(&house.database).await, house.services.clock().now());
            sworn.check(&census, now);
            world.refresh(&census, &mut dice).await;
            if dice.below(2) == 0 {
                world.spare(dice.below(2)).await;
            }
        }
        println!("{done} deeds done, {refused} refused");
        assert!(done > ROUNDS / 2 && refused > ROUNDS / 4, "{done} done, {refused} refused: not much of a test");
        assert!(sworn.administered() && sworn.owned(), "nobody had anything to lose");
    }

    async fn the_table_itself_takes_no_second_owner(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        ownership::transfer(&house.services, &house.root, &ada, None).await.unwrap();
        assert!(census::refuses_a_second_owner(&house.database).await);
    }
}

/// Begins these together.
fn at_once<T, F: Future<Output = Outcome> + Send + 'static>(
    of: impl IntoIterator<Item = T>,
    deed: impl FnMut(T) -> F,
) -> JoinSet<Outcome> {
    of.into_iter().map(deed).collect()
}

/// Does work, and looks at what is committed meanwhile again and again, and once more when it is done.
async fn watched(house: &AccessHouse, mut sworn: Sworn, work: impl Future<Output = ()>) -> Sworn {
    let over = Arc::new(AtomicBool::new(false));
    let (looking, place) = (Arc::clone(&over), house.clone());
    let looker = tokio::spawn(async move {
        loop {
            let last = looking.load(Ordering::SeqCst);
            sworn.check(&Census::take(&place.database).await, place.services.clock().now());
            if last {
                return sworn;
            }
        }
    });
    work.await;
    over.store(true, Ordering::SeqCst);
    looker.await.unwrap()
}
