//! Axes: the position of a value between two ends, and round tick labels.

/// An axis, linear or logarithmic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    /// Distance between ticks; `None` on a logarithmic axis.
    step: Option<f64>,
}

impl Scale {
    /// Makes a linear axis from `low` to `high` exactly.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        let (low, high) = if high > low { (low, high) } else { widen(low) };
        Self { low, high, step: Some(round_step((high - low) / TICK_INTERVALS)) }
    }

    /// Makes a linear axis with round ends that contains these numbers; `None` if none is finite.
    pub(crate) fn around(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let (low, high) = range(numbers)?;
        let (low, high) = if high > low { (low, high) } else { widen(low) };
        let step = round_step((high - low) / TICK_INTERVALS);
        Some(Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step: Some(step) })
    }

    /// Makes a logarithmic axis with round ends that contains these numbers; numbers of 0 or less are ignored.
    pub(crate) fn log_around(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let (low, high) = range(numbers.filter(|&x| x > 0.0))?;
        let below = round_numbers(low.log10().floor() as i32, &[1.0, 2.0, 5.0]).rfind(|&x| x <= low * (1.0 + 1e-9));
        let above =
            round_numbers(high.log10().floor() as i32, &[1.0, 2.0, 5.0, 10.0]).find(|&x| x >= high * (1.0 - 1e-9));
        let (low, high) = (below.unwrap_or(low), above.unwrap_or(high));
        Some(Self { low, high: if high > low { high } else { low * 10.0 }, step: None })
    }

    /// Returns the position of `x`: 0 at the low end, 1 at the high end, clamped to that range.
    pub(crate) fn position(self, x: f64) -> f64 {
        let share = match self.step {
            None => (x.max(self.low).ln() - self.low.ln()) / (self.high.ln() - self.low.ln()),
            Some(_) => (x - self.low) / (self.high - self.low),
        };
        share.clamp(0.0, 1.0)
    }

    /// Returns true if the axis can show `x`: it is finite, and positive on a logarithmic axis.
    pub(crate) fn can_show(self, x: f64) -> bool {
        x.is_finite() && (self.step.is_some() || x > 0.0)
    }

    /// Returns round numbers between the ends, with their labels.
    pub(crate) fn ticks(self) -> Vec<(f64, String)> {
        let Some(step) = self.step else { return self.log_ticks() };
        let places = (-step.log10().floor()).max(0.0) as usize;
        let (first, last) = ((self.low / step - 1e-9).ceil() as i64, (self.high / step + 1e-9).floor() as i64);
        (first..=last).map(|k| k as f64 * step).map(|x| (x, format_number(x, places))).collect()
    }

    /// Returns powers of ten. A short axis also gets 2 and 5 times each power.
    fn log_ticks(self) -> Vec<(f64, String)> {
        let (low, high) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let decades = (self.high / self.low).log10();
        let steps: &[f64] = if decades < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let stride = (decades / 6.0).ceil().max(1.0) as usize;
        let ticks = (low..=high).step_by(stride).flat_map(|decade| round_numbers(decade, steps));
        let within = |x: &f64| (self.low * (1.0 - 1e-9)..=self.high * (1.0 + 1e-9)).contains(x);
        ticks.filter(within).map(|x| (x, format_tick(x))).collect()
    }
}

/// Approximate number of tick intervals of an axis.
const TICK_INTERVALS: f64 = 5.0;

/// Returns a range around one number, so that an axis can be drawn.
fn widen(x: f64) -> (f64, f64) {
    let by = if x == 0.0 { 1.0 } else { x.abs() / 2.0 };
    (x - by, x + by)
}

/// Returns the minimum and maximum of the finite numbers.
fn range(numbers: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    numbers.filter(|x| x.is_finite()).fold(None, |range, x| match range {
        None => Some((x, x)),
        Some((low, high)) => Some((x.min(low), x.max(high))),
    })
}

/// Rounds `step` up to 1, 2 or 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let decade = step.log10().floor() as i32;
    round_numbers(decade, &[1.0, 2.0, 5.0, 10.0]).find(|&x| x >= step * (1.0 - 1e-9)).unwrap_or(step)
}

fn round_numbers(decade: i32, steps: &[f64]) -> impl DoubleEndedIterator<Item = f64> {
    steps.iter().map(move |step| if decade < 0 { step / 10_f64.powi(-decade) } else { step * 10_f64.powi(decade) })
}

