//! The escrow, its collectors, and a token on a real EVM: what is read, signed, simulated, and sent is what contracts do.

use vipnode_chain::{
    BlockTag, ChainError, ContractCall, Escrow, EvmNodes, GasPlan, RevertReason, Token, escrow_calls, escrow_event,
    testing::Anvil, token_calls, wait_for_receipt,
};
use vipnode_types::{
    Account, AccountKey, AgentKey, Amount, Hash256,
    payment::{
        ChannelConfig, ChannelState, DepositAuthorization, EscrowEvent, ReceiverTotals, TypedDataSignature, Voucher,
        VoucherClaim,
    },
};

const ETHER: u128 = 1_000_000_000_000_000_000;
const DELAY_S: u32 = 900;

struct World {
    anvil: Anvil,
    node: EvmNodes,
    payer: AccountKey,
    agent: AgentKey,
    receiver: AccountKey,
    channel: ChannelConfig,
}

impl World {
    async fn start() -> Self {
        let anvil = Anvil::start().await;
        let key = |byte| AccountKey::from_bytes([byte; 32]).unwrap();
        let (payer, agent, receiver) = (key(7), AgentKey::from_random([8; 32]).unwrap(), key(9));
        for account in [payer.account(), receiver.account()] {
            anvil.give_wei(account, ETHER).await;
        }
        anvil.give_tokens(payer.account(), Amount::new(100)).await;
        let channel = ChannelConfig {
            payer: payer.account(),
            payer_authorizer: agent.account(),
            receiver: receiver.account(),
            receiver_authorizer: receiver.account(),
            token: Anvil::TOKEN,
            withdraw_delay_s: DELAY_S,
            salt: Hash256::ZERO,
        };
        Self { node: anvil.node(), anvil, payer, agent, receiver, channel }
    }

    /// Simulates, signs, sends, and waits.
    async fn send(&self, call: ContractCall, by: &AccountKey) -> Result<u64, ChainError> {
        let plan = GasPlan::of(&self.node, call, by.account()).await?;
        let nonce = self.node.next_nonce(by.account()).await?;
        let signed = plan.transaction(Anvil::CHAIN_ID, nonce).sign(by);
        self.node.send_raw(&signed.raw).await?;
        // A second time, as after a crash: it is known, or it was mined.
        let _known = self.node.send_raw(&signed.raw).await;
        let receipt = wait_for_receipt(&self.node, signed.hash).await?;
        assert!(receipt.gas_used <= plan.gas && receipt.cost_wei().unwrap() <= plan.most_wei());
        Ok(receipt.gas_used)
    }

    async fn erc3009(&self, amount: u128) -> (DepositAuthorization, TypedDataSignature) {
        let token = Token::open(&self.node, Anvil::CHAIN_ID, Anvil::TOKEN).await.unwrap();
        let deposit = DepositAuthorization::Erc3009 {
            token: token.erc3009_domain().await.unwrap().expect("a token with ERC-3009"),
            from: self.payer.account(),
            amount: Amount::new(amount),
            valid_after_s: 0,
            valid_before_s: u64::MAX,
            salt: Hash256([u8::try_from(amount).unwrap(); 32]),
            channel: self.channel.id(Anvil::CHAIN_ID),
        };
        let signature = self.payer.sign_typed(&deposit.typed_data(Anvil::CHAIN_ID));
        (deposit, signature)
    }

    fn voucher(&self, amount: u128, claimed: u128) -> VoucherClaim {
        let voucher = Voucher { channel: self.channel.id(Anvil::CHAIN_ID), max_claimable: Amount::new(amount) };
        VoucherClaim {
            channel: self.channel,
            max_claimable: voucher.max_claimable,
            signature: self.agent.sign_typed(&voucher.typed_data(Anvil::CHAIN_ID)),
            total_claimed: Amount::new(claimed),
        }
    }
}

fn reverted<T>(result: &Result<T, ChainError>, name: &'static str) -> bool {
    matches!(result, Err(ChainError::Reverted { reason: RevertReason::Named(named), .. }) if *named == name)
}

