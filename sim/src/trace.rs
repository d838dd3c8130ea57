//! What happened: a hash of everything, the last steps in words, and what was found wrong.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use handel_ports::Clock;
use handel_testkit::START;

/// How many of the last steps are kept in words.
const KEPT: usize = 60;
/// Most violations that are kept; more say nothing new.
const VIOLATIONS_MAX: usize = 20;

/// Mixes bytes into a hash (FNV-1a).
pub(crate) fn mix(hash: u64, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(hash ^ 0xcbf2_9ce4_8422_2325, step)
}

/// The record of a run.
pub struct Trace {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    is_loud: bool,
}

#[derive(Default)]
struct State {
    hash: u64,
    last: VecDeque<String>,
    violations: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
}

impl Trace {
    /// An empty record. A loud one also prints every step.
    pub fn new(clock: Arc<dyn Clock>, is_loud: bool) -> Self {
        Self { state: Mutex::default(), clock, is_loud }
    }

    /// Takes note of a choice of the scheduler, in the hash alone.
    pub fn step(&self, choice: u64) {
        let mut state = self.state();
        state.hash = mix(state.hash, &choice.to_le_bytes());
    }

    /// Takes note of something in words.
    pub fn note(&self, words: impl AsRef<str>) {
        let elapsed = self.clock.now().duration_since(START);
        let (seconds, micros) = (elapsed.as_secs(), elapsed.subsec_micros());
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        let line =
            format!("{hours:02}:{minutes:02}:{:02}.{micros:06} {}", seconds % 60, words.as_ref());
        let mut state = self.state();
        state.hash = mix(state.hash, line.as_bytes());
        if self.is_loud {
            eprintln!("{line}");
        }
        if state.last.len() == KEPT {
            state.last.pop_front();
        }
        state.last.push_back(line);
    }

    /// Takes note of a broken promise.
    pub fn violation(&self, what: impl AsRef<str>) {
        self.note(format!("VIOLATION {}", what.as_ref()));
        let mut state = self.state();
        if state.violations.len() < VIOLATIONS_MAX {
            state.violations.push(what.as_ref().to_owned());
        }
    }

    /// Counts something.
    pub fn count(&self, what: &'static str) {
        *self.state().counts.entry(what).or_default() += 1;
    }

    /// Whether a promise was broken.
    pub fn is_violated(&self) -> bool {
        !self.state().violations.is_empty()
    }

    /// Everything that was found wrong.
    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// The last steps in words.
    pub fn last(&self) -> Vec<String> {
        self.state().last.iter().cloned().collect()
    }

    /// How often everything happened.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.state().counts.clone()
    }

    /// The hash of everything so far. Equal runs have equal hashes.
    pub fn hash(&self) -> u64 {
        self.state().hash
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
