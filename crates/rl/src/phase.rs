//! The parts of an update, to be told apart by a profile.
//!
//! They are numbered as `tensor::profile` knows them. Without a profile that runs, and without `std`, a phase is just done.

/// A part of an update; [`a2c`](crate::a2c) describes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// All of it, on the thread that waits for the others.
    Update = 1,
    /// Playing the episodes of a chunk.
    Act,
    /// Advantages and targets.
    Judge,
    /// The loss of a chunk and its gradients.
    Learn,
    /// The loss of earlier successes of a stage and its gradients.
    Imitate,
    /// Adding the chunks' gradients.
    Add,
    /// Clipping their norm.
    Clip,
    /// The optimiser's step.
    Step,
}

impl Phase {
    /// All, in the order in which they run.
    pub const ALL: [Self; 8] =
        [Self::Update, Self::Act, Self::Judge, Self::Learn, Self::Imitate, Self::Add, Self::Clip, Self::Step];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Act => "act",
            Self::Judge => "judge",
            Self::Learn => "learn",
            Self::Imitate => "imitate",
            Self::Add => "add",
            Self::Clip => "clip",
            Self::Step => "step",
        }
    }

    /// Does `f` in this phase.
    pub(crate) fn of<R>(self, f: impl FnOnce() -> R) -> R {
        #[cfg(feature = "std")]
        if let Some(profile) = tensor::profile::running() {
            return profile.span(self as usize, f);
        }
        f()
    }
}
