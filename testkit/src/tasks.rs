//! The tasks of one process, which all die with it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use handel_ports::{BoxFuture, Spawner};
use tokio::task::{JoinError, JoinSet};

/// Starts tasks on Tokio and remembers them, so that a crash can end them all.
#[derive(Default)]
pub struct Tasks(Mutex<State>);

#[derive(Default)]
struct State {
    running: JoinSet<()>,
    panics: usize,
}

impl State {
    fn note(&mut self, ended: Result<(), JoinError>) {
        self.panics += usize::from(ended.is_err_and(|error| error.is_panic()));
    }

    fn reap(&mut self) {
        while let Some(ended) = self.running.try_join_next() {
            self.note(ended);
        }
    }
}

impl Tasks {
    /// Ends every task wherever it is, as a crash does, and returns when none runs any more.
    pub async fn kill(&self) {
        let mut running = std::mem::take(&mut self.state().running);
        running.abort_all();
        while let Some(ended) = running.join_next().await {
            self.state().note(ended);
        }
    }

    /// How many tasks run now.
    pub fn running(&self) -> usize {
        let mut state = self.state();
        state.reap();
        state.running.len()
    }

    /// How many tasks ended in a panic.
    pub fn panics(&self) -> usize {
        let mut state = self.state();
        state.reap();
        state.panics
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spawner for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let mut state = self.state();
        state.reap();
        state.running.spawn(task);
    }
}

/// Runs futures at the same time, each in a task of its own, and returns what they gave, in their order.
#[expect(clippy::disallowed_methods, reason = "the buyers of a test are no part of its shop")]
pub async fn together<T, F>(futures: impl IntoIterator<Item = F>) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut outcomes = Vec::with_capacity(tasks.len());
    for task in tasks {
        outcomes.push(task.await.expect("a buyer does not panic"));
    }
    outcomes
}

/// Starts something that the test waits for later, or never.
#[expect(clippy::disallowed_methods, reason = "the buyers of a test are no part of its shop")]
pub fn meanwhile<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    tokio::spawn(future)
}

/// Waits until something holds.
///
/// # Panics
/// If it does not hold after twenty seconds of real time: the test would hang otherwise.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    in_time(what, waiting).await;
}

/// Ends a test that would hang.
#[expect(clippy::disallowed_methods, reason = "a test that hangs must end in real time")]
pub(crate) async fn in_time<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    ended.unwrap_or_else(|_| panic!("{what}: it never came"))
}

/// A spawner that can be shared.
pub(crate) fn tasks() -> Arc<Tasks> {
    Arc::default()
}
