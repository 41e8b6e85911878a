//! How many tests passed and failed, read from what the test runners say.

use std::fmt;
use std::ops::Add;

/// Counts of tests. A step that fails without running a test counts as one failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed, timed out or could not be started.
    pub(crate) failed: u64,
}

impl Tally {
    /// Reads the counts of a whole run from nextest's JUnit report.
    pub(crate) fn from_junit(report: &str) -> Option<Self> {
        let (_, rest) = report.split_once("<testsuites ")?;
        let (attributes, _) = rest.split_once('>')?;
        let count = |name: &str| -> Option<u64> {
            let (_, rest) = attributes.split_once(&format!(" {name}=\""))?;
            rest.split_once('"')?.0.parse().ok()
        };
        let failed = count("failures")? + count("errors")?;
        Some(Self { passed: count("tests")?.checked_sub(failed)?, failed })
    }

    /// Reads the closing line of one test binary: `test result: ok. 3 passed; 0 failed; …`.
    pub(crate) fn from_libtest(line: &str) -> Option<Self> {
        let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
        let count =
            |name: &str| counts.split("; ").find_map(|part| part.strip_suffix(name)?.trim().parse().ok());
        Some(Self { passed: count(" passed")?, failed: count(" failed")? })
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_junit_report_gives_the_counts_of_the_whole_run() {
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="12" failures="2" errors="1" uuid="x" time="3.1">
    <testsuite name="syftbox-core" tests="5" disabled="0" errors="1" failures="0">"#;
        assert_eq!(Tally::from_junit(report), Some(Tally { passed: 9, failed: 3 }));
    }

    #[test]
    fn a_report_cut_short_gives_no_counts() {
        assert_eq!(Tally::from_junit(""), None);
        assert_eq!(Tally::from_junit(r#"<testsuites name="nextest-run" tests="12" failures="#), None);
        assert_eq!(Tally::from_junit(r#"<testsuites name="x" tests="1" failures="2" errors="0">"#), None);
    }

    #[test]
    fn a_libtest_closing_line_gives_its_counts() {
        let line = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(Tally::from_libtest(line), Some(Tally { passed: 3, failed: 1 }));
        assert_eq!(Tally::from_libtest("test domain::path ... ok"), None);
    }

    #[test]
    fn the_sum_is_shown_as_one_closing_line() {
        let sum = Tally { passed: 3, failed: 0 } + Tally { passed: 4, failed: 1 };
        assert_eq!(sum.to_string(), "7 passed, 1 failed");
    }
}
