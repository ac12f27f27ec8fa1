//! Random sizes, layouts and numbers. Each case has one random stream.

use std::ops::Range;

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Element, Shape, Tensor, View, ViewMut};

use crate::Scalar;
use crate::cases::CASES;

/// Extents around powers of two, where blocked and vectorised loops have remainders.
const SIZES: [usize; 11] = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 33];

/// The maximum number of operands of a kernel.
pub(crate) const OPERANDS: usize = 8;

/// The random generator of one case. In the cases from [`CASES`] on, each operand in turn is the only one with gaps.
pub(crate) struct Draw {
    rng: Philox,
    case: u32,
    /// The only operand that may have gaps, in the order in which they are drawn; `None` leaves that to chance. A special path for
    /// operands without gaps must refuse this one, or read it by its strides.
    gaps_in: Option<usize>,
    /// The number of operands so far.
    operands: usize,
}

impl Draw {
    pub(crate) fn new(case: u32) -> Self {
        let place = Stream { purpose: Purpose(256), update: 0, episode: case };
        let gaps_in = case.checked_sub(CASES).map(|more| more as usize % OPERANDS);
        Self { rng: Philox::stream(2015, place), case, gaps_in, operands: 0 }
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.rng.below(n as u32) as usize
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Draws a multiple of 1/4 in [−2, 2]. Sums and products of such numbers are exact even in `f32`, in every order.
    pub(crate) fn number(&mut self) -> f64 {
        self.below(17) as f64 / 4.0 - 2.0
    }

    /// Draws pairwise distinct extents. In every eighth case one of them is 0.
    pub(crate) fn sizes<const N: usize>(&mut self) -> [usize; N] {
        let mut sizes: [usize; N] = self.shuffled(if N < 4 { &SIZES } else { &SIZES[..7] })[..N].try_into().expect("N");
        if self.case % 8 == 7 && N > 0 {
            sizes[self.below(N)] = 0;
        }
        sizes
    }

    /// Draws a shape with `least` to 4 axes.
    pub(crate) fn shape(&mut self, least: usize) -> Shape {
        match least + self.below(5 - least) {
            0 => self.sizes::<0>().into(),
            1 => self.sizes::<1>().into(),
            2 => self.sizes::<2>().into(),
            3 => self.sizes::<3>().into(),
            _ => self.sizes::<4>().into(),
        }
    }

    /// Draws a shape that broadcasts to `to`: some extents become 1, and some leading axes are dropped.
    pub(crate) fn broadcastable(&mut self, to: Shape) -> Shape {
        let kept = self.below(to.rank() + 1);
        let extents: Vec<usize> = to[kept..].iter().map(|&n| if self.coin() { n } else { 1 }).collect();
        Shape::new(&extents)
    }

    /// Draws an operand that a kernel reads, in any layout, including layouts that repeat elements.
    pub(crate) fn input<T: Scalar>(&mut self, shape: impl Into<Shape>) -> Operand<T> {
        let to = shape.into();
        let from = if self.below(4) == 0 { self.broadcastable(to) } else { to };
        let values = (0..from.size()).map(|_| T::draw(self)).collect();
        Operand { broadcast: to, ..self.operand(from, values, T::from_f64(f64::NAN)) }
    }

    /// Makes an operand that a kernel reads, with these values.
    pub(crate) fn given<T: Scalar>(&mut self, shape: impl Into<Shape>, values: Vec<T>) -> Operand<T> {
        self.operand(shape.into(), values, T::from_f64(f64::NAN))
    }

    /// Draws an operand that a kernel reads or changes, with numbers in [1/2, 5/2].
    pub(crate) fn positive<T: Scalar>(&mut self, shape: impl Into<Shape>) -> Operand<T> {
        let shape = shape.into();
        let half = T::from_f64(0.5);
        let away_from_zero = |x: T| if x < T::zero() { half - x } else { half + x };
        let values = (0..shape.size()).map(|_| away_from_zero(T::draw(self))).collect();
        self.operand(shape, values, T::from_f64(-77.0))
    }

    /// Draws an operand that a kernel adds to: a gradient that is not zero.
    pub(crate) fn gradient<T: Scalar>(&mut self, shape: impl Into<Shape>) -> Operand<T> {
        let shape = shape.into();
        let values = (0..shape.size()).map(|_| T::draw(self)).collect();
        self.operand(shape, values, T::from_f64(-77.0))
    }

    /// Draws an operand that a kernel reads, in any layout, with numbers from `number`.
    pub(crate) fn input_by<T: Scalar>(
        &mut self,
        shape: impl Into<Shape>,
        number: &dyn Fn(&mut Self) -> f64,
    ) -> Operand<T> {
        let to = shape.into();
        let from = if self.below(4) == 0 { self.broadcastable(to) } else { to };
        let values = (0..from.size()).map(|_| T::from_f64(number(self))).collect();
        Operand { broadcast: to, ..self.operand(from, values, T::from_f64(f64::NAN)) }
    }

    /// Draws an operand that a kernel adds to, with numbers from `number`.
    pub(crate) fn gradient_by<T: Scalar>(
        &mut self,
        shape: impl Into<Shape>,
        number: &dyn Fn(&mut Self) -> f64,
    ) -> Operand<T> {
        let shape = shape.into();
        let values = (0..shape.size()).map(|_| T::from_f64(number(self))).collect();
        self.operand(shape, values, T::from_f64(-77.0))
    }

    /// Draws uniformly from [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.rng.uniform_f64()
    }

