//! Sizes just below and above every block size of a kernel, and far above. Block sizes are powers of two, multiples of
//! the lanes, or, in matrix products, the numbers in [`EDGES`].

use tensor::{Form, Reduce};

use crate::cases::select_sizes;
use crate::gpu::is_on_gpu;
use crate::{Draw, EXACT, Scalar, check, rounding};

/// The lengths around all powers of two up to 2¹⁷.
fn lengths() -> impl Iterator<Item = usize> {
    (1..=17).flat_map(|k| [(1 << k) - 1, 1 << k, (1 << k) + 1])
}

/// The sizes of the lanes and tiles of all instruction sets, the block sizes along K, and the stride from which strips
/// are packed.
const EDGES: [usize; 20] = [4, 8, 12, 16, 18, 24, 32, 48, 72, 96, 128, 144, 192, 256, 288, 320, 512, 640, 960, 1024];

/// Lengths of a second long extent: the widths of the widest strips, and one more or less.
const LONG: [usize; 7] = [47, 48, 49, 95, 97, 144, 145];

const FORMS: [Form; 3] = [Form::NN, Form::NT, Form::TN];

macro_rules! limits {
    ($($body:ident)*) => {$(
        mod $body {
            #[test]
            fn f32() {
                super::$body::<f32>();
            }
            #[test]
            fn f64() {
                super::$body::<f64>();
            }
        }
    )*};
}

limits!(sums many_rows_and_wide_rows softmax_of_many_rows_and_wide_rows products);

/// The numbers are multiples of 1/4, whose sums have no rounding. So a single lost number changes the result.
fn sums<T: Scalar>() {
    for (case, n) in select_sizes(lengths()) {
        let draw = &mut Draw::new(case);
        let (dy, dx) = (draw.input([n]), draw.gradient::<T>([]));
        check(&format!("sum_to of {n}"), EXACT, [dy], [dx], |k, [dy], [dx]| k.sum_to(T::from_f64(0.5), dy, dx));
        let (a, b, dx) = (draw.input([n]), draw.input([n]), draw.gradient::<T>([1]));
        check(&format!("sum_product_to of {n}"), EXACT, [a, b], [dx], |k, [a, b], [dx]| {
            k.sum_product_to(T::from_f64(0.5), a, b, dx);
        });
        for how in [Reduce::Sum, Reduce::Max] {
            let (x, y) = (draw.input([n]), draw.overwritten::<T>([]));
            check(&format!("{how:?} of {n}"), EXACT, [x], [y], |k, [x], [y]| k.reduce(how, x, 0, y));
        }
        let (x, y) = (draw.input([n]), draw.overwritten::<T>([]));
        check(&format!("squares of {n}"), EXACT, [x], [y], |k, [x], [mut y]| y.set(&[], k.sum_of_squares(x)));
        let (x, y) = (draw.input::<T>([n]), draw.indices([], 9));
        check(&format!("argmax of {n}"), EXACT, [x], [y], |k, [x], [y]| k.argmax(x, y));
    }
}

/// Only the last number is not 0. A kernel that skips the last block loses it.
#[test]
fn sums_of_any_length_include_the_last_number() {
    for (_, n) in select_sizes(lengths()) {
        let mut values = vec![0.0_f32; n];
        values[n - 1] = 3.0;
        let x = tensor::Tensor::new([n], values);
        for k in f32::implementations() {
            let mut sums = [(); 3].map(|()| tensor::Tensor::zeros([1]));
            let [to, product, along] = &mut sums;
            k.sum_to(1.0, x.view(), to.view_mut());
            k.sum_product_to(1.0, x.view(), x.view(), product.view_mut());
            k.reduce(Reduce::Sum, x.reshape([1, n]).view(), 1, along.view_mut());
            let got = [sums[0].to_vec()[0], sums[1].to_vec()[0], sums[2].to_vec()[0], k.sum_of_squares(x.view())];
            assert_eq!(got, [3.0, 9.0, 3.0, 9.0], "{n} numbers by {}", k.name());
        }
    }
}

