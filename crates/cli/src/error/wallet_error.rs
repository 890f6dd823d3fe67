use std::{io, path::PathBuf};

use vipnode_types::{Account, Amount, Asset, errors};

errors! {
    /// Why a command about a wallet or a payment channel cannot be carried out.
    #[derive(Debug)]
    pub(crate) enum WalletError {
        /// The command sends a transaction, and no flag or variable provides a key to sign it.
        NoKey: local, "no key was given to sign with",
            hint "Pass a keystore with --keystore FILE, or set VIPNODE_PRIVATE_KEY. To sign with another wallet, pass --unsigned.";
        /// The input does not have the form of a private key. vipnode never displays the input.
        PrivateKey: local, "this is not a private key", hint "Enter 64 hex characters.";
        /// The path is mistyped, or no channel has been created yet.
        NoChannel { path: PathBuf }: local, "{path} does not exist" (path = path.display()),
            hint "Pass the file that `vipnode wallet deposit` created for the channel: --channel FILE.";
        /// The channel file cannot be read, or it is not a channel file.
        ChannelFile { path: PathBuf, why: String }: local, "cannot read the channel in {path}: {why}" (path = path.display()),
            hint "Pass the file that `vipnode wallet deposit` created for the channel: --channel FILE.";
        /// The directory does not exist or is not writable by this user, or its disk is full.
        WriteChannel { path: PathBuf, why: String }: local, "cannot write {path}: {why}" (path = path.display()),
            hint "Pass a file in a directory that only this user can write to: --channel FILE.";
        /// A field of a new channel is missing.
        Missing { path: PathBuf, flag: &'static str }: local, "{path} does not exist, and a new channel needs {flag}" (path = path.display()),
            hint "Pass {flag} ADDRESS, or the file of an existing channel: --channel FILE.";
        /// The pool runs without --payment x402.
        NoChannelTerms { pool: String }: local, "the pool at {pool} does not accept payments from channels",
            hint "Ask the pool's operator how to pay. If the pool keeps accounts, run `vipnode account link {pool} --keystore FILE`.";
        /// The EVM node that was passed follows a different chain from the pool's escrow.
        PoolChain { pool: String, of: u64, node: u64 }: local,
            "the pool at {pool} accepts deposits on chain {of}, but the EVM node is on chain {node}",
            hint "Pass a node on chain {of}: --chain.rpc URL.";
        /// No agent of this machine uses the pool, or several do.
        NoAuthorizer { pool: String, agents: usize }: local,
            "{which} on this machine uses the pool at {pool}, so vipnode cannot determine whose key signs the vouchers"
            (which = if *agents == 0 { "no running client" } else { "more than one client" }),
            hint "Start one client of this pool, or pass the address of the agent's key, which the agent shows at startup: \
                  --authorizer ADDRESS.";
        /// The file is empty, or contains no addresses.
        NoAgents { path: PathBuf }: local, "{path} does not list any agents" (path = path.display()),
            hint "Write the address of one agent per line, as the agents show it at startup: --nodes FILE.";
        /// The file does not exist or cannot be read, or one of its lines is not an address.
        AgentList { path: PathBuf, why: String }: local, "cannot read the agents in {path}: {why}" (path = path.display()),
            hint "Write the address of one agent per line, as the agents show it at startup: --nodes FILE.";
        /// The EVM node that was passed follows a different chain from the one on which the channel was created.
        OtherChain { path: PathBuf, of: u64, node: u64 }: local,
            "the channel in {path} is on chain {of}, but the EVM node is on chain {node}" (path = path.display()),
            hint "Pass a node on chain {of}: --chain.rpc URL.";
        /// The channel was created in another escrow contract.
        OtherEscrow { path: PathBuf, escrow: Account }: local,
            "the channel in {path} is in the contract {escrow}, which is not the x402 escrow" (path = path.display()),
            hint "Pass the file that `vipnode wallet deposit` created for the channel: --channel FILE.";
        /// The node reports a different number of decimals for the token than when the file was created.
        OtherDecimals { path: PathBuf, of: u8, node: u8 }: local,
            "the token of the channel in {path} had {of} decimals, but the EVM node now reports {node}" (path = path.display()),
            hint "Compare the decimals in a block explorer, or pass another EVM node: --chain.rpc URL.";
        /// A flag and the file have different values for the same field.
        OtherFields { path: PathBuf }: local, "the flags describe a different channel from the one in {path}" (path = path.display()),
            hint "Remove the flags that describe a new channel, or pass a new file: --channel FILE.";
        /// The deposit is larger than the account's balance of the token.
        TooLittle { account: Account, has: Amount, asset: Asset }: local, "{account} has only {shown}" (shown = asset.show(*has)),
            hint "Deposit less, or send more {asset} to the account.";
        /// A deposit or withdrawal of 0 would change nothing.
        Zero: local, "the amount is 0", hint "Pass a larger amount.";
        /// A different account signed, or different data was signed.
        Signature { account: Account }: local, "{account} did not make this signature for this deposit",
            hint "Sign exactly the printed data, and pass the --valid-until that was printed with it.";
        /// Too much time has passed since the deposit was signed.
        Expired { valid_until_s: u64 }: local, "the signed deposit was valid until {valid_until_s} (Unix seconds), which has passed",
            hint "Run the command without --valid-until and --signature, and sign again.";
        /// The channel's payer must sign this transaction.
        OtherPayer { account: Account, payer: Account }: local,
            "the key is that of {account}, but the channel's payer is {payer}",
            hint "Pass the key of {payer}, or pass --unsigned to sign with another wallet.";
        /// Only the account in --chain.claimer of the pool can claim.
        OtherClaimer { account: Account, claimer: Account }: local,
            "the key is that of {account}, but only {claimer} can claim",
            hint "Pass the key of {claimer} (--chain.claimer of the pool), or pass --unsigned to sign with another wallet.";
        /// The pool was started with --chain.keystore, and this command was started with the same key.
        PoolClaims { account: Account }: local,
            "the pool claims on its own with the key of {account}, and both would use the same nonces",
            hint "Have the pool claim now: run `vipnode pool admin epoch run`. To claim with this command instead, restart the pool without \
                  --chain.keystore.";
        /// The file does not exist, or this user does not have permission to read it.
        PrivateKeyFile { path: PathBuf, error: io::Error }: local,
            "cannot read the private key in {path}: {error}" (path = path.display()),
            hint "Pass a file that contains the key in hex: --private-key-file FILE.";
        /// The whole deposit has already been claimed or withdrawn.
        NothingLeft: local, "the channel has nothing to withdraw",
            no_hint "everything has already been claimed or withdrawn";
        /// The requested amount is larger than the part of the deposit that is left.
        TooMuch { holds: Amount, asset: Asset }: local, "only {shown} can be withdrawn from the channel" (shown = asset.show(*holds)),
            hint "Withdraw less, or omit the amount to withdraw everything.";
        /// The user did not agree, or standard input is not a terminal.
        NotConfirmed: local, "the transaction was not confirmed, and nothing was sent",
            hint "Answer y, or pass --yes to send the transaction without confirmation.";
    }
}
