//! The proof: so many organisations on each engine, each compared in full.
//!
//! `MUSTER_TEST_WORLDS` says how many, `MUSTER_TEST_SEED` repeats the chances of a run; a failure says both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use muster::service::access::decide::{self, Detail, Question};
use muster::store::{Db, Options};
use tokio::task::JoinSet;

use super::change::{Change, storable};
use super::drawn::dice::Dice;
use super::drawn::flaw::Flaw;
use super::drawn::generate::{self, Style};
use super::drawn::model::{Model, Spot};
use super::drawn::world::{KEYS, World};
use super::leaves::Trial;
use super::previewed;
use super::sheet::Sheet;
use super::town::Town;
use crate::support::database::{Database, Engine};
use crate::support::{dice, setting};

/// Organisations, where nobody says how many; `scripts/test` asks for more.
const WORLDS: u64 = 50;
/// Organisations of one tenant: the first is written from nothing, each further one grows out of the one before.
const OF_ONE_TENANT: u64 = 10;
/// Tenants that are worked on at once, so that their writes share a commit.
const AT_ONCE: usize = 8;
/// Most changes from one organisation to the next.
const MOST_CHANGES: usize = 6;
/// Questions asked of the decision service about each.
const QUESTIONS: usize = 40;
/// Organisations after which every flaw must have been noticed.
const ENOUGH: u64 = 400;
/// What a database cannot show, because people have no reports there.
const OF_REPORTS: [Flaw; 3] = [
    Flaw::ReportGivesEverything,
    Flaw::InactiveReportCounts,
    Flaw::ReportsIgnored,
];

/// One run over all organisations.
struct Run {
    db: Db,
    seed: u64,
    worlds: u64,
    begun: AtomicU64,
    seen: AtomicU64,
    trials: AtomicU64,
    /// Ways to get the words wrong that would not have been noticed so far.
    unnoticed: Mutex<Vec<Flaw>>,
}

async fn prove(engine: Engine) {
    let seed = dice::seed();
    let worlds = setting("MUSTER_TEST_WORLDS").map_or(WORLDS, |text| text.parse().unwrap());
    let database = Database::fresh(engine).await;
    let run = Arc::new(Run {
        db: Db::open(database.url(), &Options::default()).await.unwrap(),
        seed,
        worlds,
        begun: AtomicU64::new(0),
        seen: AtomicU64::new(0),
        trials: AtomicU64::new(0),
        unnoticed: Mutex::new(
            Flaw::ALL
                .iter()
                .copied()
                .filter(|flaw| !OF_REPORTS.contains(flaw))
                .collect(),
        ),
    });
    let mut tenants = JoinSet::new();
    for _ in 0..AT_ONCE {
        let run = Arc::clone(&run);
        tenants.spawn(async move { run.tenants().await });
    }
    while let Some(done) = tenants.join_next().await {
        if let Err(fault) = done {
            std::panic::resume_unwind(fault.into_panic());
        }
    }
    let (looked_at, trials) = (run.seen.load(Ordering::Relaxed), run.trials.load(Ordering::Relaxed));
    let unnoticed = run.unnoticed.lock().unwrap().clone();
    println!("{looked_at} organisations, {trials} facts taken away; flaws unnoticed: {unnoticed:?}");
    assert_eq!(looked_at, worlds);
    assert!(worlds < ENOUGH || unnoticed.is_empty(), "unnoticed: {unnoticed:?}");
    assert!(worlds < ENOUGH || trials > worlds / 10, "{trials} trials");
    run.db.close().await;
    database.drop_now().await;
}

impl Run {
    /// One tenant after the other, until there are enough.
    async fn tenants(&self) {
        loop {
            let number = self.begun.fetch_add(1, Ordering::Relaxed);
            let left = self.worlds.saturating_sub(number * OF_ONE_TENANT).min(OF_ONE_TENANT);
            if left == 0 {
                return;
            }
            let mut tenant = Tenant {
                run: self,
                seed: self.seed.wrapping_add(number),
                name: format!("town-{number}"),
                number: 1,
                steps: Vec::new(),
            };
            tenant.live(left).await;
        }
    }
}

/// One tenant, and the organisations it becomes.
struct Tenant<'r> {
    run: &'r Run,
    seed: u64,
    name: String,
    /// Which organisation this is, counted from 1.
    number: u64,
    /// What was done since the first.
    steps: Vec<String>,
}

/// A failure says how to repeat it, and what had been done.
impl Drop for Tenant<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (seed, number) = (self.seed, self.number);
            println!("repeat with MUSTER_TEST_SEED={seed} MUSTER_TEST_WORLDS={number}; so far:");
            self.steps.iter().for_each(|step| println!("{step}"));
        }
    }
}

