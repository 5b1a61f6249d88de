//! Finds personal data.
