//! Who listens to the shop's events: fails at times, and notices what is missing or out of order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use handel_domain::{event::Event, id::EventId};
use handel_ports::{EventSubscriber, PublishedEvent, System};

use crate::{dice::Dice, trace::Trace};

/// A subscriber of everything.
pub struct Listener {
    system: System,
    dice: Dice,
    trace: Arc<Trace>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seen: BTreeSet<EventId>,
    /// The last event of each order.
    orders: BTreeMap<String, i64>,
    is_down: bool,
    is_perfect: bool,
}

impl Listener {
    /// One that has heard nothing yet.
    pub fn new(system: System, dice: Dice, trace: Arc<Trace>) -> Self {
        Self { system, dice, trace, state: Mutex::default() }
    }

    /// Refuses everything, or takes most of it again.
    pub fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    /// Takes everything from now on.
    pub fn heal(&self) {
        let mut state = self.state();
        state.is_down = false;
        state.is_perfect = true;
    }

    /// The last event of an order that was heard of.
    pub fn last_of(&self, order: &str) -> i64 {
        self.state().orders.get(order).copied().unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, event: &PublishedEvent) {
        let mut state = self.state();
        if !state.seen.insert(event.id) {
            drop(state);
            self.trace.count("events again");
            return;
        }
        let mut wrong = None;
        if matches!(event.event, Event::Order(_)) {
            let last = state.orders.entry(event.aggregate.clone()).or_default();
            if event.sequence != *last + 1 {
                wrong = Some(*last);
            }
            *last = (*last).max(event.sequence);
        }
        drop(state);
        self.trace.count("events");
        if let Some(last) = wrong {
            let (aggregate, sequence, name) =
                (&event.aggregate, event.sequence, event.event.name());
            self.trace.violation(format!(
                "event {sequence} ({name}) of {aggregate} was delivered after event {last}"
            ));
        }
    }
}

#[async_trait]
impl EventSubscriber for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }

    async fn receive(&self, event: &PublishedEvent) -> Result<(), String> {
        let (is_down, is_perfect) = {
            let state = self.state();
            (state.is_down, state.is_perfect)
        };
        if !is_perfect && self.dice.percent(2) {
            self.system.sleep(self.dice.millis(1, 3_000)).await;
        }
        if is_down || (!is_perfect && self.dice.percent(2)) {
            self.trace.count("events refused");
            return Err("not now".to_owned());
        }
        self.take_in(event);
        // It may have taken the event in and fail to say so.
        if !is_perfect && self.dice.percent(1) {
            self.trace.count("events refused");
            return Err("taken in, and then it failed".to_owned());
        }
        Ok(())
    }
}
