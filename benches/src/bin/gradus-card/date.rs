//! The day on which something was measured.

use std::time::{SystemTime, UNIX_EPOCH};

/// Today in UTC, as 2026-11-28.
pub(crate) fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    day(seconds / 86_400)
}

/// So many days after 1970-01-01. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn day(days: u64) -> String {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153; // from March
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year_of_era + 400 * era + later)
}

#[cfg(test)]
mod tests {
    #[test]
    fn days_have_dates() {
        let dates = [0, 59, 11_016, 20_785, 20_512].map(super::day);
        assert_eq!(dates, ["1970-01-01", "1970-03-01", "2000-02-29", "2026-11-28", "2026-02-28"]);
    }
}
