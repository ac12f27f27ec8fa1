//! Random numbers on a GPU: Philox against known answers, streams against the host, and categorical choices.

use tensor::philox::{Philox, Purpose, Stream, philox4x32_10};
use tensor::{Device, Element, Tensor};

use crate::gpu::device;
use crate::{Draw, Scalar};

fn there<T: Element>(x: Tensor<T>) -> Tensor<T> {
    x.to(Device::cuda(0).expect("the tests run on a GPU")).expect("the GPU has enough memory")
}

/// The three lines of Random123: zeros, ones, and the digits of π.
#[test]
fn philox_on_gpu_gives_the_known_answers() {
    let Some(Device::Cuda(gpu)) = device() else { return };
    let counters = [[0; 4], [!0; 4], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]];
    let answers = [
        [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
        [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
        [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ];
    assert_eq!(gpu.philox(&counters, &[[0; 2], [!0; 2], [0xa4093822, 0x299f31d0]]), answers);
}

#[test]
fn philox_blocks_equal_those_of_the_host() {
    let Some(Device::Cuda(gpu)) = device() else { return };
    let mut words = Philox::stream(1, Stream { purpose: Purpose(300), update: 0, episode: 0 });
    for count in [0, 1, 255, 256, 257, 1000] {
        let counters: Vec<_> = (0..count).map(|_| [(); 4].map(|()| words.next_u32())).collect();
        let keys: Vec<_> = (0..count).map(|_| [(); 2].map(|()| words.next_u32())).collect();
        let want: Vec<_> = counters.iter().zip(&keys).map(|(&counter, &key)| philox4x32_10(counter, key)).collect();
        assert!(gpu.philox(&counters, &keys) == want, "{count} blocks");
    }
}

/// Compares number by number. Some streams begin near the largest value of a word.
#[test]
fn uniform_streams_equal_those_of_the_host() {
    let Some(Device::Cuda(gpu)) = device() else { return };
    for (episodes, count, first) in [(3, 5, 0), (40, 7, 1 << 31), (1, 300, u32::MAX), (300, 1, 12), (2, 0, 0)] {
        let (seed, place) = (0x0123_4567_89ab_cdef, Stream { purpose: Purpose(301), update: !7, episode: first });
        let mut y = there(Tensor::full([episodes, count], f64::NAN));
        gpu.uniform(seed, place, y.view_mut());
        let stream = |e: usize| Philox::stream(seed, Stream { episode: first.wrapping_add(e as u32), ..place });
        let want = (0..episodes).flat_map(|e| {
            let mut rng = stream(e);
            (0..count).map(move |_| rng.uniform_f64())
        });
        assert!(y.to_vec() == want.collect::<Vec<_>>(), "{count} numbers of {episodes} episodes");
    }
}

/// Probabilities with exact cumulative sums. An action of log-probability −∞ has probability 0. A number u above the total
/// chooses the last action of nonzero probability.
fn check_exact_borders<T: Scalar>() {
    let Some(Device::Cuda(gpu)) = device() else { return };
    let (no, sure, small) = (T::from_f64(f64::NEG_INFINITY), T::from_f64(0.0), T::from_f64(-30.0));
    let x = [[no, sure, no], [no, no, sure], [sure, sure, sure], [small, small, small], [no, no, no]];
    let below_one = 1.0 - f64::EPSILON / 2.0;
    for (u, want) in [(0.0, [1, 2, 0, 0, 2]), (below_one, [1, 2, 0, 2, 2]), (1.0, [1, 2, 1, 2, 2])] {
        let rows = there(Tensor::new([5, 3], x.as_flattened().to_vec()));
        let (numbers, mut y) = (there(Tensor::full([5], u)), there(Tensor::full([5], 9_u32)));
        gpu.categorical(rows.view(), numbers.view(), y.view_mut());
        assert_eq!(y.to_vec(), want, "{u}");
    }
}

/// Compares choices with the cumulative sums in `f64`. Either action is accepted if u is so close to a border that the last bit
/// of e^x decides.
fn check_cumulative_sums<T: Scalar>() {
    let Some(Device::Cuda(gpu)) = device() else { return };
    let mut draw = Draw::new(2);
    for [rows, actions] in [[1, 1], [255, 2], [257, 6], [600, 18], [3, 33], [0, 4]] {
        let logits: Vec<f64> = (0..rows * actions).map(|_| 2.0 * draw.number()).collect();
        let normal = |row: &[f64]| row.iter().map(|x| x.exp()).sum::<f64>().ln();
        let log_probs: Vec<T> =
            logits.chunks(actions).flat_map(|row| row.iter().map(|x| T::from_f64(x - normal(row)))).collect();
        let mut x = there(Tensor::zeros([actions, rows])); // transposed, so that rows have gaps
        x.view_mut().permute(&[1, 0]).assign(&log_probs);
        let x = x.transpose();
        let u: Vec<f64> = (0..rows).map(|_| draw.below(1 << 20) as f64 / (1 << 20) as f64).collect();
        let mut y = there(Tensor::full([rows + 2], 77_u32));
        let to = y.view_mut().slice(0, 1..rows + 1);
        gpu.categorical(x.view(), there(Tensor::new([rows], u.clone())).view(), to);
        let got = y.to_vec();
        assert!(got[0] == 77 && got[rows + 1] == 77, "an element outside was written");
        for (row, (&choice, &u)) in log_probs.chunks(actions).zip(got[1..].iter().zip(&u)) {
            let share = |upto: usize| row[..upto].iter().map(|x| x.value().exp()).sum::<f64>();
            let (from, to, near) = (share(choice as usize), share(choice as usize + 1), 40.0 * T::ROUNDOFF);
            let last = choice as usize + 1 == actions;
            assert!(from - near <= u && (u < to + near || last), "{u} is not in {from} to {to}");
        }
    }
}

#[test]
fn categorical_at_exact_borders_chooses_the_right_action() {
    check_exact_borders::<f32>();
    check_exact_borders::<f64>();
}

#[test]
fn categorical_choices_follow_the_probabilities() {
    check_cumulative_sums::<f32>();
    check_cumulative_sums::<f64>();
}
