//! A pool with channels that owe something, and its chain.

use vipnode_types::{
    Account, AgentKey, Amount, Hash256, Ms, PaymentMode,
    payment::{ChannelConfig, ChannelTerms, Voucher},
    wire::ErrorCode,
};

use super::evm::{Evm, GWEI};
use crate::{
    AccountFigures, AccountRow, ChannelReading, ChannelRow, Command, EpochClaimRow, EpochStep, EpochTerms, EpochView,
    LedgerAccount, Limits, PayoutRow, Reply, Row, UnpaidRow,
    tests::{
        funds::code,
        pool::{Pool, START},
        scenario::{CLIENT, priced},
    },
};

pub(super) const CHAIN: u64 = 8_453;
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
pub(super) const EPOCH_MS: u64 = 7 * DAY_MS;
/// What each channel owes.
pub(super) const OWED: u128 = 5_000_000;
pub(super) const HOST: Account = account(0x77);
const TERMS: ChannelTerms = ChannelTerms {
    chain_id: CHAIN,
    token: account(0xa1),
    receiver: account(0xa2),
    receiver_authorizer: account(0xa3),
    withdraw_delay_s: 1_209_600,
};

pub(super) const fn account(byte: u8) -> Account {
    Account::new([byte; 20])
}

/// A unit of the asset is worth a gwei, so that 30,000 gas at a gwei are worth 30,000 units.
pub(super) fn limits() -> Limits {
    let epoch = Some(EpochTerms { epoch_ms: EPOCH_MS, coin_price: Amount::new(GWEI) });
    Limits { payment: PaymentMode::X402, channel: Some(TERMS), epoch, claim_rows: 2, chain_look_ms: 1_000, ..priced() }
}

fn key(number: u8) -> AgentKey {
    AgentKey::from_random([number; 32]).unwrap()
}

pub(super) fn signer(number: u8) -> Account {
    key(number).account()
}

/// A channel that owes something, and how much of its costs is posted.
fn rows_of(number: u8, deposited: u128) -> Vec<Row> {
    let ChannelTerms { token, receiver, receiver_authorizer, withdraw_delay_s, .. } = TERMS;
    let payer_authorizer = signer(number);
    let salt = Hash256([number; 32]);
    let payer = account(number);
    let config =
        ChannelConfig { payer, payer_authorizer, receiver, receiver_authorizer, token, withdraw_delay_s, salt };
    let (signed, owed) = (Amount::new(2 * OWED), Amount::new(OWED));
    let voucher = Voucher { channel: config.id(CHAIN), max_claimable: signed };
    let channel = ChannelRow {
        config,
        signed,
        signature: key(number).sign_typed(&voucher.typed_data(CHAIN)),
        state: ChannelReading { deposited: Amount::new(deposited), ..ChannelReading::default() },
        read: START,
        metered_before: Amount::ZERO,
        claimed_before: Amount::ZERO,
        claimed: Amount::ZERO,
    };
    let figures = AccountFigures { sent: owed, metered: owed, limit: channel.promised(), ..AccountFigures::default() };
    let payer = AccountRow { account: LedgerAccount::Payer(payer_authorizer), figures };
    let unpaid = UnpaidRow {
        entry: number.into(),
        payer: payer_authorizer,
        payee: HOST,
        fee_bps: 1_000,
        cost: owed,
        collected: Amount::ZERO,
    };
    vec![Row::Account(payer), Row::Channel(Box::new(channel)), Row::Unpaid(unpaid)]
}

/// How a pool dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
    /// Before the rows of a step are durable.
    BeforeCommit,
    /// After that, and before the chain is asked anything.
    AfterCommit,
    /// After the chain did what it was asked, and before its answer arrived.
    AfterRequest,
}

pub(super) struct World {
    pub(super) pool: Pool,
    pub(super) evm: Evm,
    limits: Limits,
    /// How often something could have ended the pool.
    pub(super) moments: u32,
    pub(super) crash: Option<(Crash, u32)>,
}

