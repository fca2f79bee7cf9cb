//! What must hold at every commit, read from the tables as they stand: no use case, no engine, no statement of the store
//! has a part in it.

use std::collections::{BTreeMap, BTreeSet};

use muster::base::clock::Timestamp;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

use crate::support::database::{Database, Engine};

const OWNER: i64 = 1;
const ADMIN: i64 = 2;

/// `pk, id, active, document`.
type UserRow = (i64, String, i64, String);
/// `subject_kind, subject_pk, role_id, reach, valid_from, valid_to, restriction`.
type GrantRow = (i64, i64, i64, i64, Option<i64>, Option<i64>, String);
/// `group_pk, member_pk, member_kind`.
type MemberRow = (i64, i64, i64);
/// `when_text, outcomes`.
type RuleRow = (String, String);

/// One consistent look at one organisation.
#[derive(Debug, Clone, Default)]
pub struct Census {
    /// Users, with whether they are active and their documents.
    users: BTreeMap<i64, (bool, Value)>,
    by_id: BTreeMap<String, i64>,
    /// Ids of groups.
    groups: BTreeMap<i64, String>,
    members: Vec<MemberRow>,
    grants: Vec<GrantRow>,
    rules: Vec<RuleRow>,
    settings: Value,
    /// Users that are marked as leaving owners.
    leaving: Vec<i64>,
    /// Numbers and names of custom roles.
    roles: Vec<(i64, String)>,
}

/// All rows of a query.
macro_rules! all {
    ($connection:ident, $text:literal) => {
        sqlx::query_as($text).fetch_all(&mut $connection).await.unwrap()
    };
}

/// Reads everything by one connection, in one transaction that sees one state.
macro_rules! read {
    ($connection:expr, $begin:literal) => {{
        let mut connection = $connection;
        sqlx::raw_sql($begin).execute(&mut connection).await.unwrap();
        let users: Vec<UserRow> = all!(
            connection,
            "SELECT pk, id, coalesce(active, 1), doc FROM resource WHERE kind = 1"
        );
        let groups: Vec<(i64, String)> = all!(connection, "SELECT pk, id FROM resource WHERE kind = 2");
        let members = all!(connection, "SELECT group_pk, member_pk, member_kind FROM member");
        let grants = all!(
            connection,
            "SELECT subject_kind, subject_pk, role_id, reach, valid_from, valid_to, restriction FROM access_grant"
        );
        let rules = all!(
            connection,
            "SELECT when_text, outcomes FROM rule WHERE state = 'active'"
        );
        let settings: Vec<(Option<String>,)> = all!(connection, "SELECT settings FROM policy");
        let leaving: Vec<(i64,)> = all!(
            connection,
            "SELECT resource_pk FROM pending WHERE kind = 'leaving-owner' AND state = 'waiting'"
        );
        let roles = all!(connection, "SELECT id, name_fold FROM role");
        sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let document = |text: &str| serde_json::from_str(text).unwrap();
        Census {
            users: users
                .iter()
                .map(|(pk, _, active, text)| (*pk, (*active != 0, document(text))))
                .collect(),
            by_id: users.into_iter().map(|(pk, id, ..)| (id, pk)).collect(),
            groups: groups.into_iter().collect(),
            members,
            grants,
            rules,
            settings: settings
                .into_iter()
                .find_map(|(text,)| text)
                .map_or(Value::Null, |text| document(&text)),
            leaving: leaving.into_iter().map(|(pk,)| pk).collect(),
            roles,
        }
    }};
}

impl Census {
    /// A look at what is committed, through a connection of its own.
    pub async fn take(database: &Database) -> Self {
        match database.engine() {
            Engine::Sqlite => read!(SqliteConnection::connect(database.url()).await.unwrap(), "BEGIN"),
            Engine::Postgres => read!(
                PgConnection::connect(database.url()).await.unwrap(),
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            ),
        }
    }

    fn is_active(&self, user: i64) -> bool {
        self.users.get(&user).is_some_and(|(active, _)| *active)
    }

    /// Users in a group, through groups in it too; a group that is in itself ends the walk.
    fn inside(&self, group: i64) -> BTreeSet<i64> {
        let (mut users, mut seen, mut next) = (BTreeSet::new(), BTreeSet::new(), vec![group]);
        while let Some(group) = next.pop() {
            if !seen.insert(group) {
                continue;
            }
            for (_, member, kind) in self.members.iter().filter(|(of, _, _)| *of == group) {
                if *kind == 1 {
                    users.insert(*member);
                } else {
                    next.push(*member);
                }
            }
        }
        users
    }

