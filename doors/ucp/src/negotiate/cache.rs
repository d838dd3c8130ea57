//! Profiles that were read, for a while: one read at a time for each address, few reads at once, and not more than
//! some per second, so that nobody makes the shop a tool against others.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use handel_ports::{Fetch, System, WebAnswer, WebClient, WebError};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};

use super::Platform;
use crate::TransportError;

/// Most profiles that are kept.
const ENTRIES_MAX: usize = 1_000;
/// Largest profile, in bytes.
const BODY_MAX: usize = 256 * 1024;
/// How long a profile may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a profile is good for at least and at most, whatever its host says.
const FRESH: (i64, i64) = (60, 3_600);
/// How long nobody asks again where there was no profile, in seconds.
const FAILED_S: i64 = 10;
/// How many profiles are read at once.
const AT_ONCE: usize = 16;
/// How many profiles may be read in one go, and how many more each second.
const BURST: i64 = 100;
const PER_SECOND: i64 = 20;

/// The profiles that were read.
pub(super) struct Profiles {
    web: Arc<dyn WebClient>,
    system: System,
    entries: Mutex<HashMap<String, Arc<Entry>>>,
    places: tokio::sync::Semaphore,
    budget: Mutex<Budget>,
}

/// An address; whoever reads it holds the lock.
type Entry = tokio::sync::Mutex<Option<Known>>;

/// What is known of an address.
#[derive(Clone)]
struct Known {
    read_at: Timestamp,
    good_until: Timestamp,
    found: Result<Arc<Platform>, TransportError>,
}

/// How many profiles may be read now.
struct Budget {
    left: i64,
    filled_at: Timestamp,
}

impl Profiles {
    pub(super) fn new(web: Arc<dyn WebClient>, system: System) -> Self {
        let budget = Budget { left: BURST, filled_at: system.now() };
        Self {
            web,
            system,
            entries: Mutex::default(),
            places: tokio::sync::Semaphore::new(AT_ONCE),
            budget: Mutex::new(budget),
        }
    }

    /// The profile at an address. With `older_than` it is read anew if it is older than that.
    pub(super) async fn get(
        &self,
        url: &str,
        older_than: Option<Duration>,
    ) -> Result<Arc<Platform>, TransportError> {
        let entry = self.entry(url);
        let mut known = entry.lock().await;
        let now = self.system.now();
        if let Some(known) = &*known {
            let is_old = older_than.is_some_and(|age| {
                let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
                now.duration_since(known.read_at) >= age
            });
            if known.good_until > now && !is_old {
                return known.found.clone();
            }
        }
        self.spend(now)?;
        let fresh = self.read(url).await;
        let found = fresh.found.clone();
        *known = Some(fresh);
        found
    }

    fn entry(&self, url: &str) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if !entries.contains_key(url) && entries.len() >= ENTRIES_MAX {
            let now = self.system.now();
            // Entries that somebody reads at the moment are locked, and stay.
            let is_good = |entry: &Arc<Entry>| match entry.try_lock() {
                Ok(known) => known.as_ref().is_some_and(|known| known.good_until > now),
                Err(_) => true,
            };
            entries.retain(|_, entry| is_good(entry));
            if entries.len() >= ENTRIES_MAX
                && let Some(any) = entries.keys().next().cloned()
            {
                entries.remove(&any);
            }
        }
        entries.entry(url.to_owned()).or_default().clone()
    }

    /// Takes one from the budget.
    fn spend(&self, now: Timestamp) -> Result<(), TransportError> {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let passed_s = now.duration_since(budget.filled_at).as_secs();
        if passed_s > 0 {
            budget.left =
                budget.left.saturating_add(passed_s.saturating_mul(PER_SECOND)).min(BURST);
            budget.filled_at = now;
        }
        if budget.left == 0 {
            let content = "too many programs introduce themselves at once; come back shortly";
            return Err(TransportError::new(503, "unavailable", content).retry_after_ms(1_000));
        }
        budget.left -= 1;
        Ok(())
    }

    async fn read(&self, url: &str) -> Known {
        let place = self.places.acquire().await.expect("the semaphore is never closed");
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let fetch =
            Fetch { url: url.to_owned(), headers, body_bytes_max: BODY_MAX, timeout: TIMEOUT };
        // The client has a time limit of its own, but a shop does not rely on the manners of its parts.
        let answer = self.system.within(TIMEOUT * 2, self.web.fetch(fetch)).await;
        drop(place);
        let read_at = self.system.now();
        let (found, seconds) = match answer.unwrap_or(Err(WebError::Timeout)) {
            Ok(answer) if answer.status == StatusCode::OK => {
                (Platform::read(url, &answer.body).map(Arc::new), fresh_s(&answer))
            }
            Ok(answer) => {
                let content = format!("your profile was answered with {}", answer.status.as_u16());
                (Err(TransportError::new(424, "profile_unreachable", content)), FAILED_S)
            }
            Err(error) => (Err(unreachable(error)), FAILED_S),
        };
        let good_until = read_at + SignedDuration::from_secs(seconds);
        Known { read_at, good_until, found }
    }
}

/// What became of an address that could not be read. The words of the client name no address and no network.
fn unreachable(error: WebError) -> TransportError {
    match error {
        WebError::Address => TransportError::new(
            400,
            "invalid_profile_url",
            "the address of your profile must not be called",
        ),
        WebError::TooLarge => {
            TransportError::new(422, "profile_malformed", "your profile is too large")
        }
        error => {
            let content = format!("your profile cannot be read: {error}");
            TransportError::new(424, "profile_unreachable", content)
        }
    }
}

/// How long a profile is good for, in seconds.
fn fresh_s(answer: &WebAnswer) -> i64 {
    let control = answer.headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let age = control
        .into_iter()
        .flat_map(|control| control.split(','))
        .find_map(|part| part.trim().strip_prefix("max-age=")?.parse::<i64>().ok());
    age.unwrap_or(0).clamp(FRESH.0, FRESH.1)
}