impl World {
    /// A pool whose `channels` channels owe [`OWED`] each, to the same host.
    pub(super) fn with(limits: Limits, channels: u8) -> Self {
        let mut pool = Pool::with(limits.clone());
        let owed = Amount::new(OWED * u128::from(channels));
        let figures = AccountFigures { received: owed, metered: owed, ..AccountFigures::default() };
        let payee = AccountRow { account: LedgerAccount::Payee(HOST), figures };
        pool.rows = vec![Row::Payment(PaymentMode::X402), Row::Account(payee)];
        let mut evm = Evm::with_fee(GWEI);
        for number in 1..=channels {
            pool.rows.extend(rows_of(number, 10 * OWED));
            let deposited = Amount::new(10 * OWED);
            evm.holds.insert(signer(number), ChannelReading { deposited, ..ChannelReading::default() });
        }
        let mut world = Self { pool, evm, limits, moments: 0, crash: None };
        world.restart();
        world
    }

    pub(super) fn new(channels: u8) -> Self {
        Self::with(limits(), channels)
    }

    pub(super) fn restart_with(&mut self, limits: Limits) {
        self.limits = limits;
        self.restart();
    }

    pub(super) fn restart(&mut self) {
        self.pool.chain.clear();
        self.pool.restart(self.limits.clone());
    }

    fn crashes(&mut self, kind: Crash) -> bool {
        self.moments += 1;
        self.crash == Some((kind, self.moments))
    }

    /// The chain does what it is asked, and the core takes its answers.
    pub(super) fn work(&mut self) {
        while !self.pool.chain.is_empty() {
            let request = self.pool.chain.remove(0);
            let events = self.evm.answer(request, CHAIN);
            if self.crashes(Crash::AfterRequest) {
                self.restart();
                continue;
            }
            for event in events {
                if !self.handle(event) {
                    break;
                }
            }
        }
    }

    /// Returns false if the pool died.
    fn handle(&mut self, event: crate::ChainEvent) -> bool {
        let before = self.pool.rows.len();
        self.pool.handle(Command::Chain(event));
        if self.crashes(Crash::BeforeCommit) {
            self.pool.rows.truncate(before);
            self.restart();
            return false;
        }
        if self.crashes(Crash::AfterCommit) {
            self.restart();
            return false;
        }
        true
    }

    /// What the watcher reads reaches the core.
    pub(super) fn watch(&mut self) {
        for event in self.evm.news(CHAIN) {
            self.pool.handle(Command::Chain(event));
        }
    }

    /// Lets time pass. Of a long one, only the last seconds have ticks.
    pub(super) fn wait(&mut self, ms: u64) {
        const TICKS_MS: u64 = 30_000;
        self.pool.now = self.pool.now.plus(ms.saturating_sub(TICKS_MS));
        self.pool.pass(ms.min(TICKS_MS));
    }

    /// As [`Self::wait`], and the chain does what it is asked.
    pub(super) fn pass(&mut self, ms: u64) {
        self.wait(ms);
        self.work();
    }

    /// Some seconds, in which blocks are mined, and every fourth is final.
    pub(super) fn blocks(&mut self, seconds: u32) {
        for second in 1..=seconds {
            self.pass(1_000);
            self.evm.mine();
            if second % 4 == 0 {
                self.evm.finalize();
            }
        }
        self.work();
    }

    pub(super) fn view(&self) -> EpochView {
        self.pool.core.epoch_view().unwrap()
    }

    pub(super) fn step(&self) -> EpochStep {
        self.view().row.step
    }

    pub(super) fn problem(&self) -> String {
        self.view().row.problem.unwrap_or_default()
    }

    pub(super) fn set_aside(&self) -> Vec<EpochClaimRow> {
        self.view().set_aside
    }

    /// The operator has an epoch begin.
    pub(super) fn run(&mut self) -> Result<EpochView, ErrorCode> {
        let connection = self.pool.connection(CLIENT);
        match self.pool.request(Command::Epoch { connection, request: 9, run: true }).unwrap() {
            Ok(Reply::Epoch(view)) => Ok(*view),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(code(&error)),
        }
    }

    pub(super) fn payouts(&self) -> Vec<PayoutRow> {
        self.pool.core.payouts_of(None, None, 10).unwrap()
    }

    /// What was claimed of a channel and posted.
    pub(super) fn posted(&self, number: u8) -> u128 {
        self.pool.figures(LedgerAccount::Payer(signer(number))).received.get()
    }

    pub(super) fn withdraws(&mut self, number: u8, amount: u128, withdrawable: Ms) {
        let holds = self.evm.holds.get_mut(&signer(number)).unwrap();
        (holds.withdrawing, holds.withdrawable_s) = (Amount::new(amount), withdrawable.get() / 1_000);
        self.watch();
    }
}