    /// Who a grant reaches by what is stored.
    fn reached(&self, grant: &GrantRow) -> BTreeSet<i64> {
        if grant.0 == 1 {
            BTreeSet::from([grant.1])
        } else {
            self.inside(grant.1)
        }
    }

    /// Grants of Admin or Owner on everything, without an end.
    fn lasting_grants(&self, now: Timestamp) -> impl Iterator<Item = &GrantRow> {
        self.grants.iter().filter(move |grant| {
            let (_, _, role, reach, from, to, restriction) = grant;
            (*role == OWNER || *role == ADMIN)
                && *reach == 0
                && to.is_none()
                && from.is_none_or(|from| from <= now.0)
                && restriction.is_empty()
        })
    }

    /// Active users whom such a grant reaches by what is stored, not by a rule.
    fn lasting(&self, now: Timestamp) -> BTreeSet<i64> {
        let reached = self.lasting_grants(now).flat_map(|grant| self.reached(grant));
        reached.filter(|user| self.is_active(*user)).collect()
    }

    /// Their ids.
    pub fn administrators(&self, now: Timestamp) -> Vec<String> {
        let lasting = self.lasting(now);
        let here = self.by_id.iter().filter(|(_, pk)| lasting.contains(pk));
        here.map(|(id, _)| id.clone()).collect()
    }

    /// `userName` of each of these users who is here.
    pub fn names(&self, ids: &[String]) -> Vec<String> {
        let here = ids.iter().filter_map(|id| self.users.get(self.by_id.get(id)?));
        let names = here.filter_map(|(_, document)| document["userName"].as_str());
        names.map(str::to_owned).collect()
    }

    /// Ids of the groups that hold such a grant.
    pub fn groups_of_administrators(&self, now: Timestamp) -> Vec<String> {
        let holders = self.lasting_grants(now).filter(|grant| grant.0 == 2);
        holders.filter_map(|grant| self.groups.get(&grant.1).cloned()).collect()
    }

    /// Ids of these groups, each with those of who is stored in it.
    pub fn memberships(&self, groups: &[String]) -> Vec<(String, String)> {
        let id = |pk: &i64| {
            let user = self.by_id.iter().find(|(_, user)| *user == pk);
            user.map(|(id, _)| id).or_else(|| self.groups.get(pk))
        };
        let pair = |(group, member, _): &MemberRow| Some((id(group)?.clone(), id(member)?.clone()));
        let all = self.members.iter().filter_map(pair);
        all.filter(|(group, _)| groups.contains(group)).collect()
    }

    /// Whether somebody is an administrator for a while, or by a rule, of the kind these tests make: `title eq "…"`.
    fn passing(&self, now: Timestamp) -> bool {
        let for_a_while =
            |grant: &&GrantRow| grant.5.is_some() && self.reached(grant).iter().any(|user| self.is_active(*user));
        self.admin_now(now).any(|grant| for_a_while(&grant))
            || self.rules.iter().any(|rule| self.makes_an_admin(rule, now))
    }

    /// Grants of Admin on everything that count now.
    fn admin_now(&self, now: Timestamp) -> impl Iterator<Item = &GrantRow> {
        self.grants.iter().filter(move |grant| {
            let (_, _, role, reach, from, to, restriction) = grant;
            *role == ADMIN
                && *reach == 0
                && restriction.is_empty()
                && from.is_none_or(|from| from <= now.0)
                && to.is_none_or(|to| now.0 < to)
        })
    }

    /// A group, and all it is nested in.
    fn above(&self, group: i64) -> BTreeSet<i64> {
        let (mut seen, mut next) = (BTreeSet::new(), vec![group]);
        while let Some(group) = next.pop() {
            if seen.insert(group) {
                let outer = self
                    .members
                    .iter()
                    .filter(|(_, member, kind)| *kind == 2 && *member == group);
                next.extend(outer.map(|(outer, ..)| outer));
            }
        }
        seen
    }

