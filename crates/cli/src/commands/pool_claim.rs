use vipnode_chain::{EvmReceipt, escrow_calls};
use vipnode_pool::admin::ClaimsRequest;
use vipnode_types::{
    Account, Amount,
    payment::{ChannelConfig, VoucherClaim},
};

use super::pool_data_dir::client;
use crate::{
    args::ClaimArgs,
    error::{CliError, WalletError},
    output::{Line, Screen, Tone, format::counted},
    wallet::{ChainAccess, WalletSender},
};

/// Claims of a transaction: its data stays below 128 KiB, which clients accept at most.
const ROWS: u32 = 250;

/// Claims what clients signed for and used, page by page, and transfers it to the receiver.
pub(super) async fn claim(args: &ClaimArgs, screen: Screen) -> Result<(), CliError> {
    let sender = WalletSender::of(&args.key, &args.sending)?;
    let access = ChainAccess::to_send(&args.chain, &args.sending)?;
    let chain_id = access.escrow().await?.chain_id();
    let (admin, mut after, mut claimed) = (client(&args.pool, screen)?, None, None);
    loop {
        let page = admin.claims(&ClaimsRequest { after, most: ROWS }).await?;
        refuse_key_of_pool(page.pool, sender.account())?;
        let Some(first) = page.claims.first() else { break };
        let ChannelConfig { receiver, receiver_authorizer, token, .. } = first.channel;
        // One transaction is for one receiver; the channels of an earlier one follow in a later run.
        let same = |claim: &&VoucherClaim| {
            (claim.channel.receiver, claim.channel.receiver_authorizer) == (receiver, receiver_authorizer)
        };
        let rows: Vec<VoucherClaim> = page.claims.iter().filter(same).copied().collect();
        let account = sender.account().unwrap_or(receiver_authorizer);
        refuse_key_of_pool(page.pool, Some(account))?;
        if account != receiver_authorizer && account != receiver {
            return Err(WalletError::OtherClaimer { account, claimer: receiver_authorizer }.into());
        }
        let what = format!("Claim from {}", counted(u64::try_from(rows.len()).unwrap_or(u64::MAX), "channel"));
        let sent = sender.send(access.node(), (chain_id, escrow_calls::claim(&rows)), account, &what, screen).await?;
        let Some(receipt) = sent else { return Ok(()) };
        screen.say(&done("claimed", what, &receipt).with("channels", rows.len()));
        claimed = Some((receiver, token, account));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let Some((receiver, token, account)) = claimed else {
        screen.say(&Line::new("nothing_to_claim", Tone::Plain, "There is nothing to claim."));
        return Ok(());
    };
    let what = format!("Transfer the claimed amount to {receiver}");
    let call = escrow_calls::settle(receiver, token);
    if let Some(receipt) = sender.send(access.node(), (chain_id, call), account, &what, screen).await? {
        let asset = access.token(chain_id, token).await?.asset();
        let has: Amount = access.token(chain_id, token).await?.balance(receiver).await?;
        let text = format!("Transferred the claimed amount to {receiver}, which now holds {}.", asset.show(has));
        screen.say(&done("settled", text, &receipt).with("balance", has.get().to_string()));
    }
    Ok(())
}

/// A pool that claims on its own counts the transactions of its key itself: one of this command would take the number of one of the
/// pool's.
fn refuse_key_of_pool(pool: Option<Account>, ours: Option<Account>) -> Result<(), WalletError> {
    match pool.filter(|_| pool == ours) {
        Some(account) => Err(WalletError::PoolClaims { account }),
        None => Ok(()),
    }
}

fn done(event: &'static str, text: String, receipt: &EvmReceipt) -> Line {
    let line = Line::new(event, Tone::Good, text).with("transaction", receipt.transaction_hash.to_string());
    line.with("gas_used", receipt.gas_used)
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    #[test]
    fn the_key_with_which_the_pool_claims_is_refused() {
        let [pool, other] = [7, 8].map(|byte| Account::new([byte; 20]));
        let refused = refuse_key_of_pool(Some(pool), Some(pool)).unwrap_err();
        assert!(refused.to_string().contains(&pool.to_string()), "{refused}");
        assert!(refused.hint().unwrap().contains("`vipnode pool admin epoch run`"));
        // The key of an earlier claimer, a pool that does not claim, and a wallet that is not known yet.
        for (pool, ours) in [(Some(pool), Some(other)), (None, Some(other)), (Some(pool), None), (None, None)] {
            refuse_key_of_pool(pool, ours).unwrap();
        }
    }
}
