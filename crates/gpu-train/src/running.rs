//! The update on a GPU.

use std::ops::Range;

use rl::train::Done;
use tensor::gpu::{Graph, Launch, Queue};
use tensor::{CudaError, Gpu, Real};

use crate::buffers::{self, Buffers};
use crate::description::{Description, Sizes};
use crate::launches;
use crate::operands::METRICS;
use crate::reading;
use crate::results::Played;
use crate::update::Update;

/// The update, with all the memory it needs.
pub(crate) struct Running<T: Real> {
    graph: Graph, // before the buffers: fields are dropped in this order
    launches: Vec<Launch>,
    trial: Vec<Launch>,
    buffers: Buffers<T>,
    queue: Queue,
    sizes: Sizes,
    /// The longest episode, in steps.
    steps: usize,
    /// The episodes of each stage in a batch.
    counts: Vec<usize>,
    /// The number of the first update since the last wait.
    since: u32,
    /// The number of the next update.
    next: u32,
    /// True if the graph is replayed, and not each kernel launched.
    recorded: bool,
}

impl<T: Real> Running<T> {
    #[track_caller]
    pub(crate) fn new(gpu: &'static Gpu, what: &Description) -> Result<Self, CudaError> {
        what.check::<T>();
        Self::room(gpu, what)?;
        let buffers = Buffers::new(gpu, what)?;
        buffers.fill(what)?;
        let launches = launches::update(gpu, what, &buffers)?;
        let trial = launches::trial(gpu, what, &buffers)?;
        gpu.synchronize()?; // the buffers were filled in the GPU's own queue, and are used in another
        let queue = Queue::new(gpu)?;
        let graph = Graph::record(&queue, &launches)?;
        let (sizes, steps) = (what.sizes, what.tables.steps());
        let (counts, since, next, recorded) = (Vec::new(), 0, 0, true);
        Ok(Self { graph, launches, trial, buffers, queue, sizes, steps, counts, since, next, recorded })
    }

    /// Checks that the free memory is enough.
    ///
    /// # Errors
    /// If it is not: with the largest batch that would fit.
    fn room(gpu: &Gpu, what: &Description) -> Result<(), CudaError> {
        gpu.give_back()?;
        let (asked, (free, total)) = (Buffers::<T>::bytes(what), gpu.memory()?);
        if asked <= free {
            return Ok(());
        }
        let fits = buffers::largest_batch::<T>(what, free).map(|batch| format!("{batch} episodes in a batch"));
        Err(CudaError::Memory { asked, free, total, fits })
    }
}

impl<T: Real> Update<T> for Running<T> {
    fn set(&mut self, values: [&[T]; 3], update: u32, step: u32) -> Result<(), CudaError> {
        self.wait()?;
        let here = [&self.buffers.parameters, &self.buffers.first_moments, &self.buffers.second_moments];
        for (memory, values) in here.into_iter().zip(values) {
            let parameters = self.sizes.parameters;
            assert_eq!(parameters, values.len(), "an update of {parameters} parameters");
            memory.write(0, values)?;
        }
        self.buffers.counters.write(0, &reading::counters(update, step))?;
        (self.since, self.next) = (update, update);
        Ok(())
    }

    fn divide(&mut self, counts: &[usize]) -> Result<(), CudaError> {
        if self.counts != counts {
            self.wait()?;
            self.buffers.first.write(0, &firsts(counts, self.sizes.stages, self.sizes.batch))?;
            self.counts = counts.to_vec();
        }
        Ok(())
    }

    fn replay(&mut self, replay: bool) {
        self.recorded = replay;
    }

