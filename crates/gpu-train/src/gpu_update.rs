//! The update on a GPU: buffers, launches and the recorded graph.

use std::ops::Range;

use rl::train::UpdateResult;
use tensor::gpu::{GpuStream, Graph, Launch};
use tensor::{CudaError, Gpu, Real};

use crate::buffers::{self, Buffers};
use crate::episode_record::EpisodeRecord;
use crate::launches;
use crate::operands::METRICS;
use crate::readback;
use crate::spec::{Sizes, UpdateSpec};
use crate::update::Update;

/// The update on a GPU, with all its memory.
pub(crate) struct GpuUpdate<T: Real> {
    graph: Graph, // before the buffers: fields are dropped in this order
    launches: Vec<Launch>,
    evaluation: Vec<Launch>,
    buffers: Buffers<T>,
    stream: GpuStream,
    sizes: Sizes,
    /// T, the number of steps of the longest episode.
    steps: usize,
    /// The episodes of each stage in a batch.
    counts: Vec<usize>,
    /// The number of the first update since the last synchronization.
    since: u32,
    /// The number of the next update.
    next: u32,
    /// True if the graph is replayed; false if each kernel is launched.
    recorded: bool,
}

impl<T: Real> GpuUpdate<T> {
    #[track_caller]
    pub(crate) fn new(gpu: &'static Gpu, spec: &UpdateSpec) -> Result<Self, CudaError> {
        spec.check::<T>();
        Self::room(gpu, spec)?;
        let buffers = Buffers::new(gpu, spec)?;
        buffers.fill(spec)?;
        let launches = launches::update_launches(gpu, spec, &buffers)?;
        let evaluation = launches::evaluation_launches(gpu, spec, &buffers)?;
        gpu.synchronize()?; // the buffers were filled on the GPU's main stream, and are used on another
        let stream = GpuStream::new(gpu)?;
        let graph = Graph::record(&stream, &launches)?;
        let (sizes, steps) = (spec.sizes, spec.tables.steps());
        let (counts, since, next, recorded) = (Vec::new(), 0, 0, true);
        Ok(Self { graph, launches, evaluation, buffers, stream, sizes, steps, counts, since, next, recorded })
    }

    /// Checks that the free memory is enough.
    ///
    /// # Errors
    /// If it is too small; the error names the largest batch that would fit.
    fn room(gpu: &Gpu, spec: &UpdateSpec) -> Result<(), CudaError> {
        gpu.trim_memory_pool()?;
        let (asked, (free, total)) = (Buffers::<T>::bytes(spec), gpu.memory_info()?);
        if asked <= free {
            return Ok(());
        }
        let fits = buffers::largest_batch::<T>(spec, free).map(|batch| format!("{batch} episodes in a batch"));
        Err(CudaError::OutOfMemory { asked, free, total, fits })
    }
}

impl<T: Real> Update<T> for GpuUpdate<T> {
    fn set_state(&mut self, values: [&[T]; 3], update: u32, step: u32) -> Result<(), CudaError> {
        self.synchronize()?;
        let here = [&self.buffers.parameters, &self.buffers.first_moments, &self.buffers.second_moments];
        for (memory, values) in here.into_iter().zip(values) {
            let parameters = self.sizes.parameters;
            assert_eq!(parameters, values.len(), "an update of {parameters} parameters");
            memory.write(0, values)?;
        }
        self.buffers.counters.write(0, &readback::encode_counters(update, step))?;
        (self.since, self.next) = (update, update);
        Ok(())
    }

    fn set_stage_counts(&mut self, counts: &[usize]) -> Result<(), CudaError> {
        if self.counts != counts {
            self.synchronize()?;
            self.buffers.first.write(0, &firsts(counts, self.sizes.stages, self.sizes.batch))?;
            self.counts = counts.to_vec();
        }
        Ok(())
    }

    fn set_graph_replay(&mut self, replay: bool) {
        self.recorded = replay;
    }

    fn launch(&mut self, updates: u32) -> Result<(), CudaError> {
        for _ in 0..updates {
            let launched = match self.recorded {
                true => self.graph.replay(),
                false => self.launches.iter().try_for_each(|launch| launch.run(&self.stream)),
            };
            launched.map_err(|error| within(error, self.next..self.next + 1))?;
            self.next += 1;
        }
        Ok(())
    }

    fn synchronize(&mut self) -> Result<(), CudaError> {
        let waited = self.stream.synchronize();
        let of = self.since..self.next;
        self.since = self.next;
        waited.map_err(|error| within(error, of))
    }

