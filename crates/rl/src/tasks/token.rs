//! The 18 tokens: the digits 0 to 9, with the same numbers, and eight named tokens.

/// Ends the context.
pub const CTX: u32 = 10;
/// Multiplies.
pub const MUL: u32 = 11;
/// Adds.
pub const ADD: u32 = 12;
/// Subtracts.
pub const SUB: u32 = 13;
/// Answers: ends the episode.
pub const ANS: u32 = 14;
/// Stores.
pub const STO: u32 = 15;
/// Recalls.
pub const RCL: u32 = 16;
/// Ends a sequence; no task gives it a meaning.
pub const EOS: u32 = 17;

/// The number of tokens.
pub const COUNT: usize = NAMES.len();

/// The six tools: the tokens that have an effect as actions.
pub const TOOLS: [u32; 6] = [MUL, ADD, SUB, ANS, STO, RCL];

/// All tokens.
pub const ALL: [u32; COUNT] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, CTX, MUL, ADD, SUB, ANS, STO, RCL, EOS];

const NAMES: [&str; 18] =
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "CTX", "MUL", "ADD", "SUB", "ANS", "STO", "RCL", "EOS"];

/// The printed name of `token`.
///
/// # Panics
/// If there is no such token.
#[track_caller]
pub fn name(token: u32) -> &'static str {
    NAMES.get(token as usize).copied().unwrap_or_else(|| panic!("token {token}, but there are {COUNT} tokens"))
}