impl Tenant<'_> {
    async fn live(&mut self, worlds: u64) {
        let mut dice = Dice::new(self.seed);
        let style = dice.pick(&[Style::Free, Style::Monotone]);
        let mut world = storable(generate::world(self.seed, style));
        let mut town = Town::of(&self.run.db, &self.name, &mut world, &mut dice).await;
        let mut sheet = Sheet::of(&town, &world).await;
        self.look(&town, &world, &sheet, &mut dice).await;
        while self.number < worlds {
            self.number += 1;
            let after = match self.number % 3 {
                1 => {
                    let changes = previewed::draw(&world, &mut dice, style);
                    self.steps.push(format!("previewed: {changes:?}"));
                    previewed::come_true(&mut town, &mut world, &sheet, &changes).await
                }
                2 => self.change(&mut town, &mut world, &mut dice, style).await,
                _ => self.take_away(&mut town, &mut world, (&sheet, style), &mut dice).await,
            };
            sheet = after;
            self.look(&town, &world, &sheet, &mut dice).await;
        }
    }

    async fn change(&mut self, town: &mut Town, world: &mut World, dice: &mut Dice, style: Style) -> Sheet {
        for _ in 0..=dice.roll(MOST_CHANGES) {
            let change = Change::any(world, dice, style);
            self.steps.push(format!("changed: {change:?}"));
            town.make(world, &change).await;
        }
        Sheet::of(town, world).await
    }

    async fn take_away(
        &mut self,
        town: &mut Town,
        world: &mut World,
        (sheet, style): (&Sheet, Style),
        dice: &mut Dice,
    ) -> Sheet {
        let spots = Spot::some(world, dice);
        let Some(trial) = Trial::draw(town, world, sheet, &spots, dice).await else {
            return self.change(town, world, dice, style).await;
        };
        self.steps.push(format!("taken away: {:?}", trial.change));
        town.make(world, &trial.change).await;
        let after = Sheet::of(town, world).await;
        assert!(trial.holds(town, world, &after, style), "{}", trial.about());
        self.run.trials.fetch_add(1, Ordering::Relaxed);
        after
    }

    /// Compares everything.
    async fn look(&self, town: &Town, world: &World, sheet: &Sheet, dice: &mut Dice) {
        let spots = Spot::some(world, dice);
        let model = Model { world, flaw: None };
        sheet.agrees(town, &model, &spots);
        self.ask(town, &model, &spots, dice).await;
        self.notice(town, world, sheet, &spots);
        self.run.seen.fetch_add(1, Ordering::Relaxed);
    }

    /// The decision service, by its own read, says the same.
    async fn ask(&self, town: &Town, model: &Model<'_>, spots: &[Spot], dice: &mut Dice) {
        let mut questions = Vec::new();
        let mut expected = Vec::new();
        for _ in 0..QUESTIONS {
            let (person, spot) = (dice.roll(model.world.people.len()), dice.pick(spots));
            let key = dice.roll(KEYS.len());
            expected.push(model.permitted(&model.access(person), spot).contains(&key));
            questions.push(Question {
                subject: town.people[person].clone(),
                action: KEYS[key].to_owned(),
                resource: town.resource(model.world, spot),
                detail: Detail::Decision,
            });
        }
        let answers = decide::evaluations(&town.services, &town.caller, &questions).await;
        for ((answer, expected), question) in answers.unwrap().iter().zip(expected).zip(&questions) {
            assert_eq!(answer.decision, expected, "{question:?}");
        }
    }

    /// A flaw is noticed when the answers that were just found right are wrong for a model that has it.
    fn notice(&self, town: &Town, world: &World, sheet: &Sheet, spots: &[Spot]) {
        let left = self.run.unnoticed.lock().unwrap().clone();
        let noticed = |flaw: &Flaw| {
            let model = Model {
                world,
                flaw: Some(*flaw),
            };
            (0..world.people.len()).any(|person| {
                let access = model.access(person);
                let differs =
                    |spot: &Spot| model.permitted(&access, *spot) != sheet.permitted(town, world, person, *spot);
                spots.iter().any(differs)
            })
        };
        let noticed: Vec<_> = left.into_iter().filter(noticed).collect();
        self.run
            .unnoticed
            .lock()
            .unwrap()
            .retain(|flaw| !noticed.contains(flaw));
    }
}

mod worlds_in_a_database {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        prove(Engine::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        prove(Engine::Postgres).await;
    }
}
