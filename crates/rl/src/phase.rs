//! The phases of an update, for the profiler.
//!
//! The numbers of the phases are their ids in `tensor::profile`. If no profile is running, or without `std`, a phase runs
//! without timing.

/// A phase of an update; [`a2c`](crate::a2c) describes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The whole update, on the thread that waits for the others.
    Update = 1,
    /// Plays the episodes of a chunk.
    Act,
    /// Finds what the episodes achieved, and draws programs to learn from.
    Relabel,
    /// Computes advantages and targets.
    Advantages,
    /// Computes the loss of a chunk and its gradients.
    Learn,
    /// Computes the loss of earlier successes or of relabelled programs, and its gradients.
    Imitate,
    /// Adds the gradients of the chunks.
    Add,
    /// Clips the norm of the gradient.
    Clip,
    /// Steps the optimiser.
    Step,
}

impl Phase {
    /// All phases, in the order in which they run.
    pub const ALL: [Self; 9] = [
        Self::Update,
        Self::Act,
        Self::Relabel,
        Self::Advantages,
        Self::Learn,
        Self::Imitate,
        Self::Add,
        Self::Clip,
        Self::Step,
    ];

    /// The name of the phase.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Act => "act",
            Self::Relabel => "relabel",
            Self::Advantages => "advantages",
            Self::Learn => "learn",
            Self::Imitate => "imitate",
            Self::Add => "add",
            Self::Clip => "clip",
            Self::Step => "step",
        }
    }

    /// Runs `f` as this phase.
    pub(crate) fn run<R>(self, f: impl FnOnce() -> R) -> R {
        #[cfg(feature = "std")]
        if let Some(profile) = tensor::profile::running() {
            return profile.span(self as usize, f);
        }
        f()
    }
}
