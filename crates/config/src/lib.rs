//! Configuration for yoi servers: one TOML file, an environment overlay, secret references