/// Sums over the first and the last axis, of matrices with many rows and of matrices with wide rows.
fn many_rows_and_wide_rows<T: Scalar>() {
    for (case, n) in select_sizes(lengths().filter(|&n| n < 10_000)) {
        let draw = &mut Draw::new(case);
        for shape in [[n, 3], [3, n]] {
            for (axis, to) in [(0, [1, shape[1]]), (1, [shape[0], 1])] {
                let (dy, dx) = (draw.input(shape), draw.gradient::<T>(to));
                let what = format!("{shape:?} along {axis}");
                check(&what, EXACT, [dy], [dx], |k, [dy], [dx]| k.sum_to(T::from_f64(0.5), dy, dx));
                let left = [shape[1 - axis]];
                let (x, y) = (draw.input(shape), draw.overwritten::<T>(left));
                check(&what, EXACT, [x], [y], |k, [x], [y]| k.reduce(Reduce::Sum, x, axis, y));
                let (x, y) = (draw.input(shape), draw.overwritten::<T>(left));
                check(&what, EXACT, [x], [y], |k, [x], [y]| k.reduce(Reduce::Max, x, axis, y));
            }
        }
    }
}

fn softmax_of_many_rows_and_wide_rows<T: Scalar>() {
    let around = |n: usize| [n - 1, n, n + 1];
    for (case, n) in select_sizes([16, 32, 48, 64, 512, 4096].into_iter().flat_map(around)) {
        let draw = &mut Draw::new(case);
        for shape in [[n, 5], [2, n]] {
            let tolerance = rounding::<T>(shape[1]);
            let (x, y) = (draw.input(shape), draw.overwritten::<T>(shape));
            check(&format!("softmax of {shape:?}"), tolerance, [x], [y], |k, [x], [y]| k.softmax(x, y));
            let (x, y) = (draw.input(shape), draw.overwritten::<T>(shape));
            check(&format!("log_softmax of {shape:?}"), tolerance, [x], [y], |k, [x], [y]| k.log_softmax(x, y));
            let (x, y) = (draw.input(shape), draw.overwritten::<T>([shape[0]]));
            check(&format!("logsumexp of {shape:?}"), tolerance, [x], [y], |k, [x], [y]| k.logsumexp(x, y));
        }
    }
}

/// Products in which one of M, K, N is near an edge and the others are small, also with a single row. Then products in
/// which two extents are long.
fn products<T: Scalar>() {
    for (case, n) in select_sizes(EDGES.into_iter().flat_map(|n| [n - 1, n, n + 1])) {
        let draw = &mut Draw::new(case);
        let [few, some] = [1 + draw.below(3), 2 + draw.below(12)];
        for [m, k, n] in [[n, few, some], [few, n, some], [some, few, n], [1, n, some], [1, some, n]] {
            for form in FORMS {
                product::<T>(draw, form, [m, k, n]);
            }
        }
        if is_on_gpu() {
            continue; // only the host's kernels have strips
        }
        let (form, long) = (FORMS[case as usize % 3], LONG[case as usize % LONG.len()]);
        for extents in [[n, long, few], [n, few, long], [few, n, long]] {
            product::<T>(draw, form, extents);
        }
    }
}

fn product<T: Scalar>(draw: &mut Draw, form: Form, [m, k, n]: [usize; 3]) {
    let a = draw.input::<T>(if form == Form::TN { [k, m] } else { [m, k] });
    let b = draw.input(if form == Form::NT { [n, k] } else { [k, n] });
    let what = format!("{form:?} with M, K, N = {m}, {k}, {n}");
    let y = draw.overwritten::<T>([m, n]);
    check(&what, EXACT, [a, b], [y], |k, [a, b], [y]| k.matmul(form, a, b, false, y));
}
