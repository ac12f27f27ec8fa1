use tensor::AdamStep;

use crate::{Draw, Scalar, check, rounding};

agree!(adam momentum rmsprop);

fn adam<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let step = [1, 2, 3, 100, 100_000][draw.below(5)];
    for decoupled in [false, true] {
        let with = AdamStep { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.05, decoupled, step };
        let (g, m, p) = (draw.input(shape), draw.gradient::<T>(shape), draw.gradient(shape));
        let v = draw.positive(shape);
        check(&format!("{with:?}"), rounding::<T>(8), [g], [m, v, p], |k, [g], [m, v, p]| k.adam(with, g, m, v, p));
    }
}

fn momentum<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let (g, m, p) = (draw.input(shape), draw.gradient::<T>(shape), draw.gradient(shape));
    check("momentum", rounding::<T>(8), [g], [m, p], |k, [g], [m, p]| k.momentum(T::of(0.1), T::of(0.9), g, m, p));
}

fn rmsprop<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let (g, p) = (draw.input(shape), draw.gradient::<T>(shape));
    let v = draw.positive(shape);
    check("rmsprop", rounding::<T>(8), [g], [v, p], |k, [g], [v, p]| {
        k.rmsprop(T::of(0.1), T::of(0.99), T::of(1e-8), g, v, p);
    });
}
