//! Diagnoses of wrong gradients: known mistakes leave recognisable errors.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::input::Input;

/// Tolerance for recognising a diagnosis, relative to the gradient's largest entry.
const NEAR: f64 = 1e-9;

/// A known error of a whole gradient.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Diagnosis {
    /// It is zero everywhere.
    Zero,
    /// It is twice what it should be.
    Twice,
    /// It is half of what it should be.
    Half,
    /// It has the wrong sign.
    Negated,
    /// Every entry is n times what it should be. n is an extent of the computation, or a product of extents.
    Times(usize),
    /// Every entry is 1/n of what it should be. n is an extent of the computation, or a product of extents.
    Part(usize),
    /// Every entry is multiplied by this factor.
    Scaled(f64),
    /// Its gates are in this wrong order.
    GateOrder(Vec<String>),
    /// It is transposed, in shape or only in the order of its elements.
    Transposed,
    /// It is the gradient of the function with this name; see [`Report::suspect`](super::Report::suspect).
    Other(String),
    /// Only these gates are wrong.
    OnlyGates(Vec<String>),
    /// Only these places of one axis are wrong.
    OnlyAt {
        /// The axis.
        axis: usize,
        /// Indices on that axis.
        places: Vec<usize>,
    },
}

/// Returns the first diagnosis that fits, in order of simplicity. `extents` are the extents of all inputs and of the value.
pub(super) fn diagnose(
    input: &Input,
    got: &[f64],
    want: &[f64],
    extents: &[usize],
    tolerance: f64,
) -> Option<Diagnosis> {
    let wrong = |i: usize| (got[i] - want[i]).abs() > tolerance.max(NEAR * 1e-3) * scale(got, want);
    find_factor(got, want, extents)
        .or_else(|| find_gate_order(input, got, want))
        .or_else(|| find_transpose(input, got, want))
        .or_else(|| find_wrong_gates(input, &wrong))
        .or_else(|| find_wrong_places(input, &wrong))
}

/// Returns true if two gradients are equal up to rounding.
pub(super) fn is_near(a: &[f64], b: &[f64]) -> bool {
    let scale = scale(a, b);
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= NEAR * scale)
}

fn scale(a: &[f64], b: &[f64]) -> f64 {
    a.iter().chain(b).fold(0.0, |scale, x| x.abs().max(scale))
}

fn find_factor(got: &[f64], want: &[f64], extents: &[usize]) -> Option<Diagnosis> {
    let scale = scale(got, want); // scaled, because products of very large or small numbers overflow or underflow
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a / scale) * (b / scale)).sum::<f64>();
    let factor = product(got, want) / product(want, want);
    let fits = factor.is_finite() && is_near(got, &want.iter().map(|want| factor * want).collect::<Vec<_>>());
    let is = |wanted: f64| (factor - wanted).abs() <= NEAR * wanted.abs();
    let extent = |of: &dyn Fn(f64) -> f64| extents.iter().copied().find(|&n| n > 2 && is(of(n as f64)));
    if !fits || is(1.0) {
        return None;
    }
    Some(match factor {
        _ if got.iter().all(|&dx| dx == 0.0) => Diagnosis::Zero,
        _ if is(2.0) => Diagnosis::Twice,
        _ if is(0.5) => Diagnosis::Half,
        _ if is(-1.0) => Diagnosis::Negated,
        _ => extent(&|n| n)
            .map(Diagnosis::Times)
            .or_else(|| extent(&|n| 1.0 / n).map(Diagnosis::Part))
            .unwrap_or(Diagnosis::Scaled(factor)),
    })
}

/// Returns all permutations of `0..n` except the identity, for n ≤ 4.
fn permutations(n: usize) -> impl Iterator<Item = Vec<usize>> {
    let numbers = if n <= 4 { n.pow(n as u32) } else { 0 };
    let digits = move |number: usize| (0..n).map(|k| number / n.pow(k as u32) % n).collect::<Vec<_>>();
    (0..numbers).map(digits).filter(move |order| (0..n).all(|k| order.contains(&k)) && !order.is_sorted())
}

