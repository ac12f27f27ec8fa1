//! A line for the first gate, copied for the second.

use autograd::gradcheck::{Report, richardson};
use tensor::Tensor;

use super::tools::{H, gru, gru_inputs, spoiled};
use super::{Exhibit, Weak};

pub(super) const EXHIBIT: Exhibit = Exhibit {
    name: "copied line",
    file: file!(),
    title: "Copied, and not changed",
    year: Some(2019),
    sources: &["https://github.com/hanbt/learn_dl/issues/53"],
    mistake: "In a tutorial's LSTM the gradients of the biases of two gates are taken from the third: a line was copied \
              and only its left side changed. In the GRU here the update gate's bias receives the reset gate's gradient.",
    lesson: "Gates are alike, so code for them is copied, and the copy compiles, has the right shape and the right size of \
             numbers. Check every parameter, biases too, and let the report say which block is wrong.",
    wrong: || check(true),
    wrong_in: &["b"],
    says: Some("it is wrong in gate z alone"),
    right: || check(false),
    weak: Weak { test: "the same check of everything but the biases", passes: but_the_biases },
};

fn check(wrong: bool) -> Report {
    let copy = |db: &Tensor<f64>| {
        let mut entries = db.to_vec();
        entries.copy_within(..H, H);
        Tensor::new([3 * H], entries)
    };
    spoiled(
        gru,
        |gradients| {
            if wrong {
                gradients[3] = copy(&gradients[3])
            }
        },
        &gru_inputs(2),
    )
}

fn but_the_biases() -> bool {
    let [gx, h0, w, b] = gru_inputs(2);
    richardson(|tape, x| x[0].gru(x[1], x[2], tape.constant(b.value.clone())), &[gx, h0, w]).is_ok()
}
