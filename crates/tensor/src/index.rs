//! Multi-indices, with which the reference kernels address elements.

use core::fmt;
use core::ops::Deref;

use crate::shape::{MAX_RANK, Shape};

/// The index of an element: one coordinate for each of up to four axes, outermost first.
///
/// ```
/// use tensor::Shape;
///
/// let indices: Vec<_> = Shape::new(&[2, 2]).indices().map(|i| (i[0], i[1])).collect();
/// assert_eq!(indices, [(0, 0), (0, 1), (1, 0), (1, 1)]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Index {
    coordinates: [usize; MAX_RANK],
    rank: usize,
}

impl Shape {
    /// The indices of all elements, in row-major order.
    pub fn indices(self) -> impl ExactSizeIterator<Item = Index> {
        (0..self.size()).map(move |position| Index::unravel(position, self))
    }
}

impl Index {
    /// The index of the element at `position` in row-major order.
    pub(crate) fn unravel(mut position: usize, shape: Shape) -> Self {
        let mut coordinates = [0; MAX_RANK];
        for axis in (0..shape.rank()).rev() {
            coordinates[axis] = position % shape[axis];
            position /= shape[axis];
        }
        Self { coordinates, rank: shape.rank() }
    }

    /// Inserts an axis with coordinate `coordinate` before axis `axis`.
    ///
    /// # Panics
    /// If the index has four axes already, or fewer than `axis`.
    #[track_caller]
    pub fn insert(mut self, axis: usize, coordinate: usize) -> Self {
        assert!(self.rank < MAX_RANK && axis <= self.rank, "insert: no room for an axis {axis} in {self:?}");
        self.coordinates.copy_within(axis..self.rank, axis + 1);
        self.coordinates[axis] = coordinate;
        self.rank += 1;
        self
    }

    /// Appends an innermost axis with coordinate `coordinate`.
    ///
    /// # Panics
    /// If the index has four axes already.
    #[track_caller]
    pub fn append(self, coordinate: usize) -> Self {
        self.insert(self.rank, coordinate)
    }

    /// Adds the coordinates of `other`, axis by axis.
    pub(crate) fn offset_by(mut self, other: Self) -> Self {
        self.coordinates.iter_mut().zip(other.coordinates).for_each(|(at, by)| *at += by);
        self
    }

    /// Replaces the coordinate along the innermost axis.
    ///
    /// # Panics
    /// If the index has no axes.
    #[track_caller]
    pub fn replace_last(mut self, coordinate: usize) -> Self {
        assert!(self.rank > 0, "replace_last: an index without axes");
        self.coordinates[self.rank - 1] = coordinate;
        self
    }

    /// Maps an index of a broadcast tensor back to the original tensor, which has `shape`. Drops the leading axes that `shape`
    /// lacks, and sets the coordinate to 0 along axes of extent 1.
    ///
    /// # Panics
    /// If `shape` has more axes than the index.
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
    fn indices_of_a_shape_are_in_row_major_order() {
        let a = Tensor::from_fn([2, 3, 4], |i| i as f64);
        for (position, i) in a.shape().indices().enumerate() {
            assert_eq!(a.get(&i), position as f64);
        }
        assert_eq!(Shape::new(&[]).indices().len(), 1);
        assert_eq!(Shape::new(&[3, 0, 2]).indices().count(), 0);
    }

    #[test]
    fn insert_append_and_replace_last_give_the_new_index() {
        let i = Index::unravel(5, Shape::new(&[2, 3]));
        assert_eq!(i[..], [1, 2]);
        assert_eq!(i.insert(0, 7)[..], [7, 1, 2]);
        assert_eq!(i.insert(1, 7)[..], [1, 7, 2]);
        assert_eq!(i.append(7)[..], [1, 2, 7]);
        assert_eq!(i.replace_last(7)[..], [1, 7]);
    }

    #[test]
    fn unbroadcast_index_names_the_element_of_the_broadcast_view() {
        let to = Shape::new(&[2, 3, 4]);
        for from in [&[][..], &[4], &[1], &[3, 1], &[1, 4], &[2, 1, 4], &[2, 3, 4]].map(Shape::new) {
            let small = Tensor::from_fn(from, |i| i as f64);
            let large = small.broadcast_to(to);
            assert!(to.indices().all(|i| large.get(&i) == small.get(&i.unbroadcast(from))), "{from}");
        }
    }

    #[test]
    #[should_panic(expected = "no room for an axis 4 in [0, 0, 0, 0]")]
    fn append_fifth_axis_panics() {
        Index::unravel(0, Shape::new(&[1; 4])).append(0);
    }
}
