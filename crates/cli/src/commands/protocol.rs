use vipnode_agent_core::Protocol2Config;

use crate::{
    args::{ConnectionArgs, HostSelectionArgs, ProtocolArgs, UPDATE_INTERVAL},
    error::CommandError,
    output::{Line, Screen, Tone},
};

/// Refuses flags that exclude each other, and warns of one without effect.
pub(crate) fn check(
    connection: &ConnectionArgs,
    host_selection: Option<&HostSelectionArgs>,
    screen: Screen,
) -> Result<(), CommandError> {
    let flags = &connection.protocol;
    if flags.protocol == 3 {
        if flags.update_interval.is_some() {
            let text = "--update-interval has no effect over protocol 3: the pool sets the interval";
            let hint = "Set it with `vipnode pool --report-interval`, or pass --protocol 2";
            screen.say(&Line::new("update_interval", Tone::Warning, text).hint(hint));
        }
        return Ok(());
    }
    if connection.join.is_given() {
        return Err(CommandError::JoinSecretOverProtocol2);
    }
    if host_selection.is_some_and(|host_selection| host_selection.max_price.is_some()) {
        return Err(CommandError::MaxPriceOverProtocol2);
    }
    if flags.allow_protocol_2 {
        return Err(CommandError::AllowOverProtocol2);
    }
    Ok(())
}

/// `None` for protocol 3.
pub(crate) fn protocol2(flags: &ProtocolArgs) -> Option<Protocol2Config> {
    let interval = flags.update_interval.unwrap_or(UPDATE_INTERVAL);
    let update_interval_ms = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
    (flags.protocol == 2).then_some(Protocol2Config { update_interval_ms })
}