fn find_gate_order(input: &Input, got: &[f64], want: &[f64]) -> Option<Diagnosis> {
    let (axis, names) = input.gates.as_ref()?;
    let extent = input.value.shape()[*axis] / names.len();
    let stride: usize = input.value.shape()[axis + 1..].iter().product();
    let moved = |order: &[usize], i: usize| {
        let gate = input.index(i)[*axis] / extent;
        want[i + order[gate] * extent * stride - gate * extent * stride]
    };
    let order = permutations(names.len())
        .find(|order| is_near(got, &(0..want.len()).map(|i| moved(order, i)).collect::<Vec<_>>()))?;
    Some(Diagnosis::GateOrder(order.into_iter().map(|gate| names[gate].clone()).collect()))
}

fn find_transpose(input: &Input, got: &[f64], want: &[f64]) -> Option<Diagnosis> {
    let &[rows, columns] = &input.value.shape()[..] else { return None };
    let transposed =
        |rows: usize, columns: usize| (0..want.len()).map(|i| want[i % rows * columns + i / rows]).collect::<Vec<_>>();
    let fits = is_near(got, &transposed(rows, columns)) || is_near(got, &transposed(columns, rows));
    fits.then_some(Diagnosis::Transposed)
}

fn find_wrong_gates(input: &Input, wrong: &dyn Fn(usize) -> bool) -> Option<Diagnosis> {
    let (axis, names) = input.gates.as_ref()?;
    let extent = input.value.shape()[*axis] / names.len();
    let indices = wrong_indices(input, *axis, wrong);
    let gates: Vec<_> = (0..names.len()).filter(|gate| indices.iter().any(|i| i / extent == *gate)).collect();
    let is_part = (1..names.len()).contains(&gates.len());
    is_part.then(|| Diagnosis::OnlyGates(gates.into_iter().map(|gate| names[gate].clone()).collect()))
}

/// Finds the axis on which wrong entries have the fewest indices, if these are at most half of its extent.
fn find_wrong_places(input: &Input, wrong: &dyn Fn(usize) -> bool) -> Option<Diagnosis> {
    let shape = input.value.shape();
    let found = (0..shape.rank()).map(|axis| (axis, wrong_indices(input, axis, wrong)));
    let (axis, places) = found.min_by_key(|(_, places)| places.len())?;
    (!places.is_empty() && 2 * places.len() <= shape[axis]).then_some(Diagnosis::OnlyAt { axis, places })
}

/// Returns the indices on an axis at which an entry is wrong.
fn wrong_indices(input: &Input, axis: usize, wrong: &dyn Fn(usize) -> bool) -> Vec<usize> {
    let mut indices: Vec<_> = (0..input.value.size()).filter(|&i| wrong(i)).map(|i| input.index(i)[axis]).collect();
    indices.sort_unstable();
    indices.dedup();
    indices
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => {
                write!(f, "it is zero everywhere: the graph is cut after this input, or the gradient was never added")
            }
            Self::Twice => write!(f, "it is exactly 2 times what it should be: added twice"),
            Self::Half => write!(f, "it is exactly half of what it should be: one of two uses was lost"),
            Self::Negated => write!(f, "it has the wrong sign"),
            Self::Times(n) => write!(f, "it is exactly {n} times what it should be: a mean over {n} was forgotten"),
            Self::Part(n) => {
                write!(f, "it is exactly 1/{n} of what it should be: it was divided by {n} one time too many")
            }
            Self::Scaled(factor) => write!(f, "it is {} times what it should be", format_factor(*factor)),
            Self::GateOrder(names) => write!(f, "its gates lie in the order {}", names.join(", ")),
            Self::Transposed => write!(f, "it is the transpose of what it should be"),
            Self::Other(name) => write!(f, "it is the gradient of {name}"),
            Self::OnlyGates(names) => write!(f, "it is wrong in gate {} alone", names.join(", ")),
            Self::OnlyAt { axis, places } => write!(f, "it is wrong at {places:?} of axis {axis} alone"),
        }
    }
}

