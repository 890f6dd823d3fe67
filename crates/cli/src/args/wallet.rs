//! The subcommands of `vipnode wallet`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use vipnode_types::{Account, AccountKey, Hash256, RpcUrl, payment::TypedDataSignature};
use zeroize::Zeroizing;

use super::{
    TrustArgs,
    whole_number::{given_number, whole_number},
};

/// Creates accounts, and moves their funds to and from payment channels.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  # Create an account, and prompt for its password
  vipnode wallet new --out wallet.json
  # Show what an account and its channel hold
  vipnode wallet balance --channel FILE --chain.rpc https://HOST
  # Withdraw what was not spent
  vipnode wallet withdraw --channel FILE --chain.rpc https://HOST \\
    --keystore FILE"
)]
pub(crate) struct WalletArgs {
    #[command(subcommand)]
    pub(crate) command: WalletCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Create an account and write its key to a keystore file.
    ///
    /// The file is encrypted with a password. Wallets such as geth, Clef, and Foundry can read it (Web3 Secret Storage,
    /// version 3), and so can `vipnode account link --keystore FILE`.
    New(WalletNewArgs),
    /// Write the key of an existing account to a keystore file.
    Import(WalletImportArgs),
    /// Print the address of an account.
    Address(WalletAddressArgs),
    /// Show what an account and its payment channel hold.
    Balance(Box<WalletBalanceArgs>),
    /// Deposit tokens into a payment channel.
    ///
    /// The account signs the deposit, and the sender of the transaction pays the gas. A token with ERC-3009, such as
    /// USDC,
    /// needs no approval. For other tokens, the account must approve Permit2 once. The command simulates the transaction,
    /// shows its cost, and asks before it sends anything.
    Deposit(Box<WalletDepositArgs>),
    /// Withdraw unclaimed funds from a payment channel.
    ///
    /// The first run starts the withdrawal. Run the command again after the channel's delay to finish it. Until then,
    /// the receiver can still claim what the vouchers cover.
    Withdraw(Box<WalletWithdrawArgs>),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode wallet new --out wallet.json --password-file FILE")]
pub(crate) struct WalletNewArgs {
    #[command(flatten)]
    pub(crate) keystore: NewKeystoreArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  # Prompt for the key and for a password\n  vipnode wallet import --out wallet.json"
)]
pub(crate) struct WalletImportArgs {
    #[command(flatten)]
    pub(crate) keystore: NewKeystoreArgs,
    /// Import this private key.
    ///
    /// Other users on this machine can see it on the command line. Set the environment variable instead, or let the
    /// command prompt for the key.
    #[arg(long, value_name = "HEX", hide_env_values = true, value_parser = private_key, help_heading = "Payment", hide_short_help = true)]
    pub(crate) private_key: Option<SecretKeyFlag>,
    /// Read the private key from this file.
    #[arg(long, value_name = "FILE", conflicts_with = "private_key", help_heading = "Payment", hide_short_help = true)]
    pub(crate) private_key_file: Option<PathBuf>,
}

