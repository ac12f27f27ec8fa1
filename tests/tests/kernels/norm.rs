use crate::{Draw, Scalar, check, rounding};

agree!(layer_norm layer_norm_backward either_gradient_alone);

fn layer_norm<T: Scalar>(draw: &mut Draw) {
    let [m, n] = draw.sizes();
    let inputs = [draw.input([m, n]), draw.input([n]), draw.input([n])];
    let outputs = [draw.blank::<T>([m, n]), draw.blank([m, 2])];
    check("layer_norm", rounding::<T>(n), inputs, outputs, |k, [x, w, b], [y, stats]| {
        k.layer_norm(x, w, b, T::of(0.125), y, stats);
    });
}

fn layer_norm_backward<T: Scalar>(draw: &mut Draw) {
    let [m, n] = draw.sizes();
    let inputs = [draw.input([m, n]), draw.input([n]), draw.input([m, 2]), draw.input([m, n])];
    let outputs = [draw.gradient::<T>([m, n]), draw.gradient([n])];
    check("layer_norm_backward", rounding::<T>(n.max(m)), inputs, outputs, |k, [x, w, stats, dy], [dx, dw]| {
        k.layer_norm_backward(x, w, stats, dy, Some(dx), Some(dw));
    });
}

fn either_gradient_alone<T: Scalar>(draw: &mut Draw) {
    let [m, n] = draw.sizes();
    for only_dx in [true, false] {
        let inputs = [draw.input([m, n]), draw.input([n]), draw.input([m, 2]), draw.input([m, n])];
        let outputs = [if only_dx { draw.gradient::<T>([m, n]) } else { draw.gradient([n]) }];
        check("layer_norm_backward", rounding::<T>(n.max(m)), inputs, outputs, |k, [x, w, stats, dy], [d]| {
            let (dx, dw) = if only_dx { (Some(d), None) } else { (None, Some(d)) };
            k.layer_norm_backward(x, w, stats, dy, dx, dw);
        });
    }
}
