//! Tests of `members` and `groups` where rules put users into groups: they have no rows in `member`.

use super::compile::{Compiler, Form, Scope};
use super::relation::Relation;
use crate::store::members::ByRule;
use crate::store::sql::Statement;

/// Numbers of the binds that say which members rules give.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Filled {
    /// Rows of `[group, rule, version]`.
    matching: usize,
    /// Rows of `[group, user]`.
    found: Option<usize>,
}

impl Filled {
    /// Keeps them for a statement; `None` when there are no such members.
    pub(in crate::store) fn keep(out: &mut Statement, by_rule: Option<&ByRule>) -> Option<Self> {
        let by_rule = by_rule.filter(|by_rule| !by_rule.is_empty())?;
        Some(Self {
            matching: out.keep(by_rule.matching_rows()),
            found: by_rule.names_users().then(|| out.keep(by_rule.found_rows())),
        })
    }
}

/// Where the users of a subquery come from.
#[derive(Clone, Copy)]
enum Source {
    /// Matches `x` of the rules in rows `j`.
    Matching(usize),
    /// The rows `j` themselves.
    Found(usize),
}

impl Source {
    /// The user of a row.
    const fn user(self) -> &'static str {
        match self {
            Self::Matching(_) => "x.user_pk",
            Self::Found(_) => "CAST(j.value ->> 1 AS BIGINT)",
        }
    }
}

impl Filled {
    fn sources(self) -> impl Iterator<Item = Source> {
        [Some(Source::Matching(self.matching)), self.found.map(Source::Found)]
            .into_iter()
            .flatten()
    }
}

impl Compiler<'_> {
    /// Adds what rules give to a test of members or groups: to its set form as more of the set, else to its row form,
    /// which is open at `(`.
    pub(super) fn or_by_rule(&mut self, form: Form, write: impl FnOnce(&mut Self, Filled)) {
        let Some(filled) = self.filled else {
            return;
        };
        match form {
            Form::Set => {
                self.out.push(" UNION ALL ");
                write(self, filled);
            }
            Form::Row(row) => {
                self.out.push(" OR ").push(row).push(".pk IN (");
                write(self, filled);
                self.out.push("))");
            }
        }
    }

    /// A subquery of the groups into which rules put a user `u` that satisfies the condition.
    pub(super) fn groups_filled(&mut self, filled: Filled, condition: &impl Fn(&mut Self, Scope<'static>)) {
        for (at, source) in filled.sources().enumerate() {
            self.out.push(if at == 0 { "" } else { " UNION ALL " });
            self.out.push("SELECT CAST(j.value ->> 0 AS BIGINT) FROM ");
            if matches!(source, Source::Matching(_)) {
                // The condition is to find the user, whose matches are few.
                self.out.push("resource u CROSS JOIN ");
            }
            self.rows_of(source);
            if matches!(source, Source::Found(_)) {
                self.out.push(" CROSS JOIN resource u");
            }
            self.out.push(" WHERE u.tenant_id = ").push_number(self.tenant);
            self.out.push(" AND u.kind = 1 AND u.pk = ").push(source.user());
            self.out.push(" AND ");
            condition(self, Scope::Related(Relation::Member));
            self.matched(source);
        }
    }

    /// A subquery of the users whom rules put into a group `g`, or into a group nested in it, that satisfies the
    /// condition.
    pub(super) fn users_filled(&mut self, filled: Filled, typed: bool, condition: &impl Fn(&mut Self, Scope<'static>)) {
        for (at, source) in filled.sources().enumerate() {
            self.out.push(if at == 0 { "SELECT " } else { " UNION ALL SELECT " });
            self.out.push(source.user()).push(" FROM ");
            self.rows_of(source);
            self.out.push(" CROSS JOIN resource g WHERE g.tenant_id = ");
            self.out.push_number(self.tenant);
            self.out.push(" AND g.pk = CAST(j.value ->> 0 AS BIGINT) AND ");
            condition(self, Scope::Related(Relation::DirectGroup));
            self.matched(source);
            self.out.push(" UNION ALL SELECT ").push(source.user()).push(" FROM ");
            self.rows_of(source);
            self.out
                .push(" CROSS JOIN group_closure c CROSS JOIN resource g WHERE c.tenant_id = ");
            self.out.push_number(self.tenant);
            self.out
                .push(" AND c.group_pk = CAST(j.value ->> 0 AS BIGINT) AND g.tenant_id = ");
            self.out.push_number(self.tenant);
            self.out.push(" AND g.pk = c.ancestor_pk AND ");
            condition(self, Scope::Related(Relation::IndirectGroup));
            self.matched(source);
            if typed {
                self.out
                    .push(" AND NOT EXISTS (SELECT 1 FROM member d WHERE d.tenant_id = ");
                self.out.push_number(self.tenant);
                self.out.push(" AND d.group_pk = c.ancestor_pk AND d.member_pk = ");
                self.out.push(source.user()).push(")");
                self.unless_filled(source.user());
            }
        }
    }

    /// Writes that no rule makes this user a direct member of the group above `c`, where rules fill groups at all.
    pub(super) fn unless_filled(&mut self, user: &'static str) {
        let Some(filled) = self.filled else {
            return;
        };
        self.out.push(" AND (c.ancestor_pk, ").push(user).push(") NOT IN (");
        for (at, source) in filled.sources().enumerate() {
            self.out.push(if at == 0 { "" } else { " UNION ALL " });
            self.out.push("SELECT CAST(j.value ->> 0 AS BIGINT), ");
            self.out.push(source.user()).push(" FROM ");
            self.rows_of(source);
            self.out.push(" WHERE 1 = 1");
            self.matched(source);
        }
        self.out.push(")");
    }

    /// The rows `j`, and their matches `x`.
    fn rows_of(&mut self, source: Source) {
        let (Source::Matching(number) | Source::Found(number)) = source;
        self.out.push("[each ").push_number(number).push("] AS j");
        if matches!(source, Source::Matching(_)) {
            self.out.push(" CROSS JOIN rule_match x");
        }
    }

    /// Ties the matches to their rows.
    fn matched(&mut self, source: Source) {
        if matches!(source, Source::Matching(_)) {
            self.out.push(" AND x.tenant_id = ").push_number(self.tenant);
            self.out
                .push(" AND x.rule_id = CAST(j.value ->> 1 AS BIGINT) AND x.version = CAST(j.value ->> 2 AS BIGINT)");
        }
    }
}
