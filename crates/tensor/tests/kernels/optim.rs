use tensor::{AdamStep, Tensor};

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

/// 1 − 0.999 is 0.001; what `f32` leaves of 0.999 would make it 0.00100005. So constants are computed before they are rounded, and
/// the first step goes exactly as far as the rate.
#[test]
fn the_constants_of_adam_are_rounded_once() {
    let with = AdamStep { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 0.0, decay: 0.0, decoupled: false, step: 1 };
    let g = Tensor::from([1.0_f32, -1.0]);
    for k in f32::implementations() {
        let [mut m, mut v, mut p] = [(); 3].map(|()| Tensor::zeros([2]));
        k.adam(with, g.view(), m.view_mut(), v.view_mut(), p.view_mut());
        let [first, second] = [0.9, 0.999].map(|beta: f64| (1.0 - beta) as f32);
        assert_eq!((m.to_vec(), v.to_vec()), (vec![first, -first], vec![second; 2]), "{}", k.name());
        let near = |(p, want): (f32, f32)| (p - want).abs() <= 4.0 * f32::EPSILON * 0.1;
        assert!(p.to_vec().into_iter().zip([-0.1, 0.1]).all(near), "{}: {p}", k.name());
    }
}
