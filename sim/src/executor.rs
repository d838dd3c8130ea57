//! Runs tasks one poll at a time, in an order that follows from the seed.
//!
//! Owns nothing of the shop: it knows tasks, who owns them, and the one thread that it runs on. The work of
//! the database is a step like any other, so a run can be repeated exactly.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use handel_ports::{BoxFuture, Spawner};

use crate::dice::Dice;

/// Whose task it is: those of a process die with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// Shoppers, staff, the provider, the weather.
    World,
    /// The process of the shop that runs now.
    Process,
    /// What looks after the shop when all others have gone.
    Closing,
}

/// Where tasks are born and woken. Shared by everybody.
#[derive(Default)]
pub struct Scheduler(Mutex<Pending>);

#[derive(Default)]
struct Pending {
    born: Vec<(Owner, BoxFuture<'static, ()>)>,
    ready: Vec<u64>,
}

impl Scheduler {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts tasks for one owner.
pub struct SpawnFor {
    /// Where they are started.
    pub scheduler: Arc<Scheduler>,
    /// Whose they are.
    pub owner: Owner,
}

impl Spawner for SpawnFor {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.scheduler.pending().born.push((self.owner, task));
    }
}

struct Task {
    owner: Owner,
    future: BoxFuture<'static, ()>,
    waker: Arc<TaskWaker>,
}

struct TaskWaker {
    id: u64,
    is_ready: AtomicBool,
    scheduler: Arc<Scheduler>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if !self.is_ready.swap(true, Ordering::AcqRel) {
            self.scheduler.pending().ready.push(self.id);
        }
    }
}

/// All tasks of a run.
pub struct Executor {
    scheduler: Arc<Scheduler>,
    tasks: BTreeMap<u64, Task>,
    next_id: u64,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// A task of this owner was polled.
    Task(u64, Owner),
    /// The choice fell on something outside, by its place among `others`.
    Other(usize),
    /// There was nothing to choose from.
    Nothing,
}

impl Executor {
    /// Without any task.
    pub fn new(scheduler: Arc<Scheduler>) -> Self {
        Self { scheduler, tasks: BTreeMap::new(), next_id: 1 }
    }

    /// Polls one of the tasks that are ready, or leaves the step to one of `others`.
    pub fn step(&mut self, dice: &Dice, others: usize) -> Stepped {
        self.adopt();
        let id = {
            let mut pending = self.scheduler.pending();
            let choices = pending.ready.len() + others;
            if choices == 0 {
                return Stepped::Nothing;
            }
            let choice = dice.index(choices);
            if choice < others {
                return Stepped::Other(choice);
            }
            pending.ready.swap_remove(choice - others)
        };
        let Some(mut task) = self.tasks.remove(&id) else { return self.step(dice, others) };
        task.waker.is_ready.store(false, Ordering::Release);
        let (owner, waker) = (task.owner, Waker::from(task.waker.clone()));
        if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.tasks.insert(id, task);
        }
        Stepped::Task(id, owner)
    }

    /// Takes in tasks that were started since.
    fn adopt(&mut self) {
        let born = std::mem::take(&mut self.scheduler.pending().born);
        for (owner, future) in born {
            let id = self.next_id;
            self.next_id += 1;
            let scheduler = self.scheduler.clone();
            let waker = Arc::new(TaskWaker { id, is_ready: AtomicBool::new(true), scheduler });
            self.tasks.insert(id, Task { owner, future, waker });
            self.scheduler.pending().ready.push(id);
        }
    }

    /// Ends all tasks of an owner wherever they are.
    pub fn kill(&mut self, owner: Owner) {
        self.adopt();
        let dead: Vec<u64> =
            self.tasks.iter().filter(|(_, task)| task.owner == owner).map(|(id, _)| *id).collect();
        for id in dead {
            drop(self.tasks.remove(&id));
        }
        // Whatever the dying started dies, too.
        self.scheduler.pending().born.retain(|(of, _)| *of != owner);
    }
}

/// Lets others go first, once.
pub async fn yield_now() {
    let mut has_yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls a future once, without anybody to wake.
pub fn poll_once<T>(future: &mut Pin<Box<dyn Future<Output = T> + '_>>) -> Option<T> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order_of(seed: u64) -> Vec<u32> {
        let scheduler = Arc::new(Scheduler::default());
        let said = Arc::new(Mutex::new(Vec::new()));
        for n in 0..10 {
            let said = said.clone();
            let task = async move {
                said.lock().unwrap().push(n);
                yield_now().await;
                said.lock().unwrap().push(n + 100);
            };
            SpawnFor { scheduler: scheduler.clone(), owner: Owner::World }.spawn(Box::pin(task));
        }
        let (mut executor, dice) = (Executor::new(scheduler), Dice::new(seed, "order"));
        while executor.step(&dice, 0) != Stepped::Nothing {}
        Arc::try_unwrap(said).unwrap().into_inner().unwrap()
    }

    #[test]
    fn the_order_of_steps_follows_from_the_seed() {
        assert_eq!(order_of(1), order_of(1));
        assert_ne!(order_of(1), order_of(2));
        let mut all = order_of(3);
        all.sort_unstable();
        assert_eq!(all, (0..10).chain(100..110).collect::<Vec<_>>(), "every task ends");
    }

    #[test]
    fn tasks_of_a_dead_owner_are_polled_no_more() {
        let scheduler = Arc::new(Scheduler::default());
        let reached = Arc::new(AtomicBool::new(false));
        let task = {
            let reached = reached.clone();
            async move {
                yield_now().await;
                reached.store(true, Ordering::Release);
            }
        };
        SpawnFor { scheduler: scheduler.clone(), owner: Owner::Process }.spawn(Box::pin(task));
        let (mut executor, dice) = (Executor::new(scheduler), Dice::new(1, "kill"));
        assert_eq!(executor.step(&dice, 0), Stepped::Task(1, Owner::Process));
        executor.kill(Owner::Process);
        assert_eq!(executor.step(&dice, 0), Stepped::Nothing);
        assert!(!reached.load(Ordering::Acquire));
    }
}
