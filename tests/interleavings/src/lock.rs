//! A lock that lets any task go on before it is taken and after it is given back.

use std::cell::Cell;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::{LockResult, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

thread_local! {
    /// How many locks the running task holds. All tasks of a model share a thread.
    static HELD: Cell<usize> = const { Cell::new(0) };
    /// Whether the order does not matter yet.
    static SETTING: Cell<bool> = const { Cell::new(false) };
    static GRAIN: Cell<Grain> = const { Cell::new(Grain::Fine) };
}

/// What is one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// What is done under a lock, and what is done between two.
    Fine,
    /// Both together, up to where the lock is given back: far fewer orders, so that models can be
    /// larger. Not tried is who comes between a task's word to others, or its wish to be woken,
    /// and the lock that it takes next.
    Coarse,
}

impl Grain {
    pub(crate) fn set(self) {
        GRAIN.set(self);
    }
}

/// Lets any task go on, or this one.
///
/// Not while a lock is held: nobody can see what is half done, so it would only be another way to
/// the same. shuttle's own lock has no such moment after it is given back, since it knows of every
/// other step; it does not know tokio's.
pub fn turn() {
    if HELD.get() == 0 && !SETTING.get() && !std::thread::panicking() {
        shuttle::thread::sleep(Duration::ZERO);
    }
}

/// Sets the scene of a model in one step; it must not wait for anybody.
///
/// # Panics
/// It waits.
pub fn set<T>(scene: impl Future<Output = T>) -> T {
    SETTING.set(true);
    let mut nobody = Context::from_waker(Waker::noop());
    let scene = pin!(scene).poll(&mut nobody);
    SETTING.set(false);
    match scene {
        Poll::Ready(scene) => scene,
        Poll::Pending => panic!("a scene waits for nobody"),
    }
}

/// The same as [`std::sync::Mutex`], for a model.
#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

/// The same as [`std::sync::MutexGuard`].
#[derive(Debug)]
pub struct MutexGuard<'a, T>(Option<std::sync::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    /// A lock that nobody holds.
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// Takes it.
    ///
    /// # Errors
    /// Whoever held it panicked.
    ///
    /// # Panics
    /// Somebody holds it, and waits for something else.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        if GRAIN.get() == Grain::Fine {
            turn();
        }
        let locked = self.0.try_lock();
        HELD.set(HELD.get() + 1);
        match locked {
            Ok(guard) => Ok(MutexGuard(Some(guard))),
            Err(TryLockError::Poisoned(error)) => {
                Err(PoisonError::new(MutexGuard(Some(error.into_inner()))))
            }
            Err(TryLockError::WouldBlock) => panic!("a lock is held across a wait"),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is held until it is dropped")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it is held until it is dropped")
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.0 = None;
        HELD.set(HELD.get() - 1);
        turn();
    }
}
