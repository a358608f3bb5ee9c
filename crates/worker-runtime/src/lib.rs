//! The yoi Runtime: runs long-lived agent Workers and keeps their log
