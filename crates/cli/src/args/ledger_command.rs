//! The subcommands of `vipnode pool admin` that show or change the ledger.

use clap::{Args, Subcommand, ValueEnum};
use vipnode_types::Account;

use super::{
    ChainArgs, PoolSocketArgs, SendingArgs, StatementOutputArgs, WalletKeyArgs, WrittenPrice,
    whole_number::{given_number, whole_number},
};

/// A change of an account's balance.
#[derive(Debug, Args)]
pub(crate) struct BalanceArgs {
    /// Post to this account.
    #[arg(value_name = "ACCOUNT", help_heading = "Payment")]
    pub(crate) account: Account,
    /// Post this amount, such as "10 USDC".
    #[arg(value_name = "AMOUNT", help_heading = "Payment")]
    pub(crate) amount: String,
    /// Record this reason (at most 200 characters).
    #[arg(long, value_name = "TEXT", help_heading = "Payment")]
    pub(crate) reason: String,
    /// Use this idempotency key; a repeat with the same key posts nothing.
    #[arg(long, value_name = "KEY", help_heading = "Payment")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

/// A debit of an account.
#[derive(Debug, Args)]
pub(crate) struct DebitArgs {
    #[command(flatten)]
    pub(crate) balance: BalanceArgs,
    /// Allow a debit beyond the balance, so that the account owes the rest.
    ///
    /// Without this flag, the command asks for confirmation on a terminal, and refuses without one.
    #[arg(long, help_heading = "Payment")]
    pub(crate) allow_negative: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CreditLimitArgs {
    /// Set the limit of this account.
    #[arg(value_name = "ACCOUNT", help_heading = "Payment")]
    pub(crate) account: Account,
    /// Let it owe at most this amount, such as "10 USDC".
    #[arg(value_name = "AMOUNT", help_heading = "Payment")]
    pub(crate) amount: String,
    /// Record this reason (at most 200 characters).
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help_heading = "Payment")]
    pub(crate) reason: String,
    /// Use this idempotency key; a repeat with the same key posts nothing.
    #[arg(long, value_name = "KEY", help_heading = "Payment")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode pool admin write-off 4711 --reason \"insolvent\"")]
pub(crate) struct WriteOffArgs {
    /// Write off the unpaid cost of the entry with this number.
    #[arg(value_name = "ENTRY", value_parser = given_number, help_heading = "Payment")]
    pub(crate) entry: u64,
    /// Record this reason (at most 200 characters).
    #[arg(long, value_name = "TEXT", help_heading = "Payment")]
    pub(crate) reason: String,
    /// Use this idempotency key; a repeat with the same key posts nothing.
    #[arg(long, value_name = "KEY", help_heading = "Payment")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  vipnode pool admin correct 0x52908400098527886E0F7030069857D2E4169EE7 \\\n    \"1.5 USDC\" --reason \"wrong fee\""
)]
pub(crate) struct CorrectArgs {
    /// Correct what is payable to this account.
    #[arg(value_name = "ACCOUNT", help_heading = "Payment")]
    pub(crate) account: Account,
    /// Add this amount, such as "1.5 USDC".
    #[arg(value_name = "AMOUNT", help_heading = "Payment")]
    pub(crate) amount: String,
    /// Subtract the amount instead.
    #[arg(long, help_heading = "Payment")]
    pub(crate) subtract: bool,
    /// Record this reason (at most 200 characters).
    #[arg(long, value_name = "TEXT", help_heading = "Payment")]
    pub(crate) reason: String,
    /// Use this idempotency key; a repeat with the same key posts nothing.
    #[arg(long, value_name = "KEY", help_heading = "Payment")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode pool admin price \"0.60 USDC/month\" --fee-bps 500 --reason \"new terms\"")]
pub(crate) struct PriceArgs {
    /// Charge this for a slot, such as "0.60 USDC/month".
    #[arg(value_name = "PRICE", help_heading = "Payment")]
    pub(crate) price: WrittenPrice,
    /// Keep this share of what clients pay, in basis points (0.01%).
    ///
    /// [default: the current fee]
    #[arg(long, value_name = "N", value_parser = super::pool::fee_bps, help_heading = "Payment")]
    pub(crate) fee_bps: Option<u16>,
    /// Record this reason (at most 200 characters).
    #[arg(long, value_name = "TEXT", help_heading = "Payment")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LedgerAccountArgs {
    /// Show this account.
    #[arg(value_name = "ACCOUNT", help_heading = "Payment")]
    pub(crate) account: Account,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  vipnode pool admin statement 0x52908400098527886E0F7030069857D2E4169EE7 \\\n    --from 2026-11-01 --csv"
)]
pub(crate) struct LedgerStatementArgs {
    /// Show the statement of this account.
    #[arg(value_name = "ACCOUNT", help_heading = "Payment")]
    pub(crate) account: Account,
    #[command(flatten)]
    pub(crate) output: StatementOutputArgs,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AccountsArgs {
    /// List only accounts that match: an address, "negative", or "due".
    ///
    /// An address matches if it begins with the text. "negative" lists accounts with a negative balance, and "due"
    /// those to which something is payable.
    #[arg(value_name = "FILTER", help_heading = "Output")]
    pub(crate) filter: Option<String>,
    /// Start at this account, which the previous page printed.
    #[arg(long, value_name = "ACCOUNT", help_heading = "Output")]
    pub(crate) from: Option<Account>,
    /// List at most this many accounts.
    #[arg(long, value_name = "N", default_value = "100", value_parser = whole_number::<1, 1_000>, help_heading = "Output")]
    pub(crate) most: u32,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClosePeriodArgs {
    /// Record this reason (at most 200 characters).
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help_heading = "Payment")]
    pub(crate) reason: String,
    /// Use this idempotency key; a repeat with the same key posts nothing.
    #[arg(long, value_name = "KEY", help_heading = "Payment")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode pool admin claim --chain.rpc https://HOST --keystore FILE")]
pub(crate) struct ClaimArgs {
    #[command(flatten)]
    pub(crate) key: WalletKeyArgs,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
    #[command(flatten)]
    pub(crate) sending: SendingArgs,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vipnode pool admin epoch       show the epoch and what it is waiting for\n  \
                  vipnode pool admin epoch plan  show what an epoch would claim\n  \
                  vipnode pool admin epoch run   begin an epoch now")]
pub(crate) struct EpochArgs {
    /// Show only what an epoch would claim, or begin one now.
    #[arg(value_name = "plan|run", hide_possible_values = true, help_heading = "Payment")]
    pub(crate) action: Option<EpochAction>,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

/// What is done with the epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EpochAction {
    Plan,
    Run,
}

#[derive(Debug, Args)]
pub(crate) struct PayoutsArgs {
    /// List the payouts of this settlement period.
    ///
    /// [default: the newest]
    #[arg(long, value_name = "N", value_parser = given_number, help_heading = "Output")]
    pub(crate) period: Option<u64>,
    /// Write comma-separated values for a spreadsheet.
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    pub(crate) csv: bool,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

/// Marks a payout.
#[derive(Debug, Subcommand)]
pub(crate) enum PayoutCommand {
    /// Mark a payout as paid.
    Paid(PayoutPaidArgs),
    /// Mark all payouts of a settlement period as paid.
    ///
    /// Skips payouts that are already marked. If the command is interrupted, run it again.
    PaidAll(PayoutPaidAllArgs),
    /// Mark a payout as not received.
    ///
    /// Its amount is due again in the next settlement period.
    Bounced(PayoutBouncedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PayoutPaidArgs {
    /// Mark the payout with this number.
    #[arg(value_name = "ID", value_parser = given_number, help_heading = "Payment")]
    pub(crate) payout: u64,
    /// Record this payment reference (at most 200 characters).
    #[arg(value_name = "REF", help_heading = "Payment")]
    pub(crate) reference: String,
    /// Use this idempotency key; a repeat with the same key posts nothing.
    #[arg(long, value_name = "KEY", help_heading = "Payment")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode pool admin payout paid-all 3 \"batch transfer 2026-11\"")]
pub(crate) struct PayoutPaidAllArgs {
    /// Mark the payouts of the settlement period with this number.
    #[arg(value_name = "PERIOD", value_parser = given_number, help_heading = "Payment")]
    pub(crate) period: u64,
    /// Record this reference of the payment (at most 200 characters).
    #[arg(value_name = "REF", help_heading = "Payment")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PayoutBouncedArgs {
    /// Mark the payout with this number.
    #[arg(value_name = "ID", value_parser = given_number, help_heading = "Payment")]
    pub(crate) payout: u64,
    /// Record this reason (at most 200 characters).
    #[arg(value_name = "REASON", help_heading = "Payment")]
    pub(crate) reason: String,
    /// Use this idempotency key; a repeat with the same key posts nothing.
    #[arg(long, value_name = "KEY", help_heading = "Payment")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) pool: PoolSocketArgs,
}
