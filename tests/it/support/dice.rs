//! Chance that repeats: the same seed gives the same throws.

/// A small generator (splitmix64): good enough to choose what a test does next.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed and the number of the thrower, so that each of many has its own.
    pub fn new(seed: u64, thrower: usize) -> Self {
        let mut dice = Self(seed ^ (thrower as u64).wrapping_mul(0xA24B_AED4_963E_E407));
        dice.throw();
        dice
    }

    /// The next 64 bits.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from zero up to, not including, `sides`.
    pub fn below(&mut self, sides: usize) -> usize {
        let sides = u64::try_from(sides).unwrap();
        usize::try_from(self.throw() % sides).unwrap()
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The seed of a run: `MUSTER_TEST_SEED`, or a new one, which is printed so that a failure can be repeated.
pub fn seed() -> u64 {
    let given = super::setting("MUSTER_TEST_SEED").map(|text| text.parse().expect("MUSTER_TEST_SEED is a number"));
    let seed = given.unwrap_or_else(rand::random);
    println!("MUSTER_TEST_SEED={seed}");
    seed
}
