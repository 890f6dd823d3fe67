//! Payment channels of x402.

use super::{
    examples,
    method_row::{CallDirection, MethodRow, Signing},
};
use vipnode_types::{
    Account, AgentKey, Amount, Hash256,
    payment::{ChannelConfig, Voucher},
    wire::{ChannelFunds, ErrorCode, VoucherRequest, method},
};

const CODES: &[ErrorCode] = &[
    ErrorCode::Unauthorized,
    ErrorCode::InvalidParams,
    ErrorCode::Unsuitable,
    ErrorCode::PaymentRequired,
    ErrorCode::Busy,
];
/// Base.
const CHAIN: u64 = 8_453;

pub(super) fn voucher() -> MethodRow {
    let text = "Lets the caller's node spend from an x402 payment channel (scheme batch-settlement), up to the amount of a voucher. The channel must match the terms in the connect reply, and its payer authorizer must be the agent's key. Before the pool answers the first voucher for a channel, it reads the channel's deposit from the chain. Repeating an amount changes nothing; a smaller amount is refused. The pool serves the node while the cost of its leases is covered by the newest voucher and the deposit.";
    let request = request();
    let reply = request.as_ref().map(funds);
    MethodRow::new::<ChannelFunds>(
        method::VOUCHER,
        CallDirection::AgentToPool,
        "Spend from a payment channel",
        text,
        ("funds", "The state of the channel as known to the pool"),
    )
    .takes::<VoucherRequest>("voucher", "The channel, the amount, and the signature")
    .signed(Signing::OverHttp)
    .fails(CODES)
    .example("Ben's agent signs for an hour", request.as_ref().and_then(examples::bare), &reply)
}

fn request() -> Option<VoucherRequest> {
    let account = |byte| Account::new([byte; 20]);
    let key = AgentKey::from_random([9; 32]).ok()?;
    let channel = ChannelConfig {
        payer: examples::payer(),
        payer_authorizer: key.account(),
        receiver: account(0x70),
        receiver_authorizer: account(0x71),
        token: account(0x72),
        withdraw_delay_s: 14 * 24 * 60 * 60,
        salt: Hash256::ZERO,
    };
    let max_claimable = Amount::new(1_500_000);
    let voucher = Voucher { channel: channel.id(CHAIN), max_claimable };
    let signature = key.sign_typed(&voucher.typed_data(CHAIN));
    Some(VoucherRequest { channel, max_claimable, signature })
}

fn funds(request: &VoucherRequest) -> ChannelFunds {
    ChannelFunds {
        id: request.channel.id(CHAIN),
        signed: request.max_claimable,
        signature: request.signature,
        deposited: Amount::new(20_000_000),
        withdrawing: Amount::ZERO,
        claimed: Amount::new(1_000_000),
        metered: Amount::new(1_250_000),
        hourly: Amount::new(250_000),
        read_ms: examples::NOW,
    }
}
