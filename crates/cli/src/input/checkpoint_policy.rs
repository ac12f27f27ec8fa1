//! Settings for the checkpoints of a run. They do not change what the run learns.

rl::choices! {
    /// Reaction to a checkpoint or a line that cannot be written.
    pub(crate) enum OnError {
        /// Stop. The last checkpoint is complete, and the run can be resumed from it.
        Stop = "stop",
        /// Continue, and try to write again later.
        Continue = "continue",
    }
}

rl::settings! {
    /// When a run writes checkpoints, and which of them it keeps.
    pub(crate) struct CheckpointPolicy {
        "Checkpoints":
        /// Updates between checkpoints of the run; each checkpoint replaces the one before.
        save_every: usize = 25, "whole numbers from 1 to 1000000000", |&x| (1..=1_000_000_000).contains(&x);
        /// Updates between checkpoints that are kept for good in `checkpoints`; 0 keeps none.
        keep_every: usize = 0, "whole numbers from 0 to 1000000000", |&x| x <= 1_000_000_000;
        /// Action if a file cannot be written, for example because the disk is full; the last checkpoint stays complete.
        on_save_error: OnError = OnError::Stop, "stop or continue", |_| true;
    }
}
