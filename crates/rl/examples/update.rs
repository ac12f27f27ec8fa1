//! One training update, printed number by number: compiled natively and to WebAssembly, it must print the same.
#![forbid(unsafe_code)]

fn main() {
    for number in update() {
        println!("{number:?}");
    }
}

/// HOOK: replace this body with one real A2C update of `rl`; it gives loss, gradients and parameters in a fixed order.
/// Until then a recurrence through `tanh`, whose last bits differ between the platforms' libraries of mathematics.
fn update() -> Vec<f64> {
    let step = |h: &f64| Some((1.7 * h + 0.1).tanh());
    std::iter::successors(Some(0.5_f64), step).take(20).collect()
}
