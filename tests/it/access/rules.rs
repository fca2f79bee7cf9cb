use muster::service::Error;
use muster::service::access::Paging;
use muster::service::access::State;
use muster::service::access::rules::{self, Example, OutcomeAsked, RuleChange};
use serde_json::json;

use super::house::{AccessHouse, gives, joins, new_rule};

fn to(state: State) -> RuleChange {
    RuleChange {
        state: Some(state),
        ..RuleChange::default()
    }
}

/// Nothing takes long here.
const NOBODY_HEARS: rules::Patience<'static> = rules::Patience {
    most: std::time::Duration::from_mins(1),
    tell: &|_, _| {},
};

each_database! {
    async fn an_active_rule_reaches_those_who_are_there_and_those_who_come(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let rule = house.rule("Partners", "userType eq \"partner\"", &[gives("analyst", "all")]).await;
        assert_eq!((rule.state, rule.progress), (State::Active, None));
        assert_eq!(rule.sentence, "Whoever has userType \"partner\" is Analyst everywhere.");
        assert!(house.may(&ada, "data.act", "all").await);
        let bob = house.user("bob", json!({"userType": "partner"})).await;
        let eve = house.user("eve", json!({})).await;
        assert!(house.may(&bob, "data.act", "all").await);
        assert!(!house.may(&eve, "data.act", "all").await);
        house.set(&eve, "userType", json!("partner")).await.unwrap();
        house.set(&bob, "userType", json!("guest")).await.unwrap();
        assert!(house.may(&eve, "data.act", "all").await);
        assert!(!house.may(&bob, "data.act", "all").await);
    }

    async fn a_rule_that_reads_groups_follows_them(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let emea = house.group("Sales EMEA", &[]).await;
        let when = "userType eq \"partner\" and groups.display eq \"Sales EMEA\"";
        house.rule("Partners of EMEA", when, &[gives("manager", "all")]).await;
        assert!(!house.may(&ada, "record.edit", "all").await);
        house.join(&emea, &ada).await.unwrap();
        assert!(house.may(&ada, "record.edit", "all").await);
        house.leave(&emea, &ada).await.unwrap();
        assert!(!house.may(&ada, "record.edit", "all").await);
    }

    async fn a_smart_group_is_filled_by_its_rule_alone(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let partners = house.group("Partners", &[]).await;
        house.rule("Fill", "userType eq \"partner\"", &[joins(&partners)]).await;
        house.grant((muster::service::access::grants::SubjectKind::Group, &partners), "analyst", "all").await;
        assert!(house.may(&ada, "data.act", "all").await);
        let bob = house.user("bob", json!({})).await;
        let Err(Error::Protocol(refused)) = house.join(&partners, &bob).await else { panic!() };
        assert_eq!((refused.status, refused.scim_type.map(muster::scim::ScimType::as_str)), (400, Some("mutability")));
        house.set(&ada, "userType", json!("guest")).await.unwrap();
        assert!(!house.may(&ada, "data.act", "all").await);
    }

    async fn a_changed_condition_speaks_of_others(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let bob = house.user("bob", json!({"userType": "guest"})).await;
        let rule = house.rule("R", "userType eq \"partner\"", &[gives("analyst", "all")]).await;
        let change = RuleChange { when: Some("userType eq \"guest\"".to_owned()), ..RuleChange::default() };
        let changed = rules::change(&house.services, &house.root, &rule.id, &change).await.unwrap();
        assert!(changed.version > rule.version);
        assert!(!house.may(&ada, "data.act", "all").await);
        assert!(house.may(&bob, "data.act", "all").await);
        let versions = rules::versions(&house.services, &house.root, &rule.id, &Paging::default()).await.unwrap();
        assert_eq!(versions.items[0].when, "userType eq \"guest\"");
        let stale = RuleChange { expected: Some(rule.version), ..to(State::Retired) };
        assert!(matches!(rules::change(&house.services, &house.root, &rule.id, &stale).await, Err(Error::Stale)));
    }

    async fn drafts_and_retired_rules_count_for_nothing(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let mut new = new_rule("R", "userType eq \"partner\"", &[gives("analyst", "all")]);
        new.state = State::Draft;
        let rule = rules::create(services, root, &new).await.unwrap();
        assert!(!house.may(&ada, "data.act", "all").await);
        let mut seen = Vec::new();
        for state in [State::Active, State::Retired, State::Active] {
            rules::change(services, root, &rule.id, &to(state)).await.unwrap();
            seen.push(house.may(&ada, "data.act", "all").await);
        }
        assert_eq!(seen, [true, false, true]);
        let bob = house.user("bob", json!({"userType": "partner"})).await;
        rules::delete(services, root, &rule.id).await.unwrap();
        assert!(!house.may(&ada, "data.act", "all").await && !house.may(&bob, "data.act", "all").await);
    }

    async fn what_is_wrong_with_a_rule_is_told_where_it_stands(house: AccessHouse) {
        let group = house.group("Circle", &[]).await;
        let given = [gives("analyst", "all")];
        let mut contradicted = new_rule("R", "userType eq \"partner\"", &given);
        contradicted.examples = vec![Example { user: json!({"userType": "guest"}), groups: Vec::new(), holds: true }];
        let both = OutcomeAsked { group: Some(group.clone()), ..gives("analyst", "all") };
        for (new, pointer) in [
            (new_rule("R", "userTyp eq \"partner\"", &given), "/when"),
            (new_rule("R", "userType pr", &[gives("boss", "all")]), "/then/0/role"),
            (new_rule("R", "userType pr", &[both]), "/then/0"),
            (new_rule("R", "userType pr", &[]), "/then"),
            (new_rule("R", "groups.display eq \"Circle\"", &[joins(&group)]), "/then"),
            (contradicted, "/examples/0"),
        ] {
            let refused = rules::create(&house.services, &house.root, &new).await;
            let Err(Error::Invalid(refusal)) = refused else { panic!("{refused:?}") };
            assert_eq!(refusal.pointer.as_deref(), Some(pointer), "{refusal}");
        }
        let page = rules::list(&house.services, &house.root, None, &Paging::default()).await.unwrap();
        assert!(page.items.is_empty(), "nothing is left of what was refused");
    }

    async fn rules_go_out_into_a_file_and_come_in_again(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let partners = house.group("Partners", &[]).await;
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        let first = house.rule("Fill", "userType eq \"partner\"", &[joins(&partners), gives("analyst", "all")]).await;
        let file = rules::export(services, root).await.unwrap();
        assert!(rules::diff(services, root, &file).await.unwrap().is_empty(), "{file}");
        rules::delete(services, root, &first.id).await.unwrap();
        assert!(!house.may(&ada, "data.act", "all").await);
        let said: Vec<_> = rules::import(services, root, &file, &NOBODY_HEARS).await.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(said, ["+ Fill"]);
        assert!(house.may(&ada, "data.act", "all").await);
        let other = file.replace("analyst", "manager").replace("Analyst", "Manager");
        let said: Vec<_> = rules::import(services, root, &other, &NOBODY_HEARS).await.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(said, ["~ Fill: then"]);
        assert!(house.may(&ada, "record.edit", "all").await);
        let wrong = rules::import(services, root, "[[rule]]\nname = \"X\"\n", &NOBODY_HEARS).await;
        let Err(Error::Invalid(refusal)) = wrong else { panic!("{wrong:?}") };
        assert!(refusal.reason.starts_with("line "), "{refusal}");
    }
}
