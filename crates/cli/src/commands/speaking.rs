use vipnode_agent_core::{Advertise, Protocol2Config};

use crate::{
    args::{Between, Seeking, Speaking, UPDATE_INTERVAL},
    error::Failure,
    output::{Line, Screen, Tone},
};

/// Refuses what does not go together, and says what has no effect.
pub(crate) fn check(between: &Between, seeking: Option<&Seeking>, screen: Screen) -> Result<(), Failure> {
    let speaking = &between.speaking;
    if speaking.protocol == 3 {
        if speaking.update_interval.is_some() {
            let text = "over protocol 3 the pool decides how often to report; --update-interval has no effect\n  \
                        -> `vipnode pool --report-interval`, or --protocol 2";
            screen.say(&Line::new("update_interval", Tone::Warning, text));
        }
        return Ok(());
    }
    if between.join.is_given() {
        return Err(Failure::new(
            "protocol 2 has no join secrets",
            "leave out the secret; a closed pool knows old agents by their node ids (--members)",
        ));
    }
    if seeking.is_some_and(|seeking| seeking.max_price.is_some()) {
        return Err(Failure::new(
            "protocol 2 tells no prices, so --max-price cannot be kept",
            "leave it out, or speak protocol 3",
        ));
    }
    if speaking.allow_protocol_2 {
        return Err(Failure::new(
            "--allow-protocol-2 is said over protocol 3, by the agent that owns the node",
            "leave out one of --protocol 2 and --allow-protocol-2",
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

/// Where others are told to dial the node.
pub(crate) fn advertise(speaking: &Speaking) -> Advertise {
    match (&speaking.enode, &speaking.enode_host) {
        (Some(enode), _) => Advertise::Enode(enode.clone()),
        (None, Some(host)) => Advertise::Host(host.clone()),
        (None, None) => Advertise::Node,
    }
}
