//! An explanation as a tree of text.

use std::fmt;

use super::explanation::{
    Basis, Explanation, Lack, Miss, Obstacle, Offer, Place, Proof, Reason, ScopeLabel, Support, Way, WayIn,
};
use super::ground::{Lookup, Source};
use crate::access::grant::{Origin, Restriction};
use crate::access::scope::ScopeKind;
use crate::access::wording::{instant, name, quoted};

/// A line, and what is below it.
struct Node {
    text: String,
    below: Vec<Node>,
}

impl Node {
    fn leaf(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            below: Vec::new(),
        }
    }

    /// A leaf, and below it who wrote it, where that is known.
    fn written(text: impl Into<String>, verb: &str, source: Option<&Source>) -> Self {
        Self {
            text: text.into(),
            below: source.map(|source| said(verb, source)).into_iter().collect(),
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        for (index, node) in self.below.iter().enumerate() {
            let (branch, trunk) = if index + 1 < self.below.len() {
                ("├─ ", "│  ")
            } else {
                ("└─ ", "   ")
            };
            write!(f, "\n{indent}{branch}{}", node.text)?;
            node.write(f, &format!("{indent}{trunk}"))?;
        }
        Ok(())
    }
}

/// `user … has record.edit on record lead:7`, and below it each support, or each miss.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (&self.permission, self.allowed()) {
            (Some(key), true) => format!("has {key}"),
            (Some(key), false) => format!("does not have {key}"),
            (None, true) => "has permissions".to_owned(),
            (None, false) => "has no permission".to_owned(),
        };
        let root = Node {
            text: format!("user {} {what} {}", self.user, on(&self.place)),
            below: self.nodes(),
        };
        f.write_str(&root.text)?;
        root.write(f, "")
    }
}

impl Explanation {
    fn nodes(&self) -> Vec<Node> {
        if self.closed {
            return vec![Node::leaf("the organisation is suspended, and nothing else counts")];
        }
        if !self.active {
            return vec![Node::leaf("the account is not active, and nothing else counts")];
        }
        let mut nodes: Vec<_> = self.supports.iter().map(|support| self.support(support)).collect();
        if self.cut {
            nodes.push(Node::leaf("and in more ways"));
        }
        nodes.extend(self.misses.iter().map(miss));
        if self.more_misses > 0 {
            nodes.push(Node::leaf(format!("and {} more that do not give it", self.more_misses)));
        }
        if nodes.is_empty() {
            nodes.push(Node::leaf(
                "nothing the user has, and no group or rule, comes near to giving it",
            ));
        }
        nodes
    }

    fn support(&self, support: &Support) -> Node {
        let role = format!(
            "role {} {}{}",
            name(&support.role.name),
            on_held(&support.held),
            narrowed(&support.restriction)
        );
        let sources = Lookup::of(self, support);
        let verb = match &support.basis {
            Basis::Grant {
                origin: Origin::Provisioned,
                ..
            } => "asked for by provisioning",
            Basis::Grant { .. } | Basis::Rule(_) => "given",
        };
        let gift = sources.grant(&support.basis).map(|source| said(verb, source));
        let (basis, mut below): (_, Vec<_>) = match &support.basis {
            Basis::Grant { id, through: None, .. } => (format!("by grant {id}"), gift.into_iter().collect()),
            Basis::Grant {
                id, through: Some(way), ..
            } => {
                let group = way.groups.last().map(|group| quoted(&group.name)).unwrap_or_default();
                let below = gift.into_iter().chain([way_node(way, sources)]);
                (format!("by grant {id} to group {group}"), below.collect())
            }
            Basis::Rule(proof) => (by_rule(proof), reasons(proof, sources)),
        };
        if let Some((_, report)) = &support.report {
            below.insert(
                0,
                Node::leaf(format!(
                    "to look only, through report {report}, of whom the rest is said"
                )),
            );
        }
        below.extend(self.lies(&support.lies));
        let gives = match self.permission {
            Some(_) => String::new(),
            None => format!(": {}", support.keys.join(", ")),
        };
        Node {
            text: format!("{role}, {basis}{gives}"),
            below,
        }
    }

    /// How the target lies in the scope; nothing where it is that scope.
    fn lies(&self, chain: &[ScopeLabel]) -> Option<Node> {
        let names: Vec<_> = chain.iter().map(scope).collect();
        match (&self.place, names.as_slice()) {
            (Place::Record(record), [_, ..]) => Some(Node::leaf(format!(
                "record {record} is in {}",
                names.join(", which is in ")
            ))),
            (_, [_, _, ..]) => Some(Node::leaf(names.join(" is in "))),
            _ => None,
        }
    }
}

/// When something was written, by whom, in which request.
fn said(verb: &str, source: &Source) -> Node {
    Node::leaf(format!("{verb} {source}"))
}

