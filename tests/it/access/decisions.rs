use muster::access::explain::Ground;
use muster::service::access::access_of_user::{Why, access_of_user};
use muster::service::access::decide::{self, Detail, Nothing, Question, Resource};
use muster::service::access::explain::explain;
use muster::service::access::grants::SubjectKind;
use serde_json::json;

use super::house::{AccessHouse, gives};

fn question(subject: &str, action: &str, scope: &str) -> Question {
    Question {
        subject: subject.to_owned(),
        action: action.to_owned(),
        resource: Resource::Scope(scope.to_owned()),
        detail: Detail::Decision,
    }
}

each_database! {
    async fn a_deactivated_user_may_nothing_at_once(house: AccessHouse) {
        let ada = house.user("ada", json!({"active": true})).await;
        house.grant((SubjectKind::User, &ada), "manager", "all").await;
        assert!(house.may(&ada, "record.edit", "all").await);
        house.set(&ada, "active", json!(false)).await.unwrap();
        let answer = decide::evaluation(&house.services, &house.root, &question(&ada, "record.edit", "all")).await.unwrap();
        assert_eq!((answer.decision, answer.reason), (false, Some(Nothing::NotActive)));
    }

    async fn a_user_is_known_by_id_and_by_name(house: AccessHouse) {
        let ada = house.user("Ada@Example.com", json!({})).await;
        house.grant((SubjectKind::User, &ada), "manager", "all").await;
        assert!(house.may("ada@example.COM", "record.edit", "all").await);
    }

    async fn many_questions_get_the_answers_they_get_alone(house: AccessHouse) {
        let (ada, bob) = (house.user("ada", json!({})).await, house.user("bob", json!({})).await);
        let scope = house.scope("Germany", None).await;
        house.grant((SubjectKind::User, &ada), "analyst", &scope).await;
        let questions: Vec<_> = [
            (ada.as_str(), "data.act", scope.as_str()),
            (&bob, "data.act", &scope),
            (&ada, "record.edit", &scope),
            ("nobody", "data.act", &scope),
            (&ada, "data.atc", &scope),
            (&ada, "data.act", "elsewhere"),
        ]
        .map(|(subject, action, scope)| question(subject, action, scope))
        .into();
        let together = decide::evaluations(&house.services, &house.root, &questions).await.unwrap();
        let decisions: Vec<bool> = together.iter().map(|answer| answer.decision).collect();
        assert_eq!(decisions, [true, false, false, false, false, false]);
        assert_eq!(together[3].reason, Some(Nothing::NoUser));
        assert_eq!(together[4].reason, Some(Nothing::NoPermission(Some("data.act".to_owned()))));
        assert_eq!(together[5].reason, Some(Nothing::NoResource));
        for (asked, answer) in questions.iter().zip(&together) {
            let alone = decide::evaluation(&house.services, &house.root, asked).await.unwrap();
            assert_eq!(alone, *answer);
        }
    }

    async fn access_and_its_explanation_name_the_way_and_the_request(house: AccessHouse) {
        let ada = house.user("ada", json!({})).await;
        let team = house.group("Team", &[&ada]).await;
        let sales = house.group("Sales", &[&team]).await;
        house.grant((SubjectKind::Group, &sales), "manager", "all").await;
        let access = access_of_user(&house.services, &house.root, &ada).await.unwrap();
        assert!(access.permissions.contains(&"org.scopes.manage".to_owned()));
        let Why::Grant { through, .. } = &access.assignments[0].why[0] else { panic!("{access:?}") };
        let way: Vec<_> = through.iter().map(|step| step.group.name.as_str()).collect();
        assert_eq!(way, ["Team", "Sales"]);
        let told = explain(&house.services, &house.root, &ada, Some("record.edit"), None).await.unwrap();
        assert!(told.explanation.allowed());
        let text = told.explanation.to_string();
        assert!(text.contains("member of group \"Team\", which is in group \"Sales\""), "{text}");
        let grounds = told.explanation.grounds();
        assert_eq!(grounds.len(), 3, "the grant and two memberships: {grounds:?}");
        for ground in &grounds {
            let source = &told.explanation.sources[ground];
            let (by, request) = (source.by.as_deref(), source.request_id.as_deref());
            match ground {
                Ground::Grant(_) => assert_eq!((by, request.is_some()), (Some("operator test"), true)),
                _ => assert_eq!((by, request), (Some("connection okta"), Some("req-1"))),
            }
        }
        for said in ["given ", "in group \"Team\" since ", "in group \"Sales\" since ", ", by connection okta, request req-1"] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }

    async fn a_profile_and_a_rule_name_the_requests_that_wrote_them(house: AccessHouse) {
        let ada = house.user("ada", json!({"userType": "partner"})).await;
        house.rule("Partners", "userType eq \"partner\"", &[gives("manager", "all")]).await;
        let before = explain(&house.services, &house.root, &ada, Some("record.edit"), None).await.unwrap();
        house.set(&ada, "userType", json!("guest")).await.unwrap();
        house.set(&ada, "userType", json!("partner")).await.unwrap();
        let told = explain(&house.services, &house.root, &ada, Some("record.edit"), None).await.unwrap();
        assert_eq!(before.explanation.grounds(), told.explanation.grounds());
        let text = told.explanation.to_string();
        assert!(text.contains("this version made "), "{text}");
        let profile = told.explanation.sources.iter().find(|(ground, _)| matches!(ground, Ground::Profile { .. })).unwrap();
        assert_eq!(profile.1.by.as_deref(), Some("connection okta"), "{text}");
        assert_eq!(profile.1.request_id.as_deref(), Some("req-1"));
    }
}