/// The file of a new keystore.
#[derive(Debug, Args)]
pub(crate) struct NewKeystoreArgs {
    /// Write the keystore to this file, which must not exist.
    ///
    /// [default: a file named after the account in ~/.local/share/vipnode/keystore]
    #[arg(long, value_name = "FILE", help_heading = "Payment")]
    pub(crate) out: Option<PathBuf>,
    /// Read the password of the keystore from this file.
    ///
    /// [default: prompt for it]
    #[arg(long, value_name = "FILE", help_heading = "Payment")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode wallet address --keystore wallet.json")]
pub(crate) struct WalletAddressArgs {
    #[command(flatten)]
    pub(crate) key: WalletKeyArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  vipnode wallet balance --channel channel.json --chain.rpc https://HOST")]
pub(crate) struct WalletBalanceArgs {
    #[command(flatten)]
    pub(crate) channel: ChannelArgs,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "vipnode wallet deposit [OPTIONS] --chain.rpc <URL>\n           \
                      (--channel <FILE> | --nodes <FILE> --channel-dir <DIR>) <AMOUNT>",
    after_help = "\
Examples:
  # Into a new channel for the local client of a pool
  vipnode wallet deposit \"25 USDC\" --channel new.json \\
    --pool wss://pool.example --chain.rpc https://HOST --keystore FILE
  # Into the channels of many agents, so that each holds this amount
  vipnode wallet deposit \"5 USDC\" --nodes FILE --channel-dir DIR \\
    --pool wss://pool.example --chain.rpc https://HOST --keystore FILE"
)]
pub(crate) struct WalletDepositArgs {
    /// Deposit this amount, such as "25 USDC".
    #[arg(id = "deposit_amount", value_name = "AMOUNT", help_heading = "Payment")]
    pub(crate) amount: String,
    /// Use the payment channel in this file.
    ///
    /// The file contains the fields of the channel (JSON). The command creates it for a new channel. Keep it: nothing
    /// can be
    /// withdrawn without these fields.
    #[arg(
        id = "channel_file",
        long = "channel",
        value_name = "FILE",
        required_unless_present = "nodes",
        help_heading = "Payment"
    )]
    pub(crate) channel: Option<PathBuf>,
    /// Bring the channel of each agent in this file up to AMOUNT.
    ///
    /// The file lists the addresses that the agents show at startup, one per line; # starts a comment. A channel that
    /// already
    /// holds AMOUNT gets nothing, so a run that was interrupted can be repeated.
    #[arg(
        long,
        value_name = "FILE",
        requires = "channel_dir",
        conflicts_with_all = ["channel_file", "authorizer", "unsigned", "valid_until", "signature"],
        help_heading = "Payment",
        hide_short_help = true
    )]
    pub(crate) nodes: Option<PathBuf>,
    /// Keep the channel files of --nodes in this directory.
    ///
    /// Each file is named after the address of its agent.
    #[arg(long, value_name = "DIR", requires = "nodes", help_heading = "Payment", hide_short_help = true)]
    pub(crate) channel_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) fields: ChannelFieldArgs,
    #[command(flatten)]
    pub(crate) key: WalletKeyArgs,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
    #[command(flatten)]
    pub(crate) sending: SendingArgs,
    /// Make the signed deposit valid until this time (Unix seconds).
    ///
    /// [default: an hour from now]
    #[arg(long, value_name = "SECONDS", value_parser = given_number, help_heading = "Payment", hide_short_help = true)]
    pub(crate) valid_until: Option<u64>,
    /// Pass the other wallet's signature of the printed data.
    #[arg(long, value_name = "HEX", requires = "valid_until", help_heading = "Payment", hide_short_help = true)]
    pub(crate) signature: Option<TypedDataSignature>,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "vipnode wallet withdraw [OPTIONS] --channel <FILE> --chain.rpc <URL>\n           [AMOUNT]",
    after_help = "\
Examples:
  # Everything that was not claimed
  vipnode wallet withdraw --channel channel.json \\
    --chain.rpc https://HOST --keystore FILE
  # A part of it
  vipnode wallet withdraw \"5 USDC\" --channel channel.json \\
    --chain.rpc https://HOST --keystore FILE"
)]
pub(crate) struct WalletWithdrawArgs {
    /// Withdraw at most this amount.
    ///
    /// [default: everything that has not been claimed]
    #[arg(id = "withdraw_amount", value_name = "AMOUNT", help_heading = "Payment")]
    pub(crate) amount: Option<String>,
    #[command(flatten)]
    pub(crate) channel: ChannelArgs,
    #[command(flatten)]
    pub(crate) key: WalletKeyArgs,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
    #[command(flatten)]
    pub(crate) sending: SendingArgs,
}

/// The file of a payment channel.
#[derive(Debug, Args)]
pub(crate) struct ChannelArgs {
    /// Use the payment channel in this file.
    ///
    /// The file contains the fields of the channel (JSON). `vipnode wallet deposit` creates it for a new channel. Keep
    /// it:
    /// nothing can be withdrawn without these fields.
    #[arg(id = "channel_file", long = "channel", value_name = "FILE", help_heading = "Payment")]
    pub(crate) path: PathBuf,
}

/// The fields of a new channel.
#[derive(Debug, Clone, Args)]
pub(crate) struct ChannelFieldArgs {
    /// Create the channel for this pool.
    ///
    /// The pool states the token, the receiver, the receiver's authorizer, and the withdrawal delay that it requires.
    /// Unless
    /// --authorizer is given, the key of the local agent that uses the pool signs the vouchers.
    #[arg(
        id = "deposit_pool",
        long = "pool",
        value_name = "URL",
        conflicts_with_all = ["token", "receiver", "receiver_authorizer", "withdraw_delay"],
        help_heading = "New channel"
    )]
    pub(crate) pool: Option<String>,
    /// Search for the local agent of the pool in this directory.
    ///
    /// [default: ~/.local/state/vipnode]
    #[arg(long, value_name = "DIR", requires = "deposit_pool", help_heading = "New channel", hide_short_help = true)]
    pub(crate) state_dir: Option<PathBuf>,
    /// Create the channel for this token.
    #[arg(long, value_name = "ADDRESS", help_heading = "New channel")]
    pub(crate) token: Option<Account>,
    /// Create the channel for this receiver: the pool's contract or account.
    #[arg(long, value_name = "ADDRESS", help_heading = "New channel")]
    pub(crate) receiver: Option<Account>,
    /// Let this account claim and refund too.
    ///
    /// [default: the receiver]
    #[arg(long, value_name = "ADDRESS", help_heading = "New channel", hide_short_help = true)]
    pub(crate) receiver_authorizer: Option<Account>,
    /// Let the key with this address sign vouchers: the agent's key.
    #[arg(long, value_name = "ADDRESS", help_heading = "New channel")]
    pub(crate) authorizer: Option<Account>,
    /// Set the delay between the start of a withdrawal and its end.
    ///
    /// Must match the delay that the pool requires. The escrow accepts 15 minutes to 30 days.
    #[arg(long, value_name = "TIME", value_parser = delay_s, default_value = "14d", help_heading = "New channel", hide_short_help = true)]
    pub(crate) withdraw_delay: u32,
    /// Distinguish this channel from others with the same fields.
    ///
    /// [default: 0]
    #[arg(long, value_name = "HEX", help_heading = "New channel", hide_short_help = true)]
    pub(crate) salt: Option<Hash256>,
    /// Deposit from this account, for which another wallet signs.
    ///
    /// [default: the account of the key]
    #[arg(long, value_name = "ADDRESS", help_heading = "New channel", hide_short_help = true)]
    pub(crate) account: Option<Account>,
}

