//! Test yoi, and what is built on it, against Runtimes that misbehave
