//! The binary `yoi` against a real `yoi serve`, as a user meets it.

mod answers;
mod backend;
mod checking;
mod codes;
mod durable;
mod following;
mod once;
mod serving;
mod shape;
mod stores;

use backend::Backend;
use shape::shape;