    fn launch(&mut self, updates: u32) -> Result<(), CudaError> {
        for _ in 0..updates {
            let launched = match self.recorded {
                true => self.graph.replay(),
                false => self.launches.iter().try_for_each(|launch| launch.run(&self.queue)),
            };
            launched.map_err(|error| within(error, self.next..self.next + 1))?;
            self.next += 1;
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<(), CudaError> {
        let waited = self.queue.wait();
        let of = self.since..self.next;
        self.since = self.next;
        waited.map_err(|error| within(error, of))
    }

    fn advance(&mut self, updates: u32) -> Result<Vec<Done>, CudaError> {
        let (from, ring) = (self.next, self.sizes.ring);
        assert!(updates as usize <= ring, "advance: {updates} updates, and metrics are kept of {ring}");
        self.launch(updates)?;
        self.wait()?;
        let counters = self.buffers.counters.read(0..1)?;
        self.since = counters[0];
        self.next = counters[0];
        let words = self.buffers.metrics.read(0..METRICS * ring)?;
        Ok((from..self.next).map(|update| reading::metrics(&words, update as usize % ring, &self.counts)).collect())
    }

    fn state(&mut self) -> Result<[Vec<T>; 3], CudaError> {
        self.wait()?;
        let Buffers { parameters, first_moments, second_moments, .. } = &self.buffers;
        let all = 0..self.sizes.parameters;
        Ok([parameters.read(all.clone())?, first_moments.read(all.clone())?, second_moments.read(all)?])
    }

    fn gradients(&mut self) -> Result<Vec<T>, CudaError> {
        self.wait()?;
        self.buffers.gradients.read(0..self.sizes.parameters)
    }

    fn played(&mut self) -> Result<Played, CudaError> {
        self.wait()?;
        Played::read(&self.buffers.trace(), self.sizes.batch, self.steps)
    }

    fn play(&mut self, counts: &[usize]) -> Result<Played, CudaError> {
        self.wait()?;
        self.buffers.trial_first.write(0, &firsts(counts, self.sizes.stages, self.sizes.trial))?;
        self.trial.iter().try_for_each(|launch| launch.run(&self.queue))?;
        self.wait()?;
        Played::read(&self.buffers.trial_trace(), self.sizes.trial, self.steps)
    }
}

/// Launches that still run use the buffers, so they are waited for.
impl<T: Real> Drop for Running<T> {
    fn drop(&mut self) {
        self.wait().ok(); // a GPU that is gone does nothing more
    }
}

/// The first episode of each stage, and the number of all episodes at the end.
#[track_caller]
fn firsts(counts: &[usize], stages: usize, episodes: usize) -> Vec<u32> {
    let all = counts.iter().try_fold(0_usize, |all, &count| all.checked_add(count));
    assert!(
        counts.len() == stages && all == Some(episodes),
        "{counts:?}: {episodes} episodes of {stages} stages were expected"
    );
    let mut next = 0;
    let mut first = vec![0];
    // Each is at most `episodes`, which `Description::check` keeps below 2²⁹.
    first.extend(counts.iter().map(|&count| {
        next += count as u32;
        next
    }));
    first
}

/// Adds to a failure the updates in which it may have happened, counted from 1.
fn within(error: CudaError, updates: Range<u32>) -> CudaError {
    let CudaError::Failed { doing, said } = error else { return error };
    let doing = match updates.len() {
        0 => doing,
        1 => format!("{doing}, in update {}", updates.end),
        _ => format!("{doing}, in one of the updates {} to {}", updates.start + 1, updates.end),
    };
    CudaError::Failed { doing, said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_begin_where_the_others_end() {
        assert_eq!(firsts(&[3, 0, 2], 3, 5), [0, 3, 3, 5]);
    }

    #[test]
    #[should_panic(expected = "[3, 2]: 6 episodes of 2 stages were expected")]
    fn a_batch_is_divided_wholly() {
        firsts(&[3, 2], 2, 6);
    }

    #[test]
    #[should_panic(expected = "[18446744073709551615, 6]: 5 episodes of 2 stages were expected")]
    #[cfg(target_pointer_width = "64")]
    fn firsts_counts_that_wrap_are_refused() {
        firsts(&[usize::MAX, 6], 2, 5);
    }

    #[test]
    fn a_failure_names_its_update_as_people_count() {
        let failure = || CudaError::Failed { doing: "waiting".into(), said: "gone".into() };
        let words = |updates| within(failure(), updates).to_string();
        assert!(words(6..7).starts_with("the GPU failed: waiting, in update 7: gone;"));
        assert!(words(4..8).starts_with("the GPU failed: waiting, in one of the updates 5 to 8: gone;"));
        assert!(words(4..4).starts_with("the GPU failed: waiting: gone;"));
        assert_eq!(within(CudaError::NoDevice, 0..1), CudaError::NoDevice);
    }
}
