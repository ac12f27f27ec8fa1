//! The blocks r, z, n read as z, r, n.

use autograd::gradcheck::Report;
use tensor::Tensor;

use super::tools::{gradients, gru, gru_inputs, spoiled, value, values};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "gate order",
    file: file!(),
    title: "Reset for update",
    year: Some(2022),
    sources: &["https://github.com/keras-team/keras/issues/15915", "https://github.com/keras-team/keras/issues/8720"],
    mistake: "PyTorch stacks a GRU's gates as reset, update, new; Keras as update, reset, new. A user carried the weights \
              over as they lay: every shape fits, nothing complains, and each of the two gates does the other's work. \
              Here it is the gradient that comes back in Keras's order.",
    lesson: "What is a permutation of the right numbers has the right shape, the right norm and the right histogram. Only \
             a comparison entry by entry sees it, with names for the blocks that say which is which.",
    wrong: || check(true),
    wrong_in: &["w", "b"],
    says: Some("its gates lie in the order z, r, n"),
    right: || check(false),
    weak: Weak { test: "the norm of every gradient, which is what a training log shows", passes: weak },
};

fn check(wrong: bool) -> Report {
    spoiled(
        gru,
        |gradients| {
            gradients[2..].iter_mut().for_each(|dx| {
                if wrong {
                    *dx = swapped(dx)
                }
            })
        },
        &gru_inputs(2),
    )
}

/// The first two of three blocks of rows, exchanged.
fn swapped(x: &Tensor<f64>) -> Tensor<f64> {
    let mut entries = x.to_vec();
    let (first, others) = entries.split_at_mut(x.size() / 3);
    first.swap_with_slice(&mut others[..first.len()]);
    Tensor::new(x.shape(), entries)
}

fn weak() -> bool {
    let norm = |x: &Tensor<f64>| x.to_vec().iter().map(|x| x * x).sum::<f64>().sqrt();
    let x = values(&gru_inputs(2));
    let right = gradients(&gru, &x, &Tensor::full(value(&gru, &x).shape(), 1.0));
    right.iter().skip(2).all(|dx| (norm(dx) - norm(&swapped(dx))).abs() < 1e-12)
}