    /// Makes an operand that a kernel overwrites. It holds NaN, which must not remain.
    pub(crate) fn overwritten<T: Scalar>(&mut self, shape: impl Into<Shape>) -> Operand<T> {
        let shape = shape.into();
        let operand = self.operand(shape, vec![T::from_f64(f64::NAN); shape.size()], T::from_f64(-77.0));
        Operand { values: vec![T::from_f64(55.0); shape.size()], ..operand }
    }

    /// Draws indices below `bound`.
    pub(crate) fn indices(&mut self, shape: impl Into<Shape>, bound: usize) -> Operand<u32> {
        let shape = shape.into();
        let values = (0..shape.size()).map(|_| self.below(bound) as u32).collect();
        self.operand(shape, values, u32::MAX)
    }

    /// Places `values` in a random layout without repeated elements. The rest of the buffer holds `guard`.
    fn operand<T: Element>(&mut self, shape: Shape, values: Vec<T>, guard: T) -> Operand<T> {
        let place = Placement::draw(self, shape);
        let mut buffer = Tensor::full(place.buffer, guard);
        let mut view = place.apply_mut(buffer.view_mut());
        shape.indices().zip(&values).for_each(|(i, &x)| view.set(&i, x));
        Operand { values, shape, broadcast: shape, place, buffer, guard }
    }

    fn shuffled(&mut self, from: &[usize]) -> Vec<usize> {
        let mut out = from.to_vec();
        for i in (1..out.len()).rev() {
            out.swap(i, self.below(i + 1));
        }
        out
    }
}

/// A tensor in two forms: a row-major list of its elements, and the same elements in some layout within a larger buffer.
pub(crate) struct Operand<T> {
    pub(crate) values: Vec<T>,
    pub(crate) buffer: Tensor<T>,
    pub(crate) guard: T,
    shape: Shape,
    broadcast: Shape,
    place: Placement,
}

impl<T: Element> Operand<T> {
    pub(crate) fn contiguous(&self) -> View<'_, T> {
        View::new(&self.values, self.shape).broadcast_to(self.broadcast)
    }
    pub(crate) fn contiguous_mut<'a>(&self, values: &'a mut [T]) -> ViewMut<'a, T> {
        ViewMut::new(values, self.shape)
    }
    pub(crate) fn strided(&self) -> View<'_, T> {
        self.strided_in(&self.buffer)
    }
    /// The view in a copy of the buffer.
    pub(crate) fn strided_in<'a>(&self, buffer: &'a Tensor<T>) -> View<'a, T> {
        self.place.apply(buffer.view()).broadcast_to(self.broadcast)
    }
    pub(crate) fn strided_mut<'a>(&self, buffer: &'a mut Tensor<T>) -> ViewMut<'a, T> {
        self.place.apply_mut(buffer.view_mut())
    }
    /// Reads the elements from `buffer`, in row-major order.
    pub(crate) fn read(&self, buffer: &Tensor<T>) -> Vec<T> {
        let view = self.place.apply(buffer.view());
        self.shape.indices().map(|i| view.get(&i)).collect()
    }
}

/// The layout of a tensor in a buffer: permuted axes, margins, reversed axes, and a stride of 2 along the last axis.
struct Placement {
    buffer: Shape,
    every_second: bool,
    axes: Vec<usize>,
    inside: Vec<Range<usize>>,
    reversed: Vec<bool>,
}

macro_rules! apply {
    ($place:expr, $view:expr) => {{
        let (place, mut view) = ($place, $view);
        if place.every_second {
            view = view.select(place.axes.len(), 1);
        }
        view = view.permute(&place.axes);
        for (axis, range) in place.inside.iter().enumerate() {
            view = view.slice(axis, range.clone());
            view = if place.reversed[axis] { view.flip(axis) } else { view };
        }
        view
    }};
}

impl Placement {
    /// Draws a placement. In every fourth case all operands are contiguous, because some kernels have a special path if none
    /// of six operands has gaps. In the other cases, a quarter of the placements is contiguous. The others have each
    /// feature with probability 1/2.
    fn draw(draw: &mut Draw, shape: Shape) -> Self {
        let rank = shape.rank();
        draw.operands += 1;
        let plain = match draw.gaps_in {
            Some(k) => k != draw.operands - 1,
            None => draw.below(4) == 0 || draw.case.is_multiple_of(4),
        };
        let mut depart = || !plain && draw.coin();
        let (permuted, sliced, reversed, every_second) = (depart(), depart(), depart(), depart() && rank < 4);
        let order: Vec<usize> = (0..rank).collect();
        let axes = if permuted { draw.shuffled(&order) } else { order };
        let mut margin = || if sliced { draw.below(3) } else { 0 };
        let margins: Vec<[usize; 2]> = (0..rank).map(|_| [margin(), margin()]).collect();
        let mut extents = vec![0; rank];
        for (axis, [before, after]) in margins.iter().enumerate() {
            extents[axes[axis]] = before + shape[axis] + after;
        }
        if every_second {
            extents.push(2);
        }
        Self {
            buffer: Shape::new(&extents),
            every_second,
            axes,
            inside: margins.iter().zip(shape.iter()).map(|([before, _], n)| *before..before + n).collect(),
            reversed: (0..rank).map(|_| reversed && draw.coin()).collect(),
        }
    }

    fn apply<'a, T: Element>(&self, buffer: View<'a, T>) -> View<'a, T> {
        apply!(self, buffer)
    }

    fn apply_mut<'a, T: Element>(&self, buffer: ViewMut<'a, T>) -> ViewMut<'a, T> {
        apply!(self, buffer)
    }
}
