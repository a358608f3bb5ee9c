//! A small server to ask, and ways to ask it.

mod ask;
mod place;
mod source;
mod wire;

pub(crate) use ask::{Answer, ask, get, post};
pub(crate) use place::{Place, edged, problem_of, settings, table};
pub(crate) use source::{Script, frame};
pub(crate) use wire::{Running, WAIT, metrics_here, read_all, until};
