//! `--limit NAME=VALUE` and `--print-limits`: the limits of a pool or an agent as people read and write them.

use std::{net::Ipv4Addr, str::FromStr, time::Duration};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};
use vipnode_agent::limits::AgentLimits;
use vipnode_pool::PoolConfig;
use vipnode_types::{LimitSetting, LimitSettings, LimitUnit};

use crate::error::CommandError;

/// `NAME=VALUE`, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitFlag {
    name: String,
    value: String,
}

impl FromStr for LimitFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("pass NAME=VALUE; --print-limits lists the names and values")?;
        Ok(Self { name: name.trim().to_owned(), value: value.trim().to_owned() })
    }
}

/// Sets the limits that were given to `command`, which prints all of them.
pub(crate) fn set(
    limits: &mut impl LimitSettings,
    flags: &[LimitFlag],
    command: &'static str,
) -> Result<(), CommandError> {
    for LimitFlag { name, value } in flags {
        let settings = limits.limit_settings();
        let Some(limit) = settings.iter().find(|limit| limit.name == name) else {
            let name = name.clone();
            return Err(match owner(&name) {
                Some(other) => CommandError::LimitOfOther { name, other, command },
                None => CommandError::LimitUnknown { name, command },
            });
        };
        let number = read(limit.unit, value).filter(|number| limit.range.contains(number));
        if !number.is_some_and(|number| limits.set_limit(name, number)) {
            return Err(CommandError::LimitValue {
                name: name.as_str().into(),
                value: value.as_str().into(),
                rule: limit.rule,
                least: show(limit.unit, *limit.range.start()).into(),
                most: show(limit.unit, *limit.range.end()).into(),
                default: show(limit.unit, limit.default).replace(' ', "").into(),
            });
        }
    }
    Ok(())
}

/// The command that has a limit of this name.
fn owner(name: &str) -> Option<&'static str> {
    let has = |settings: &[LimitSetting]| settings.iter().any(|limit| limit.name == name);
    let pool = PoolConfig::new((Ipv4Addr::LOCALHOST, 0).into());
    if pool.is_ok_and(|pool| has(&pool.limit_settings())) {
        Some("pool")
    } else {
        has(&AgentLimits::default().limit_settings()).then_some("agent")
    }
}

/// The limits as a table, at most `width` columns wide if that is known.
pub(crate) fn table(limits: &impl LimitSettings, width: Option<usize>) -> Table {
    let mut table = Table::new();
    if let Some(width) = width {
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "limit",
        "value",
        "default",
        "from",
        "to",
        "what it limits, and what happens when it is reached",
    ]);
    for limit in limits.limit_settings() {
        let LimitSetting { name, unit, value, default, range, rule } = limit;
        let same = if value == default { String::new() } else { show(unit, default) };
        let (least, most) = (show(unit, *range.start()), show(unit, *range.end()));
        table.add_row([name.to_owned(), show(unit, value), same, least, most, rule.to_owned()]);
    }
    for column in 1..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The limits for programs. Times are in milliseconds.
pub(crate) fn json(limits: &impl LimitSettings) -> Value {
    let row = |limit: LimitSetting| {
        json!({
            "name": limit.name,
            "unit": match limit.unit {
                LimitUnit::Count => "count",
                LimitUnit::Bytes => "bytes",
                LimitUnit::Time => "ms",
            },
            "value": limit.value,
            "default": limit.default,
            "min": limit.range.start(),
            "max": limit.range.end(),
            "rule": limit.rule,
        })
    };
    limits.limit_settings().into_iter().map(row).collect()
}

fn read(unit: LimitUnit, text: &str) -> Option<u64> {
    match unit {
        LimitUnit::Count => text.replace('_', "").parse().ok(),
        LimitUnit::Bytes => {
            let (number, factor) = [("KiB", 10), ("MiB", 20), ("B", 0)]
                .iter()
                .find_map(|(suffix, shift)| Some((text.strip_suffix(suffix)?, 1_u64 << shift)))
                .unwrap_or((text, 1));
            number.trim().parse::<u64>().ok()?.checked_mul(factor)
        }
        LimitUnit::Time => u64::try_from(humantime::parse_duration(text).ok()?.as_millis()).ok(),
    }
}

