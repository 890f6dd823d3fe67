use vipnode_types::{Account, Amount, Asset, SignedAmount, errors};

errors! {
    /// Why the pool does not carry out an operator's order about the ledger.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum OrderError {
        /// The operator tried to credit, or give a limit to, the zero address, a precompiled contract, or a burn address.
        ReservedAccount {
            /// The account that was named.
            account: Account,
        }: InvalidParams, "nobody has the key of {account}, so it can neither pay nor be paid",
            hint "Check the address, and pass that of the person or company whose account changes.";
        /// The operator tried to credit, or give a limit to, the token that the pool charges in or an x402 contract.
        ContractAccount {
            /// The account that was named.
            account: Account,
        }: InvalidParams, "{account} is a contract that payments pass through, so it can neither pay nor be paid",
            hint "Check the address, and pass that of the person or company whose account changes.";
        /// The operator sets the limit of an account, but the account's vouchers determine it.
        LimitOfChannel: Unsuitable, "this pool uses x402, so the vouchers of a client determine how much it may owe",
            hint "To grant an amount without a deposit, run `vipnode pool admin credit ACCOUNT AMOUNT --reason TEXT`.";
        /// The totals of an account would overflow.
        AmountRange: InvalidParams, "the amount is too large for the account", hint "Enter a smaller amount.";
        /// The amount of an admin command is 2^96 smallest units or more, which is probably a typing error.
        OrderTooLarge: InvalidParams, "the amount is too large for one change",
            hint "Enter less than 2^96 smallest units of the asset.";
        /// The operator credits or debits an amount of 0.
        ZeroAmount: InvalidParams, "the amount is 0", hint "Enter an amount above 0.";
        /// An admin command has no reason, or a command that marks a payout has no reference.
        BlankReason: InvalidParams, "the reason is blank", hint "Enter a reason, or the reference of the payment.";
        /// An admin command repeats the key of an earlier command, but not its content.
        KeyUsed {
            /// The entry of the change with this key.
            entry: u64,
            /// The change that was posted with the key.
            posted: String,
            /// The change of this command.
            ordered: String,
        }: InvalidParams,
            "the key was used for a different change: entry {entry} of the ledger is a {posted}, and this is a {ordered}",
            hint "Pass a different --key, or repeat the command of entry {entry} unchanged." (entry = entry);
        /// The pool already remembers the maximum number of idempotency keys.
        OrderKeys {
            /// The most of them.
            most: u32,
        }: Unsuitable, "the ledger has reached its limit of {most} idempotency keys",
            hint "Run `vipnode pool prune` to remove old entries, or raise the limit: `vipnode pool --limit order_keys=N`.";
        /// Without --allow-negative, the operator can debit an account only up to its balance.
        DebitExceeds {
            /// The account that was named.
            account: Account,
            /// What the pool charges in.
            asset: Asset,
            /// Its balance before.
            balance: SignedAmount,
            /// What it would owe.
            debt: Amount,
        }: InvalidParams, "account {account} would owe {debt}: the debit is more than its balance of {balance}"
                (debt = asset.show(*debt), balance = asset.show_signed(*balance)),
            hint "Check the amount. To let the account owe {debt}, pass --allow-negative." (debt = asset.show(*debt));
        /// The cost of an entry is secured or written off, or the entry has none.
        NoUnpaidCost {
            /// The number of the entry.
            entry: u64,
        }: InvalidParams, "entry {entry} of the ledger has no unpaid cost",
            hint "List the payer's leases: `vipnode pool admin statement ACCOUNT`.";
        /// The operator tried to correct the payable amount to less than zero.
        CorrectionExceeds: InvalidParams, "the correction is more than what is payable to the account",
            hint "List what is payable: `vipnode pool admin accounts`.";
        /// The number is mistyped, or the payout belongs to a settlement period that is too old to change.
        NoPayout {
            /// The number in the command.
            payout: u64,
        }: InvalidParams, "no payout has the number {payout}", hint "List the payouts: `vipnode pool admin payouts`.";
        /// The operator has not closed this settlement period, or its number is mistyped.
        NoPeriod {
            /// The number in the command.
            period: u64,
            /// The number of the newest settlement period that is closed; 0 if there is none.
            newest: u64,
        }: InvalidParams, "settlement period {period} does not exist; the newest one that is closed is {newest}",
            hint "List the payouts of the newest period: `vipnode pool admin payouts`.";
        /// All payouts of a settlement period are marked.
        NoPayoutDue {
            /// The number of the period.
            period: u64,
        }: InvalidParams, "settlement period {period} has no more payouts to mark",
            hint "List its payouts: `vipnode pool admin payouts --period {period}`.";
        /// A payout can be marked as paid only once.
        PayoutPaid {
            /// The number of the payout.
            payout: u64,
            /// Whom it was paid to.
            account: Account,
        }: InvalidParams, "payout {payout} to {account} is already marked as paid",
            hint "Find its reference with `vipnode pool admin statement {account}`." (account = account);
        /// A payout can be marked as bounced only once. Its amount is due again in the next period.
        PayoutBounced {
            /// The number of the payout.
            payout: u64,
            /// The account that did not receive it.
            account: Account,
        }: InvalidParams, "payout {payout} to {account} is already marked as bounced",
            hint "Pay its amount with the next settlement period, and list the payouts: `vipnode pool admin payouts`.";
        /// The amount payable to the payee has decreased since the payout was listed, for example by a correction.
        PayoutExceeds: InvalidParams, "the payout is more than what is payable to the account",
            hint "Check the ledger: `vipnode pool verify`.";
        /// The operator has to mark all payouts of one settlement period before closing the next.
        PayoutsUnmarked {
            /// How many payouts are not marked.
            payouts: usize,
        }: Unsuitable, "the previous period has unmarked payouts ({payouts})",
            hint "Mark each with `vipnode pool admin payout paid ID REF` or `vipnode pool admin payout bounced ID REASON`.";
    }
}
