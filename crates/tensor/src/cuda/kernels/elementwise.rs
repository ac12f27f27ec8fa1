//! Maps and binary functions: one thread for each element.

use core::marker::PhantomData;

use super::{Call, Gpu};
use crate::cuda::memory::DeviceBuffer;
use crate::cuda::modules::Entry;
use crate::data::{Data, DataMut};
use crate::kernels::Binary;
use crate::map::Map;
use crate::real::{Element, Real};
use crate::shape::Layout;
use crate::view::{View, ViewMut};

/// Returns the kernels' code of a function, and the function's constant.
fn map_code<T: Real>(f: Map<T>) -> (i32, f64) {
    match f {
        Map::Identity => (0, 0.0),
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
        Map::Constant(c) => (12, c.value()),
        Map::Recip => (13, 0.0),
        Map::HalfRecip => (14, 0.0),
        Map::OneMinusSquare => (15, 0.0),
        Map::SigmoidSlope => (16, 0.0),
        Map::Step => (17, 0.0),
        Map::EntropyTerm => (18, 0.0),
        Map::EntropySlope => (19, 0.0),
    }
}

#[track_caller]
pub(in crate::cuda) fn map<T: Real>(gpu: &'static Gpu, f: Map<T>, x: View<T>, y: ViewMut<T>) {
    let (blocks, (f, c)) = (Entry::Map.blocks(y.shape().size()), map_code(f));
    Call::new::<T>(gpu, Entry::Map).int(f).number(c).read(x).write(y).run(blocks);
}

/// y = x, for any scalar type of the kernels.
#[track_caller]
pub(in crate::cuda) fn copy<T: Element>(gpu: &'static Gpu, x: View<T>, y: ViewMut<T>) {
    let (blocks, (identity, c)) = (Entry::Map.blocks(y.shape().size()), map_code(Map::<f32>::Identity));
    Call::new::<T>(gpu, Entry::Map).int(identity).number(c).read(x).write(y).run(blocks);
}

/// Sets the elements of a buffer to c, for any scalar type of the kernels.
#[track_caller]
pub(in crate::cuda) fn fill<T: Element>(memory: &DeviceBuffer<T>, layout: &Layout, c: f64) {
    let y = ViewMut::from_layout(DataMut::Gpu(memory, PhantomData), *layout);
    let (blocks, (constant, c)) = (Entry::Map.blocks(y.shape().size()), map_code(Map::Constant(c)));
    let x = View::from_layout(Data::Gpu(memory), *layout); // its values are read but not used
    Call::new::<T>(memory.gpu(), Entry::Map).int(constant).number(c).read(x).write(y).run(blocks);
}

#[track_caller]
pub(super) fn map_backward<T: Real>(gpu: &'static Gpu, slope: Map<T>, kept: View<T>, dy: View<T>, dx: ViewMut<T>) {
    let (blocks, (slope, c)) = (Entry::MapBackward.blocks(dx.shape().size()), map_code(slope));
    Call::new::<T>(gpu, Entry::MapBackward).int(slope).number(c).read(kept).read(dy).write(dx).run(blocks);
}

#[track_caller]
pub(super) fn binary<T: Real>(gpu: &'static Gpu, op: Binary, a: View<T>, b: View<T>, y: ViewMut<T>) {
    let (shape, blocks) = (y.shape(), Entry::Binary.blocks(y.shape().size()));
    let op = match op {
        Binary::Add => 0,
        Binary::Sub => 1,
        Binary::Mul => 2,
        Binary::Div => 3,
    };
    let [a, b] = [a, b].map(|x| x.broadcast_to(shape));
    Call::new::<T>(gpu, Entry::Binary).int(op).read(a).read(b).write(y).run(blocks);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_codes_follow_the_order_of_declaration() {
        let numbers = Map::all(2.5).map(map_code);
        assert!(numbers.iter().enumerate().all(|(at, (number, _))| *number == at as i32));
        assert_eq!(numbers.iter().filter(|(_, c)| *c == 2.5).count(), 3);
    }
}
