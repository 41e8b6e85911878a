//! Moments as the wire writes them: Unix seconds as a float (file names, messages) and ISO 8601 in
//! UTC (YAML files, the version file).

use std::{cmp::Ordering, fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// A moment in seconds since 1970, UTC, with the precision of the float that Python peers write.
///
/// Finite and not negative; ordered by value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Timestamp(f64);

/// A number or text that is no moment after 1970 and before the year 9999.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a time in seconds since 1970 (or an ISO 8601 time in UTC)")]
pub struct TimestampError(String);

impl Timestamp {
    /// The first moment.
    pub const EPOCH: Self = Self(0.0);
    /// 31 December 9998.
    const MAX: f64 = 253_370_678_400.0;

    /// The moment `seconds` after 1970.
    ///
    /// # Errors
    /// When `seconds` is negative, not finite, or past the year 9998.
    pub fn from_seconds(seconds: f64) -> Result<Self, TimestampError> {
        if seconds.is_finite() && (0.0..Self::MAX).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(TimestampError(seconds.to_string()))
        }
    }

    /// The moment `since` after 1970; the last one that can be written when that is past it.
    #[must_use]
    pub fn from_duration(since: Duration) -> Self {
        Self(since.as_secs_f64().min(Self::MAX - 1.0))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0
    }

    /// This moment and `more`.
    #[must_use]
    pub fn after(self, more: Duration) -> Self {
        Self::from_duration(Duration::from_secs_f64(self.0) + more)
    }

    /// How long `self` is after `earlier`; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs_f64((self.0 - earlier.0).max(0.0))
    }

    /// `2026-11-23T04:29:58.117326Z`: always six digits, as the Python peers write it.
    #[must_use]
    pub fn to_iso(self) -> String {
        #[expect(clippy::cast_possible_truncation, reason = "below MAX, so 10^6 times it fits an i64")]
        let micros = (self.0 * 1e6).round() as i64;
        jiff::Timestamp::from_microsecond(micros)
            .map(|time| time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string())
            .unwrap_or_default()
    }

    /// Parses ISO 8601 with an offset.
    ///
    /// # Errors
    /// When `text` is another shape or outside the range.
    pub fn from_iso(text: &str) -> Result<Self, TimestampError> {
        let parsed: jiff::Timestamp =
            text.parse().map_err(|_| TimestampError(text.chars().take(80).collect()))?;
        Self::from_seconds(parsed.as_duration().as_secs_f64())
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl TryFrom<f64> for Timestamp {
    type Error = TimestampError;

    fn try_from(seconds: f64) -> Result<Self, TimestampError> {
        Self::from_seconds(seconds)
    }
}

impl From<Timestamp> for f64 {
    fn from(time: Timestamp) -> Self {
        time.0
    }
}

/// The shortest digits that give the same float, with `.0` on whole seconds: Python's `str(float)`,
/// which names of message files contain.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        match text.parse() {
            Ok(seconds) if plain => Self::from_seconds(seconds),
            _ => Err(TimestampError(text.chars().take(80).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_python_does() {
        let time: Timestamp = "1795408204.9535503".parse().unwrap();
        assert_eq!(time.to_string(), "1795408204.9535503");
        assert_eq!(Timestamp::from_seconds(1_795_408_204.0).unwrap().to_string(), "1795408204.0");
        assert_eq!(time.to_iso(), "2026-11-23T04:30:04.953550Z");
        let round = Timestamp::from_iso("2026-11-23T04:30:04.953550Z").unwrap();
        assert_eq!(round.to_iso(), "2026-11-23T04:30:04.953550Z");
    }

    #[test]
    fn refuses_what_is_no_moment() {
        for bad in ["", "-1", "nan", "inf", "1e300", "1e9", "12x"] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
        assert!(Timestamp::from_seconds(f64::NAN).is_err());
        assert!(Timestamp::from_iso("yesterday").is_err());
    }
}
