//! A cache of answers in the memory of this process.
//!
//! Owns how much is kept and for how long. It is not shared with other processes, and nothing is ever
//! removed because it became wrong: the key names the state that an answer was made from.

use std::time::Duration;

use bytes::Bytes;
use handel_ports::{Cache, CacheKey, System};
use jiff::Timestamp;
use moka::sync;

/// A [`Cache`] that is bounded by the bytes that it holds.
pub struct MemoryCache {
    entries: sync::Cache<CacheKey, Entry>,
    time_to_live: Duration,
    system: System,
}

#[derive(Clone)]
struct Entry {
    answer: Bytes,
    expires_at: Timestamp,
}

impl MemoryCache {
    /// How much a cache holds unless told otherwise, in bytes.
    pub const WEIGHT_MAX: u64 = 64 * 1024 * 1024;
    /// How long it answers unless told otherwise.
    pub const TIME_TO_LIVE: Duration = Duration::from_secs(60);

    /// A cache with the default bounds.
    pub fn new(system: System) -> Self {
        Self::with_bounds(Self::WEIGHT_MAX, Self::TIME_TO_LIVE, system)
    }

    /// A cache that holds at most `weight_max` bytes, keys and bookkeeping included, and forgets an
    /// answer after `time_to_live`. An answer that is larger than the whole cache is not kept.
    pub fn with_bounds(weight_max: u64, time_to_live: Duration, system: System) -> Self {
        let entries = sync::Cache::builder()
            .max_capacity(weight_max)
            .weigher(|key: &CacheKey, entry: &Entry| {
                let bytes = size_of::<CacheKey>()
                    + size_of::<Entry>()
                    + key.locale.len()
                    + key.query.len()
                    + entry.answer.len();
                u32::try_from(bytes).unwrap_or(u32::MAX)
            })
            // This one runs on the real clock and only gives memory back; `get` decides by ours.
            .time_to_live(time_to_live)
            .build();
        Self { entries, time_to_live, system }
    }

    /// How much it holds now, in bytes. For metrics: it also does the eviction that is outstanding.
    pub fn weight(&self) -> u64 {
        self.entries.run_pending_tasks();
        self.entries.weighted_size()
    }
}

impl Cache for MemoryCache {
    fn get(&self, key: &CacheKey) -> Option<Bytes> {
        let entry = self.entries.get(key)?;
        (self.system.now() < entry.expires_at).then_some(entry.answer)
    }

    fn put(&self, key: CacheKey, answer: Bytes) {
        let now = self.system.now();
        let expires_at = now.saturating_add(self.time_to_live).unwrap_or(Timestamp::MAX);
        self.entries.insert(key, Entry { answer, expires_at });
    }
}
