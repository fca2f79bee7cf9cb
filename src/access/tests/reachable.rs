//! What being in a group can come to.

use super::house::{ADMIN, ANALYST, House, MANAGER, READ_ONLY, house, on, to_group};
use crate::access::permission::Permissions;
use crate::access::{Outcome, Reach, State};
use crate::base::id::{Pk, RoleKey};

fn everywhere(role: RoleKey) -> Outcome {
    Outcome::Role {
        role,
        reach: Reach::All,
    }
}

fn reached(house: &House, group: i64) -> Permissions {
    house.policy.reachable(&[Pk(group)])
}

fn of(house: &House, role: RoleKey) -> Permissions {
    let found = house.policy.roles.iter().find(|known| known.key == role);
    found.unwrap().permissions
}

#[test]
fn grants_to_a_group_and_to_those_it_is_nested_in_are_reached_wherever_they_count() {
    let mut house = house();
    house.group(11, "Sales", &[12]);
    house.group(12, "World", &[11]);
    house.group(13, "Elsewhere", &[]);
    assert!(reached(&house, 11).is_empty());
    house.grant(to_group(12), ANALYST, on(1));
    house.grant(to_group(13), ADMIN, Reach::All);
    assert_eq!(reached(&house, 11), of(&house, ANALYST));
    assert_eq!(
        reached(&house, 14),
        Permissions::NONE,
        "a group the policy does not know"
    );
}

#[test]
fn rules_that_read_a_group_are_reached_also_by_way_of_what_they_fill() {
    for when in [
        "groups.display eq \"WORLD\"",
        "groups.value eq \"g12\" and title eq \"Boss\"",
        "not (groups.display eq \"Sales\")",
        "groups pr",
    ] {
        let mut house = house();
        house.group(11, "Sales", &[12]);
        house.group(12, "World", &[]);
        house.group(13, "Chiefs", &[14]);
        house.group(14, "All chiefs", &[]);
        house.rule(when, everywhere(READ_ONLY));
        house.rule(when, Outcome::Group(Pk(13)));
        house.rule("groups.display eq \"All chiefs\"", everywhere(MANAGER));
        house.rule("groups.display eq \"Nowhere\"", everywhere(ADMIN));
        let all = of(&house, READ_ONLY) | of(&house, MANAGER);
        assert_eq!(reached(&house, 11), all, "{when}");
        house.policy.rules[1].state = State::Draft;
        assert_eq!(reached(&house, 11), of(&house, READ_ONLY), "{when}");
    }
}