/// The key of an account.
#[derive(Debug, Args)]
pub(crate) struct WalletKeyArgs {
    /// Use the key in this keystore file.
    ///
    /// Takes a keystore file from geth, Clef, Foundry, or another wallet (Web3 Secret Storage, version 3).
    #[arg(long, value_name = "FILE", conflicts_with = "private_key", help_heading = "Payment")]
    pub(crate) keystore: Option<PathBuf>,
    /// Read the password of the keystore from this file.
    ///
    /// [default: prompt for it]
    #[arg(long, value_name = "FILE", requires = "keystore", help_heading = "Payment")]
    pub(crate) password_file: Option<PathBuf>,
    /// Use this private key.
    ///
    /// Other users on this machine can see it on the command line, so prefer VIPNODE_PRIVATE_KEY or --private-key-file.
    #[arg(long, value_name = "HEX", hide_env_values = true, value_parser = private_key, help_heading = "Payment", hide_short_help = true)]
    pub(crate) private_key: Option<SecretKeyFlag>,
    /// Use the private key in this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["keystore", "private_key"], help_heading = "Payment", hide_short_help = true)]
    pub(crate) private_key_file: Option<PathBuf>,
}

/// How a chain is reached.
#[derive(Debug, Args)]
pub(crate) struct ChainArgs {
    /// Use the execution client or provider at this HTTP URL.
    #[arg(long = "chain.rpc", value_name = "URL", help_heading = "Chain")]
    pub(crate) rpc: RpcUrl,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

/// Whether a transaction is sent.
#[derive(Debug, Args)]
pub(crate) struct SendingArgs {
    /// Send no transaction while the gas price is above this.
    #[arg(long, value_name = "GWEI", value_parser = whole_number::<1, 1_000_000>, default_value_t = 200, help_heading = "Chain", hide_short_help = true)]
    pub(crate) max_gas_price: u32,
    /// Send the transaction without asking.
    #[arg(long, help_heading = "Output")]
    pub(crate) yes: bool,
    /// Print the transaction for another wallet instead of sending it.
    #[arg(long, conflicts_with_all = ["yes", "keystore", "private_key", "private_key_file"], help_heading = "Output")]
    pub(crate) unsigned: bool,
}

/// A private key, as it was typed. It shows neither in `Debug` nor in an error.
#[derive(Clone)]
pub(crate) struct SecretKeyFlag(Zeroizing<[u8; 32]>);

impl SecretKeyFlag {
    /// The 32 bytes, which are a valid key.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hex characters, also with `0x` before them; `None` if they are not a key.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        const_hex::decode_to_slice(text.trim(), bytes.as_mut_slice()).ok()?;
        AccountKey::from_bytes(*bytes).is_ok().then_some(Self(bytes))
    }
}

impl std::fmt::Debug for SecretKeyFlag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKeyFlag")
    }
}

fn private_key(text: &str) -> Result<SecretKeyFlag, &'static str> {
    SecretKeyFlag::read(text).ok_or("pass 64 hex characters that are a private key")
}

fn delay_s(text: &str) -> Result<u32, String> {
    let delay = humantime::parse_duration(text).map_err(|error| format!("{error}: pass 14d or 15m"))?;
    u32::try_from(delay.as_secs()).map_err(|_| "pass at most 30d".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::args::Cli;

    #[test]
    fn a_command_takes_one_key_or_none_with_unsigned() {
        let withdraw = ["vipnode", "wallet", "withdraw", "--channel", "c", "--chain.rpc", "https://node.example"];
        let read = |flags: &[&str]| Cli::read(withdraw.iter().chain(flags));
        for flags in [&["--keystore", "k"][..], &["--private-key-file", "p"], &["--unsigned"]] {
            assert!(read(flags).is_ok(), "{flags:?}");
        }
        for flags in [
            &["--keystore", "k", "--private-key-file", "p"][..],
            &["--unsigned", "--private-key-file", "p"],
            &["--unsigned", "--keystore", "k"],
            &["--unsigned", "--yes"],
        ] {
            assert!(read(flags).is_err(), "{flags:?}");
        }
    }
}