    fn makes_an_admin(&self, (when, outcomes): &RuleRow, now: Timestamp) -> bool {
        let title = when
            .strip_prefix("title eq \"")
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap();
        let outcomes: Vec<Value> = serde_json::from_str(outcomes).unwrap();
        let gives = outcomes.iter().any(|outcome| {
            if let Some(group) = outcome["group"].as_i64() {
                let above = self.above(group);
                return self
                    .admin_now(now)
                    .any(|grant| grant.0 == 2 && above.contains(&grant.1));
            }
            outcome["role"] == ADMIN && outcome.get("scope").is_none() && outcome.get("record").is_none()
        });
        let holds = |document: &Value| {
            document["title"]
                .as_str()
                .is_some_and(|held| held.eq_ignore_ascii_case(title))
        };
        gives && self.users.values().any(|(active, document)| *active && holds(document))
    }
}

/// Whether the table refuses another grant like that of the owner.
pub async fn refuses_a_second_owner(database: &Database) -> bool {
    const AGAIN: &str = "INSERT INTO access_grant (tenant_id, uid, subject_kind, subject_pk, role_id, reach, restriction, \
                         origin, created, actor_kind, actor_name) SELECT tenant_id, 'another', subject_kind, subject_pk, \
                         role_id, reach, restriction, origin, created, actor_kind, actor_name FROM access_grant \
                         WHERE role_id = 1";
    let outcome = match database.engine() {
        Engine::Sqlite => {
            let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
            connection.execute(AGAIN).await.map(|done| done.rows_affected())
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(database.url()).await.unwrap();
            connection.execute(AGAIN).await.map(|done| done.rows_affected())
        }
    };
    match outcome {
        Ok(written) => {
            assert_eq!(written, 1, "there is no owner");
            false
        }
        Err(fault) => fault
            .as_database_error()
            .is_some_and(sqlx::error::DatabaseError::is_unique_violation),
    }
}

/// What was once so, and stays so.
#[derive(Debug, Default)]
pub struct Sworn {
    owned: bool,
    administered: bool,
}

impl Sworn {
    /// Whether there has been an owner.
    pub fn owned(&self) -> bool {
        self.owned
    }

    /// Whether there has been an administrator for good.
    pub fn administered(&self) -> bool {
        self.administered
    }

    /// Fails when the organisation breaks what must hold.
    pub fn check(&mut self, census: &Census, now: Timestamp) {
        self.ownership(census);
        self.administrators(census, now);
        for (number, name) in &census.roles {
            let reserved = ["owner", "admin", "manager", "analyst", "read-only"];
            assert!(
                *number >= 100 && !reserved.contains(&name.as_str()),
                "{number} {name} is a predefined role"
            );
        }
        for (kind, subject, ..) in &census.grants {
            let there = if *kind == 1 {
                census.users.contains_key(subject)
            } else {
                census.groups.contains_key(subject)
            };
            assert!(there, "a grant of {kind} {subject}, who is gone: {census:#?}");
        }
    }

    fn ownership(&mut self, census: &Census) {
        let owners: Vec<_> = census.grants.iter().filter(|grant| grant.2 == OWNER).collect();
        assert!(owners.len() <= 1, "owners: {owners:?}");
        assert!(!self.owned || owners.len() == 1, "there was an owner: {census:#?}");
        for owner in owners {
            self.owned = true;
            let (kind, user, _, reach, from, to, restriction) = owner;
            assert_eq!(
                (*kind, *reach, *from, *to, restriction.as_str()),
                (1, 0, None, None, "")
            );
            assert!(census.is_active(*user), "the owner {user} is not active: {census:#?}");
            assert!(
                census.leaving.iter().all(|leaving| leaving == user),
                "leaving, and no owner: {census:#?}"
            );
        }
    }

    fn administrators(&mut self, census: &Census, now: Timestamp) {
        let lasting = census.lasting(now);
        self.administered |= !lasting.is_empty();
        let least = census.settings["least_admins"].as_u64().unwrap_or(1);
        let due = if self.administered { least } else { 0 };
        assert!(
            lasting.len() as u64 >= due,
            "{due} administrators, not {lasting:?}: {census:#?}"
        );
        assert!(
            !lasting.is_empty() || !census.passing(now),
            "only for a while: {census:#?}"
        );
        for id in census.settings["break_glass"].as_array().into_iter().flatten() {
            let known = census.by_id.get(id.as_str().unwrap());
            assert!(
                known.is_some_and(|pk| lasting.contains(pk)),
                "break-glass {id}: {census:#?}"
            );
        }
    }
}
