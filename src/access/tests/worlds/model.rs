//! The second reading: everything is looked at, nothing is prepared. It can be given one flaw.

use std::collections::{BTreeMap, BTreeSet};

use super::dice::Dice;
use super::flaw::Flaw;
use super::world::{At, ORGANISATION, Span, Terms, Then, To, VIEWING, When, World};
use super::{ScopeKind, State};

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    Organisation,
    Place(usize),
    Record(usize),
}

impl Spot {
    /// The organisation, and some places and records.
    pub fn some(world: &World, dice: &mut Dice) -> Vec<Self> {
        let places = dice.some(&(0..world.places.len()).collect::<Vec<_>>(), 8);
        let records = dice.some(&(0..world.records.len()).collect::<Vec<_>>(), 8);
        let spots = places
            .into_iter()
            .map(Self::Place)
            .chain(records.into_iter().map(Self::Record));
        std::iter::once(Self::Organisation).chain(spots).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Number of the grant, and the team that holds it.
    Gift(i64, Option<usize>),
    /// Number and version of the rule.
    Law(i64, i64),
}

/// Whose it is if not one's own, where, which role if any, how it is restricted.
pub type Held = (Option<usize>, At, Option<usize>, Terms);

pub struct Model<'w> {
    pub world: &'w World,
    pub flaw: Option<Flaw>,
}

