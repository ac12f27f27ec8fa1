//! A pointer to the biases that advances by half of the right stride from layer to layer.

use autograd::gradcheck::Report;
use tensor::Tensor;

use super::stack::{layer_inputs, stack};
use super::tools::{H, check_with_altered_gradients};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "bias stride",
    file: file!(),
    title: "One bias instead of two",
    year: Some(2020),
    sources: &["https://github.com/apache/mxnet/issues/17818", "https://github.com/apache/mxnet/pull/17872"],
    mistake: "All biases of MXNet's stacked recurrent layers lie in one buffer, two per layer. The oneDNN backward \
              advanced by the length of one bias per layer. So the gradients of the upper layers were added to those \
              of the layers below, and the last bias got zeros.",
    lesson: "Tests need at least two of everything that repeats: layers, heads, rows, steps. Report a gradient of zeros \
             as a finding, not as a small number.",
    wrong_report: || check(2, true),
    wrong_inputs: &["b_hh of layer 0", "b_ih of layer 1", "b_hh of layer 1"],
    diagnosis: Some("it is zero everywhere"),
    right_report: || check(2, false),
    weak_test: WeakTest { description: "a GRU of one layer", passes: || check(1, true).is_ok() },
};

fn check(layers: usize, wrong: bool) -> Report {
    check_with_altered_gradients(
        stack,
        |gradients| {
            if wrong {
                misplace(&mut gradients[1..])
            }
        },
        &layer_inputs(layers),
    )
}

/// Puts the gradients of all biases into one buffer, with the stride of one bias per layer, and reads them back.
fn misplace(gradients: &mut [Tensor<f64>]) {
    let biases: Vec<_> = (0..gradients.len()).filter(|k| k % 4 >= 2).collect();
    let mut buffer = vec![0.0; 3 * H * biases.len()];
    for (number, &k) in biases.iter().enumerate() {
        let (layer, bias_in_layer) = (number / 2, number % 2);
        let place = &mut buffer[3 * H * (layer + bias_in_layer)..];
        place.iter_mut().zip(gradients[k].to_vec()).for_each(|(sum, db)| *sum += db);
    }
    for (&k, db) in biases.iter().zip(buffer.chunks(3 * H)) {
        gradients[k] = Tensor::new([3 * H], db.to_vec());
    }
}
