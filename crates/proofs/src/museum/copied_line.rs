//! A line of code for the first gate, copied for the second gate without a change.

use autograd::gradcheck::{Report, richardson};
use tensor::Tensor;

use super::tools::{H, check_with_altered_gradients, gru, gru_inputs};
use super::{Exhibit, WeakTest};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "copied line",
    file: file!(),
    title: "A copied line that was not changed",
    year: Some(2019),
    sources: &["https://github.com/hanbt/learn_dl/issues/53"],
    mistake: "In a tutorial's LSTM the bias gradients of two gates are taken from a third gate: a line was copied and \
              only its left side changed. In the GRU here the update gate's bias receives the reset gate's gradient.",
    lesson: "Gates are alike, so their code is often copied. The copy compiles, and its numbers have the right shape \
             and size. Check every parameter, biases too, and let the report name the wrong block.",
    wrong_report: || check(true),
    wrong_inputs: &["b_hh"],
    diagnosis: Some("it is wrong in gate z alone"),
    right_report: || check(false),
    weak_test: WeakTest { description: "the same check of everything but the biases", passes: passes_without_biases },
};

fn check(wrong: bool) -> Report {
    let copy = |db: &Tensor<f64>| {
        let mut entries = db.to_vec();
        entries.copy_within(..H, H);
        Tensor::new([3 * H], entries)
    };
    check_with_altered_gradients(
        gru,
        |gradients| {
            if wrong {
                gradients[3] = copy(&gradients[3])
            }
        },
        &gru_inputs(2),
    )
}

fn passes_without_biases() -> bool {
    let [gx, h0, w_hh, b_hh] = gru_inputs(2);
    richardson(|tape, x| x[0].gru(x[1], x[2], tape.constant(b_hh.value.clone())), &[gx, h0, w_hh]).is_ok()
}
