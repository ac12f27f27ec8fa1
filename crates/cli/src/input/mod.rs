//! Parsers for outside input: flags, configuration files, and the values in them.

pub(crate) mod checkpoint_policy;
pub(crate) mod config_file;
pub mod context;
pub(crate) mod device_name;
pub(crate) mod help_examples;
pub(crate) mod numbers;
pub(crate) mod regular_file;
pub(crate) mod seeds;
pub(crate) mod settings;
pub(crate) mod tasks;