fn show(unit: LimitUnit, value: u64) -> String {
    match unit {
        LimitUnit::Count => value.to_string(),
        LimitUnit::Bytes => match value {
            _ if value >= 1 << 20 && value.is_multiple_of(1 << 20) => format!("{} MiB", value >> 20),
            _ if value >= 1 << 10 && value.is_multiple_of(1 << 10) => format!("{} KiB", value >> 10),
            _ => format!("{value} B"),
        },
        LimitUnit::Time => days(value),
    }
}

/// humantime uses months, which are of no use for a limit.
fn days(value: u64) -> String {
    const DAY: u64 = 24 * 3_600 * 1_000;
    if value >= DAY && value.is_multiple_of(DAY) {
        return format!("{}d", value / DAY);
    }
    humantime::format_duration(Duration::from_millis(value)).to_string()
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError;

    use super::*;

    fn config() -> PoolConfig {
        PoolConfig::new("127.0.0.1:0".parse().unwrap()).unwrap()
    }

    fn given(text: &str) -> Result<PoolConfig, CommandError> {
        let mut config = config();
        set(&mut config, &[text.parse().unwrap()], "pool").map(|()| config)
    }

    #[test]
    fn limits_are_set_by_name_in_their_own_unit() {
        assert_eq!(given("calls_a_second=50").unwrap().limits.calls_a_second, 50);
        assert_eq!(given("frame_bytes = 1 MiB").unwrap().limits.frame_bytes, 1 << 20);
        assert_eq!(given("frame_bytes=4096").unwrap().limits.frame_bytes, 4_096);
        assert_eq!(given("write=1m 30s").unwrap().limits.write, Duration::from_secs(90));
        assert_eq!(given("nodes=1_000").unwrap().core.nodes, 1_000);
    }

    #[test]
    fn a_limit_of_the_other_command_is_named_as_such() {
        let error = given("node_call=1s").unwrap_err().to_string();
        assert_eq!(error, "node_call is a limit of `vipnode agent`, not of `vipnode pool`");
        let error = set(&mut AgentLimits::default(), &["calls_a_second=50".parse().unwrap()], "agent").unwrap_err();
        assert_eq!(error.to_string(), "calls_a_second is a limit of `vipnode pool`, not of `vipnode agent`");
    }

    #[test]
    fn what_cannot_be_set_says_what_can() {
        for (bad, hint) in [
            ("calls_a_second=0", "from 1 to 1000000"),
            ("calls_a_second=many", "from 1 to 1000000"),
            ("calls_a_second=-1", "from 1 to 1000000"),
            ("frame_bytes=17 MiB", "from 1 KiB to 16 MiB"),
            ("write=10", "from 100ms to 10m: --limit write=10s"),
            ("socket_silence=2h", "from 1s to 1h"),
            ("price=1", "--print-limits"),
        ] {
            let error = given(bad).unwrap_err();
            assert!(error.hint().is_some_and(|shown| shown.contains(hint)), "{bad}: {error:?}");
        }
        assert!("calls_a_second".parse::<LimitFlag>().is_err());
    }

    #[test]
    fn the_limits_of_an_agent_are_set_and_refused_in_the_same_way() {
        let mut limits = AgentLimits::default();
        let mut given = |text: &str| set(&mut limits, &[text.parse().unwrap()], "agent");
        given("node_call=20s").unwrap();
        given("pool_bytes = 2 MiB").unwrap();
        given("metrics_connections=2").unwrap();
        let hint = given("node_peers=7").unwrap_err().hint().unwrap();
        assert_eq!(hint, "Pass a value from 50 to 4096: --limit node_peers=2000.");
        let hint = given("no_such_limit=7").unwrap_err().hint().unwrap();
        assert_eq!(hint, "List all limits: `vipnode agent --print-limits`.");
        assert_eq!(limits.node.node_call, Duration::from_secs(20));
        assert_eq!((limits.pool.pool_bytes, limits.metrics.metrics_connections), (2 << 20, 2));
    }

    #[test]
    fn each_limit_can_be_set_to_what_is_shown() {
        let all = config();
        let flags: Vec<LimitFlag> = all
            .limit_settings()
            .iter()
            .map(|limit| LimitFlag { name: limit.name.to_owned(), value: show(limit.unit, *limit.range.start()) })
            .collect();
        let mut config = config();
        set(&mut config, &flags, "pool").unwrap();
        assert!(config.limit_settings().iter().all(|limit| limit.value == *limit.range.start()));
        let shown = table(&config, None).to_string();
        assert!(config.limit_settings().iter().all(|limit| shown.contains(limit.name)));
        assert_eq!(json(&config).as_array().unwrap().len(), flags.len());
    }
}
