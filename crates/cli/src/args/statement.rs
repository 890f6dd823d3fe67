//! Which part of a statement is shown, and how.

use std::time::SystemTime;

use clap::Args;
use vipnode_types::{Ms, wire::StatementRange};

/// Which part of a statement is shown, and how.
#[derive(Debug, Args)]
pub(crate) struct StatementOutputArgs {
    /// Begin at this date or time (UTC).
    ///
    /// Takes 2026-11-30 or 2026-11-30T12:00:00Z. [default: the first entry]
    #[arg(long, value_name = "DATE", value_parser = moment, help_heading = "Output")]
    pub(crate) from: Option<Ms>,
    /// End before this date or time (UTC).
    ///
    /// [default: the newest entry]
    #[arg(long, value_name = "DATE", value_parser = moment, help_heading = "Output")]
    pub(crate) to: Option<Ms>,
    /// Write comma-separated values for a spreadsheet.
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    pub(crate) csv: bool,
}

impl StatementOutputArgs {
    /// The first page of what is asked for.
    pub(crate) const fn range(&self, most: u32) -> StatementRange {
        StatementRange { from_ms: self.from, to_ms: self.to, after: None, most }
    }
}

fn moment(text: &str) -> Result<Ms, String> {
    let time = if text.contains(['T', 't', ' ']) { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let read = humantime::parse_rfc3339_weak(&time).ok();
    let since = read.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let ms = since.and_then(|since| u64::try_from(since.as_millis()).ok());
    ms.map(Ms::new).ok_or_else(|| "pass a date such as 2026-11-30, or a time such as 2026-11-30T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_begins_at_midnight_utc() {
        for text in ["2026-11-30", "2026-11-30T00:00:00Z", "2026-11-30 00:00:00"] {
            assert_eq!(moment(text), Ok(Ms::new(1_795_996_800_000)), "{text}");
        }
        for bad in ["", "today", "2026-13-01", "1969-12-31", "2026-11-30T25:00:00Z"] {
            assert!(moment(bad).unwrap_err().contains("2026-11-30"), "{bad}");
        }
    }
}
