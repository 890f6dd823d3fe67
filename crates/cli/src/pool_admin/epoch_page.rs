use vipnode_pool::admin::{AdminEpoch, AdminEpochPlan};
use vipnode_types::{Amount, Asset};

use crate::output::{Styled, format::counted, with_carried_flags_of_own};

/// The newest epoch, what it waits for, and what the next one would claim.
pub(crate) fn epoch_text(epoch: &AdminEpoch) -> Styled {
    let AdminEpoch { asset, number, step, since_ms, next_cut_ms, finished_ms, claims, .. } = epoch;
    let show = |amount: Amount| asset.show(amount).to_string();
    let mut lines = Vec::new();
    let doing = match step.as_str() {
        "open" if *number == 0 => "No epoch has begun".to_owned(),
        "open" => format!("Epoch {number} is finished"),
        "read" => format!("Epoch {number}: reading the channels"),
        "redeem" => format!("Epoch {number}: sending claims"),
        "confirm" => format!("Epoch {number}: waiting until the claims are final"),
        "settle" => format!("Epoch {number}: listing the payouts"),
        _ => format!("Epoch {number} is halted"),
    };
    lines.push(format!("{doing} (since {})", since_ms.rfc3339_seconds()));
    if let Some(problem) = &epoch.problem {
        lines.push(format!("Problem: {problem}"));
    }
    if *claims > 0 {
        let channels = counted(*claims, "channel");
        let transactions = counted(epoch.transactions, "transaction");
        lines.push(format!("Claims: {} from {channels}; {transactions} not final", show(epoch.claiming)));
    }
    for claim in &epoch.set_aside {
        lines.push(format!("Not claimed: the channel of {}: {}", claim.payer, claim.reason));
    }
    if *number > 0 {
        let (gas, beyond) = (coins(&epoch.gas_wei), show(epoch.unattributed));
        lines.push(format!("Gas: {gas}; received in addition to the claims: {beyond}"));
    }
    if let Some(finished) = finished_ms {
        lines.push(format!("Last complete epoch: {}", finished.rfc3339_seconds()));
    }
    lines.push(format!("Next epoch: {}", next_cut_ms.rfc3339_seconds()));
    lines.push(plan(epoch));
    if step == "halted" {
        lines.push(with_carried_flags_of_own("To continue, run `vipnode pool admin epoch run`"));
    }
    lines.join("\n").as_str().into()
}

/// What an epoch would claim that began now.
pub(crate) fn epoch_plan_text(epoch: &AdminEpoch) -> Styled {
    plan(epoch).as_str().into()
}

fn plan(epoch: &AdminEpoch) -> String {
    let AdminEpochPlan { claims, amount, gas, gas_wei } = &epoch.plan;
    if *claims == 0 {
        return "To claim now: nothing".to_owned();
    }
    let cost = gas_wei.as_deref().map_or_else(String::new, |wei| format!(", about {}", coins(wei)));
    let (amount, channels) = (epoch.asset.show(*amount), counted(*claims, "channel"));
    format!("To claim now: {amount} from {channels}, with at most {gas} gas{cost}")
}

/// An amount of the chain's coin, which has 18 decimals, like ether.
fn coins(wei: &str) -> String {
    Asset::ETHER.show(Amount::new(wei.parse().unwrap_or_default())).to_string()
}
