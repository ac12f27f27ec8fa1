//! Matrix products: one block for each tile of the result.

use super::{Call, Gpu, count_parts};
use crate::cuda::modules::Entry;
use crate::kernels::Form;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// Rows and columns of a tile.
const TILE: usize = 32;

#[track_caller]
pub(super) fn matmul<T: Real>(gpu: &'static Gpu, form: Form, a: View<T>, b: View<T>, accumulate: bool, y: ViewMut<T>) {
    let blocks = count_parts(y.shape()[0], TILE) * count_parts(y.shape()[1], TILE);
    let form = match form {
        Form::NN => 0,
        Form::NT => 1,
        Form::TN => 2,
    };
    Call::new::<T>(gpu, Entry::Matmul).int(form).read(a).read(b).int(accumulate.into()).write(y).run(blocks);
}