#[tokio::test]
async fn a_channel_lives_from_its_deposit_by_signature_to_its_withdrawal() {
    let world = World::start().await;
    let (node, channel, payer, receiver) = (&world.node, &world.channel, &world.payer, &world.receiver);
    let escrow = Escrow::open(node).await.unwrap();
    let token = Token::open(node, escrow.chain_id(), Anvil::TOKEN).await.unwrap();
    assert_eq!((token.asset().decimals(), token.balance(payer.account()).await), (6, Ok(Amount::new(100))));
    let id = channel.id(escrow.chain_id());
    assert_eq!(escrow.channel(id, BlockTag::Latest).await, Ok(ChannelState::default()), "no deposit yet");
    let before = node.block(BlockTag::Latest).await.unwrap();

    // Another account pays the gas.
    let (deposit, signature) = world.erc3009(40).await;
    world.send(escrow_calls::deposit(channel, &deposit, signature), receiver).await.unwrap();
    let again = world.send(escrow_calls::deposit(channel, &deposit, signature), receiver).await;
    assert!(matches!(again, Err(ChainError::Reverted { .. })), "an authorization is used once: {again:?}");
    let state = escrow.channel(id, BlockTag::Latest).await.unwrap();
    assert_eq!(state, ChannelState { balance: Amount::new(40), total_claimed: Amount::ZERO });
    assert_eq!(escrow.channel(id, BlockTag::Number(before.number)).await, Ok(ChannelState::default()), "as of then");

    // A ceiling of 30, of which 12 are claimed.
    let above = world.send(escrow_calls::claim(&[world.voucher(30, 31)]), receiver).await;
    assert!(reverted(&above, "ClaimExceedsCeiling"), "{above:?}");
    let stranger = world.send(escrow_calls::claim(&[world.voucher(30, 12)]), payer).await;
    assert!(reverted(&stranger, "NotAuthorizedToClaim"), "{stranger:?}");
    world.send(escrow_calls::claim(&[world.voucher(30, 12)]), receiver).await.unwrap();
    world.send(escrow_calls::settle(receiver.account(), Anvil::TOKEN), payer).await.unwrap();
    let totals = escrow.receiver(receiver.account(), Anvil::TOKEN, BlockTag::Latest).await;
    assert_eq!(totals, Ok(ReceiverTotals { total_claimed: Amount::new(12), total_settled: Amount::new(12) }));
    assert_eq!(token.balance(receiver.account()).await, Ok(Amount::new(12)));

    let too_much = world.send(escrow_calls::initiate_withdraw(channel, Amount::new(29)), payer).await;
    assert!(reverted(&too_much, "WithdrawAmountExceedsAvailable"), "{too_much:?}");
    world.send(escrow_calls::refund(channel, Amount::new(3)), receiver).await.unwrap();
    world.send(escrow_calls::initiate_withdraw(channel, Amount::new(25)), payer).await.unwrap();
    let pending = escrow.pending_withdrawal(id, BlockTag::Latest).await.unwrap().unwrap();
    let state = escrow.channel(id, BlockTag::Latest).await.unwrap();
    assert_eq!((pending.amount, state.secured(Some(pending))), (Amount::new(25), Amount::new(12)));
    let early = world.send(escrow_calls::finalize_withdraw(channel), payer).await;
    assert!(reverted(&early, "WithdrawDelayNotElapsed"), "{early:?}");
    world.anvil.pass(DELAY_S.into()).await;
    assert!(node.block(BlockTag::Latest).await.unwrap().time_s >= pending.finalize_after_s(DELAY_S));
    world.send(escrow_calls::finalize_withdraw(channel), payer).await.unwrap();
    assert_eq!(escrow.pending_withdrawal(id, BlockTag::Latest).await, Ok(None));
    assert_eq!(token.balance(payer.account()).await, Ok(Amount::new(100 - 12)));
    check_events(&world, before.number).await;
}

