//! What each client has of its own: a share of what the shop has to give, and how often it may write.
//!
//! Owns the counts. Refuses to know what is counted. Clients are spread over many small tables, so that requests of
//! different clients hardly ever wait for each other.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use crate::Client;

/// One client gets at most this part of what all clients can have.
pub(crate) const PART: usize = 8;

const SHARDS: u64 = 64;
/// Maximum number of clients in one table of [`Buckets`].
const SHARD_MAX: usize = 1_024;

/// The share of a client in something that all clients can have `max` of.
pub(crate) fn share_of(max: usize) -> usize {
    max.div_ceil(PART)
}

struct Sharded<T> {
    hasher: RandomState,
    shards: Box<[Mutex<HashMap<Client, T>>]>,
}

impl<T> Default for Sharded<T> {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { hasher: RandomState::new(), shards }
    }
}

impl<T> Sharded<T> {
    fn lock(&self, client: &Client) -> MutexGuard<'_, HashMap<Client, T>> {
        let at = self.hasher.hash_one(client) % SHARDS;
        let at = usize::try_from(at).expect("there are few tables");
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much each client holds at the moment. Knows only clients that hold something.
#[derive(Default)]
pub(crate) struct Shares(Sharded<usize>);

impl Shares {
    /// Takes `amount` more for a client if it then holds no more than `max`.
    pub(crate) fn take(&self, client: &Client, amount: usize, max: usize) -> bool {
        let mut held = self.0.lock(client);
        let before = held.get(client).copied().unwrap_or(0);
        let is_within = before.saturating_add(amount) <= max;
        if is_within && amount > 0 {
            held.insert(*client, before + amount);
        }
        is_within
    }

    /// Gives back what was taken.
    pub(crate) fn give_back(&self, client: &Client, amount: usize) {
        let mut held = self.0.lock(client);
        let left = held.get(client).copied().unwrap_or(0).saturating_sub(amount);
        if left == 0 {
            held.remove(client);
        } else {
            held.insert(*client, left);
        }
    }
}

/// How often each client may do something: a bucket that fills in a minute.
#[derive(Default)]
pub(crate) struct Buckets(Sharded<Bucket>);

#[derive(Clone, Copy)]
struct Bucket {
    /// What is left, in thousandths.
    left_milli: u64,
    at: Timestamp,
}

impl Bucket {
    fn refilled(self, per_minute: u32, now: Timestamp) -> Self {
        let passed_ms = now.duration_since(self.at).as_millis();
        // A clock that was set back has let no time pass.
        let passed_ms = u64::try_from(passed_ms).unwrap_or(0);
        let full_milli = u64::from(per_minute) * 1_000;
        // In each millisecond one in 60,000 of a minute's worth, which is as many thousandths as a sixtieth of it.
        let added_milli = passed_ms.saturating_mul(per_minute.into()) / 60;
        let left_milli = self.left_milli.saturating_add(added_milli).min(full_milli);
        Self { left_milli, at: now }
    }
}

impl Buckets {
    /// Takes `amount` out of a client's bucket; if it does not have that much, says in how many milliseconds it will.
    pub(crate) fn take(
        &self,
        client: &Client,
        amount: u32,
        per_minute: u32,
        now: Timestamp,
    ) -> Result<(), u64> {
        // What is more than a full bucket empties it.
        let amount_milli = u64::from(amount.min(per_minute)) * 1_000;
        let full = Bucket { left_milli: u64::from(per_minute) * 1_000, at: now };
        let mut buckets = self.0.lock(client);
        if buckets.len() >= SHARD_MAX && !buckets.contains_key(client) {
            make_room(&mut buckets, per_minute, now);
        }
        let bucket = buckets.entry(*client).or_insert(full);
        *bucket = bucket.refilled(per_minute, now);
        match bucket.left_milli.checked_sub(amount_milli) {
            Some(left_milli) => {
                bucket.left_milli = left_milli;
                Ok(())
            }
            None => Err((amount_milli - bucket.left_milli) * 60 / u64::from(per_minute.max(1))),
        }
    }
}

/// Forgets whose bucket is full again, and if there is no such client, the half whose buckets are fullest.
fn make_room(buckets: &mut HashMap<Client, Bucket>, per_minute: u32, now: Timestamp) {
    let left = |bucket: &Bucket| bucket.refilled(per_minute, now).left_milli;
    let full_milli = u64::from(per_minute) * 1_000;
    buckets.retain(|_, bucket| left(bucket) < full_milli);
    if buckets.len() >= SHARD_MAX {
        let mut amounts: Vec<u64> = buckets.values().map(left).collect();
        let (_, middle, _) = amounts.select_nth_unstable(SHARD_MAX / 2);
        let middle = *middle;
        buckets.retain(|_, bucket| left(bucket) < middle);
    }
    if buckets.len() >= SHARD_MAX {
        // All are alike.
        buckets.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use jiff::ToSpan as _;

    use super::*;

    fn client(number: u32) -> Client {
        Client::new(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn a_share_is_given_back_and_forgotten() {
        let shares = Shares::default();
        assert!(shares.take(&client(1), 6, 10) && !shares.take(&client(1), 5, 10));
        assert!(shares.take(&client(2), 10, 10), "another client has its own");
        shares.give_back(&client(1), 6);
        assert!(shares.take(&client(1), 10, 10));
        shares.give_back(&client(1), 10);
        shares.give_back(&client(2), 10);
        assert!(shares.0.shards.iter().all(|shard| shard.lock().unwrap().is_empty()));
    }

    #[test]
    fn a_bucket_fills_in_a_minute() {
        let buckets = Buckets::default();
        let start = Timestamp::UNIX_EPOCH;
        for _ in 0..60 {
            assert_eq!(buckets.take(&client(1), 1, 60, start), Ok(()));
        }
        assert_eq!(buckets.take(&client(1), 1, 60, start), Err(1_000));
        assert_eq!(buckets.take(&client(2), 60, 60, start), Ok(()));
        assert_eq!(buckets.take(&client(1), 1, 60, start + 1.second()), Ok(()));
        assert_eq!(buckets.take(&client(1), 5, 60, start + 2.seconds()), Err(4_000));
        assert_eq!(buckets.take(&client(1), 60, 60, start + 61.seconds()), Ok(()));
        // More than a bucket holds needs a full one; a clock that goes back adds nothing.
        assert_eq!(buckets.take(&client(1), 1, 60, start), Err(1_000));
        assert_eq!(buckets.take(&client(3), 1_000, 60, start), Ok(()));
    }

    #[test]
    fn the_tables_stay_small_whatever_number_of_clients_comes() {
        let buckets = Buckets::default();
        for number in 0..200_000 {
            let taken = buckets.take(&client(number), 1, 60, Timestamp::UNIX_EPOCH);
            assert_eq!(taken, Ok(()));
        }
        let most = buckets.0.shards.iter().map(|shard| shard.lock().unwrap().len()).max();
        assert!(most.is_some_and(|most| most <= SHARD_MAX), "{most:?}");
    }
}
