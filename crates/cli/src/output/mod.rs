//! Output for readers: printed lines, tables and HTML pages.

#[cfg(test)]
mod contrast_tests;
pub(crate) mod html;
pub(crate) mod print;
pub(crate) mod profile_table;
pub(crate) mod score_stats;
pub(crate) mod seeds_summary;
pub(crate) mod table;
pub(crate) mod timestamp;
pub(crate) mod width;
