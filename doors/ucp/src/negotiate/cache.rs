//! Profiles that were read, for a while: one read at a time for each address, few reads at once, and not more than
//! some per second, so that nobody makes the shop a tool against others. A profile that cannot be read anew is used
//! for a while longer, so that neither a pause of its host nor a crowd of strangers keeps out whom the shop knows.

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
/// How long nobody asks again where reading failed, in seconds.
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
    /// When somebody asked last.
    asked_at: Timestamp,
    /// Until when nobody needs to ask again.
    good_until: Timestamp,
    /// Until when it is used if it cannot be read anew.
    ends_at: Timestamp,
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
        if let Some(known) = known.as_ref().filter(|known| known.is_good(now, older_than)) {
            return known.found.clone();
        }
        let fresh = self.read(url, now).await;
        let earlier = known.take().filter(|known| known.found.is_ok() && known.ends_at > now);
        let next = match (fresh, earlier) {
            (Ok(fresh), Some(earlier)) if fresh.found.is_err() => earlier.kept(&fresh),
            (Ok(fresh), _) => fresh,
            // Nobody was asked.
            (Err(_), Some(earlier)) => earlier,
            (Err(busy), None) => return Err(busy),
        };
        let found = next.found.clone();
        *known = Some(next);
        found
    }

    fn entry(&self, url: &str) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if !entries.contains_key(url) && entries.len() >= ENTRIES_MAX {
            make_room(&mut entries);
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
            return Err(busy());
        }
        budget.left -= 1;
        Ok(())
    }

    /// Asks for a profile, unless too many are asked for already.
    async fn read(&self, url: &str, now: Timestamp) -> Result<Known, TransportError> {
        let place = self.places.try_acquire().map_err(|_| busy())?;
        self.spend(now)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let fetch =
            Fetch { url: url.to_owned(), headers, body_bytes_max: BODY_MAX, timeout: TIMEOUT };
        // The client has a time limit of its own, but a shop does not rely on the manners of its parts.
        let answer = self.system.within(TIMEOUT * 2, self.web.fetch(fetch)).await;
        drop(place);
        let asked_at = self.system.now();
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
        let good_until = asked_at + SignedDuration::from_secs(seconds);
        let ends_at = match found {
            Ok(_) => asked_at + SignedDuration::from_secs(FRESH.1),
            Err(_) => good_until,
        };
        Ok(Known { asked_at, good_until, ends_at, found })
    }
}

impl Known {
    fn is_good(&self, now: Timestamp, older_than: Option<Duration>) -> bool {
        let is_old = older_than.is_some_and(|age| {
            let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
            now.duration_since(self.asked_at) >= age
        });
        self.good_until > now && !is_old
    }

    /// Stays what it is although it could not be read anew, until its end.
    fn kept(self, failed: &Self) -> Self {
        let good_until = self.good_until.max(failed.good_until).min(self.ends_at);
        Self { asked_at: failed.asked_at, good_until, ..self }
    }
}

/// Forgets what ends first. What somebody reads at the moment is locked, and stays.
fn make_room(entries: &mut HashMap<String, Arc<Entry>>) {
    let end = |entry: &Arc<Entry>| {
        let known = entry.try_lock().ok()?;
        Some(known.as_ref().map_or(Timestamp::MIN, |known| known.ends_at))
    };
    let ends = entries.iter().filter_map(|(url, entry)| Some((end(entry)?, url)));
    let first = ends.min().map(|(_, url)| url.clone());
    if let Some(url) = first {
        entries.remove(&url);
    }
}

fn busy() -> TransportError {
    let content = "too many programs introduce themselves at once; come back shortly";
    TransportError::new(503, "unavailable", content).retry_after_ms(1_000)
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
