//! Multi-indices: how the reference kernels name an element.

use core::fmt;
use core::ops::Deref;

use crate::shape::{MAX_RANK, Shape};

/// The place of an element: one coordinate for each of up to four axes, outermost first.
///
/// ```
/// use tensor::Shape;
///
/// let places: Vec<_> = Shape::new(&[2, 2]).indices().map(|i| (i[0], i[1])).collect();
/// assert_eq!(places, [(0, 0), (0, 1), (1, 0), (1, 1)]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Index {
    coordinates: [usize; MAX_RANK],
    rank: usize,
}

impl Shape {
    /// The places of all elements, in row-major order.
    pub fn indices(self) -> impl ExactSizeIterator<Item = Index> {
        (0..self.size()).map(move |position| Index::unravel(position, self))
    }
}

impl Index {
    /// The place of the element that is at `position` in row-major order.
    fn unravel(mut position: usize, shape: Shape) -> Self {
        let mut coordinates = [0; MAX_RANK];
        for axis in (0..shape.rank()).rev() {
            coordinates[axis] = position % shape[axis];
            position /= shape[axis];
        }
        Self { coordinates, rank: shape.rank() }
    }

    /// This place with a further axis before axis `axis`, at `coordinate` along it.
    ///
    /// # Panics
    /// If there are four axes already, or fewer than `axis`.
    #[track_caller]
    pub fn insert(mut self, axis: usize, coordinate: usize) -> Self {
        assert!(self.rank < MAX_RANK && axis <= self.rank, "insert: no room for an axis {axis} in {self:?}");
        self.coordinates.copy_within(axis..self.rank, axis + 1);
        self.coordinates[axis] = coordinate;
        self.rank += 1;
        self
    }

    /// This place with a further, innermost axis.
    ///
    /// # Panics
    /// If there are four axes already.
    #[track_caller]
    pub fn then(self, coordinate: usize) -> Self {
        self.insert(self.rank, coordinate)
    }

    /// This place, moved on by `other` along each axis.
    pub(crate) fn plus(mut self, other: Self) -> Self {
        self.coordinates.iter_mut().zip(other.coordinates).for_each(|(at, by)| *at += by);
        self
    }

    /// This place with another coordinate along the innermost axis.
    ///
    /// # Panics
    /// Without axes.
    #[track_caller]
    pub fn with_last(mut self, coordinate: usize) -> Self {
        assert!(self.rank > 0, "with_last: a place without axes");
        self.coordinates[self.rank - 1] = coordinate;
        self
    }

    /// Which element of a tensor of `shape` is seen here once it is broadcast: leading axes that it lacks fall away,
    /// and along its extents of 1 there is only the first.
    ///
    /// # Panics
    /// If `shape` has more axes.
    #[track_caller]
    pub fn unbroadcast(self, shape: Shape) -> Self {
        assert!(shape.rank() <= self.rank, "unbroadcast: {self:?} has fewer axes than {shape}");
        let mut coordinates = [0; MAX_RANK];
        for (axis, &coordinate) in self[self.rank - shape.rank()..].iter().enumerate() {
            coordinates[axis] = if shape[axis] == 1 { 0 } else { coordinate };
        }
        Self { coordinates, rank: shape.rank() }
    }
}

impl Deref for Index {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.coordinates[..self.rank]
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;

    #[test]
    fn indices_run_in_row_major_order() {
        let a = Tensor::from_fn([2, 3, 4], |i| i as f64);
        for (position, i) in a.shape().indices().enumerate() {
            assert_eq!(a.at(&i), position as f64);
        }
        assert_eq!(Shape::new(&[]).indices().len(), 1);
        assert_eq!(Shape::new(&[3, 0, 2]).indices().count(), 0);
    }

    #[test]
    fn places_gain_and_change_axes() {
        let i = Index::unravel(5, Shape::new(&[2, 3]));
        assert_eq!(i[..], [1, 2]);
        assert_eq!(i.insert(0, 7)[..], [7, 1, 2]);
        assert_eq!(i.insert(1, 7)[..], [1, 7, 2]);
        assert_eq!(i.then(7)[..], [1, 2, 7]);
        assert_eq!(i.with_last(7)[..], [1, 7]);
    }

    #[test]
    fn unbroadcast_reads_what_a_broadcast_view_reads() {
        let to = Shape::new(&[2, 3, 4]);
        for from in [&[][..], &[4], &[1], &[3, 1], &[1, 4], &[2, 1, 4], &[2, 3, 4]].map(Shape::new) {
            let small = Tensor::from_fn(from, |i| i as f64);
            let large = small.broadcast_to(to);
            assert!(to.indices().all(|i| large.at(&i) == small.at(&i.unbroadcast(from))), "{from}");
        }
    }

    #[test]
    #[should_panic(expected = "no room for an axis 4 in [0, 0, 0, 0]")]
    fn a_fifth_axis_is_refused() {
        Index::unravel(0, Shape::new(&[1; 4])).then(0);
    }
}
