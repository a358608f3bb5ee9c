//! The yoi command: serve a Backend, run a Runtime, talk to Workers