    fn advance(&mut self, updates: u32) -> Result<Vec<UpdateResult>, CudaError> {
        let (from, ring) = (self.next, self.sizes.ring);
        assert!(updates as usize <= ring, "advance: {updates} updates, and metrics are kept of {ring}");
        self.launch(updates)?;
        self.synchronize()?;
        let counters = self.buffers.counters.read(0..1)?;
        self.since = counters[0];
        self.next = counters[0];
        let words = self.buffers.metrics.read(0..METRICS * ring)?;
        Ok((from..self.next)
            .map(|update| readback::parse_metrics(&words, update as usize % ring, &self.counts))
            .collect())
    }

    fn read_state(&mut self) -> Result<[Vec<T>; 3], CudaError> {
        self.synchronize()?;
        let Buffers { parameters, first_moments, second_moments, .. } = &self.buffers;
        let all = 0..self.sizes.parameters;
        Ok([parameters.read(all.clone())?, first_moments.read(all.clone())?, second_moments.read(all)?])
    }

    fn read_gradients(&mut self) -> Result<Vec<T>, CudaError> {
        self.synchronize()?;
        self.buffers.gradients.read(0..self.sizes.parameters)
    }

    fn read_episodes(&mut self) -> Result<EpisodeRecord, CudaError> {
        self.synchronize()?;
        EpisodeRecord::read(&self.buffers.trace(), self.sizes.batch, self.steps)
    }

    fn evaluate(&mut self, counts: &[usize]) -> Result<EpisodeRecord, CudaError> {
        self.synchronize()?;
        self.buffers.eval_first.write(0, &firsts(counts, self.sizes.stages, self.sizes.eval_episodes))?;
        self.evaluation.iter().try_for_each(|launch| launch.run(&self.stream))?;
        self.synchronize()?;
        EpisodeRecord::read(&self.buffers.eval_trace(), self.sizes.eval_episodes, self.steps)
    }
}

/// Waits for running launches, because they use the buffers.
impl<T: Real> Drop for GpuUpdate<T> {
    fn drop(&mut self) {
        self.synchronize().ok(); // a GPU that is gone does nothing more
    }
}

/// Returns the first episode of each stage, and at the end the number of all episodes.
#[track_caller]
fn firsts(counts: &[usize], stages: usize, episodes: usize) -> Vec<u32> {
    let all = counts.iter().try_fold(0_usize, |all, &count| all.checked_add(count));
    assert!(
        counts.len() == stages && all == Some(episodes),
        "{counts:?}: {episodes} episodes of {stages} stages were expected"
    );
    let mut next = 0;
    let mut first = vec![0];
    // Each number is at most `episodes`, which `UpdateSpec::check` keeps below 2²⁹.
    first.extend(counts.iter().map(|&count| {
        next += count as u32;
        next
    }));
    first
}

/// Adds to the error the numbers of the updates in which it may have happened, counted from 1.
fn within(error: CudaError, updates: Range<u32>) -> CudaError {
    let CudaError::Failed { doing, message } = error else { return error };
    let doing = match updates.len() {
        0 => doing,
        1 => format!("{doing}, in update {}", updates.end),
        _ => format!("{doing}, in one of the updates {} to {}", updates.start + 1, updates.end),
    };
    CudaError::Failed { doing, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firsts_are_the_running_sums() {
        assert_eq!(firsts(&[3, 0, 2], 3, 5), [0, 3, 3, 5]);
    }

    #[test]
    #[should_panic(expected = "[3, 2]: 6 episodes of 2 stages were expected")]
    fn firsts_counts_that_are_not_the_batch_are_refused() {
        firsts(&[3, 2], 2, 6);
    }

    #[test]
    #[should_panic(expected = "[18446744073709551615, 6]: 5 episodes of 2 stages were expected")]
    #[cfg(target_pointer_width = "64")]
    fn firsts_counts_that_wrap_are_refused() {
        firsts(&[usize::MAX, 6], 2, 5);
    }

    #[test]
    fn within_names_updates_counted_from_one() {
        let failure = || CudaError::Failed { doing: "waiting".into(), message: "gone".into() };
        let words = |updates| within(failure(), updates).to_string();
        assert!(words(6..7).starts_with("the GPU failed: waiting, in update 7: gone;"));
        assert!(words(4..8).starts_with("the GPU failed: waiting, in one of the updates 5 to 8: gone;"));
        assert!(words(4..4).starts_with("the GPU failed: waiting: gone;"));
        assert_eq!(within(CudaError::NoDevice, 0..1), CudaError::NoDevice);
    }
}
