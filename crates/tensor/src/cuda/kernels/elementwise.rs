//! Maps and binary functions: one thread for each element.

use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use super::{Call, Gpu};
use crate::cuda::memory::DeviceBuffer;
use crate::cuda::modules::Entry;
use crate::data::{Data, DataMut};
use crate::kernels::{Binary, Kernels};
use crate::map::Map;
use crate::real::{Element, Real};
use crate::shape::Layout;
use crate::view::{View, ViewMut};

/// The kernels' codes of x, which has no constant, and of c.
const IDENTITY: i32 = 0;
const CONSTANT: i32 = 12;

/// Returns the kernels' code of a function, and the function's constant. `None` if the host computes it.
fn map_code<T: Real>(f: Map<T>) -> Option<(i32, f64)> {
    Some(match f {
        Map::Identity => (IDENTITY, 0.0),
        Map::Neg => (1, 0.0),
        Map::Exp => (2, 0.0),
        Map::Log => (3, 0.0),
        Map::Sqrt => (4, 0.0),
        Map::Tanh => (5, 0.0),
        Map::Sigmoid => (6, 0.0),
        Map::Relu => (7, 0.0),
        Map::Square => (8, 0.0),
        Map::Scale(c) => (9, c.value()),
        Map::Shift(c) => (10, c.value()),
        Map::Primal => (11, 0.0),
        Map::Constant(c) => (CONSTANT, c.value()),
        Map::Recip => (13, 0.0),
        Map::HalfRecip => (14, 0.0),
        Map::OneMinusSquare => (15, 0.0),
        Map::SigmoidSlope => (16, 0.0),
        Map::Step => (17, 0.0),
        Map::EntropyTerm => (18, 0.0),
        Map::EntropySlope => (19, 0.0),
        Map::Abs | Map::Sin | Map::Cos | Map::Powi(_) | Map::Clamp(..) | Map::Sign | Map::InRange(..) => return None,
    })
}

/// Runs a kernel of the host on copies of the operands, for functions that the GPU's kernels lack. `result` holds the values
/// of y before the call.
#[track_caller]
fn compute_on_host<T: Real, const N: usize>(
    x: [View<T>; N],
    (mut result, y): (Vec<T>, ViewMut<T>),
    kernel: impl FnOnce(&dyn Kernels<T>, [View<T>; N], ViewMut<T>),
) {
    let x = x.map(|x| (x.to_vec(), x.shape()));
    let read = x.each_ref().map(|(elements, shape)| View::new(elements, *shape));
    kernel(T::host_kernels(), read, ViewMut::new(&mut result, y.shape()));
    y.assign(&result);
}

/// Returns y with a zeroed buffer for its result. The kernel overwrites y, so its old values need no copy.
fn pair_with_zeros<T: Real>(y: ViewMut<T>) -> (Vec<T>, ViewMut<T>) {
    (vec![T::zero(); y.shape().size()], y)
}

#[track_caller]
pub(in crate::cuda) fn map<T: Real>(gpu: &'static Gpu, f: Map<T>, x: View<T>, y: ViewMut<T>) {
    let Some((code, c)) = map_code(f) else {
        return compute_on_host([x], pair_with_zeros(y), |k, [x], y| k.map(f, x, y));
    };
    let blocks = Entry::Map.blocks(y.shape().size());
    Call::new::<T>(gpu, Entry::Map).int(code).number(c).read(x).write(y).run(blocks);
}

/// y = x, for any scalar type of the kernels.
#[track_caller]
pub(in crate::cuda) fn copy<T: Element>(gpu: &'static Gpu, x: View<T>, y: ViewMut<T>) {
    let blocks = Entry::Map.blocks(y.shape().size());
    Call::new::<T>(gpu, Entry::Map).int(IDENTITY).number(0.0).read(x).write(y).run(blocks);
}

/// Sets the elements of a buffer to c, for any scalar type of the kernels.
#[track_caller]
pub(in crate::cuda) fn fill<T: Element>(memory: &DeviceBuffer<T>, layout: &Layout, c: f64) {
    let y = ViewMut::from_layout(DataMut::Gpu(memory, PhantomData), *layout);
    let blocks = Entry::Map.blocks(y.shape().size());
    let x = View::from_layout(Data::Gpu(memory), *layout); // its values are read but not used
    Call::new::<T>(memory.gpu(), Entry::Map).int(CONSTANT).number(c).read(x).write(y).run(blocks);
}

#[track_caller]
pub(super) fn map_backward<T: Real>(gpu: &'static Gpu, slope: Map<T>, kept: View<T>, dy: View<T>, dx: ViewMut<T>) {
    let Some((code, c)) = map_code(slope) else {
        let result = dx.view().to_vec();
        return compute_on_host([kept, dy], (result, dx), |k, [kept, dy], dx| k.map_backward(slope, kept, dy, dx));
    };
    let blocks = Entry::MapBackward.blocks(dx.shape().size());
    Call::new::<T>(gpu, Entry::MapBackward).int(code).number(c).read(kept).read(dy).write(dx).run(blocks);
}

#[track_caller]
pub(super) fn binary<T: Real>(gpu: &'static Gpu, op: Binary, a: View<T>, b: View<T>, y: ViewMut<T>) {
    let (shape, blocks) = (y.shape(), Entry::Binary.blocks(y.shape().size()));
    let code = match op {
        Binary::Add => 0,
        Binary::Sub => 1,
        Binary::Mul => 2,
        Binary::Div => 3,
        Binary::Max | Binary::Min | Binary::MaxSlope => {
            return compute_on_host([a, b], pair_with_zeros(y), |k, [a, b], y| k.binary(op, a, b, y));
        }
    };
    let [a, b] = [a, b].map(|x| x.broadcast_to(shape));
    Call::new::<T>(gpu, Entry::Binary).int(code).read(a).read(b).write(y).run(blocks);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_codes_follow_the_order_of_declaration() {
        let codes: Vec<_> = Map::all(2.5).into_iter().map_while(map_code).collect();
        assert!(codes.iter().enumerate().all(|(at, (code, _))| *code == at as i32));
        assert_eq!((codes.len(), codes.iter().filter(|(_, c)| *c == 2.5).count()), (20, 3));
    }
}
