//! A Runtime against a model of it: whatever is done to its Workers, in whatever order, with a
//! store that fails and with restarts, they are what the model says, to each of their readers.

mod model;
mod past;
mod steps;
mod system;
mod watcher;

use proptest_state_machine::prop_state_machine;

use crate::cases;
use system::System;

prop_state_machine! {
    #![proptest_config(cases(96))]

    #[test]
    fn a_runtime_does_what_its_model_does(sequential 1..40 => System);
}
