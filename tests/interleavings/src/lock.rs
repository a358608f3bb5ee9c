//! A lock that lets any task go on before it is taken and after it is given back.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, PoisonError, TryLockError};
use std::time::Duration;

thread_local! {
    /// How many locks the running task holds. All tasks of a model share a thread.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// Lets any task go on, or this one.
///
/// Not while a lock is held: nobody can see what is half done, so it would only be another way to
/// the same. shuttle's own lock has no such moment after it is given back, since it knows of every
/// other step; it does not know tokio's.
pub fn turn() {
    if HELD.get() == 0 && !std::thread::panicking() {
        shuttle::thread::sleep(Duration::ZERO);
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
        turn();
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
