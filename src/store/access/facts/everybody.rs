//! The facts of many neighbours at once. What the users of a range have is read table by table, each in one run over
//! its index, and put together here: for a whole tenant much cheaper than what [`FactSheets::of`] asks of each user.

use std::collections::{BTreeMap, HashMap};

use super::{DecisionRow, FactSheets};
use crate::access::{Facts, Grant, GroupFact, RuleBits};
use crate::base::id::{Pk, RuleKey};
use crate::store::access::matches::Range;
use crate::store::access::written::{self, grant_array};
use crate::store::error::{Error, Result};
use crate::store::sql::{FromRow, Read, Row, Statement};

/// A row of the statement, by the number it begins with.
enum Line {
    User {
        user: Pk,
        id: String,
        active: bool,
        policy_version: i64,
    },
    /// A stored membership; the member may be a group.
    Member {
        member: Pk,
        group: Pk,
    },
    /// A group, and one that it is nested in, directly or not.
    Above {
        group: Pk,
        ancestor: Pk,
    },
    Group {
        group: Pk,
        id: String,
        display: String,
    },
    Match {
        user: Pk,
        bits: RuleBits,
    },
    Grants {
        subject: Pk,
        grants: Vec<Grant>,
    },
}

impl FromRow for Line {
    fn from_row(row: &Row) -> Result<Self> {
        let pk = Pk(row.get(1)?);
        let text = |at| row.get::<Option<String>>(at).map(Option::unwrap_or_default);
        Ok(match row.get::<i64>(0)? {
            0 => Self::User {
                user: pk,
                id: text(5)?,
                active: row.get::<i64>(2)? != 0,
                policy_version: row.get(3)?,
            },
            1 => Self::Member {
                member: pk,
                group: Pk(row.get(2)?),
            },
            2 => Self::Above {
                group: pk,
                ancestor: Pk(row.get(2)?),
            },
            3 => Self::Group {
                group: pk,
                id: text(5)?,
                display: text(6)?,
            },
            4 => Self::Match {
                user: pk,
                bits: RuleBits {
                    rule: RuleKey(row.get(2)?),
                    version: row.get(3)?,
                    bits: row.get::<i64>(4)?.cast_unsigned(),
                },
            },
            5 => Self::Grants {
                subject: pk,
                grants: written::grants(Some(&text(5)?))?,
            },
            _ => return Err(Error::Damaged("facts of users")),
        })
    }
}

