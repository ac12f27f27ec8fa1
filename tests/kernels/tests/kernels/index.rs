use std::panic::{AssertUnwindSafe, catch_unwind};

use tensor::{Shape, Tensor};

use crate::gpu::is_on_gpu;
use crate::{Draw, EXACT, Scalar, check};

agree!(gather_rows scatter_add_rows gather scatter_add);

/// Draws the shapes of an embedding: the table, the index, and the result.
fn table(draw: &mut Draw) -> ([usize; 2], Shape, Shape) {
    let [rows, width, b, t] = draw.sizes();
    let (rows, index) = (rows.max(1), Shape::new(&[b, t][draw.below(3)..]));
    let mut picked = index.to_vec();
    picked.push(width);
    ([rows, width], index, Shape::new(&picked))
}

fn gather_rows<T: Scalar>(draw: &mut Draw) {
    let ([rows, width], index, picked) = table(draw);
    let index = draw.indices(index, rows);
    let (table, y) = (draw.input([rows, width]), draw.overwritten::<T>(picked));
    check("gather_rows", EXACT, [table], [y], |k, [table], [y]| k.gather_rows(table, index.strided(), y));
}

fn scatter_add_rows<T: Scalar>(draw: &mut Draw) {
    let ([rows, width], index, picked) = table(draw);
    let index = draw.indices(index, rows);
    let (dy, dtable) = (draw.input(picked), draw.gradient::<T>([rows, width]));
    check("scatter_add_rows", EXACT, [dy], [dtable], |k, [dy], [dtable]| {
        k.scatter_add_rows(index.strided(), dy, dtable);
    });
}

/// Draws a shape to index along its last axis, and the shape of the indices.
fn row(draw: &mut Draw) -> (Shape, Shape) {
    let full = draw.shape(1);
    let last = full.rank() - 1;
    (full.with_extent(last, full[last].max(1)), full.with_extent(last, draw.below(40)))
}

fn gather<T: Scalar>(draw: &mut Draw) {
    let (full, picked) = row(draw);
    let index = draw.indices(picked, full.last_extent());
    let (x, y) = (draw.input(full), draw.overwritten::<T>(picked));
    check("gather", EXACT, [x], [y], |k, [x], [y]| k.gather(x, index.strided(), y));
}

fn scatter_add<T: Scalar>(draw: &mut Draw) {
    let (full, picked) = row(draw);
    let index = draw.indices(picked, full.last_extent());
    let (dy, dx) = (draw.input(picked), draw.gradient::<T>(full));
    check("scatter_add", EXACT, [dy], [dx], |k, [dy], [dx]| k.scatter_add(index.strided(), dy, dx));
}

/// The message names one of several indices outside the table. On a GPU, which sees all of them at once, it is the largest.
#[test]
fn gather_rows_several_indices_outside_names_the_largest() {
    let (table, index) = (Tensor::<f32>::zeros([3, 40]), Tensor::new([60], (0..60).map(|i| i % 7).collect()));
    for k in f32::implementations() {
        let mut y = Tensor::zeros([60, 40]);
        let run = AssertUnwindSafe(|| k.gather_rows(table.view(), index.view(), y.view_mut()));
        let payload = catch_unwind(run).expect_err("there are three rows");
        let message = payload.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
        assert!(!is_on_gpu() || message.contains("index 6 is outside [3, 40]"), "{}: {message}", k.name());
    }
}