/// Formats a number with this many decimals, commas between thousands, and a typographic minus sign.
pub(crate) fn format_number(x: f64, places: usize) -> String {
    let text = format!("{:.places$}", x.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (k, digit) in whole.chars().enumerate() {
        if k > 0 && (whole.len() - k).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if x < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) { "−" } else { "" };
    format!("{sign}{grouped}{rest}")
}

/// Formats a count, with commas between thousands.
pub(crate) fn format_count(x: impl TryInto<u64>) -> String {
    format_number(x.try_into().unwrap_or(u64::MAX) as f64, 0)
}

/// Formats a number to four significant digits.
pub(crate) fn format_significant(x: f64) -> String {
    let decade = if x == 0.0 { 0 } else { x.abs().log10().floor() as i32 };
    match decade {
        -4..4 => format_number(x, (3 - decade) as usize),
        4..9 => format_number(x, 0),
        _ => format!("{x:.3e}").replace('-', "−"),
    }
}

/// Formats 1, 2 or 5 times a power of ten, as a plain number if that is short.
fn format_tick(x: f64) -> String {
    let decade = (x.log10() + 1e-9).floor() as i32;
    if (-3..=4).contains(&decade) {
        return format_number(x, usize::try_from(-decade).unwrap_or(0));
    }
    let digit = (x / 10_f64.powi(decade)).round();
    let raised = |c: char| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(c.to_digit(10).unwrap_or(0) as usize).unwrap_or(c);
    let exponent: String = decade.unsigned_abs().to_string().chars().map(raised).collect();
    let times = if digit == 1.0 { String::new() } else { format!("{digit}·") };
    format!("{times}10{}{exponent}", if decade < 0 { "⁻" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_of_linear_axis_are_round() {
        assert_eq!(labels(Scale::linear(0.0, 1.0)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(Scale::linear(0.0, 1500.0)), ["0", "500", "1,000", "1,500"]);
        assert_eq!(labels(Scale::linear(1.0, 98.0)), ["20", "40", "60", "80"]);
        assert_eq!(labels(Scale::linear(-0.7, 1.2)), ["−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(labels(Scale::linear(0.0, 1e6)), ["0", "200,000", "400,000", "600,000", "800,000", "1,000,000"]);
    }

    #[test]
    fn around_has_round_ends_that_contain_all_numbers() {
        let scale = Scale::around([-0.53, 0.09].into_iter()).expect("numbers");
        assert_eq!(labels(scale), ["−0.6", "−0.4", "−0.2", "0.0", "0.2"]);
        assert!(scale.position(-0.6) < 1e-12 && scale.position(0.2) > 1.0 - 1e-12);
        assert_eq!(Scale::around([f64::NAN].into_iter()), None);
        for same in [0.0, 3.0, -1e-9] {
            let scale = Scale::around([same].into_iter()).expect("a number");
            assert!((0.01..0.99).contains(&scale.position(same)), "{scale:?}");
        }
    }

    #[test]
    fn ticks_of_log_axis_are_powers_of_ten() {
        let scale = Scale::log_around([0.013, 40.0, 0.0, -1.0].into_iter()).expect("numbers");
        assert_eq!(labels(scale), ["0.01", "0.1", "1", "10"]);
        assert_eq!([scale.position(0.01), scale.position(50.0)], [0.0, 1.0]);
        assert!(!scale.can_show(0.0) && !scale.can_show(f64::INFINITY) && scale.can_show(1e-9));
        assert_eq!(labels(Scale::log_around([0.2, 0.9].into_iter()).expect("numbers")), ["0.2", "0.5", "1"]);
        let wide = labels(Scale::log_around([1e-9, 1e9].into_iter()).expect("numbers"));
        assert_eq!(wide, ["10⁻⁹", "10⁻⁶", "0.001", "1", "1,000", "10⁶", "10⁹"]);
        assert_eq!(Scale::log_around([0.0].into_iter()), None);
    }

    #[test]
    fn format_number_groups_thousands_and_format_significant_keeps_four_digits() {
        assert_eq!(
            [format_number(1234567.0, 0), format_number(-0.001, 2), format_number(-12.5, 1)],
            ["1,234,567", "0.00", "−12.5"]
        );
        assert_eq!(
            [0.0, 0.12344, -1.5, 123456.0, 1e-7].map(format_significant),
            ["0.000", "0.1234", "−1.500", "123,456", "1.000e−7"]
        );
    }
}