impl<R: Read> FactSheets<R> {
    /// Facts about the users of a range, in order, all of one instant and without the parents of groups. One statement:
    /// a page at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_range(&mut self, range: Range) -> Result<Vec<DecisionRow>> {
        const OF_RANGE: &str = concat!(
            "WITH met (pk) AS (SELECT DISTINCT m.group_pk FROM member m WHERE m.tenant_id = $1 AND m.member_pk >= $2 ",
            "AND m.member_pk < $3), above (pk, ancestor) AS (SELECT c.group_pk, c.ancestor_pk FROM met ",
            "CROSS JOIN group_closure c WHERE c.tenant_id = $1 AND c.group_pk = met.pk) ",
            "SELECT CAST(0 AS BIGINT), r.pk, coalesce(r.active, 1), ",
            "coalesce((SELECT p.version FROM policy p WHERE p.tenant_id = $1), 0), CAST(0 AS BIGINT), r.id, ",
            "CAST(NULL AS TEXT) FROM resource r WHERE r.tenant_id = $1 AND r.kind = 1 AND r.pk >= $2 AND r.pk < $3 ",
            "UNION ALL SELECT CAST(1 AS BIGINT), m.member_pk, m.group_pk, CAST(0 AS BIGINT), CAST(0 AS BIGINT), ",
            "CAST(NULL AS TEXT), CAST(NULL AS TEXT) FROM member m WHERE m.tenant_id = $1 AND m.member_pk >= $2 ",
            "AND m.member_pk < $3 ",
            "UNION ALL SELECT CAST(2 AS BIGINT), a.pk, a.ancestor, CAST(0 AS BIGINT), CAST(0 AS BIGINT), ",
            "CAST(NULL AS TEXT), CAST(NULL AS TEXT) FROM above a ",
            "UNION ALL SELECT CAST(3 AS BIGINT), g.pk, CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), g.id, ",
            "g.label FROM (SELECT met.pk FROM met UNION SELECT a.ancestor FROM above a) x CROSS JOIN resource g ",
            "WHERE g.tenant_id = $1 AND g.pk = x.pk ",
            "UNION ALL SELECT CAST(4 AS BIGINT), t.user_pk, t.rule_id, t.version, t.bits, CAST(NULL AS TEXT), ",
            "CAST(NULL AS TEXT) FROM rule_match t WHERE t.tenant_id = $1 AND t.user_pk >= $2 AND t.user_pk < $3 ",
            "UNION ALL SELECT CAST(5 AS BIGINT), g.subject_pk, CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), ",
            "CAST([collect](",
            grant_array!(),
            ") AS TEXT), CAST(NULL AS TEXT) FROM access_grant g WHERE g.tenant_id = $1 AND g.subject_pk >= $2 ",
            "AND g.subject_pk < $3 GROUP BY g.subject_pk"
        );
        let of_range = Statement::new(OF_RANGE).bind(self.tenant);
        let lines = self.source.rows(of_range.bind(range.from).bind(range.to)).await?;
        put_together(lines)
    }
}

/// The rows of users, whatever the order the lines come in.
fn put_together(lines: Vec<Line>) -> Result<Vec<DecisionRow>> {
    let mut users: BTreeMap<Pk, DecisionRow> = BTreeMap::new();
    let mut members: HashMap<Pk, Vec<Pk>> = HashMap::new();
    let mut above: HashMap<Pk, Vec<Pk>> = HashMap::new();
    let mut names: HashMap<Pk, (String, String)> = HashMap::new();
    let mut matches: Vec<(Pk, RuleBits)> = Vec::new();
    let mut given: Vec<(Pk, Vec<Grant>)> = Vec::new();
    for line in lines {
        match line {
            Line::User {
                user,
                id,
                active,
                policy_version,
            } => {
                let row = DecisionRow {
                    policy_version,
                    facts: Facts::new(user, id, active),
                    record_scopes: Vec::new(),
                };
                users.insert(user, row);
            }
            Line::Member { member, group } => members.entry(member).or_default().push(group),
            Line::Above { group, ancestor } => above.entry(group).or_default().push(ancestor),
            Line::Group { group, id, display } => drop(names.insert(group, (id, display))),
            Line::Match { user, bits } => matches.push((user, bits)),
            Line::Grants { subject, grants } => given.push((subject, grants)),
        }
    }
    // Groups are resources as well: what is known of those in the range is nobody's.
    for (user, bits) in matches {
        if let Some(row) = users.get_mut(&user) {
            row.facts.bits.push(bits);
        }
    }
    for (subject, grants) in given {
        if let Some(row) = users.get_mut(&subject) {
            row.facts.grants = grants;
        }
    }
    for (user, direct) in members {
        let Some(row) = users.get_mut(&user) else {
            continue;
        };
        let through = direct.iter().filter_map(|group| above.get(group)).flatten();
        let mut all: BTreeMap<Pk, bool> = through.map(|group| (*group, false)).collect();
        all.extend(direct.iter().map(|group| (*group, true)));
        for (pk, direct) in all {
            let (id, display) = names.get(&pk).cloned().ok_or(Error::Damaged("groups of a user"))?;
            row.facts.groups.push(GroupFact {
                pk,
                id,
                display,
                direct,
                parents: Vec::new(),
            });
        }
    }
    Ok(users.into_values().collect())
}