impl Model<'_> {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// Everything a person has, with every reason.
    pub fn access(&self, person: usize) -> BTreeMap<Held, BTreeSet<Reason>> {
        let mut all: BTreeMap<Held, BTreeSet<Reason>> = BTreeMap::new();
        let who = &self.world.people[person];
        if !who.active && !self.has(Flaw::InactiveKeepsAccess) {
            return all;
        }
        for (at, role, terms, reason) in self.holdings(person) {
            all.entry((None, at, role, terms)).or_default().insert(reason);
        }
        for report in who.reports.iter().filter(|_| !self.has(Flaw::ReportsIgnored)) {
            if !self.world.people[*report].active && !self.has(Flaw::InactiveReportCounts) {
                continue;
            }
            for (at, role, terms, reason) in self.holdings(*report) {
                if role.is_some_and(|role| self.world.roles[role].iter().any(|key| VIEWING.contains(key))) {
                    all.entry((Some(*report), at, role, terms)).or_default().insert(reason);
                }
            }
        }
        all
    }

    /// The permissions a person has somewhere, of what [`Model::access`] has found.
    pub fn permitted(&self, access: &BTreeMap<Held, BTreeSet<Reason>>, spot: Spot) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for (report, at, role, terms) in access.keys() {
            let Some(role) = role else { continue };
            for key in &self.world.roles[*role] {
                let through = report.is_none() || VIEWING.contains(key) || self.has(Flaw::ReportGivesEverything);
                let organisation = ORGANISATION.contains(key);
                if through
                    && ((organisation && self.counts_for_organisation(*at, terms, spot))
                        || (!organisation && self.covers(*at, spot) && self.admits(terms, spot)))
                {
                    found.insert(*key);
                }
            }
        }
        found
    }

    fn counts_for_organisation(&self, at: At, terms: &Terms, spot: Spot) -> bool {
        if self.has(Flaw::OrganisationPermissionOnScope) && self.covers(at, spot) {
            return true;
        }
        at == At::All && (terms.is_empty() || self.has(Flaw::OrganisationPermissionRestricted))
    }

    fn holdings(&self, person: usize) -> Vec<(At, Option<usize>, Terms, Reason)> {
        let teams = self.teams(person);
        let mut found = Vec::new();
        for gift in &self.world.gifts {
            let mine = match gift.to {
                To::Person(to) => to == person,
                To::Team(team) => teams.contains_key(&team),
            };
            let team = match gift.to {
                To::Person(_) => None,
                To::Team(team) => Some(team),
            };
            let valid = self.valid(gift.span) || self.has(Flaw::ValidityIgnored);
            if mine && valid && self.is_there(gift.at) {
                found.push((
                    gift.at,
                    Some(gift.role),
                    gift.terms.clone(),
                    Reason::Gift(gift.number, team),
                ));
            }
        }
        for (number, law) in self.world.laws.iter().enumerate() {
            if !self.applies(number, person, &teams) {
                continue;
            }
            let reason = Reason::Law(law.number, law.version);
            for then in &law.then {
                match then {
                    Then::Role(role, at) if self.is_there(*at) => found.push((*at, Some(*role), vec![], reason)),
                    Then::Member(place) if self.runs(*place) => found.push((At::Place(*place), None, vec![], reason)),
                    Then::Role(..) | Then::Member(_) | Then::Team(_) => {}
                }
            }
        }
        found
    }

    /// The teams of a person; whether they are a member of the team itself.
    pub fn teams(&self, person: usize) -> BTreeMap<usize, bool> {
        let stored = &self.world.people[person].teams;
        let mut smart: BTreeSet<usize> = BTreeSet::new();
        let mut teams = self.nested(stored, &smart);
        // At most as often as there are rules: one settles in every round.
        for _ in 0..=self.world.laws.len() {
            let read = if self.has(Flaw::SmartGroupIsNotRead) {
                &self.nested(stored, &BTreeSet::new())
            } else {
                &teams
            };
            smart = self.smart(person, read);
            if self.has(Flaw::SmartGroupIgnored) {
                smart.clear();
            }
            let settled = self.nested(stored, &smart);
            if settled == teams {
                break;
            }
            teams = settled;
        }
        teams
    }

    fn smart(&self, person: usize, teams: &BTreeMap<usize, bool>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for (number, law) in self.world.laws.iter().enumerate() {
            if self.applies(number, person, teams) {
                found.extend(law.then.iter().filter_map(|then| match then {
                    Then::Team(team) => Some(*team),
                    Then::Role(..) | Then::Member(_) => None,
                }));
            }
        }
        found
    }

    fn nested(&self, stored: &BTreeSet<usize>, smart: &BTreeSet<usize>) -> BTreeMap<usize, bool> {
        let mut all: BTreeMap<usize, bool> = stored.union(smart).map(|team| (*team, true)).collect();
        let still = self.has(Flaw::SmartGroupIsNotNested);
        loop {
            let before = all.len();
            for (below, team) in self.world.teams.iter().enumerate() {
                for above in &team.inside {
                    let (from, to) = if self.has(Flaw::NestingReversed) {
                        (*above, below)
                    } else {
                        (below, *above)
                    };
                    let climbs = all.contains_key(&from) && !(still && smart.contains(&from));
                    if climbs && !self.has(Flaw::NestingIgnored) {
                        all.entry(to).or_insert(false);
                    }
                }
            }
            if all.len() == before {
                return all;
            }
        }
    }

    fn applies(&self, law: usize, person: usize, teams: &BTreeMap<usize, bool>) -> bool {
        let law = &self.world.laws[law];
        let state = match law.state {
            State::Active => true,
            State::Draft => self.has(Flaw::DraftRuleCounts),
            State::Retired => self.has(Flaw::RetiredRuleCounts),
        };
        let valid = self.valid(law.span) || self.has(Flaw::RuleValidityIgnored);
        state && valid && self.holds(&law.when, person, teams)
    }

    fn holds(&self, when: &When, person: usize, teams: &BTreeMap<usize, bool>) -> bool {
        let who = &self.world.people[person];
        let name = |team: &usize| self.world.teams[*team].name;
        let same = |one: &str, other: &str| {
            one == other || (!self.has(Flaw::NamesCompareExactly) && one.to_lowercase() == other.to_lowercase())
        };
        let in_team = |wanted: &str| teams.keys().any(|team| same(name(team), wanted));
        match when {
            When::All(parts) if self.has(Flaw::AndTakenForOr) => {
                parts.iter().any(|part| self.holds(part, person, teams))
            }
            When::All(parts) => parts.iter().all(|part| self.holds(part, person, teams)),
            When::Any(parts) => parts.iter().any(|part| self.holds(part, person, teams)),
            When::Not(part) => self.has(Flaw::NotIgnored) == self.holds(part, person, teams),
            When::Title(title) => who.title == *title,
            When::Department(department) => who.department == *department,
            When::Named(wanted) => in_team(wanted),
            When::Id(team) => teams.contains_key(team),
            When::Direct(wanted) => teams
                .iter()
                .any(|(team, direct)| same(name(team), wanted) && (*direct || self.has(Flaw::IndirectTakenForDirect))),
            When::Other(wanted) => teams.is_empty() || teams.keys().any(|team| !same(name(team), wanted)),
            When::Like(part) => teams
                .keys()
                .any(|team| name(team).to_lowercase().contains(&part.to_lowercase())),
            When::Indirect => teams
                .values()
                .any(|direct| !direct && !self.has(Flaw::IndirectTakenForDirect)),
            When::SomeTeam => !teams.is_empty(),
        }
    }
}

