//! What one thread of this machine could do at best, measured.

use core::hint::black_box;
use std::time::Instant;
use std::vec;

use crate::cpu::multiply_adds;

/// Rounds of a measurement, of which the best counts: whatever else the machine does makes others worse.
const ROUNDS: usize = 20;

/// Steps of each chain of multiply-adds in a round: about a millisecond.
const STEPS: usize = 100_000;

/// Bytes that are copied: they stay in a second-level cache, as most operands of an update do.
const COPIED: usize = 128 << 10;

/// Multiply-adds that one thread does in a second, times two: the flop/s of `f32` by the fastest instruction set.
pub fn peak_flops() -> f64 {
    best(2 * multiply_adds(STEPS).0, || multiply_adds(STEPS).1)
}

/// Bytes that one thread reads and writes in a second, copying what stays in its second-level cache.
pub fn peak_bandwidth() -> f64 {
    let (from, mut to) = (vec![1_u8; COPIED / 2], vec![0_u8; COPIED / 2]);
    let copies = 100;
    best(COPIED * copies, || {
        for _ in 0..copies {
            black_box(&mut to).copy_from_slice(black_box(&from));
        }
        f32::from(to[0])
    })
}

/// How much of `amount` is done in a second in the best round.
fn best(amount: usize, mut round: impl FnMut() -> f32) -> f64 {
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
    fn a_machine_does_something_and_not_everything() {
        for peak in [peak_flops(), peak_bandwidth()] {
            std::println!("{peak:e}");
            assert!((1e7..1e13).contains(&peak), "{peak}");
        }
    }
}
