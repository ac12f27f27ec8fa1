//! Prints tensors as text.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::any::type_name;
use core::fmt;

use crate::real::Element;
use crate::tensor::Tensor;
use crate::view::View;

/// Largest number of elements that `Display` prints in full.
const DISPLAY_LIMIT: usize = 1000;
/// Largest number of elements that `Debug` prints in full.
const DEBUG_LIMIT: usize = 100;
/// Number of entries printed at each end of a longer axis.
const EDGE: usize = 3;
/// Largest number of decimals without a given precision.
const DECIMALS: i32 = 4;
/// Width of a line, in characters.
const LINE: usize = 80;

/// Prints nested brackets with one row per line and aligned numbers, as NumPy does.
///
/// All numbers have the same decimals: as many as the longest one needs, at most four. All are in scientific notation if the
/// absolute value of one, other than 0, is below 10⁻⁴ or at least 10¹⁰. A precision fixes the decimals: `{:.3}`. Of more than
/// 1000 elements, an axis longer than six shows three entries at each end. The shape follows if the brackets do not tell it.
///
/// ```
/// use tensor::Tensor;
///
/// let x = Tensor::from([[0.5, -1.0], [12.25, f64::NAN]]);
/// assert_eq!(x.to_string(), "[[ 0.50, -1.00],\n [12.25,   NaN]]");
/// assert_eq!(format!("{x:.1}"), "[[ 0.5, -1.0],\n [12.2,  NaN]]");
/// assert_eq!(Tensor::from([2e-3, 3e-7]).to_string(), "[2e-3, 3e-7]");
/// assert_eq!(Tensor::scalar(2.0 / 3.0).to_string(), "0.6667");
/// assert_eq!(Tensor::<f64>::zeros([3, 0]).to_string(), "[], shape=[3, 0]");
/// let long = Tensor::from_fn([2000], |i| i as u32);
/// assert_eq!(long.to_string(), "[   0,    1,    2, ..., 1997, 1998, 1999], shape=[2000]");
/// ```
impl<T: Element + fmt::Display> fmt::Display for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_indented(f, 0)
    }
}

impl<T: Element + fmt::Display> Tensor<T> {
    /// Prints as `Display` does, after a label of `indent` columns on the first line. All other lines are indented by as much,
    /// and rows are still broken before 80 columns.
    ///
    /// # Errors
    /// If `f` returns one.
    pub fn fmt_indented(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        let elides = self.size() > DISPLAY_LIMIT;
        let cells = format_numbers(&shown_elements(self, elides), f.precision());
        let longest = cells.iter().map(|cell| cell.chars().count()).max();
        let width = longest.max(f.width()).unwrap_or(0);
        let mut cells = cells.iter().map(|cell| format!("{cell:>width$}"));
        write_axis(f, (&self.shape(), 0), elides, Some((width, indent)), &mut cells)?;
        let is_cut = elides && self.shape().iter().any(|&extent| extent > 2 * EDGE);
        if is_cut || self.size() == 0 && self.shape().rank() > 1 {
            write!(f, ", shape={}", self.shape())
        } else {
            Ok(())
        }
    }
}

/// Prints the scalar type, the shape and the elements on one line. The numbers have all their digits, or the given precision.
/// Of more than 100 elements, an axis longer than six shows three entries at each end.
///
/// ```
/// let x = tensor::Tensor::from([[0.5, -1.0], [0.1 + 0.2, f64::INFINITY]]);
/// assert_eq!(format!("{x:?}"), "Tensor<f64>[2, 2] [[0.5, -1.0], [0.30000000000000004, inf]]");
/// ```
impl<T: Element> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scalar = type_name::<T>().replace("tensor::dual::", "");
        write!(f, "Tensor<{scalar}>{} ", self.shape())?;
        let (elides, precision) = (self.size() > DEBUG_LIMIT, f.precision());
        let mut cells = shown_elements(self, elides).into_iter().map(|x| match precision {
            Some(precision) => format!("{x:.precision$?}"),
            None => format!("{x:?}"),
        });
        write_axis(f, (&self.shape(), 0), elides, None, &mut cells)
    }
}

/// Returns the printed entries of an axis. `None` is the ellipsis.
fn shown_entries(extent: usize, elides: bool) -> impl Iterator<Item = Option<usize>> {
    let cut = elides && extent > 2 * EDGE;
    let (head, tail) = if cut { (EDGE, extent - EDGE) } else { (extent, extent) };
    (0..head).map(Some).chain(cut.then_some(None)).chain((tail..extent).map(Some))
}