fn way_node(way: &Way, sources: Lookup<'_>) -> Node {
    let names: Vec<_> = way.groups.iter().map(|group| quoted(&group.name)).collect();
    let first = names.first().map_or("", String::as_str);
    let nested: Vec<_> = names
        .iter()
        .skip(1)
        .map(|group| format!(", which is in group {group}"))
        .collect();
    let nested = nested.concat();
    let mut node = match &way.entry {
        WayIn::Member => Node::leaf(format!("member of group {first}{nested}")),
        WayIn::Unknown => Node::leaf(format!("in group {first} through other groups{nested}")),
        WayIn::Rule(proof) => Node {
            text: format!("member of group {first}{nested}, {}", by_rule(proof)),
            below: reasons(proof, sources),
        },
    };
    for (name, source) in names.iter().zip(sources.steps(way)) {
        node.below
            .extend(source.map(|source| said(&format!("in group {name} since"), source)));
    }
    node
}

fn by_rule(proof: &Proof) -> String {
    format!("by rule {} (version {})", quoted(&proof.rule.name), proof.version)
}

fn reasons(proof: &Proof, sources: Lookup<'_>) -> Vec<Node> {
    let verb = |holds: bool| if holds { "satisfies" } else { "does not satisfy" };
    let node = |reason: &Reason| match reason {
        Reason::Profile { filter, holds, .. } => Node::written(
            format!("the profile {} {filter}", verb(*holds)),
            "written",
            sources.profile(proof, reason),
        ),
        Reason::NoGroup { filter, holds, .. } => {
            Node::leaf(format!("no group of the user is against it: {} {filter}", verb(*holds)))
        }
        Reason::Group { filter, holds, way, .. } => {
            let way = way_node(way, sources);
            Node {
                text: format!("{}: {} {filter}", way.text, verb(*holds)),
                ..way
            }
        }
    };
    let version = sources.rule(proof).map(|source| said("this version made", source));
    proof.reasons.iter().map(node).chain(version).collect()
}

fn miss(miss: &Miss) -> Node {
    let offer = match &miss.offer {
        Offer::Grant { id, group: None, .. } => format!("by grant {id}"),
        Offer::Grant {
            id, group: Some(group), ..
        } => format!("by grant {id} to group {}", quoted(&group.name)),
        Offer::Rule(rule) => format!("by rule {}", quoted(&rule.name)),
    };
    Node {
        text: format!(
            "role {} {}, {offer}, does not give it",
            name(&miss.role.name),
            on_held(&miss.held)
        ),
        below: miss.obstacles.iter().map(obstacle).collect(),
    }
}

fn obstacle(obstacle: &Obstacle) -> Node {
    Node::leaf(match obstacle {
        Obstacle::NotYet(from) => format!("it begins at {}", instant(*from)),
        Obstacle::Over(to) => format!("it ended at {}", instant(*to)),
        Obstacle::NotRunning(program) => format!("{} is not running", scope(program)),
        Obstacle::Restricted(restriction) => format!("it counts only for records with {restriction}"),
        Obstacle::OnlyOnAll => "the permission counts only where its role is held everywhere, unrestricted".to_owned(),
        Obstacle::RoleLacks => "the role does not have the permission".to_owned(),
        Obstacle::Elsewhere => "it is held elsewhere".to_owned(),
        Obstacle::NotInGroup => "the user is not in the group".to_owned(),
        Obstacle::Condition(lack) => {
            return Node {
                text: "the condition of the rule does not hold".to_owned(),
                below: vec![lacking(lack)],
            };
        }
    })
}

fn lacking(lack: &Lack) -> Node {
    let many = |text: &str, parts: &[Lack]| Node {
        text: text.to_owned(),
        below: parts.iter().map(lacking).collect(),
    };
    match lack {
        Lack::All(parts) => many("all of this is missing", parts),
        Lack::Any(parts) => many("one of these is missing", parts),
        Lack::Part {
            filter,
            must_hold,
            of_groups,
        } => {
            let who = if *of_groups {
                "the groups of the user"
            } else {
                "the profile"
            };
            Node::leaf(match must_hold {
                true => format!("{who} would have to satisfy {filter}"),
                false => format!("{who} must not satisfy {filter}"),
            })
        }
    }
}

fn narrowed(restriction: &Restriction) -> String {
    if restriction.is_empty() {
        String::new()
    } else {
        format!(" where {restriction}")
    }
}

fn on(place: &Place) -> String {
    match place {
        Place::All => "in the organisation".to_owned(),
        Place::Scope(label) => format!("on {}", scope(label)),
        Place::Record(record) => format!("on record {record}"),
    }
}

fn on_held(place: &Place) -> String {
    match place {
        Place::All => "everywhere".to_owned(),
        other => on(other),
    }
}

fn scope(label: &ScopeLabel) -> String {
    let kind = match label.kind {
        ScopeKind::Territory => "territory",
        ScopeKind::Program => "program",
        ScopeKind::RecordGroup => "record group",
    };
    format!("{kind} {}", name(&label.name))
}
