//! The yoi Backend: one API over embedded and remote Runtimes