/// Returns the printed elements, in row-major order.
fn shown_elements<T: Element>(x: &Tensor<T>, elides: bool) -> Vec<T> {
    fn collect<T: Element>(x: View<'_, T>, elides: bool, elements: &mut Vec<T>) {
        match x.shape().first() {
            None => elements.push(x.get(&[])),
            Some(&extent) => {
                shown_entries(extent, elides).flatten().for_each(|i| collect(x.select(0, i), elides, elements));
            }
        }
    }
    let mut elements = Vec::new();
    if x.size() > 0 {
        collect(x.to_host().view(), elides, &mut elements);
    }
    elements
}

/// Formats numbers with `precision` or, without one, with the same number of decimals for all.
fn format_numbers<T: fmt::Display>(numbers: &[T], precision: Option<usize>) -> Vec<String> {
    if let Some(precision) = precision {
        return numbers.iter().map(|x| format!("{x:.precision$}")).collect();
    }
    // Text serves every scalar type. The text of a dual number is no number, and is printed as it is.
    let texts: Vec<String> = numbers.iter().map(T::to_string).collect();
    let parse = |text: &String| text.parse::<f64>().ok();
    let digits_and_exponent = |x: f64| {
        let text = format!("{x:e}"); // for 12.25: 1.225e1
        let (mantissa, exponent) = text.split_once('e')?; // NaN and infinity have no exponent
        let digits = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len() as i32);
        Some((digits, exponent.parse::<i32>().ok()?))
    };
    let finite: Vec<_> = texts.iter().filter_map(parse).filter_map(digits_and_exponent).collect();
    let scientific = finite.iter().any(|(_, exponent)| !(-4..10).contains(exponent));
    let needed = finite.iter().map(|(digits, exponent)| digits - if scientific { 0 } else { *exponent });
    let decimals = needed.max().unwrap_or(0).clamp(0, DECIMALS) as usize;
    let format = |text: String| match parse(&text) {
        None => text,
        Some(x) if scientific => format!("{x:.decimals$e}"),
        Some(x) => format!("{x:.decimals$}"),
    };
    texts.into_iter().map(format).collect()
}