/// The events of the life above, in order.
async fn check_events(world: &World, from: u64) {
    let (channel, config) = (world.channel.id(Anvil::CHAIN_ID), world.channel);
    let escrow = Escrow::open(&world.node).await.unwrap();
    let to = world.node.block(BlockTag::Latest).await.unwrap().number;
    let logs = escrow.logs(from, to).await.unwrap();
    let events: Vec<EscrowEvent> = logs.iter().map(|log| escrow_event(log).expect("an event")).collect();
    let amount = Amount::new;
    let EscrowEvent::WithdrawInitiated { finalize_after_s, .. } = events[5] else { panic!("{events:?}") };
    assert_eq!(
        events,
        [
            EscrowEvent::ChannelCreated { channel, config },
            EscrowEvent::Deposited { channel, amount: amount(40), balance: amount(40) },
            EscrowEvent::Claimed { channel, amount: amount(12), total_claimed: amount(12) },
            EscrowEvent::Settled { receiver: config.receiver, token: config.token, amount: amount(12) },
            EscrowEvent::Refunded { channel, amount: amount(3) },
            EscrowEvent::WithdrawInitiated { channel, amount: amount(25), finalize_after_s },
            EscrowEvent::WithdrawFinalized { channel, amount: amount(25) },
        ]
    );
}

#[tokio::test]
async fn a_token_without_erc3009_is_deposited_by_permit2_once_it_is_approved() {
    let world = World::start().await;
    let (node, channel, payer) = (&world.node, &world.channel, &world.payer);
    let token = Token::open(node, Anvil::CHAIN_ID, Anvil::TOKEN).await.unwrap();
    let id = channel.id(Anvil::CHAIN_ID);
    let deposit = DepositAuthorization::Permit2 {
        token: Anvil::TOKEN,
        amount: Amount::new(60),
        nonce: 5,
        deadline_s: u64::MAX,
        channel: id,
    };
    let signature = payer.sign_typed(&deposit.typed_data(Anvil::CHAIN_ID));
    let call = || escrow_calls::deposit(channel, &deposit, signature);
    assert_eq!(token.permit2_allowance(payer.account()).await, Ok(Amount::ZERO));
    assert!(matches!(world.send(call(), payer).await, Err(ChainError::Reverted { .. })));
    world.send(token_calls::approve_permit2(Anvil::TOKEN), payer).await.unwrap();
    assert_eq!(token.permit2_allowance(payer.account()).await, Ok(Amount::MAX));
    world.send(call(), payer).await.unwrap();
    let state = Escrow::open(node).await.unwrap().channel(id, BlockTag::Latest).await.unwrap();
    assert_eq!(state.balance, Amount::new(60));
}

#[tokio::test]
async fn a_chain_without_the_escrow_or_the_token_is_refused() {
    let anvil = Anvil::start_empty().await;
    let node = anvil.node();
    assert_eq!(node.chain_id().await, Ok(Anvil::CHAIN_ID));
    assert!(matches!(Escrow::open(&node).await, Err(ChainError::NoEscrow { chain_id: Anvil::CHAIN_ID, .. })));
    let none = Token::open(&node, Anvil::CHAIN_ID, Anvil::TOKEN).await;
    assert!(matches!(none, Err(ChainError::NoToken { token: Anvil::TOKEN, .. })));
    for tag in [BlockTag::Latest, BlockTag::Safe, BlockTag::Finalized, BlockTag::Number(0)] {
        assert_eq!(node.block(tag).await.unwrap().number, 0, "{tag}");
    }
    assert!(matches!(node.block(BlockTag::Number(1)).await, Err(ChainError::NoBlock { .. })));
    // An account without coins.
    let nobody = Account::new([0x33; 20]);
    let plan = GasPlan::of(&node, token_calls::approve_permit2(Anvil::TOKEN), nobody).await;
    assert!(matches!(plan, Err(ChainError::NoGas { account, has_wei: 0, .. }) if account == nobody), "{plan:?}");
}
