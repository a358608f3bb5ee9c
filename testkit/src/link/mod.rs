//! What stands on the wire between a Backend and a Runtime.

pub(crate) mod head;