/// Writes the printed elements from `axis` on. `lines` has the width of the cells and the indentation of lines: then there is
/// one row per line, and long rows are broken. Without it, all is on one line.
fn write_axis(
    f: &mut fmt::Formatter<'_>,
    (shape, axis): (&[usize], usize),
    elides: bool,
    lines: Option<(usize, usize)>,
    cells: &mut dyn Iterator<Item = String>,
) -> fmt::Result {
    if shape.contains(&0) {
        return f.write_str("[]");
    }
    if axis == shape.len() {
        return f.write_str(&cells.next().expect("a cell for each printed element"));
    }
    let indent = lines.map_or(0, |(_, indent)| indent) + axis + 1;
    let inner = shape.len() - axis - 1;
    for (k, entry) in shown_entries(shape[axis], elides).enumerate() {
        let breaks = match lines {
            Some((width, _)) if inner == 0 => usize::from(k % (LINE.saturating_sub(indent) / (width + 2)).max(1) == 0),
            Some(_) => inner,
            None => 0,
        };
        match (k, breaks) {
            (0, _) => f.write_str("[")?,
            (_, 0) => f.write_str(", ")?,
            _ => write!(f, ",{}{}", "\n".repeat(breaks), " ".repeat(indent))?,
        }
        match entry {
            Some(_) => write_axis(f, (shape, axis + 1), elides, lines, cells)?,
            None => f.write_str("...")?,
        }
    }
    f.write_str("]")
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::dual::Dual;

    #[test]
    fn display_views_and_three_axes_has_a_blank_line_between_matrices() {
        let x = Tensor::from_fn([2, 2, 2], |i| i as f32 * 2.5);
        assert_eq!(x.to_string(), "[[[ 0.0,  2.5],\n  [ 5.0,  7.5]],\n\n [[10.0, 12.5],\n  [15.0, 17.5]]]");
        assert_eq!(x.select(0, 0).transpose().to_string(), "[[0.0, 5.0],\n [2.5, 7.5]]");
    }

    #[test]
    fn display_numbers_of_any_size_keeps_their_digits() {
        let text = |row: [f64; 3]| Tensor::from(row).to_string();
        assert_eq!(text([1.0, -2.0, 0.0]), "[ 1, -2,  0]");
        assert_eq!(text([1.0 / 3.0, 100.0, -0.0]), "[  0.3333, 100.0000,  -0.0000]");
        assert_eq!(text([1.0 / 3.0, 1e-4, 0.0]), "[0.3333, 0.0001, 0.0000]");
        assert_eq!(text([1.0 / 3.0, 9e-5, 0.0]), "[3.3333e-1, 9.0000e-5,  0.0000e0]");
        assert_eq!(text([9e9, 1.0, 2.0]), "[9000000000,          1,          2]");
        assert_eq!(text([1e10, f64::NEG_INFINITY, f64::NAN]), "[1e10, -inf,  NaN]");
        assert_eq!(text([f64::INFINITY; 3]), "[inf, inf, inf]");
        assert_eq!(Tensor::from([0.1_f32, 0.25]).to_string(), "[0.10, 0.25]");
        assert_eq!(Tensor::from([u32::MAX, 7]).to_string(), "[4294967295,          7]");
    }

    #[test]
    fn display_precision_and_width_hold_for_each_number() {
        let x = Tensor::from([0.000_012_5_f64, 1.0]);
        assert_eq!(format!("{x:.2}"), "[0.00, 1.00]");
        assert_eq!(format!("{x:6.1}"), "[   0.0,    1.0]");
        assert_eq!(format!("{:.3}", Tensor::from([7_u32])), "[7]");
        assert_eq!(format!("{x:.1?}"), "Tensor<f64>[2] [0.0, 1.0]");
    }

    #[test]
    fn display_dual_numbers_shows_values_and_tangents() {
        let x = Tensor::from([Dual { value: 0.5, tangent: 1.0 }, Dual { value: -2.0, tangent: 0.25 }]);
        assert_eq!(x.to_string(), "[  0.5 + 1ε, -2 + 0.25ε]");
        assert_eq!(format!("{x:.1}"), "[ 0.5 + 1.0ε, -2.0 + 0.2ε]");
        assert!(format!("{x:?}").starts_with("Tensor<Dual<f64>>[2] ["));
    }

    #[test]
    fn display_scalars_and_empty_tensors_shows_the_shape_where_it_is_lost() {
        assert_eq!(Tensor::scalar(-0.5_f32).to_string(), "-0.5");
        assert_eq!(Tensor::<f32>::zeros([0]).to_string(), "[]");
        assert_eq!(Tensor::<f32>::zeros([2, 0, usize::MAX]).to_string(), format!("[], shape=[2, 0, {}]", usize::MAX));
        assert_eq!(format!("{:?}", Tensor::<f32>::zeros([0, 2])), "Tensor<f32>[0, 2] []");
        assert_eq!(format!("{:?}", Tensor::scalar(1.0_f32)), "Tensor<f32>[] 1.0");
    }

    #[test]
    fn display_more_than_1000_elements_elides_the_long_axes_only() {
        let text = Tensor::from_fn([500, 4], |i| i as u32).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "[[   0,    1,    2,    3],");
        assert_eq!(lines[2..5], [" [   8,    9,   10,   11],", " ...,", " [1988, 1989, 1990, 1991],"]);
        assert_eq!((lines.len(), lines[6]), (7, " [1996, 1997, 1998, 1999]], shape=[500, 4]"));
        let full = Tensor::<u32>::zeros([250, 4]).to_string();
        assert_eq!((full.lines().count(), full.contains("...")), (250, false));
        assert_eq!(
            format!("{:?}", Tensor::from_fn([101], |i| i as u32)),
            "Tensor<u32>[101] [0, 1, 2, ..., 98, 99, 100]"
        );
        let without_long_axes = Tensor::<u32>::zeros([6; 4]).to_string();
        assert!(without_long_axes.ends_with("0]]]]") && !without_long_axes.contains("..."), "{without_long_axes}");
        let broadcast = Tensor::scalar(1_u32).broadcast_to([1 << 40]).to_string();
        assert_eq!(broadcast, format!("[1, 1, 1, ..., 1, 1, 1], shape=[{}]", 1_u64 << 40));
    }

    #[test]
    fn display_long_rows_are_broken_before_80_characters() {
        let text = Tensor::from_fn([2, 30], |i| 100 + i as u32).to_string();
        assert!(text.lines().all(|line| line.len() <= LINE), "{text}");
        assert_eq!(text.lines().count(), 4);
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("  115, ")), "{text}");
        assert_eq!(format!("{:100}", Tensor::from([1_u32, 2])).lines().count(), 2);
    }
}
