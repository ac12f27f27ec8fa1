//! Random sizes, layouts and numbers, all from one stream per case.

use std::ops::Range;

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Element, Shape, Tensor, View, ViewMut};

use crate::Scalar;

/// Around powers of two, where blocked and vectorised loops have their remainders.
const SIZES: [usize; 11] = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 33];

/// The source of everything random in one case.
pub(crate) struct Draw {
    rng: Philox,
    case: u32,
}

impl Draw {
    pub(crate) fn new(case: u32) -> Self {
        let place = Stream { purpose: Purpose(256), update: 0, episode: case };
        Self { rng: Philox::stream(2015, place), case }
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.rng.below(n as u32) as usize
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// A multiple of 1/4 in [−2, 2]: sums and products of such numbers are exact even in `f32`, in whatever order.
    pub(crate) fn number(&mut self) -> f64 {
        self.below(17) as f64 / 4.0 - 2.0
    }

    /// Pairwise distinct extents; one of them is 0 in every eighth case.
    pub(crate) fn sizes<const N: usize>(&mut self) -> [usize; N] {
        let mut sizes: [usize; N] = self.shuffled(if N < 4 { &SIZES } else { &SIZES[..7] })[..N].try_into().expect("N");
        if self.case % 8 == 7 && N > 0 {
            sizes[self.below(N)] = 0;
        }
        sizes
    }

    /// A shape of `least` to 4 axes.
    pub(crate) fn shape(&mut self, least: usize) -> Shape {
        match least + self.below(5 - least) {
            0 => self.sizes::<0>().into(),
            1 => self.sizes::<1>().into(),
            2 => self.sizes::<2>().into(),
            3 => self.sizes::<3>().into(),
            _ => self.sizes::<4>().into(),
        }
    }

    /// A shape that broadcasts to `to`: some extents 1, some leading axes left out.
    pub(crate) fn narrower(&mut self, to: Shape) -> Shape {
        let kept = self.below(to.rank() + 1);
        let extents: Vec<usize> = to[kept..].iter().map(|&n| if self.coin() { n } else { 1 }).collect();
        Shape::new(&extents)
    }

    /// What a kernel reads: any layout, repeated elements included.
    pub(crate) fn input<T: Scalar>(&mut self, shape: impl Into<Shape>) -> Operand<T> {
        let to = shape.into();
        let from = if self.below(4) == 0 { self.narrower(to) } else { to };
        let values = (0..from.size()).map(|_| T::draw(self)).collect();
        Operand { broadcast: to, ..self.operand(from, values, T::of(f64::NAN)) }
    }

    /// What a kernel reads: these values.
    pub(crate) fn given<T: Scalar>(&mut self, shape: impl Into<Shape>, values: Vec<T>) -> Operand<T> {
        self.operand(shape.into(), values, T::of(f64::NAN))
    }

    /// What a kernel reads or changes: numbers in [1/2, 5/2].
    pub(crate) fn positive<T: Scalar>(&mut self, shape: impl Into<Shape>) -> Operand<T> {
        let shape = shape.into();
        let half = T::of(0.5);
        let away_from_zero = |x: T| if x < T::zero() { half - x } else { half + x };
        let values = (0..shape.size()).map(|_| away_from_zero(T::draw(self))).collect();
        self.operand(shape, values, T::of(-77.0))
    }

    /// What a kernel adds to: a gradient that is not zero.
    pub(crate) fn gradient<T: Scalar>(&mut self, shape: impl Into<Shape>) -> Operand<T> {
        let shape = shape.into();
        let values = (0..shape.size()).map(|_| T::draw(self)).collect();
        self.operand(shape, values, T::of(-77.0))
    }

    /// What a kernel reads: any layout, repeated elements included, of numbers that `number` gives.
    pub(crate) fn input_of<T: Scalar>(
        &mut self,
        shape: impl Into<Shape>,
        number: &dyn Fn(&mut Self) -> f64,
    ) -> Operand<T> {
        let to = shape.into();
        let from = if self.below(4) == 0 { self.narrower(to) } else { to };
        let values = (0..from.size()).map(|_| T::of(number(self))).collect();
        Operand { broadcast: to, ..self.operand(from, values, T::of(f64::NAN)) }
    }

    /// What a kernel adds to, of numbers that `number` gives.
    pub(crate) fn gradient_of<T: Scalar>(
        &mut self,
        shape: impl Into<Shape>,
        number: &dyn Fn(&mut Self) -> f64,
    ) -> Operand<T> {
        let shape = shape.into();
        let values = (0..shape.size()).map(|_| T::of(number(self))).collect();
        self.operand(shape, values, T::of(-77.0))
    }

    /// In [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.rng.uniform_f64()
    }

