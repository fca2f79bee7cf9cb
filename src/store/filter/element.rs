//! Value paths: several tests of one element of a multi-valued attribute.

use super::ask::{Ask, Check};
use super::compile::{Compiler, Form, Scope};
use super::plan::{best_element_test, by_check, mentions};
use super::relation::Relation;
use crate::scim::filter::Node;

impl Compiler<'_> {
    /// Some element at `path` satisfies the node.
    pub(super) fn some(&mut self, form: Form, path: &str, node: &Node) {
        match (path, node) {
            (_, Node::Test(test)) => self.some_ask(form, path, test.into()),
            ("members", _) => self.some_member(form, |all, scope| all.condition(node, scope)),
            ("groups", _) => {
                let typed = mentions(node, "groups.type");
                self.some_group(form, typed, |all, scope| all.condition(node, scope));
            }
            (_, Node::Or(parts)) if !parts.is_empty() => self.some_of(form, path, parts),
            (_, Node::And(parts)) => self.all_of_one(form, path, parts),
            // The row of the element itself stands for it.
            _ => {
                self.open(form, path);
                self.out.push(" AND ");
                self.condition(node, Scope::Element(path));
                self.close(form);
            }
        }
    }

    /// Some element at `path` answers the question.
    pub(super) fn some_ask(&mut self, form: Form, path: &str, ask: Ask<'_>) {
        match path {
            "members" => self.some_member(form, |all, scope| all.ask(ask, scope)),
            "groups" => self.some_group(form, ask.path == "groups.type", |all, scope| all.ask(ask, scope)),
            _ => {
                self.open(form, ask.path);
                self.out.push(" AND ");
                self.value("a", ask.check);
                self.close(form);
            }
        }
    }

    fn some_of(&mut self, form: Form, path: &str, parts: &[Node]) {
        match form {
            // Whether one element satisfies one part or another is whether one satisfies the first, or one the second.
            Form::Set => {
                for (at, part) in parts.iter().enumerate() {
                    self.out.push(if at == 0 { "" } else { " UNION ALL " });
                    self.some(form, path, part);
                }
            }
            Form::Row(_) => {
                self.out.push("(");
                match parts {
                    [one] => self.some(form, path, one),
                    many => {
                        let (left, right) = many.split_at(many.len() / 2);
                        self.some_of(form, path, left);
                        self.out.push(" OR ");
                        self.some_of(form, path, right);
                    }
                }
                self.out.push(")");
            }
        }
    }

    /// The most selective test finds the element, the others look at its other rows.
    fn all_of_one(&mut self, form: Form, path: &str, parts: &[Node]) {
        let best = best_element_test(parts);
        // A row that was found by a test on a sub-attribute is not the row of the element.
        let (found_at, own) = match best {
            Some((_, test)) => (test.path.as_str(), if test.path == path { path } else { "" }),
            None => (path, path),
        };
        self.open(form, found_at);
        if let Some((_, test)) = best {
            self.out.push(" AND ");
            self.value("a", Check::One(&test.check));
        }
        let rank = best.map(|(_, test)| by_check(test));
        self.few(rank, |all| {
            all.others(parts, best.map(|(best, _)| best), Scope::Element(own));
        });
        self.close(form);
    }

    /// Another row of the element of row `a` passes the test.
    pub(super) fn sibling(&mut self, ask: Ask<'_>) {
        self.out.push("EXISTS (SELECT 1 FROM attribute b WHERE ");
        self.at_path("b", ask.path);
        self.out
            .push(" AND b.resource_pk = a.resource_pk AND b.elem = a.elem AND ");
        self.value("b", ask.check);
        self.fence();
        self.out.push(")");
    }

    /// Some member of a group satisfies the node.
    fn some_member(&mut self, form: Form, condition: impl Fn(&mut Self, Scope<'static>)) {
        self.begin(form);
        self.out.push(match form {
            Form::Set => "SELECT m.group_pk ",
            Form::Row(_) => "EXISTS (SELECT 1 ",
        });
        self.out.push(
            "FROM member m JOIN resource u ON u.tenant_id = m.tenant_id AND u.pk = m.member_pk WHERE m.tenant_id = ",
        );
        self.out.push_number(self.tenant).push(" AND ");
        condition(self, Scope::Related(Relation::Member));
        if let Form::Row(row) = form {
            self.out.push(" AND m.group_pk = ").push(row).push(".pk");
            self.fence();
            self.out.push(")");
        }
        self.or_by_rule(form, |all, filled| all.groups_filled(filled, &condition));
    }

    /// The row form has two sides where rules fill groups.
    fn begin(&mut self, form: Form) {
        if matches!(form, Form::Row(_)) && self.filled.is_some() {
            self.out.push("(");
        }
    }

    /// Some group of a user, direct or not, satisfies the node.
    fn some_group(&mut self, form: Form, typed: bool, condition: impl Fn(&mut Self, Scope<'static>)) {
        self.begin(form);
        let columns = match form {
            Form::Set => "SELECT m.member_pk ",
            Form::Row(_) => "SELECT 1 ",
        };
        if matches!(form, Form::Row(_)) {
            self.out.push("EXISTS (");
        }
        self.out.push(columns).push(
            "FROM member m JOIN resource g ON g.tenant_id = m.tenant_id AND g.pk = m.group_pk \
             WHERE m.member_kind = 1 AND m.tenant_id = ",
        );
        self.out.push_number(self.tenant);
        self.of_row(form);
        condition(self, Scope::Related(Relation::DirectGroup));
        self.out.push(" UNION ALL ").push(columns).push(
            "FROM group_closure c JOIN resource g ON g.tenant_id = c.tenant_id AND g.pk = c.ancestor_pk \
             JOIN member m ON m.tenant_id = c.tenant_id AND m.group_pk = c.group_pk \
             WHERE m.member_kind = 1 AND c.tenant_id = ",
        );
        self.out.push_number(self.tenant);
        self.of_row(form);
        condition(self, Scope::Related(Relation::IndirectGroup));
        if typed {
            // A group that a user is a direct member of is not indirect, too.
            self.out.push(
                " AND NOT EXISTS (SELECT 1 FROM member d WHERE d.tenant_id = c.tenant_id \
                 AND d.group_pk = c.ancestor_pk AND d.member_pk = m.member_pk)",
            );
            self.unless_filled("m.member_pk");
        }
        if matches!(form, Form::Row(_)) {
            self.out.push(")");
        }
        self.or_by_rule(form, |all, filled| all.users_filled(filled, typed, &condition));
    }

    fn of_row(&mut self, form: Form) {
        if let Form::Row(row) = form {
            self.out.push(" AND m.member_pk = ").push(row).push(".pk");
        }
        self.out.push(" AND ");
    }
}