/// Prints a factor with as many digits as [`NEAR`] guarantees.
fn format_factor(factor: f64) -> String {
    let digits = alloc::format!("{factor:.9}");
    digits.trim_end_matches('0').trim_end_matches('.').into()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use tensor::Tensor;

    use super::*;

    /// Diagnoses a gradient of shape \[6, 2\] with gates r, z, n, which `wrong` computes from the right one.
    fn diagnosis_of(wrong: impl Fn(&[f64]) -> Vec<f64>) -> Option<Diagnosis> {
        let want: Vec<f64> = (0..12).map(|i| (1.7 * f64::from(i) + 0.3) % 2.9 - 1.4).collect();
        let input = Input::from(Tensor::zeros([6, 2])).gates(0, &["r", "z", "n"]);
        diagnose(&input, &wrong(&want), &want, &[6, 2, 7], 1e-13)
    }

    fn names(gates: &[&str]) -> Vec<String> {
        gates.iter().map(|&name| name.into()).collect()
    }

    #[test]
    fn diagnose_known_mistakes_are_named() {
        let times = |factor: f64| move |want: &[f64]| want.iter().map(|w| factor * w).collect::<Vec<_>>();
        assert_eq!(diagnosis_of(times(1.0)), None);
        assert_eq!(diagnosis_of(times(0.0)), Some(Diagnosis::Zero));
        assert_eq!(diagnosis_of(times(2.0)), Some(Diagnosis::Twice));
        assert_eq!(diagnosis_of(times(0.5)), Some(Diagnosis::Half));
        assert_eq!(diagnosis_of(times(-1.0)), Some(Diagnosis::Negated));
        assert_eq!(diagnosis_of(times(7.0)), Some(Diagnosis::Times(7)));
        assert_eq!(diagnosis_of(times(1.0 / 6.0)), Some(Diagnosis::Part(6)));
        assert!(matches!(diagnosis_of(times(1.25)), Some(Diagnosis::Scaled(factor)) if (factor - 1.25).abs() < 1e-12));
        let gates = |order: [usize; 3]| {
            move |want: &[f64]| order.iter().flat_map(|g| want[4 * g..4 * g + 4].to_vec()).collect()
        };
        assert_eq!(diagnosis_of(gates([1, 0, 2])), Some(Diagnosis::GateOrder(names(&["z", "r", "n"]))));
        assert_eq!(diagnosis_of(gates([1, 2, 0])), Some(Diagnosis::GateOrder(names(&["z", "n", "r"]))));
        let transposed = |want: &[f64]| (0..12).map(|i| want[i % 6 * 2 + i / 6]).collect();
        assert_eq!(diagnosis_of(transposed), Some(Diagnosis::Transposed));
    }

    #[test]
    fn diagnose_local_error_names_its_place() {
        let wrong_at = |places: &'static [usize]| {
            move |want: &[f64]| {
                let mut got = want.to_vec();
                places.iter().for_each(|&i| got[i] += 0.01);
                got
            }
        };
        assert_eq!(diagnosis_of(wrong_at(&[8])), Some(Diagnosis::OnlyGates(names(&["n"]))));
        assert_eq!(diagnosis_of(wrong_at(&[0, 7])), Some(Diagnosis::OnlyGates(names(&["r", "z"]))));
        assert_eq!(diagnosis_of(wrong_at(&[1, 5, 11])), Some(Diagnosis::OnlyAt { axis: 1, places: vec![1] }));
        assert_eq!(diagnosis_of(wrong_at(&[0, 1, 4, 5, 8, 9])), None);
    }

    #[test]
    fn format_factor_prints_nine_digits_at_most() {
        let written = [0.500_000_000_000_000_1, 3.0, -1.25, 1.0 / 3.0, 1e12].map(format_factor);
        assert_eq!(written, ["0.5", "3", "-1.25", "0.333333333", "1000000000000"]);
    }

    #[test]
    fn permutations_leave_out_the_identity() {
        assert_eq!((1..=5).map(|n| permutations(n).count()).collect::<Vec<_>>(), [0, 1, 5, 23, 0]);
    }
}
