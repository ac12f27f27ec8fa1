//! What learns in a run: the host's [`Learner`], or one on another device.

use alloc::boxed::Box;
use alloc::vec::Vec;

use tensor::Real;

use crate::a2c::{Learner, Metrics, Update};
use crate::env::Task;
use crate::evaluate::{Figures, validate};
use crate::not_finite::NotFinite;
use crate::rollout::Undecided;

/// What an update did, and the rates that it used.
#[derive(Clone, Debug)]
pub struct Done {
    /// What it did.
    pub metrics: Metrics,
    /// α.
    pub rate: f64,
    /// β.
    pub entropy_coefficient: f64,
}

/// Something that makes the updates of a run and plays its validations. What it has come to is on the host after each call, so that
/// checkpoints, tests and resuming do not know who computes.
pub trait Learn<T: Real>: Send {
    /// The network and its optimiser on the host.
    fn host(&self) -> &Learner<T>;

    /// The same, to be loaded or changed.
    fn host_mut(&mut self) -> &mut Learner<T>;

    /// Makes updates: as many as are best made together, one at least and `limit` at most. The first is the one that is given; the
    /// others divide their episodes in the same way.
    ///
    /// # Errors
    /// If the first of them is not finite; the parameters are as they were.
    fn advance(&mut self, task: &dyn Task, update: &Update, limit: usize) -> Result<Vec<Done>, NotFinite>;

    /// Plays the validation after so many updates, greedily: as many episodes of each stage.
    ///
    /// # Errors
    /// If the log-probability of an action is NaN.
    fn validate(
        &mut self,
        task: &dyn Task,
        updates: usize,
        seed: u64,
        episodes: usize,
    ) -> Result<Vec<Figures>, Undecided>;
}

impl<T: Real> Learn<T> for Learner<T> {
    fn host(&self) -> &Self {
        self
    }

    fn host_mut(&mut self) -> &mut Self {
        self
    }

    fn advance(&mut self, task: &dyn Task, update: &Update, _: usize) -> Result<Vec<Done>, NotFinite> {
        let metrics = self.update(task, update)?;
        Ok(Vec::from([Done { metrics, rate: update.rate, entropy_coefficient: update.entropy }]))
    }

    fn validate(
        &mut self,
        task: &dyn Task,
        updates: usize,
        seed: u64,
        episodes: usize,
    ) -> Result<Vec<Figures>, Undecided> {
        validate(&self.policy, &self.params, task, updates, (seed, episodes))
    }
}

impl<T: Real, L: Learn<T> + ?Sized> Learn<T> for Box<L> {
    fn host(&self) -> &Learner<T> {
        (**self).host()
    }

    fn host_mut(&mut self) -> &mut Learner<T> {
        (**self).host_mut()
    }

    fn advance(&mut self, task: &dyn Task, update: &Update, limit: usize) -> Result<Vec<Done>, NotFinite> {
        (**self).advance(task, update, limit)
    }

    fn validate(
        &mut self,
        task: &dyn Task,
        updates: usize,
        seed: u64,
        episodes: usize,
    ) -> Result<Vec<Figures>, Undecided> {
        (**self).validate(task, updates, seed, episodes)
    }
}
