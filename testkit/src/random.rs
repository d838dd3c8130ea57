//! Randomness from a seed that is printed.

use std::sync::{Mutex, PoisonError};

use handel_ports::Random;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// Bytes that follow from a seed. The test runner shows the seed of a test that fails; with
/// `HANDEL_TEST_SEED` the same bytes are drawn again.
pub struct SeededRandom {
    seed: u64,
    generator: Mutex<StdRng>,
}

impl SeededRandom {
    /// A seed of its own for each test, unless the environment names one.
    pub fn fresh() -> Self {
        Self::new(seed())
    }

    /// The bytes of the given seed.
    pub fn new(seed: u64) -> Self {
        eprintln!("HANDEL_TEST_SEED={seed}");
        Self { seed, generator: Mutex::new(StdRng::seed_from_u64(seed)) }
    }

    /// Begins again with the first bytes, so that what must be unique is drawn twice.
    pub fn rewind(&self) {
        *self.generator.lock().unwrap_or_else(PoisonError::into_inner) =
            StdRng::seed_from_u64(self.seed);
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        self.generator.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the seed itself comes from the environment or from chance"
)]
fn seed() -> u64 {
    let named = std::env::var("HANDEL_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    named.unwrap_or_else(rand::random)
}
