//! A clock that only a test moves.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use handel_ports::{BoxFuture, Clock};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

/// When every test begins: 2026-01-05 09:00 UTC, a Monday.
pub const START: Timestamp = Timestamp::constant(1_767_603_600, 0);

/// Time that stands still until it is advanced, but for a microsecond with each look at it, so that no two
/// looks see the same time and none sees an earlier one.
pub struct SimulatedClock(Mutex<State>);

struct State {
    now: Timestamp,
    /// Who sleeps until when. The number tells those apart who sleep until the same time.
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
    slept: u64,
}

impl Default for SimulatedClock {
    fn default() -> Self {
        Self(Mutex::new(State { now: START, sleepers: BTreeMap::new(), slept: 0 }))
    }
}

impl SimulatedClock {
    /// Lets time pass, and wakes those whose time has come, the earliest first.
    pub fn advance(&self, duration: Duration) {
        self.state().pass(SignedDuration::try_from(duration).expect("a test is not that long"));
    }

    /// Lets time pass until the next sleeper wakes. False if nobody sleeps.
    pub fn advance_to_next(&self) -> bool {
        let mut state = self.state();
        // Who no longer sleeps is not waited for.
        while state.sleepers.first_entry().is_some_and(|first| first.get().is_closed()) {
            state.sleepers.pop_first();
        }
        let Some((until, _)) = state.sleepers.first_key_value().map(|(key, _)| *key) else {
            return false;
        };
        let missing = until.duration_since(state.now).max(SignedDuration::ZERO);
        state.pass(missing);
        true
    }

    /// Puts the clock back, as somebody does who corrects it. Who sleeps, sleeps as long as before.
    pub fn turn_back(&self, duration: Duration) {
        let duration = SignedDuration::try_from(duration).expect("a test is not that long");
        let mut state = self.state();
        state.now -= duration;
        let sleepers = std::mem::take(&mut state.sleepers);
        let earlier = |((until, number), wake)| ((until - duration, number), wake);
        state.sleepers = sleepers.into_iter().map(earlier).collect();
    }

    /// How many sleep now.
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.values().filter(|sleeper| !sleeper.is_closed()).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pass(&mut self, duration: SignedDuration) {
        self.now += duration;
        while let Some(first) =
            self.sleepers.first_entry().filter(|first| first.key().0 <= self.now)
        {
            // Who no longer sleeps need not be woken.
            let _gone = first.remove().send(());
        }
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let mut state = self.state();
        state.pass(SignedDuration::from_micros(1));
        state.now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.state();
        let until = state.now.saturating_add(duration).unwrap_or(Timestamp::MAX);
        if until <= state.now {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        state.slept += 1;
        let number = state.slept;
        state.sleepers.insert((until, number), wake);
        Box::pin(async move {
            if woken.await.is_err() {
                // The clock is gone, and with it the test: time no longer passes.
                std::future::pending::<()>().await;
            }
        })
    }
}

/// The clock of a machine that is late.
pub(crate) struct LateClock {
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) late: Duration,
}

impl Clock for LateClock {
    fn now(&self) -> Timestamp {
        self.clock.now() - self.late
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn is_over(sleep: &mut BoxFuture<'static, ()>) -> bool {
        sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[test]
    fn time_never_stands_and_never_goes_back() {
        let clock = SimulatedClock::default();
        let looks: Vec<_> = (0..100).map(|_| clock.now()).collect();
        assert!(looks.is_sorted_by(|before, after| before < after));
        assert!(
            looks.iter().all(|look| look.as_nanosecond() % 1_000 == 0),
            "in whole microseconds"
        );
    }

    #[test]
    fn a_clock_that_is_put_back_wakes_nobody_later() {
        let clock = SimulatedClock::default();
        let mut sleep = clock.sleep(Duration::from_secs(2));
        clock.turn_back(Duration::from_hours(1));
        assert!(clock.now() < START);
        clock.advance(Duration::from_secs(1));
        assert!(!is_over(&mut sleep));
        clock.advance(Duration::from_secs(1));
        assert!(is_over(&mut sleep));
    }

    #[test]
    fn a_sleeper_wakes_when_its_time_has_come_and_not_before() {
        let clock = SimulatedClock::default();
        let (mut short, mut long) =
            (clock.sleep(Duration::from_secs(1)), clock.sleep(Duration::from_secs(60)));
        assert!(!is_over(&mut short) && clock.sleepers() == 2);
        clock.advance(Duration::from_secs(2));
        assert!(is_over(&mut short) && !is_over(&mut long));
        drop(long);
        assert_eq!(clock.sleepers(), 0, "who gave up is not counted");
        assert!(is_over(&mut clock.sleep(Duration::ZERO)));
    }
}
