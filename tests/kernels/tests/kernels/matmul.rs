use tensor::Form;

use crate::{Draw, EXACT, Scalar, check};

agree!(matmul matmul_in_several_blocks);

fn products<T: Scalar>(draw: &mut Draw, [m, k, n]: [usize; 3]) {
    for form in [Form::NN, Form::NT, Form::TN] {
        let a = draw.input::<T>(if form == Form::TN { [k, m] } else { [m, k] });
        let b = draw.input(if form == Form::NT { [n, k] } else { [k, n] });
        let what = format!("{form:?} with M, K, N = {m}, {k}, {n}");
        if draw.coin() {
            check(&what, EXACT, [a, b], [draw.overwritten::<T>([m, n])], |k, [a, b], [y]| {
                k.matmul(form, a, b, false, y)
            });
        } else {
            let y = draw.gradient::<T>([m, n]);
            check(&format!("{what} added"), EXACT, [a, b], [y], |k, [a, b], [y]| k.matmul(form, a, b, true, y));
        }
    }
}

fn matmul<T: Scalar>(draw: &mut Draw) {
    let sizes = draw.sizes();
    products::<T>(draw, sizes);
}

/// Products with one extent smaller than a register tile, and the others larger than a packed block.
fn matmul_in_several_blocks<T: Scalar>(draw: &mut Draw) {
    let sizes = [[131, 300, 3], [2, 520, 67], [1, 290, 33]][draw.below(3)];
    products::<T>(draw, sizes);
}
