//! Who may be sent to now: a receiver that is slow or dead must not hold up the others.
//!
//! This is memory of one process. It decides when something is sent, never whether: what waits is in the database.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// Most messages on their way at once.
pub(super) const IN_FLIGHT_MAX: usize = 32;
/// Most of them to one host.
const PER_HOST_MAX: usize = 4;
/// After so many failures in a row a host is left alone for a while.
const FAILURES_MAX: u32 = 5;
/// For how long; it doubles with every further failure.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(10);
/// Most hosts that are remembered. Strangers name them, so there is no end to them.
const HOSTS_MAX: usize = 1_024;

/// What is on its way, and which hosts do not answer.
#[derive(Default)]
pub(crate) struct Traffic(Mutex<HashMap<String, Host>>);

#[derive(Clone, Copy, Default)]
struct Host {
    in_flight: usize,
    failures: u32,
    closed_until: Option<Timestamp>,
}

impl Host {
    /// How many more may be sent to it.
    fn room(&self, now: Timestamp) -> usize {
        match self.closed_until {
            Some(until) if until > now => 0,
            // One message finds out whether it answers again.
            Some(_) => 1_usize.saturating_sub(self.in_flight),
            None => PER_HOST_MAX.saturating_sub(self.in_flight),
        }
    }
}

/// How much may be sent, as it was at a moment.
#[derive(Clone)]
pub(super) struct Room {
    total: usize,
    by_host: HashMap<String, usize>,
}

impl Room {
    pub fn is_none(&self) -> bool {
        self.total == 0
    }

    /// The hosts that nothing may be sent to.
    pub fn closed(&self) -> Vec<String> {
        let closed = self.by_host.iter().filter(|(_, room)| **room == 0);
        let mut closed: Vec<_> = closed.map(|(host, _)| host.clone()).collect();
        // In one order, so that a run can be repeated.
        closed.sort_unstable();
        closed
    }

    /// Takes room for one message, if there is any.
    pub fn take(&mut self, host: &str) -> bool {
        let room = self.by_host.entry(host.to_owned()).or_insert(PER_HOST_MAX);
        if *room == 0 || self.total == 0 {
            return false;
        }
        *room -= 1;
        self.total -= 1;
        true
    }
}

impl Traffic {
    /// How much may be sent now.
    pub(super) fn room(&self, now: Timestamp) -> Room {
        let hosts = self.hosts();
        let in_flight: usize = hosts.values().map(|host| host.in_flight).sum();
        Room {
            total: IN_FLIGHT_MAX.saturating_sub(in_flight),
            by_host: hosts.iter().map(|(name, host)| (name.clone(), host.room(now))).collect(),
        }
    }

    /// A message is on its way.
    pub(super) fn enter(&self, host: &str) {
        let mut hosts = self.hosts();
        if hosts.len() >= HOSTS_MAX {
            hosts.retain(|_, host| host.in_flight > 0);
        }
        hosts.entry(host.to_owned()).or_default().in_flight += 1;
    }

    /// A message is no longer on its way. `answered` is whether the host is alive; `None` if nobody found out.
    pub(super) fn leave(&self, name: &str, answered: Option<bool>, now: Timestamp) {
        let mut hosts = self.hosts();
        let Some(host) = hosts.get_mut(name) else { return };
        host.in_flight = host.in_flight.saturating_sub(1);
        match answered {
            Some(true) => (host.failures, host.closed_until) = (0, None),
            Some(false) => {
                host.failures = host.failures.saturating_add(1);
                host.closed_until = pause(host.failures).map(|pause| now + pause);
            }
            None => {}
        }
        if host.in_flight == 0 && host.failures == 0 {
            hosts.remove(name);
        }
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For how long a host is left alone after so many failures.
fn pause(failures: u32) -> Option<SignedDuration> {
    let doublings = failures.checked_sub(FAILURES_MAX)?.min(10);
    Some((PAUSE * (1 << doublings)).min(PAUSE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(seconds: i64) -> Timestamp {
        NOW + SignedDuration::from_secs(seconds)
    }

    /// How many messages a host would take now.
    fn room_of(traffic: &Traffic, host: &str, now: Timestamp) -> usize {
        let mut room = traffic.room(now);
        (0..IN_FLIGHT_MAX).filter(|_| room.take(host)).count()
    }

    #[test]
    fn one_host_takes_a_few_and_leaves_the_rest_to_others() {
        let traffic = Traffic::default();
        assert_eq!(room_of(&traffic, "a", NOW), PER_HOST_MAX);
        (0..PER_HOST_MAX).for_each(|_| traffic.enter("a"));
        assert_eq!((room_of(&traffic, "a", NOW), room_of(&traffic, "b", NOW)), (0, PER_HOST_MAX));
        assert_eq!(traffic.room(NOW).closed(), ["a"]);
        traffic.leave("a", None, NOW);
        assert_eq!(room_of(&traffic, "a", NOW), 1);
    }

    #[test]
    fn all_hosts_together_have_an_end() {
        let traffic = Traffic::default();
        let hosts: Vec<_> = (0..IN_FLIGHT_MAX).map(|n| format!("host{n}")).collect();
        hosts.iter().for_each(|host| traffic.enter(host));
        assert!(traffic.room(NOW).is_none());
        assert_eq!(room_of(&traffic, "new", NOW), 0);
    }

    #[test]
    fn a_host_that_does_not_answer_is_left_alone_and_asked_once_in_a_while() {
        let traffic = Traffic::default();
        let fail = |now| {
            traffic.enter("a");
            traffic.leave("a", Some(false), now);
        };
        (1..FAILURES_MAX).for_each(|_| fail(NOW));
        assert_eq!(room_of(&traffic, "a", NOW), PER_HOST_MAX);
        fail(NOW);
        assert_eq!((room_of(&traffic, "a", after(29)), room_of(&traffic, "a", after(30))), (0, 1));
        fail(after(30));
        assert_eq!((room_of(&traffic, "a", after(89)), room_of(&traffic, "a", after(90))), (0, 1));
        (0..100).for_each(|_| fail(after(90)));
        assert_eq!(
            (room_of(&traffic, "a", after(689)), room_of(&traffic, "a", after(690))),
            (0, 1)
        );
        traffic.enter("a");
        assert_eq!(room_of(&traffic, "a", after(690)), 0, "one at a time finds out");
        traffic.leave("a", Some(true), after(690));
        assert_eq!(room_of(&traffic, "a", after(690)), PER_HOST_MAX);
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let traffic = Traffic::default();
        traffic.enter("busy");
        for n in 0..HOSTS_MAX * 3 {
            let host = format!("host{n}");
            traffic.enter(&host);
            traffic.leave(&host, Some(false), NOW);
        }
        assert!(traffic.hosts().len() <= HOSTS_MAX && traffic.hosts().contains_key("busy"));
        traffic.leave("busy", Some(true), NOW);
        assert!(!traffic.hosts().contains_key("busy"));
    }
}
