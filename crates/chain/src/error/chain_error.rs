use vipnode_types::{Account, Amount, Asset, Hash256, errors};

use crate::abi::RevertReason;

errors! {
    /// Why something on a chain could not be read, built, or sent.
    ///
    /// A node is named by its scheme, host, and port: the path of its URL often contains an API key.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ChainError {
        /// The URL cannot be used.
        Address {
            /// The node's origin, or the text without its secret parts.
            node: String,
            /// What is wrong.
            why: String,
        }: local, "cannot use {node} as an EVM node: {why}",
            hint "Pass the HTTP address of an execution client or of a provider: --chain.rpc https://HOST/PATH.";
        /// The node could not be reached, or the connection was lost.
        Unreachable {
            /// The node's origin.
            node: String,
            /// What happened to the connection.
            why: String,
        }: local, "cannot reach the EVM node at {node}: {why}",
            hint "Check the address and that the node is running, or pass another node: --chain.rpc URL.";
        /// The node answered with an error.
        Refused {
            /// The node's origin.
            node: String,
            /// The method that was called.
            method: &'static str,
            /// The code of the error.
            code: i32,
            /// What the node reports.
            why: String,
        }: local, "the EVM node at {node} rejected {method}: {why}",
            hint "Check that the node supports this method and that its limits allow the call, or pass another node: --chain.rpc URL.";
        /// The node's answer does not match the request.
        Answer {
            /// The node's origin.
            node: String,
            /// The method that was called.
            method: &'static str,
            /// What is wrong with the answer.
            why: String,
        }: local, "the EVM node at {node} did not answer {method} correctly: {why}",
            hint "Pass another node: --chain.rpc URL.";
        /// Nodes of one chain do not agree: one is wrong, is dishonest, or follows a different fork.
        NodesDiffer {
            /// The origins of all nodes.
            nodes: String,
            /// The method that was called.
            method: &'static str,
        }: local, "the EVM nodes at {nodes} gave different answers to {method}",
            hint "If this lasts, find out which node is wrong and replace it. With three nodes (--chain.rpc URL, three \
                times), the answer that two of them agree on is used.";
        /// A pool compares the answers of a few nodes.
        NumNodes {
            /// How many are compared.
            most: usize,
        }: local, "the number of EVM nodes is not between 1 and {most}",
            hint "Pass --chain.rpc one to {most} times.";
        /// A node that is compared with itself confirms nothing.
        NodeTwice {
            /// Scheme, host, and port of the node.
            node: String,
        }: local, "the EVM node at {node} is named twice",
            hint "Pass each node only once, preferably nodes run by different operators: --chain.rpc URL \
                  --chain.rpc OTHER_URL.";
        /// A contract returned something that its ABI does not allow.
        Returned {
            /// The address of the contract.
            contract: Account,
            /// The function that was called.
            function: &'static str,
        }: local, "the contract {contract} returned an unexpected result from {function}",
            hint "Check the contract's address and the chain.";
        /// The contract would revert, or did.
        Reverted {
            /// The function that was called.
            function: &'static str,
            /// The reason that the contract returned.
            reason: RevertReason,
        }: local, "the contract rejects {function}: {reason}",
            hint "{fix}" (fix = revert_fix(reason));
        /// The pool, the channel, or the command needs a node on another chain.
        OtherChain {
            /// The chain of the node.
            actual: u64,
            /// The expected chain.
            expected: u64,
        }: local, "the EVM node is on chain {actual}, not on {expected}",
            hint "Pass a node on chain {expected}: --chain.rpc URL.";
        /// The x402 escrow is not deployed on this chain.
        NoEscrow {
            /// The chain that the node is on.
            chain_id: u64,
            /// The address that has no code.
            address: Account,
        }: local, "chain {chain_id} does not have the x402 contract at {address}",
            hint "Use a chain that has the x402 escrow, such as Base (8453), or let the pool charge without a chain: `--payment credit`.";
        /// The address belongs to an account or to another kind of contract.
        NoToken {
            /// The address that was named.
            token: Account,
            /// The chain that the node is on.
            chain_id: u64,
        }: local, "{token} is not a token on chain {chain_id}",
            hint "Check the token's address and the chain.";
        /// vipnode cannot show amounts of this token.
        Symbol {
            /// The address of the token's contract.
            token: Account,
        }: local, "the token {token} has a symbol that is not 1 to 12 letters and digits, or more than 30 decimals",
            hint "Choose another token, and pass its address (--chain.token for a pool, --token for a channel).";
        /// The block does not exist, or the node no longer keeps its state.
        NoBlock {
            /// Which block was asked for.
            block: String,
        }: local, "the EVM node does not have the block {block}",
            hint "Wait until the node is in sync, or pass another node: --chain.rpc URL.";
        /// There are more logs than the limit allows.
        ManyLogs {
            /// The limit that was exceeded.
            most: usize,
        }: local, "the blocks contain more than {most} events of the contract",
            hint "Request a shorter range of blocks.";
        /// The range of blocks is longer than the limit.
        ManyBlocks {
            /// The limit that was exceeded.
            most: u64,
        }: local, "events from more than {most} blocks were requested at once", hint "Request a shorter range of blocks.";
        /// The chain is busy, or the limit on the gas price is too low for it.
        GasPrice {
            /// What one unit of gas could cost, in wei.
            wei: u128,
            /// The limit, in wei.
            most_wei: u128,
        }: local, "the gas price is up to {found}, more than {most}"
            (found = ether(*wei), most = ether(*most_wei)),
            hint "Wait until the gas price falls, or raise the limit: --max-gas-price GWEI.";
        /// The transaction needs more gas than the limit.
        GasLimit {
            /// How much it needs.
            gas: u64,
            /// The limit that was exceeded.
            most: u64,
        }: local, "the transaction would use {gas} gas, more than {most}",
            hint "Split it into smaller transactions.";
        /// The account has too little of the chain's native currency for the highest possible cost of the gas.
        NoGas {
            /// The account that pays.
            account: Account,
            /// The balance of the account, in wei.
            has_wei: u128,
            /// What the transaction could cost, in wei.
            needs_wei: u128,
        }: local, "{account} has {has}, but the gas for the transaction can cost {needs}"
            (has = ether(*has_wei), needs = ether(*needs_wei)),
            hint "Send some of the chain's native currency to {account}, or pass --unsigned to send the transaction with another wallet.";
        /// The contract rejected the transaction when it was executed, for example because the state of the chain had
        /// changed.
        Failed {
            /// The hash that identifies it.
            hash: Hash256,
        }: local, "the transaction {hash} was mined, but it reverted",
            hint "Look up the transaction in a block explorer of the chain, then run the command again.";
        /// The chain is busy, or the gas price of the transaction is too low.
        NotMined {
            /// The hash that identifies it.
            hash: Hash256,
            /// How long was waited.
            seconds: u64,
        }: local, "the transaction {hash} was not mined within {seconds} s, but it may still be mined",
            hint "Look up the transaction in a block explorer of the chain before you run the command again.";
    }
}

