use vipnode_agent_core::Protocol2Config;

use crate::{
    args::{Between, Seeking, Speaking, UPDATE_INTERVAL},
    error::CliError,
    output::{Line, Screen, Tone},
};

/// Refuses flags that exclude each other, and warns of one without effect.
pub(crate) fn check(between: &Between, seeking: Option<&Seeking>, screen: Screen) -> Result<(), CliError> {
    let speaking = &between.speaking;
    if speaking.protocol == 3 {
        if speaking.update_interval.is_some() {
            let text = "--update-interval has no effect over protocol 3: the pool sets the interval";
            let hint = "Set it with `vipnode pool --report-interval`, or pass --protocol 2";
            screen.say(&Line::new("update_interval", Tone::Warning, text).hint(hint));
        }
        return Ok(());
    }
    if between.join.is_given() {
        return Err(CliError::new(
            "protocol 2 has no join secrets",
            "Remove the secret; a closed pool admits agents of protocol 2 by node id (`vipnode pool --members`)",
        ));
    }
    if seeking.is_some_and(|seeking| seeking.max_price.is_some()) {
        return Err(CliError::new(
            "protocol 2 reports no prices, so --max-price cannot be honored",
            "Remove --max-price, or use protocol 3",
        ));
    }
    if speaking.allow_protocol_2 {
        return Err(CliError::new(
            "--allow-protocol-2 works over protocol 3 only, for the agent that owns the node",
            "Remove one of --protocol 2 and --allow-protocol-2",
        ));
    }
    Ok(())
}

/// `None` for protocol 3.
pub(crate) fn protocol2(speaking: &Speaking) -> Option<Protocol2Config> {
    let interval = speaking.update_interval.unwrap_or(UPDATE_INTERVAL);
    let update_interval_ms = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
    (speaking.protocol == 2).then_some(Protocol2Config { update_interval_ms })
}
