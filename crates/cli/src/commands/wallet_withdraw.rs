use vipnode_chain::{BlockTag, ContractCall, EvmReceipt, escrow_calls};
use vipnode_types::{
    Amount, Asset, Ms,
    payment::{ChannelState, PendingWithdrawal},
};

use crate::{
    args::WalletWithdrawArgs,
    error::{CliError, WalletError},
    output::{Line, Screen, Tone, format},
    wallet::{ChainAccess, ChannelFile, WalletSender},
};

/// Starts a withdrawal, or finishes the pending one once its delay has passed on the chain.
pub(super) async fn run(args: &WalletWithdrawArgs, screen: Screen) -> Result<(), CliError> {
    let sender = WalletSender::of(&args.key, &args.sending)?;
    let access = ChainAccess::to_send(&args.chain, &args.sending)?;
    let escrow = access.escrow().await?;
    let file = ChannelFile::read(&args.channel.path, escrow.chain_id())?;
    let (config, id) = (file.config, file.id());
    if let Some(account) = sender.account().filter(|by| ![config.payer, config.payer_authorizer].contains(by)) {
        return Err(WalletError::OtherPayer { account, payer: config.payer }.into());
    }
    let asset = access.token(escrow.chain_id(), config.token).await?.asset();
    let state = escrow.channel(id, BlockTag::Latest).await?;
    let send = async |call: ContractCall, what: &str| {
        let from = sender.account().unwrap_or(config.payer);
        sender.send(access.node(), (escrow.chain_id(), call), from, what, screen).await
    };
    let done = |line: Line, receipt: &EvmReceipt| {
        let line = line.with("channel", id.to_string()).with("transaction", receipt.transaction_hash.to_string());
        screen.say(&line.with("gas_used", receipt.gas_used));
    };
    let now = chain_time(access.node().block(BlockTag::Latest).await?.time_s);
    let Some(pending) = escrow.pending_withdrawal(id, BlockTag::Latest).await? else {
        let amount = requested(args.amount.as_deref(), asset, &state)?;
        let what = format!("Start the withdrawal of {} from channel {id}", asset.show(amount));
        if let Some(receipt) = send(escrow_calls::initiate_withdraw(&config, amount), &what).await? {
            let after = now.plus(u64::from(config.withdraw_delay_s).saturating_mul(1_000));
            // It has started, whatever the node answers from now on.
            let after = match escrow.pending_withdrawal(id, BlockTag::Latest).await.ok().flatten() {
                Some(pending) => finalize_after(&pending, config.withdraw_delay_s),
                None => after,
            };
            done(
                waits("withdraw_started", "Started to withdraw", asset.show(amount).to_string(), after, now),
                &receipt,
            );
        }
        return Ok(());
    };
    let after = finalize_after(&pending, config.withdraw_delay_s);
    if now < after {
        screen.say(&waits("withdraw_pending", "Being withdrawn:", asset.show(pending.amount).to_string(), after, now));
        return Ok(());
    }
    let leaves = pending.amount.min(state.unclaimed());
    let what = format!("Withdraw {} from channel {id}", asset.show(leaves));
    if let Some(receipt) = send(escrow_calls::finalize_withdraw(&config), &what).await? {
        let text = format!("Withdrew {} to {}.", asset.show(leaves), config.payer);
        done(Line::new("withdrawn", Tone::Good, text).with("amount", leaves.get().to_string()), &receipt);
    }
    Ok(())
}

const fn chain_time(seconds: u64) -> Ms {
    Ms::new(seconds.saturating_mul(1_000))
}

fn finalize_after(pending: &PendingWithdrawal, delay_s: u32) -> Ms {
    chain_time(pending.finalize_after_s(delay_s))
}

/// The amount that the user asks for, or everything that has not been claimed.
fn requested(amount: Option<&str>, asset: Asset, state: &ChannelState) -> Result<Amount, CliError> {
    let holds = state.unclaimed();
    if holds == Amount::ZERO {
        return Err(WalletError::NothingLeft.into());
    }
    let amount = amount.map(|text| asset.amount(text)).transpose()?.unwrap_or(holds);
    if amount == Amount::ZERO {
        return Err(WalletError::Zero.into());
    }
    if amount > holds {
        return Err(WalletError::TooMuch { holds, asset }.into());
    }
    Ok(amount)
}

/// When to run the command again.
fn waits(event: &'static str, what: &str, amount: String, after: Ms, now: Ms) -> Line {
    let (time, span) = (after.rfc3339_seconds(), format::span(after.since(now)));
    let text =
        format!("{what} {amount}. Until {time} (in {span}), the receiver can still claim what the vouchers promised.");
    Line::new(event, Tone::Plain, text)
        .with("amount", amount)
        .with("finalize_after", time)
        .hint("Run the same command again after that time to finish the withdrawal")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{at_each_width, text_of};

    #[test]
    fn snapshot_of_a_withdrawal_that_waits() {
        let now = Ms::new(1_795_000_000_000);
        let after = now.plus(14 * 24 * 60 * 60 * 1_000);
        let line = waits("withdraw_started", "Started to withdraw", "25 USDC".to_owned(), after, now);
        insta::assert_snapshot!("wallet_withdraw", at_each_width(&text_of(&[line])));
    }

    #[test]
    fn not_more_than_what_was_not_claimed_is_withdrawn() {
        let usdc = Asset::new("USDC", 6).unwrap();
        let state = ChannelState { balance: Amount::new(5_000_000), total_claimed: Amount::new(2_000_000) };
        assert_eq!(requested(None, usdc, &state), Ok(Amount::new(3_000_000)));
        assert_eq!(requested(Some("1 USDC"), usdc, &state), Ok(Amount::new(1_000_000)));
        assert!(requested(Some("3.1 USDC"), usdc, &state).unwrap_err().message.contains("3 USDC"));
        assert!(requested(Some("0 USDC"), usdc, &state).is_err());
        assert!(requested(None, usdc, &ChannelState::default()).is_err());
    }
}
