//! Chance that follows from a seed.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use handel_ports::Random;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// A stream of chance. Streams of one seed with different names do not depend on each other, so that one
/// actor who asks more often does not change what the others do.
pub struct Dice(Mutex<StdRng>);

impl Dice {
    /// The stream of that name.
    pub fn new(seed: u64, name: &str) -> Self {
        let mut mixed = crate::trace::mix(seed, name.as_bytes());
        mixed = crate::trace::mix(mixed, &seed.to_le_bytes());
        Self(Mutex::new(StdRng::seed_from_u64(mixed)))
    }

    /// A number below `limit`.
    pub fn below(&self, limit: u64) -> u64 {
        self.generator().next_u64() % limit.max(1)
    }

    /// A place in a list of that length.
    pub fn index(&self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn range(&self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.below(high.abs_diff(low) + 1)).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of several.
    pub fn pick<'a, T>(&self, choices: &'a [T]) -> &'a T {
        &choices[self.index(choices.len())]
    }

    /// A time between two others, in milliseconds.
    pub fn millis(&self, low: u64, high: u64) -> Duration {
        Duration::from_millis(low + self.below(high - low + 1))
    }

    fn generator(&self) -> MutexGuard<'_, StdRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Random for Dice {
    fn fill(&self, buffer: &mut [u8]) {
        self.generator().fill_bytes(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_repeats_itself_and_no_other() {
        let draw = |seed, name| {
            let dice = Dice::new(seed, name);
            (0..8).map(|_| dice.below(1_000_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
    }

    #[test]
    fn both_ends_of_a_range_come_up() {
        let dice = Dice::new(7, "ends");
        let drawn: Vec<_> = (0..100).map(|_| dice.range(-1, 1)).collect();
        assert!([-1, 0, 1].iter().all(|number| drawn.contains(number)));
        assert!(drawn.iter().all(|number| (-1..=1).contains(number)));
    }
}
