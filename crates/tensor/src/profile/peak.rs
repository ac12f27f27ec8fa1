//! Measurements of the peak performance of one thread.

use core::hint::black_box;
use std::time::Instant;
use std::vec;

use crate::cpu::multiply_adds;

/// The number of rounds of a measurement. The best round counts, because other load on the machine slows some rounds down.
const ROUNDS: usize = 20;

/// The steps of each chain of multiply-adds in a round, which takes about a millisecond.
const STEPS: usize = 100_000;

/// The bytes read and written by one copy. They fit into the L2 cache, as most operands of an update do.
const COPIED: usize = 128 << 10;

/// Measures the `f32` flop/s of one thread with the fastest instruction set. A multiply-add counts as two flops.
pub fn peak_flops() -> f64 {
    best_rate(2 * multiply_adds(STEPS).0, || multiply_adds(STEPS).1)
}

/// Measures the bytes per second that one thread reads and writes when it copies within its L2 cache.
pub fn peak_bandwidth() -> f64 {
    let (from, mut to) = (vec![1_u8; COPIED / 2], vec![0_u8; COPIED / 2]);
    let copies = 100;
    best_rate(COPIED * copies, || {
        for _ in 0..copies {
            black_box(&mut to).copy_from_slice(black_box(&from));
        }
        f32::from(to[0])
    })
}

/// Runs all rounds, of `amount` operations each, and returns the operations per second of the best round.
fn best_rate(amount: usize, mut round: impl FnMut() -> f32) -> f64 {
    let seconds = (0..ROUNDS).map(|_| {
        let started = Instant::now();
        black_box(round());
        started.elapsed().as_secs_f64()
    });
    amount as f64 / seconds.fold(f64::INFINITY, f64::min).max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_of_this_machine_are_plausible() {
        for peak in [peak_flops(), peak_bandwidth()] {
            std::println!("{peak:e}");
            assert!((1e7..1e13).contains(&peak), "{peak}");
        }
    }
}
