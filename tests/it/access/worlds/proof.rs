//! The proof: so many organisations on each engine, each compared in full after a change. Every other one is drawn anew
//! and written from nothing; the next is what a second change makes of it.
//!
//! `MUSTER_TEST_WORLDS` says how many, `MUSTER_TEST_SEED` repeats the chances of a run; a failure says both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use muster::service::access::decide::{self, Detail, Question};
use muster::store::Db;
use tokio::task::JoinSet;

use super::change::{Change, storable};
use super::drawn::dice::Dice;
use super::drawn::flaw::Flaw;
use super::drawn::generate::{self, Style};
use super::drawn::model::{Model, Spot};
use super::drawn::world::{KEYS, World};
use super::leaves::Trial;
use super::previewed;
use super::sheet::{Answers, Sheet};
use super::size::is_large;
use super::town::Town;
use crate::support::database::{Database, Engine};
use crate::support::{dice, seam, setting};

/// Organisations, where nobody says how many; `scripts/test` asks for more.
const WORLDS: u64 = 50;
/// Organisations of one tenant. To write one takes five times as long as to change it and compare it.
const OF_ONE_TENANT: u64 = 2;
/// Tenants that are worked on at once, so that their writes share a commit.
const AT_ONCE: usize = 8;
/// Most changes made to one, beside the first.
const MOST_CHANGES: usize = 4;
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
    /// Facts taken away, and sets of changes previewed.
    trials: AtomicU64,
    previews: AtomicU64,
    /// Ways to get the words wrong that would not have been noticed so far.
    unnoticed: Mutex<Vec<Flaw>>,
}

async fn prove(engine: Engine) {
    let seed = dice::seed();
    let worlds = setting("MUSTER_TEST_WORLDS").map_or(WORLDS, |text| text.parse().unwrap());
    let database = Database::fresh(engine).await;
    let run = Arc::new(Run {
        db: Db::open(database.url(), &seam::patient()).await.unwrap(),
        seed,
        worlds,
        begun: AtomicU64::new(0),
        seen: AtomicU64::new(0),
        trials: AtomicU64::new(0),
        previews: AtomicU64::new(0),
        unnoticed: Mutex::new(
            Flaw::ALL
                .iter()
                .copied()
                .filter(|flaw| !OF_REPORTS.contains(flaw))
                .collect(),
        ),
    });
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let run = Arc::clone(&run);
        workers.spawn(async move { run.work().await });
    }
    while let Some(done) = workers.join_next().await {
        if let Err(fault) = done {
            std::panic::resume_unwind(fault.into_panic());
        }
    }
    let told = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let (looked_at, trials, previews) = (told(&run.seen), told(&run.trials), told(&run.previews));
    let unnoticed = run.unnoticed.lock().unwrap().clone();
    println!(
        "{looked_at} organisations, {trials} facts taken away, {previews} previews; flaws unnoticed: {unnoticed:?}"
    );
    assert_eq!(looked_at, worlds);
    assert!(worlds < ENOUGH || unnoticed.is_empty(), "unnoticed: {unnoticed:?}");
    assert!(worlds < ENOUGH || trials > worlds / 4, "{trials} trials");
    assert!(worlds < ENOUGH || previews > worlds / 4, "{previews} previews");
    run.db.close().await;
    database.drop_now().await;
}

impl Run {
    /// One tenant after the other, until there are enough.
    async fn work(&self) {
        loop {
            let number = self.begun.fetch_add(1, Ordering::Relaxed);
            let left = self.worlds.saturating_sub(number * OF_ONE_TENANT).min(OF_ONE_TENANT);
            if left == 0 {
                return;
            }
            let mut tenant = Tenant {
                run: self,
                seed: self.seed.wrapping_add(number),
                number: 0,
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
    /// Which of them this is, counted from 1.
    number: u64,
    /// What was done since it was written.
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
        is_large(&world);
        let name = format!("town-{}", self.seed);
        let mut town = Town::of(&self.run.db, &name, &mut world, &mut dice).await;
        let mut sheet = Sheet::of(&town, &world).await;
        while self.number < worlds {
            self.number += 1;
            // Neighbours begin with another step.
            sheet = match self.seed.wrapping_add(self.number) % 3 {
                0 => self.preview(&mut town, &mut world, (&sheet, style), &mut dice).await,
                1 => self.change(&mut town, &mut world, &mut dice, style).await,
                _ => self.take_away(&mut town, &mut world, (&sheet, style), &mut dice).await,
            };
            self.look(&town, &world, &sheet, &mut dice).await;
        }
    }

    async fn preview(
        &mut self,
        town: &mut Town,
        world: &mut World,
        (sheet, style): (&Sheet, Style),
        dice: &mut Dice,
    ) -> Sheet {
        let changes = previewed::draw(world, dice, style);
        self.steps.push(format!("previewed: {changes:?}"));
        self.run.previews.fetch_add(1, Ordering::Relaxed);
        previewed::come_true(town, world, sheet, &changes).await
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
        let answers = sheet.agrees(town, &model, &spots);
        self.ask(town, &model, &spots, dice).await;
        self.notice(world, &answers);
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
    fn notice(&self, world: &World, answers: &Answers) {
        let left = self.run.unnoticed.lock().unwrap().clone();
        let noticed = |flaw: &Flaw| {
            let model = Model {
                world,
                flaw: Some(*flaw),
            };
            let accesses: Vec<_> = (0..world.people.len()).map(|person| model.access(person)).collect();
            answers
                .iter()
                .any(|(person, spot, found)| model.permitted(&accesses[*person], *spot) != *found)
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
