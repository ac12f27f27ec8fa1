//! Gate blocks in the order z, r, n instead of r, z, n.

use autograd::gradcheck::Report;
use tensor::Tensor;

use super::tools::{check_with_altered_gradients, compute_gradients, evaluate, gru, gru_inputs, values};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "gate order",
    file: file!(),
    title: "Reset and update gate exchanged",
    year: Some(2022),
    sources: &["https://github.com/keras-team/keras/issues/15915", "https://github.com/keras-team/keras/issues/8720"],
    mistake: "PyTorch stacks a GRU's gates as reset, update, new; Keras as update, reset, new. A user copied the \
              weights without reordering them. Every shape fits and nothing fails, but each of the two gates does the \
              work of the other. Here the gradient comes back in Keras's order.",
    lesson: "A permutation of the right numbers has the right shape, the right norm and the right histogram. Only a \
             comparison entry by entry detects it. Named blocks show the exchange.",
    wrong_report: || check(true),
    wrong_inputs: &["w_hh", "b_hh"],
    diagnosis: Some("its gates lie in the order z, r, n"),
    right_report: || check(false),
    weak_test: WeakTest {
        description: "the norm of every gradient, which is what a training log shows",
        passes: norms_agree,
    },
};

fn check(wrong: bool) -> Report {
    check_with_altered_gradients(
        gru,
        |gradients| {
            gradients[2..].iter_mut().for_each(|dx| {
                if wrong {
                    *dx = swap_first_two_blocks(dx)
                }
            })
        },
        &gru_inputs(2),
    )
}

/// Exchanges the first two of three blocks of rows.
fn swap_first_two_blocks(x: &Tensor<f64>) -> Tensor<f64> {
    let mut entries = x.to_vec();
    let (first, others) = entries.split_at_mut(x.size() / 3);
    first.swap_with_slice(&mut others[..first.len()]);
    Tensor::new(x.shape(), entries)
}

fn norms_agree() -> bool {
    let norm = |x: &Tensor<f64>| x.to_vec().iter().map(|x| x * x).sum::<f64>().sqrt();
    let x = values(&gru_inputs(2));
    let right = compute_gradients(&gru, &x, &Tensor::full(evaluate(&gru, &x).shape(), 1.0));
    right.iter().skip(2).all(|dx| (norm(dx) - norm(&swap_first_two_blocks(dx))).abs() < 1e-12)
}