/// Time and place.
impl Model<'_> {
    fn valid(&self, (from, to): Span) -> bool {
        let now = self.world.now;
        let begun = from.is_none_or(|from| from < now || (from == now && !self.has(Flaw::StartExcluded)));
        let over = to.is_some_and(|to| to < now || (to == now && !self.has(Flaw::EndIncluded)));
        begun && !over
    }

    fn runs(&self, place: usize) -> bool {
        let place = &self.world.places[place];
        if place.kind != ScopeKind::Program {
            return true;
        }
        let now = self.world.now;
        let begun = place.starts.is_none_or(|starts| starts <= now) || self.has(Flaw::ProgramStartIgnored);
        let over = place
            .ends
            .is_some_and(|ends| ends < now || (ends == now && !self.has(Flaw::ProgramEndIncluded)));
        begun && (!over || self.has(Flaw::ProgramEndIgnored))
    }

    fn is_there(&self, at: At) -> bool {
        match at {
            At::Place(place) => self.runs(place),
            At::All | At::Record(_) => true,
        }
    }

    /// Whether the inner place is the outer one or lies below it, and all on the way run.
    fn lies_in(&self, inner: usize, outer: usize) -> bool {
        if inner == outer {
            return self.runs(inner);
        }
        let passes = self.runs(inner) || self.has(Flaw::ReachesThroughStoppedProgram);
        let above = self.world.places[inner].parent;
        passes && !self.has(Flaw::ParentDoesNotHoldOnChild) && above.is_some_and(|above| self.lies_in(above, outer))
    }

    fn covers(&self, at: At, spot: Spot) -> bool {
        let holds = |inner, outer| {
            self.lies_in(inner, outer) || (self.has(Flaw::ChildHoldsOnParent) && self.lies_in(outer, inner))
        };
        match (at, spot) {
            (At::All, Spot::Record(record)) => {
                !self.has(Flaw::AllDoesNotCoverLooseRecords) || !self.world.records[record].places.is_empty()
            }
            (At::All, _) => true,
            (At::Place(outer), Spot::Place(inner)) => holds(inner, outer),
            (At::Place(outer), Spot::Record(record)) => self.world.records[record]
                .places
                .iter()
                .any(|inner| holds(*inner, outer)),
            (At::Record(one), Spot::Record(other)) => one == other,
            (At::Record(record), Spot::Place(place)) => {
                self.has(Flaw::RecordGrantCountsOnScope) && self.world.records[record].places.contains(&place)
            }
            (At::Place(_) | At::Record(_), Spot::Organisation) => false,
        }
    }

    fn admits(&self, terms: &Terms, spot: Spot) -> bool {
        if terms.is_empty() || self.has(Flaw::RestrictionIgnored) {
            return true;
        }
        let Spot::Record(record) = spot else {
            return self.has(Flaw::RestrictedCountsOnScope);
        };
        let properties = &self.world.records[record].properties;
        let satisfied = |(name, values): &(&'static str, Vec<&'static str>)| {
            let own = properties.iter().filter(|(own, _)| own == name);
            let values_of: Vec<_> = own.map(|(_, value)| *value).collect();
            if values_of.is_empty() {
                return self.has(Flaw::AbsentPropertyAdmits);
            }
            if self.has(Flaw::RestrictionNeedsAllValues) {
                return values.iter().all(|value| values_of.contains(value));
            }
            values.iter().any(|value| values_of.contains(value))
        };
        if self.has(Flaw::RestrictionNeedsAnyProperty) {
            return terms.iter().any(satisfied);
        }
        terms.iter().all(satisfied)
    }
}
