use muster::service::Error;
use muster::service::access::Paging;
use muster::service::access::grants::SubjectKind;
use muster::service::access::roles::{self, Holding, NewRole, RoleChange};

use super::house::{AccessHouse, conflict};

fn role(name: &str, permissions: &[&str]) -> NewRole {
    NewRole {
        name: name.to_owned(),
        permissions: permissions.iter().map(|key| (*key).to_owned()).collect(),
    }
}

each_database! {
    async fn a_role_is_made_changed_and_deleted(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let made = roles::create(services, root, &role("Editor", &["record.edit", "data.act"])).await.unwrap();
        assert_eq!(made.permissions, ["record.edit", "data.act"]);
        let change = RoleChange { name: Some("Writer".to_owned()), permissions: None };
        let changed = roles::change(services, root, &made.id, &change).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.permissions), ("Writer", made.permissions));
        roles::delete(services, root, &made.id, Holding::Refuse).await.unwrap();
        assert!(matches!(roles::find(services, root, &made.id).await, Err(Error::NotFound)));
    }

    async fn a_copy_shows_how_it_differs_from_its_origin(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let copy = roles::copy(services, root, "analyst", "Reviewer").await.unwrap();
        let change = RoleChange {
            name: None,
            permissions: Some(vec!["data.act".to_owned(), "data.erase".to_owned()]),
        };
        let changed = roles::change(services, root, &copy.id, &change).await.unwrap();
        let lineage = changed.origin.unwrap();
        assert_eq!(lineage.role.id, "analyst");
        assert_eq!(lineage.added, ["data.erase"]);
        assert_eq!(lineage.removed, ["data.view_anonymised", "data.view_identified", "data.export_share"]);
    }

    async fn predefined_roles_and_their_names_stay(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let change = RoleChange { name: Some("Boss".to_owned()), permissions: None };
        conflict(roles::change(services, root, "admin", &change).await);
        conflict(roles::delete(services, root, "read-only", Holding::Detach).await);
        conflict(roles::create(services, root, &role(" OWNER ", &[])).await);
        let unknown = roles::create(services, root, &role("Typo", &["record.edti"])).await;
        let Err(Error::Invalid(refusal)) = unknown else { panic!("{unknown:?}") };
        assert_eq!(refusal.pointer.as_deref(), Some("/permissions/0"));
        assert!(refusal.reason.contains("`record.edit`"), "{refusal}");
    }

    async fn a_name_is_taken_in_any_letter_case_and_a_role_in_use_stays(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        let made = roles::create(services, root, &role("Editor", &["record.edit"])).await.unwrap();
        conflict(roles::create(services, root, &role("EDITOR", &[])).await);
        let ada = house.user("ada", serde_json::json!({})).await;
        house.grant((SubjectKind::User, &ada), &made.id, "all").await;
        let reason = conflict(roles::delete(services, root, &made.id, Holding::Refuse).await);
        assert!(reason.contains("to user `ada`"), "{reason}");
        assert!(house.may(&ada, "record.edit", "all").await);
        roles::delete(services, root, &made.id, Holding::Detach).await.unwrap();
        assert!(!house.may(&ada, "record.edit", "all").await);
    }

    async fn roles_are_listed_in_pages(house: AccessHouse) {
        let (services, root) = (&house.services, &house.root);
        for name in ["A", "B"] {
            roles::create(services, root, &role(name, &[])).await.unwrap();
        }
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = roles::list(services, root, &Paging { after, limit: Some(3) }).await.unwrap();
            names.extend(page.items.into_iter().map(|role| role.name));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(names, ["Owner", "Admin", "Manager", "Analyst", "Read-Only", "A", "B"]);
    }
}
