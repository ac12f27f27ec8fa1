//! Errors in ulps, units in the last place.

/// Returns the largest and the mean error of `got` in ulps, where `got` holds `f32` values.
///
/// One ulp is the gap between the `f32` nearest to `want` and the next larger one. For subnormal numbers it is the gap at the
/// smallest normal number.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub fn ulp_errors(got: &[f64], want: &[f64]) -> (f64, f64) {
    assert_eq!(got.len(), want.len(), "ulp_errors: the lengths differ");
    let errors = got.iter().zip(want).map(|(got, want)| (got - want).abs() / ulp_size(*want));
    let (largest, sum) = errors.fold((0.0_f64, 0.0), |(largest, sum), error| (largest.max(error), sum + error));
    (largest, sum / got.len() as f64)
}

fn ulp_size(x: f64) -> f64 {
    let below = (x.abs() as f32).clamp(f32::MIN_POSITIVE, f32::MAX / 2.0);
    f64::from(below.next_up()) - f64::from(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulp_errors_neighbour_is_one_ulp_off() {
        for x in [1.0_f32, -3.5e-20, 7.25e30] {
            let wants = [f64::from(x); 2];
            let (largest, mean) = ulp_errors(&[f64::from(x), f64::from(x.abs().next_up().copysign(x))], &wants);
            assert_eq!((largest, mean), (1.0, 0.5));
        }
    }

    #[test]
    fn ulp_errors_midpoint_is_half_an_ulp_off() {
        let between = f64::from(1.0_f32) + f64::from(f32::EPSILON) / 2.0;
        assert_eq!(ulp_errors(&[1.0, 1.0 + f64::from(f32::EPSILON)], &[between; 2]), (0.5, 0.5));
    }
}
