//! One training update, printed number by number: natively and as WebAssembly it prints the same.
#![forbid(unsafe_code)]

fn main() {
    for number in update() {
        println!("{number:?}");
    }
}

/// HOOK: to become one real A2C update that gives loss, gradients and parameters in a fixed order.
/// Until then a recurrence through `tanh`, which each platform's own library computes.
fn update() -> Vec<f64> {
    let step = |h: &f64| Some((1.7 * h + 0.1).tanh());
    let states = std::iter::successors(Some(0.5), step);
    states.take(20).collect()
}
