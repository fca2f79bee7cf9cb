//! What managers see through those who report to them.

use muster::access::Settings;
use muster::service::access::access_of_user::access_of_user;
use muster::service::access::decide::{Detail, Question, Resource, evaluation, evaluations};
use muster::service::access::explain::explain;
use muster::service::access::grants::SubjectKind;
use muster::service::access::{Paging, search, views};
use muster::store::{Db, Options, Unit, tenants};
use serde_json::{Value, json};

use super::house::{AccessHouse, gives};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

impl AccessHouse {
    /// Decides whether managers see what their reports see.
    async fn managers_see_reports(&self, decision: bool) {
        let db = Db::open(self.database.url(), &Options::default()).await.unwrap();
        let tenant = tenants::find(&db, "acme").await.unwrap().unwrap();
        let mut unit = Unit::begin(&db, tenant.id).await.unwrap();
        let settings = Settings {
            managers_see_reports: decision,
            ..Settings::default()
        };
        unit.policy().decide(&settings);
        unit.save().await.unwrap();
        db.close().await;
    }

    async fn report(&self, name: &str, manager: &str) -> String {
        let extension = json!({ENTERPRISE: {"manager": {"value": manager}}});
        self.user(name, extension).await
    }

    async fn manager_of(&self, user: &str, manager: Value) {
        self.set(user, &format!("{ENTERPRISE}:manager.value"), manager)
            .await
            .unwrap();
    }
}

each_database! {
    async fn a_manager_looks_where_reports_look_once_it_is_decided(house: AccessHouse) {
        let germany = house.scope("Germany", None).await;
        let boss = house.user("boss", json!({})).await;
        let lead = house.report("lead", &boss).await;
        let rep = house.report("rep", &lead).await;
        house.grant((SubjectKind::User, &rep), "manager", &germany).await;
        assert!(!house.may(&boss, "data.view_identified", &germany).await, "off by itself");
        house.managers_see_reports(true).await;
        for manager in [&boss, &lead] {
            assert!(house.may(manager, "data.view_identified", &germany).await);
            assert!(!house.may(manager, "record.edit", &germany).await, "to look only");
        }
        let ask = |action: &str| Question { subject: "boss".to_owned(), action: action.to_owned(), resource: Resource::Scope(germany.clone()), detail: Detail::Decision };
        let answers = evaluations(&house.services, &house.root, &[ask("data.view_identified"), ask("record.edit")]).await.unwrap();
        assert_eq!(answers.iter().map(|answer| answer.decision).collect::<Vec<_>>(), [true, false]);
        house.managers_see_reports(false).await;
        assert!(!house.may(&boss, "data.view_identified", &germany).await);
    }

    async fn a_batch_and_a_reason_see_what_a_manager_sees_alone(house: AccessHouse) {
        house.managers_see_reports(true).await;
        let germany = house.scope("Germany", None).await;
        let boss = house.user("boss", json!({})).await;
        let rep = house.report("rep", &boss).await;
        house.grant((SubjectKind::User, &rep), "manager", &germany).await;
        let mut questions = Vec::new();
        for detail in [Detail::Decision, Detail::Reason] {
            for subject in [boss.as_str(), "boss", "BOSS"] {
                for action in ["data.view_identified", "record.edit"] {
                    let (subject, action, resource) = (subject.to_owned(), action.to_owned(), Resource::Scope(germany.clone()));
                    questions.push(Question { subject, action, resource, detail });
                }
            }
        }
        let (plain, told) = questions.split_at(6);
        for asked in [plain, told, &questions] {
            let together = evaluations(&house.services, &house.root, asked).await.unwrap();
            for (question, answer) in asked.iter().zip(together) {
                assert_eq!(answer.decision, question.action == "data.view_identified", "{question:?} {answer:?}");
                assert_eq!(evaluation(&house.services, &house.root, question).await.unwrap(), answer);
                let through = answer.explanation.is_some_and(|text| text.contains(&format!("through report {rep}")));
                assert_eq!(through, answer.decision && question.detail == Detail::Reason, "{question:?}");
            }
        }
    }

    async fn a_change_of_managers_counts_at_once_and_circles_end(house: AccessHouse) {
        house.managers_see_reports(true).await;
        let boss = house.user("boss", json!({})).await;
        let lead = house.report("lead", &boss).await;
        let rep = house.report("rep", &lead).await;
        house.rule("Reps", "userName eq \"rep\"", &[gives("analyst", "all")]).await;
        let may = async |user: &str| house.may(user, "data.view_identified", "all").await;
        assert!(may(&boss).await && may(&lead).await && may(&rep).await);
        house.manager_of(&boss, json!(rep)).await;
        assert!(may(&boss).await && may(&lead).await);
        house.set(&rep, "active", json!(false)).await.unwrap();
        assert!(!may(&boss).await && !may(&lead).await, "of a report that is not active there is nothing to see");
        house.set(&rep, "active", json!(true)).await.unwrap();
        house.manager_of(&boss, json!(house.user("other", json!({})).await)).await;
        house.manager_of(&rep, json!(boss)).await;
        assert!(may(&boss).await && !may(&lead).await);
    }

    async fn what_is_seen_through_a_report_is_shown_explained_and_searched(house: AccessHouse) {
        house.managers_see_reports(true).await;
        let germany = house.scope("Germany", None).await;
        let boss = house.user("boss", json!({})).await;
        let rep = house.report("rep", &boss).await;
        let grant = house.grant((SubjectKind::User, &rep), "admin", &germany).await;
        let (services, root) = (&house.services, &house.root);
        let access = access_of_user(services, root, &boss).await.unwrap();
        let [held] = access.assignments.as_slice() else { panic!("{access:?}") };
        assert_eq!(held.report.as_ref(), Some(&rep));
        assert!(format!("{:?}", held.why).contains(&grant), "{held:?}");
        let on = Resource::Scope(germany.clone());
        let told = explain(services, root, &boss, Some("data.view_identified"), Some(&on)).await.unwrap();
        assert!(told.explanation.to_string().contains(&format!("through report {rep}")), "{}", told.explanation);
        for (action, mut expected) in [("data.view_identified", vec![boss.clone(), rep.clone()]), ("record.edit", vec![rep.clone()])] {
            let found = search::subjects(services, root, action, &on, &Paging::default()).await.unwrap();
            let mut found: Vec<String> = found.items.into_iter().map(|found| found.id).collect();
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{action}");
            let scopes = search::resources(services, root, &boss, action, "scope", &Paging::default()).await.unwrap();
            assert_eq!(scopes.items.contains(&germany), expected.contains(&boss), "{action}");
        }
        let holders = views::of_scope(services, root, &germany, &views::Wanted::default(), &Paging::default()).await.unwrap();
        let holders: Vec<_> = holders.items.iter().map(|holder| (holder.user.id.as_str(), holder.assignments[0].report.as_deref())).collect();
        assert_eq!(holders, [(boss.as_str(), Some(rep.as_str())), (rep.as_str(), None)]);
    }
}
