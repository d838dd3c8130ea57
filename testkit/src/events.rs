//! A subscriber that remembers what it was told, and can refuse to listen.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use handel_domain::id::EventId;
use handel_ports::{EventSubscriber, PublishedEvent};

use crate::Gate;

/// Records every delivery, repetitions included.
#[derive(Default)]
pub struct Recorder(Mutex<State>);

#[derive(Default)]
struct State {
    deliveries: Vec<PublishedEvent>,
    refused: HashSet<String>,
    refused_name: Option<(String, String)>,
    hold: Option<(String, Gate)>,
}

impl Recorder {
    /// Every delivery so far, in order.
    pub fn deliveries(&self) -> Vec<PublishedEvent> {
        self.state().deliveries.clone()
    }

    /// The names of the events of one thing, at all places, in the order in which they first came.
    pub fn names_of(&self, id: &str) -> Vec<&'static str> {
        let mut seen: HashSet<EventId> = HashSet::new();
        let state = self.state();
        let is_of_it = |aggregate: &str| {
            aggregate.strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let of_it = state.deliveries.iter().filter(|delivery| is_of_it(&delivery.aggregate));
        of_it
            .filter(|delivery| seen.insert(delivery.id))
            .map(|delivery| delivery.event.name())
            .collect()
    }

    /// Fails on every event of one thing until it is healed.
    pub fn refuse(&self, aggregate: impl Into<String>) {
        self.state().refused.insert(aggregate.into());
    }

    /// Fails on the events of one name of one thing until it is healed.
    pub fn refuse_name(&self, aggregate: impl Into<String>, name: impl Into<String>) {
        self.state().refused_name = Some((aggregate.into(), name.into()));
    }

    /// Takes everything again.
    pub fn heal(&self) {
        let mut state = self.state();
        state.refused.clear();
        state.refused_name = None;
    }

    /// Stops at the next event of that name, after it was recorded and before it is acknowledged.
    pub fn hold_at(&self, name: impl Into<String>) -> Gate {
        let gate = Gate::default();
        self.state().hold = Some((name.into(), gate.clone()));
        gate
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, event: &PublishedEvent) -> Result<Option<Gate>, String> {
        let mut state = self.state();
        let is_refused_name = state.refused_name.as_ref().is_some_and(|(aggregate, name)| {
            *aggregate == event.aggregate && name == event.event.name()
        });
        if is_refused_name || state.refused.contains(&event.aggregate) {
            return Err("refused on purpose".to_owned());
        }
        state.deliveries.push(event.clone());
        let held = state.hold.take_if(|(name, _)| name == event.event.name());
        Ok(held.map(|(_, gate)| gate))
    }
}

#[async_trait]
impl EventSubscriber for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    async fn receive(&self, event: &PublishedEvent) -> Result<(), String> {
        if let Some(gate) = self.take_in(event)? {
            gate.pass().await;
        }
        Ok(())
    }
}
