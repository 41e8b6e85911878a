//! The demo's patients: the same ones in every run, and what is true of them.

use std::{collections::BTreeMap, fmt::Write};

/// How many private records there are.
pub(super) const PRIVATE_ROWS: u32 = 10_000;
/// How many made-up records the mock half has.
pub(super) const MOCK_ROWS: u32 = 200;

/// What a patient gets, and how many days recovery then takes at least.
const TREATMENTS: [(&str, u64); 3] = [("new", 12), ("none", 21), ("standard", 16)];

/// Records as CSV, and the table that a right analysis of them makes.
pub(super) struct Patients {
    pub(super) csv: String,
    pub(super) recovery: String,
}

/// The records that stay with their owner: there, the treatment matters.
pub(super) fn private() -> Patients {
    patients(PRIVATE_ROWS, 1, |base| base)
}

/// Made-up records with the same columns: nothing true can be learned from them.
pub(super) fn mock() -> Patients {
    patients(MOCK_ROWS, 2, |_| 15)
}

fn patients(rows: u32, seed: u64, days_at_least: impl Fn(u64) -> u64) -> Patients {
    let mut random = SplitMix(seed);
    let mut csv = "patient,age,treatment,days_to_recovery\n".to_owned();
    let mut totals: BTreeMap<&str, (u32, u64)> = BTreeMap::new();
    for patient in 1..=rows {
        let age = 18 + random.below(73);
        let (treatment, base) = TREATMENTS[usize::try_from(random.below(3)).unwrap_or_default()];
        let days = days_at_least(base) + age / 12 + random.below(9);
        // Writing to a String can't fail.
        let _ = writeln!(csv, "{patient},{age},{treatment},{days}");
        let total = totals.entry(treatment).or_default();
        *total = (total.0 + 1, total.1 + days);
    }
    let mut recovery = "treatment,count,mean\n".to_owned();
    for (treatment, (count, days)) in totals {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let mean = days as f64 / f64::from(count);
        let _ = writeln!(recovery, "{treatment},{count},{mean:.3}");
    }
    Patients { csv, recovery }
}

/// `SplitMix64`: a few lines, and the same numbers everywhere.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_patients_in_every_run() {
        let patients = private();
        assert_eq!(patients.csv, private().csv);
        assert_eq!(patients.csv.lines().count(), 10_001);
        assert_eq!(patients.recovery.lines().count(), 4);
        assert_ne!(mock().recovery, patients.recovery);
        let header = |csv: &str| csv.lines().next().map(str::to_owned);
        assert_eq!(header(&mock().csv), header(&patients.csv));
    }
}
