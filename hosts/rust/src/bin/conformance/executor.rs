//! Executor: tasks on one thread, in the order in which they are woken, and a word when none can go on.
//!
//! That word is why it is not tokio: a command has been worked off when nothing more can happen by itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use wasm_proactor::BoxFuture;

/// What wakers and tasks reach: who is ready, and who has come.
#[derive(Default)]
struct Queue {
    ready: VecDeque<Arc<Task>>,
    spawned: Vec<BoxFuture<()>>,
}

#[derive(Clone, Default)]
pub struct Spawner(Arc<Mutex<Queue>>);

impl Spawner {
    pub fn spawn(&self, task: BoxFuture<()>) {
        self.0.lock().unwrap().spawned.push(task);
    }
}

struct Task {
    id: u64,
    is_ready: AtomicBool,
    spawner: Spawner,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.is_ready.swap(true, Ordering::AcqRel) {
            let queue = self.spawner.0.clone();
            queue.lock().unwrap().ready.push_back(self);
        }
    }
}

#[derive(Default)]
pub struct Executor {
    spawner: Spawner,
    tasks: BTreeMap<u64, BoxFuture<()>>,
    last: u64,
}

impl Executor {
    pub fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Starts a task, and gives its number.
    pub fn start(&mut self, task: BoxFuture<()>) -> u64 {
        self.last += 1;
        self.tasks.insert(self.last, task);
        Arc::new(Task { id: self.last, is_ready: AtomicBool::new(false), spawner: self.spawner() }).wake();
        self.last
    }

    /// Drops a task that has not ended.
    pub fn cancel(&mut self, id: u64) {
        self.tasks.remove(&id);
    }

    /// Runs until no task can go on.
    pub fn run_until_stalled(&mut self) {
        loop {
            let spawned = std::mem::take(&mut self.spawner.0.lock().unwrap().spawned);
            for task in spawned {
                self.start(task);
            }
            let next = self.spawner.0.lock().unwrap().ready.pop_front();
            match next {
                Some(task) => self.poll(task),
                None if self.spawner.0.lock().unwrap().spawned.is_empty() => return,
                None => {}
            }
        }
    }

    fn poll(&mut self, task: Arc<Task>) {
        task.is_ready.store(false, Ordering::Release);
        let Some(future) = self.tasks.get_mut(&task.id) else { return };
        let id = task.id;
        let waker = Waker::from(task);
        if let Poll::Ready(()) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.tasks.remove(&id);
        }
    }
}
