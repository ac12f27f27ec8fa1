//! A pointer to the biases that moves half as far as it should from layer to layer.

use autograd::gradcheck::Report;
use tensor::Tensor;

use super::stack::{layer_inputs, stack};
use super::tools::{H, spoiled};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "bias stride",
    file: file!(),
    title: "One bias where there are two",
    year: Some(2020),
    sources: &["https://github.com/apache/mxnet/issues/17818", "https://github.com/apache/mxnet/pull/17872"],
    mistake: "All biases of MXNet's stacked recurrent layers lie in one buffer, two for each layer. The backward with \
              oneDNN moved on by the length of one from layer to layer: the gradients of the upper layers landed among \
              those of the layers below, and the last bias got zeros.",
    lesson: "Whatever is repeated must be tested with at least two of it: layers, heads, rows, steps. And a gradient of \
             zeros is a finding, not a small number.",
    wrong: || check(2, true),
    wrong_in: &["b_hh of layer 0", "b_ih of layer 1", "b_hh of layer 1"],
    says: Some("it is zero everywhere"),
    right: || check(2, false),
    weak: Weak { test: "a GRU of one layer", passes: || check(1, true).is_ok() },
};

fn check(layers: usize, wrong: bool) -> Report {
    spoiled(
        stack,
        |gradients| {
            if wrong {
                misplace(&mut gradients[1..])
            }
        },
        &layer_inputs(layers),
    )
}

/// Adds the gradients of both biases of each layer to where the stride of one bias leads, in a buffer for all.
fn misplace(gradients: &mut [Tensor<f64>]) {
    let biases: Vec<_> = (0..gradients.len()).filter(|k| k % 4 >= 2).collect();
    let mut buffer = vec![0.0; 3 * H * biases.len()];
    for (number, &k) in biases.iter().enumerate() {
        let (layer, which) = (number / 2, number % 2);
        let place = &mut buffer[3 * H * (layer + which)..];
        place.iter_mut().zip(gradients[k].to_vec()).for_each(|(sum, db)| *sum += db);
    }
    for (&k, db) in biases.iter().zip(buffer.chunks(3 * H)) {
        gradients[k] = Tensor::new([3 * H], db.to_vec());
    }
}
