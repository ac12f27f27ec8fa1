//! What a run keeps of itself while it goes on. None of it changes what the run learns.

rl::choices! {
    /// What to do if a checkpoint or a line cannot be written.
    pub(crate) enum OnError {
        /// Stop: the last checkpoint is whole, and the run can be resumed from it.
        Stop = "stop",
        /// Go on, and try again.
        Continue = "continue",
    }
}

rl::settings! {
    /// What a run keeps of itself.
    pub(crate) struct Keeping {
        /// Updates between checkpoints of the run, each of which replaces the one before.
        save_every: usize = 25, "whole numbers from 1 to 1000000000", |&x| (1..=1_000_000_000).contains(&x);
        /// Updates between checkpoints that are kept for good, in `checkpoints`; 0 keeps none.
        keep_every: usize = 0, "whole numbers from 0 to 1000000000", |&x| x <= 1_000_000_000;
        /// What to do if the disk is full, or cannot be written for another reason: the last checkpoint stays whole in any case.
        on_save_error: OnError = OnError::Stop, "stop or continue", |_| true;
    }
}
