//! A typed client for yoi's Runtime and Backend APIs
