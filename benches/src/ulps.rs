//! Errors in units of the last place.

/// The largest and the mean error of `got`, which came as `f32`, in ulps: distances to `want` in units of the gap between
/// the `f32` next to it and the one after that. (Below the normal numbers gaps do not shrink, and neither do the units.)
///
/// # Panics
/// If there are not as many numbers of the one as of the other.
#[track_caller]
pub fn ulps(got: &[f64], want: &[f64]) -> (f64, f64) {
    assert_eq!(got.len(), want.len(), "ulps: as many numbers of both");
    let errors = got.iter().zip(want).map(|(got, want)| (got - want).abs() / unit(*want));
    let (largest, sum) = errors.fold((0.0_f64, 0.0), |(largest, sum), error| (largest.max(error), sum + error));
    (largest, sum / got.len() as f64)
}

fn unit(x: f64) -> f64 {
    let below = (x.abs() as f32).clamp(f32::MIN_POSITIVE, f32::MAX / 2.0);
    f64::from(below.next_up()) - f64::from(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_is_one_ulp_off() {
        for x in [1.0_f32, -3.5e-20, 7.25e30] {
            let wants = [f64::from(x); 2];
            let (largest, mean) = ulps(&[f64::from(x), f64::from(x.abs().next_up().copysign(x))], &wants);
            assert_eq!((largest, mean), (1.0, 0.5));
        }
    }

    #[test]
    fn what_lies_between_numbers_is_half_an_ulp_from_both() {
        let between = f64::from(1.0_f32) + f64::from(f32::EPSILON) / 2.0;
        assert_eq!(ulps(&[1.0, 1.0 + f64::from(f32::EPSILON)], &[between; 2]), (0.5, 0.5));
    }
}
