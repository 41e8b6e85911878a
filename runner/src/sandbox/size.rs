//! Numbers of bytes as people write them.

use std::{fmt, str::FromStr};

/// A number of bytes: `4096`, `512K`, `64M` or `4G`, in steps of 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

/// A text that is no number of bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a number of bytes, such as 4096, 512K, 64M or 4G")]
pub struct ByteSizeError;

const UNITS: [(&str, u32); 3] = [("G", 30), ("M", 20), ("K", 10)];

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let upper = text.trim().to_ascii_uppercase();
        let upper = upper.strip_suffix('B').unwrap_or(&upper);
        let upper = upper.strip_suffix('I').unwrap_or(upper);
        let unit = UNITS.iter().find_map(|(unit, shift)| Some((upper.strip_suffix(unit)?, *shift)));
        let (digits, shift) = unit.unwrap_or((upper, 0));
        let digits = digits.trim_end();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = digits.parse().ok().filter(|_| is_number).ok_or(ByteSizeError)?;
        number.checked_mul(1 << shift).map(Self).ok_or(ByteSizeError)
    }
}

impl ByteSize {
    /// As shown, but never less than it is: what is more than a limit is seen to be.
    pub(super) fn rounded_up(self) -> String {
        self.show(|unit| unit - 1)
    }

    /// In tenths of a unit of this many bytes, to which `add` comes first.
    fn show(self, add: impl FnOnce(u128) -> u128) -> String {
        match UNITS.iter().rev().rfind(|(_, shift)| self.0 >= 1 << shift) {
            Some((unit, shift)) => {
                let tenths = (u128::from(self.0) * 10 + add(1 << shift)) >> shift;
                match tenths % 10 {
                    0 => format!("{} {unit}iB", tenths / 10),
                    rest => format!("{}.{rest} {unit}iB", tenths / 10),
                }
            }
            None => format!("{} B", self.0),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show(|_| 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows_sizes() {
        for (text, bytes) in
            [("0", 0), ("4096", 4096), ("512k", 512 << 10), ("64MiB", 64 << 20), ("4GB", 4 << 30)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        assert_eq!("4 GiB".parse(), Ok(ByteSize(4 << 30)));
        assert_eq!(ByteSize((4 << 30) + 1).rounded_up(), "4.1 GiB");
        assert_eq!(ByteSize(4 << 30).rounded_up(), "4 GiB");
        for bad in ["", "K", "-1", "1.5G", "4 T", "99999999999G", "+1"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
        for (bytes, text) in [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (4 << 30, "4 GiB")] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }
}
