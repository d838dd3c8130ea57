//! Everything around the shop, and the way to it: shared by all actors.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use handel_domain::{Code, id::OrderId};
use handel_ports::System;
use tokio::sync::{Notify, oneshot};

use crate::{
    dice::Dice,
    door::{Answer, Doors, Entrance, Money, Reply, Request, Told},
    executor::yield_now,
    listener::Listener,
    provider::Provider,
    receiver::Receiver,
    trace::Trace,
};

/// A process of the shop that runs.
#[derive(Clone)]
pub struct Process {
    /// The doors of the shop.
    pub entrance: Entrance,
    /// Starts tasks that die with the process.
    pub system: System,
    /// Whether it has died. What a dying process says reaches nobody.
    pub is_dead: Arc<AtomicBool>,
}

/// What all actors share.
pub struct World {
    /// Time and tasks outside of the shop.
    pub system: System,
    /// The doors that are open.
    pub doors: Doors,
    /// The seed, from which every actor makes dice of its own.
    pub seed: u64,
    /// The record of the run.
    pub trace: Arc<Trace>,
    /// The payment provider.
    pub provider: Arc<Provider>,
    /// Who listens to events.
    pub listener: Arc<Listener>,
    /// Who is told of the orders of programs.
    pub web: Arc<Receiver>,
    /// Told when a process has died.
    pub died: Notify,
    processes: Mutex<BTreeMap<usize, Process>>,
    /// Orders that somebody was told of, and whether as paid.
    acknowledged: Mutex<BTreeMap<OrderId, bool>>,
    is_closing: AtomicBool,
    network: Dice,
}

/// How long a caller waits before it hangs up.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// Until so much time has passed.
    Time(Duration),
    /// Until so many other steps were taken, which may be in the middle of anything.
    Steps(u64),
}

impl World {
    /// A world without a shop.
    pub fn new(
        system: System,
        seed: u64,
        doors: Doors,
        trace: Arc<Trace>,
        provider: Arc<Provider>,
        listener: Arc<Listener>,
    ) -> Self {
        let web = Receiver::new(system.clone(), Dice::new(seed, "receiver"), trace.clone());
        Self {
            system,
            doors,
            seed,
            trace,
            provider,
            listener,
            web: Arc::new(web),
            died: Notify::new(),
            processes: Mutex::default(),
            acknowledged: Mutex::default(),
            is_closing: AtomicBool::new(false),
            network: Dice::new(seed, "network"),
        }
    }

    /// Puts a process into a place, or takes it out.
    pub fn set_process(&self, place: usize, process: Option<Process>) {
        let mut processes = lock(&self.processes);
        let before = match process {
            Some(process) => processes.insert(place, process),
            None => processes.remove(&place),
        };
        drop(processes);
        drop(before);
    }

    /// The process in a place.
    pub fn process(&self, place: usize) -> Option<Process> {
        lock(&self.processes).get(&place).cloned()
    }

    fn any_process(&self) -> Option<Process> {
        let processes = lock(&self.processes);
        let at = self.network.index(processes.len());
        processes.values().nth(at).cloned()
    }

    /// Whether actors should come to an end.
    pub fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// Tells all actors to come to an end.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    /// Sleeps on the simulated clock.
    pub async fn sleep(&self, duration: Duration) {
        self.system.sleep(duration).await;
    }

    /// Sends a request to one of the processes. The answer may never come.
    pub async fn call(&self, request: Request, patience: Patience) -> Answer {
        if self.network.percent(50) {
            self.sleep(self.network.millis(1, 40)).await;
        }
        let Some(process) = self.any_process() else {
            self.sleep(Duration::from_millis(20)).await;
            return Answer::Lost;
        };
        let (mut answer, answered) = oneshot::channel();
        let entrance = process.entrance.clone();
        process.system.spawn(async move {
            // A server drops what it does for a client that has hung up.
            let served = tokio::select! {
                biased;
                () = answer.closed() => return,
                served = entrance.serve(request) => served,
            };
            let _gone = answer.send(served);
        });
        let is_dead = process.is_dead.clone();
        drop(process);
        let answer = self.wait(answered, patience).await;
        if is_dead.load(Ordering::Acquire) { Answer::Lost } else { answer }
    }

    async fn wait(&self, mut answered: oneshot::Receiver<Answer>, patience: Patience) -> Answer {
        match patience {
            Patience::Time(limit) => {
                let answer = self.system.within(limit, answered).await;
                answer.and_then(Result::ok).unwrap_or(Answer::Lost)
            }
            Patience::Steps(steps) => {
                for _ in 0..steps {
                    match answered.try_recv() {
                        Ok(answer) => return answer,
                        Err(oneshot::error::TryRecvError::Closed) => break,
                        Err(oneshot::error::TryRecvError::Empty) => yield_now().await,
                    }
                }
                Answer::Lost
            }
        }
    }

    /// Looks at an answer for what must never be.
    pub fn judge(&self, request: &Request, answer: &Answer) {
        match answer {
            Answer::Refused(refusal) if refusal.code == Code::Internal => {
                self.trace.violation(format!("{}: {}", request.call.name(), refusal));
            }
            Answer::Ok(Told { reply: Reply::Purchase(purchase), .. }) => {
                let Some(order) = purchase.order else { return };
                let mut acknowledged = lock(&self.acknowledged);
                *acknowledged.entry(order).or_default() |= purchase.money == Money::Paid;
            }
            _ => {}
        }
    }

    /// Orders that somebody was told of, and whether as paid.
    pub fn acknowledged(&self) -> BTreeMap<OrderId, bool> {
        lock(&self.acknowledged).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