impl ChainError {
    /// Whether the same read may succeed a moment later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

fn ether(wei: u128) -> String {
    Asset::ETHER.show(Amount::new(wei)).to_string()
}

fn revert_fix(reason: &RevertReason) -> &'static str {
    match reason {
        RevertReason::Named("WithdrawDelayNotElapsed") => "Wait until the delay of the withdrawal has passed.",
        RevertReason::Named("WithdrawalNotPending") => "Run `vipnode wallet withdraw` to start the withdrawal.",
        RevertReason::Named("WithdrawalAlreadyPending") => {
            "Finish the pending withdrawal first: run the command again after its delay."
        }
        RevertReason::Named("NothingToWithdraw" | "WithdrawAmountExceedsAvailable") => {
            "Check the balance of the channel: what the receiver claimed cannot be withdrawn."
        }
        RevertReason::Named("ERC20InsufficientBalance") => "Check the account's balance of the token.",
        RevertReason::Named("ERC20InsufficientAllowance") => {
            "Run `vipnode wallet deposit` with the payer's key, which first approves Permit2 for the token."
        }
        RevertReason::Named("NotAuthorizedToFinalizeWithdraw") => {
            "Sign with the channel's payer, or with its payer authorizer."
        }
        _ => "Check the channel, the account, and the amount: `vipnode wallet balance --channel FILE --chain.rpc URL`.",
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    #[test]
    fn amounts_are_shown_as_people_write_them() {
        let error = ChainError::GasPrice { wei: 30_000_000_000, most_wei: 10_000_000_000 };
        assert_eq!(error.to_string(), "the gas price is up to 30 gwei, more than 10 gwei");
        let named = ChainError::Reverted {
            function: "finalizeWithdraw",
            reason: RevertReason::Named("WithdrawDelayNotElapsed"),
        };
        assert_eq!(named.hint().as_deref(), Some("Wait until the delay of the withdrawal has passed."));
    }
}