    /// What a kernel overwrites: NaN, which must be gone afterwards.
    pub(crate) fn blank<T: Scalar>(&mut self, shape: impl Into<Shape>) -> Operand<T> {
        let shape = shape.into();
        let operand = self.operand(shape, vec![T::of(f64::NAN); shape.size()], T::of(-77.0));
        Operand { values: vec![T::of(55.0); shape.size()], ..operand }
    }

    /// Numbers below `bound`.
    pub(crate) fn indices(&mut self, shape: impl Into<Shape>, bound: usize) -> Operand<u32> {
        let shape = shape.into();
        let values = (0..shape.size()).map(|_| self.below(bound) as u32).collect();
        self.operand(shape, values, u32::MAX)
    }

    /// `values` in a random layout without repeated elements, in a buffer that holds `guard` elsewhere.
    fn operand<T: Element>(&mut self, shape: Shape, values: Vec<T>, guard: T) -> Operand<T> {
        let place = Place::draw(self, shape);
        let mut buffer = Tensor::full(place.buffer, guard);
        let mut view = place.carve_mut(buffer.view_mut());
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

/// A tensor twice: its elements as a row-major list, and in some layout within a larger buffer.
pub(crate) struct Operand<T> {
    pub(crate) values: Vec<T>,
    pub(crate) buffer: Tensor<T>,
    pub(crate) guard: T,
    shape: Shape,
    broadcast: Shape,
    place: Place,
}

impl<T: Element> Operand<T> {
    pub(crate) fn plain(&self) -> View<'_, T> {
        View::new(&self.values, self.shape).broadcast_to(self.broadcast)
    }
    pub(crate) fn plain_mut<'a>(&self, values: &'a mut [T]) -> ViewMut<'a, T> {
        ViewMut::new(values, self.shape)
    }
    pub(crate) fn carved(&self) -> View<'_, T> {
        self.carved_in(&self.buffer)
    }
    /// In a copy of the buffer.
    pub(crate) fn carved_in<'a>(&self, buffer: &'a Tensor<T>) -> View<'a, T> {
        self.place.carve(buffer.view()).broadcast_to(self.broadcast)
    }
    pub(crate) fn carved_mut<'a>(&self, buffer: &'a mut Tensor<T>) -> ViewMut<'a, T> {
        self.place.carve_mut(buffer.view_mut())
    }
    /// The elements where they lie in `buffer`, in row-major order.
    pub(crate) fn read(&self, buffer: &Tensor<T>) -> Vec<T> {
        let view = self.place.carve(buffer.view());
        self.shape.indices().map(|i| view.at(&i)).collect()
    }
}

/// Where in a buffer a tensor lies: axes permuted, with margins, reversed, and with a stride of 2 along the last.
struct Place {
    buffer: Shape,
    every_second: bool,
    axes: Vec<usize>,
    inside: Vec<Range<usize>>,
    reversed: Vec<bool>,
}

macro_rules! carve {
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

impl Place {
    /// A quarter of all places is the plain one; otherwise each departure from it comes with even odds. In every fourth case
    /// all are plain, for the kernels that have a way of their own where not one of six operands has gaps.
    fn draw(draw: &mut Draw, shape: Shape) -> Self {
        let rank = shape.rank();
        let plain = draw.below(4) == 0 || draw.case.is_multiple_of(4);
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

    fn carve<'a, T: Element>(&self, buffer: View<'a, T>) -> View<'a, T> {
        carve!(self, buffer)
    }

    fn carve_mut<'a, T: Element>(&self, buffer: ViewMut<'a, T>) -> ViewMut<'a, T> {
        carve!(self, buffer)
    }
}
