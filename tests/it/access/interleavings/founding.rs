//! What is done to an organisation in which nobody is an administrator for good yet. Each of these makes one for a
//! while or by a rule, or would with others of them: whatever comes last is refused.

use muster::service::access::Validity;
use muster::service::access::grants::{self, SubjectKind};
use muster::service::access::preview::{self, Asked};
use muster::service::access::rules;

use super::deeds::{Outcome, for_a_while, grant, ruling};
use super::world::{TITLES, World};
use crate::access::house::{joins, new_grant, new_rule};
use crate::support::dice::Dice;

/// One thing that somebody does.
pub async fn deed(world: World, mut dice: Dice) -> Outcome {
    let world = &world;
    let (house, [outer, inner]) = (&world.house, &world.empty);
    let (services, root) = (&house.services, &house.root);
    match dice.below(22) {
        0 | 1 => {
            let (kind, subject) = world.subject(&mut dice);
            let mut new = new_grant((kind, &subject), "admin", "all");
            new.validity = for_a_while(house, &mut dice);
            if dice.below(2) == 0 {
                return grants::create(services, root, &new).await.map(drop);
            }
            let asked = [Asked::Grant(new)];
            let told = preview::preview(services, root, &asked, "[]").await?;
            preview::apply(services, root, &told.id, &asked).await
        }
        2 | 3 => {
            let new = new_grant((SubjectKind::Group, outer), "admin", "all");
            assert_eq!(new.validity, Validity::ALWAYS);
            grants::create(services, root, &new).await.map(drop)
        }
        4..9 => {
            let group = dice.pick(&world.empty).clone();
            ruling(world, &group, &mut dice).await
        }
        9 | 10 => house.join(outer, inner).await,
        11..14 => house.leave(outer, inner).await,
        14..16 => filled_by_a_rule(world, &mut dice).await,
        _ => grants::delete(services, root, &grant(world, &mut dice).await?).await,
    }
}

/// A group is filled by a rule and makes administrators, one after the other in either order.
async fn filled_by_a_rule(world: &World, dice: &mut Dice) -> Outcome {
    let (services, root, [outer, _]) = (&world.house.services, &world.house.root, &world.empty);
    let when = format!("title eq \"{}\"", dice.pick(&TITLES));
    let rule = new_rule(&format!("Rule {:x}", dice.throw()), &when, &[joins(outer)]);
    let new = new_grant((SubjectKind::Group, outer), "admin", "all");
    if dice.below(2) == 0 {
        rules::create(services, root, &rule).await?;
        grants::create(services, root, &new).await.map(drop)
    } else {
        grants::create(services, root, &new).await?;
        rules::create(services, root, &rule).await.map(drop)
    }
}
