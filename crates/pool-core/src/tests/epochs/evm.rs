//! A chain for the tests of epochs: blocks on demand, reorganizations, and claims that the contract refuses.

use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{
    Account, Amount, Hash256, keccak256,
    payment::{ChannelConfig, VoucherClaim},
};

use crate::{
    ChainAnswer, ChainEvent, ChainFailure, ChainLook, ChainRequest, ChannelReading, EscrowCall, SimulatedCall,
};

pub(super) const GWEI: u128 = 1_000_000_000;

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) nonce: u64,
    /// The total of each channel, by payer authorizer.
    pub(super) claimed: BTreeMap<Account, u128>,
    pub(super) all_claimed: u128,
    pub(super) settled: u128,
}

/// What is read of a channel: what the escrow holds, and what is final.
type Read = (ChannelReading, u128);

#[derive(Debug, Default)]
pub(super) struct Evm {
    pub(super) latest: State,
    pub(super) finalized: State,
    /// By nonce.
    pub(super) mempool: BTreeMap<u64, Hash256>,
    signed: BTreeMap<Hash256, (u64, EscrowCall)>,
    /// What was sent, in order.
    pub(super) sent: Vec<(u64, Hash256)>,
    pub(super) mined: Vec<(u64, Hash256)>,
    /// Channels whose claim the contract refuses.
    pub(super) bad: BTreeSet<Account>,
    /// Channels whose claim reverts only once it is mined.
    pub(super) treacherous: BTreeSet<Account>,
    /// Claims that are mined and change nothing, as if another contract had been called.
    pub(super) is_deaf: bool,
    /// It answers nothing.
    pub(super) is_silent: bool,
    pub(super) fee_wei: u128,
    pub(super) holds: BTreeMap<Account, ChannelReading>,
    watched: BTreeMap<Account, (ChannelConfig, Option<Read>)>,
}

impl Evm {
    pub(super) fn with_fee(fee_wei: u128) -> Self {
        Self { fee_wei, ..Self::default() }
    }

    fn read(&self, signer: Account) -> Read {
        let claimed = |state: &State| state.claimed.get(&signer).copied().unwrap_or_default();
        let claimed_now = Amount::new(claimed(&self.latest));
        (ChannelReading { claimed: claimed_now, ..self.holds[&signer] }, claimed(&self.finalized))
    }

    fn channel_events(&mut self, signer: Account, chain_id: u64) -> Vec<ChainEvent> {
        let read = self.read(signer);
        let (config, before) = self.watched.get_mut(&signer).unwrap();
        let id = config.id(chain_id);
        let news = before.replace(read) != Some(read);
        let state = ChainEvent::Channel { id, signer, state: read.0 };
        let claimed = ChainEvent::Claimed { id, signer, total: Amount::new(read.1) };
        if news { vec![state, claimed] } else { Vec::new() }
    }

    /// The watcher looks at the chain.
    pub(super) fn news(&mut self, chain_id: u64) -> Vec<ChainEvent> {
        let signers: Vec<Account> = self.watched.keys().copied().collect();
        signers.into_iter().flat_map(|signer| self.channel_events(signer, chain_id)).collect()
    }

    pub(super) fn answer(&mut self, request: ChainRequest, chain_id: u64) -> Vec<ChainEvent> {
        let of = |answer| ChainEvent::Answer(Box::new(answer));
        if self.is_silent {
            return Vec::new();
        }
        match request {
            ChainRequest::Watch { config, .. } => {
                let signer = config.payer_authorizer;
                self.watched.insert(signer, (*config, None));
                self.channel_events(signer, chain_id)
            }
            ChainRequest::Forget(_) => Vec::new(),
            ChainRequest::Look { ticket, transaction } => {
                let mut events = self.news(chain_id);
                let is_mined = |hash: &Hash256| self.mined.iter().any(|(_, mined)| mined == hash);
                let look = ChainLook {
                    nonce: self.latest.nonce,
                    next_nonce: self.latest.nonce + self.mempool.len() as u64,
                    final_nonce: self.finalized.nonce,
                    claimed: Amount::new(self.finalized.all_claimed),
                    settled: Amount::new(self.finalized.settled),
                    fee_wei: self.fee_wei,
                    cost: transaction.filter(is_mined).map(|hash| (hash, 1_000)),
                };
                events.push(of(ChainAnswer::Looked { ticket, result: Ok(look) }));
                events
            }
            ChainRequest::Simulate { ticket, call } => {
                vec![of(ChainAnswer::Simulated { ticket, result: self.simulate(&call) })]
            }
            ChainRequest::Sign { ticket, call, nonce, gas } => {
                let raw = format!("{nonce} {gas:?} {call:?}").into_bytes();
                let hash = keccak256(&raw);
                self.signed.insert(hash, (nonce, call));
                vec![of(ChainAnswer::Signed { ticket, hash, raw })]
            }
            ChainRequest::Send { hash, raw } => {
                assert_eq!(keccak256(&raw), hash);
                let nonce = self.signed[&hash].0;
                self.sent.push((nonce, hash));
                if nonce < self.latest.nonce {
                    return vec![of(ChainAnswer::NotSent { hash, why: "nonce too low".to_owned() })];
                }
                self.mempool.insert(nonce, hash);
                Vec::new()
            }
        }
    }

    fn simulate(&self, call: &EscrowCall) -> Result<SimulatedCall, ChainFailure> {
        let rows = match call {
            EscrowCall::Claim(claims) => {
                if claims.iter().any(|claim| self.bad.contains(&claim.channel.payer_authorizer)) {
                    return Err(ChainFailure::Reverted("ClaimExceedsBalance".to_owned()));
                }
                claims.len() as u64
            }
            EscrowCall::Settle { .. } => 1,
        };
        let gas = 22_000 * rows + 40_000;
        Ok(SimulatedCall { gas, priority_fee_wei: 1, max_fee_wei: 2 * self.fee_wei })
    }

    /// A block with everything that can be in it.
    pub(super) fn mine(&mut self) {
        while let Some(hash) = self.mempool.remove(&self.latest.nonce) {
            self.mined.push((self.latest.nonce, hash));
            self.latest.nonce += 1;
            let call = self.signed[&hash].1.clone();
            if self.is_deaf {
                continue;
            }
            match call {
                EscrowCall::Claim(claims) => {
                    let reverts = |claim: &VoucherClaim| self.treacherous.contains(&claim.channel.payer_authorizer);
                    if claims.iter().any(reverts) {
                        continue;
                    }
                    for claim in claims {
                        self.pay(claim.channel.payer_authorizer, claim.total_claimed.get());
                    }
                }
                EscrowCall::Settle { .. } => self.latest.settled = self.latest.all_claimed,
            }
        }
    }

    /// The total that is claimed of a channel rises.
    pub(super) fn pay(&mut self, signer: Account, total: u128) {
        let claimed = self.latest.claimed.entry(signer).or_default();
        self.latest.all_claimed += total.saturating_sub(*claimed);
        *claimed = total.max(*claimed);
    }

    pub(super) fn finalize(&mut self) {
        self.finalized = self.latest.clone();
    }

    /// What is not final is gone, and nobody has the transactions anymore.
    pub(super) fn reorganize(&mut self) {
        self.latest = self.finalized.clone();
        self.mempool.clear();
        let nonce = self.latest.nonce;
        self.mined.retain(|(mined, _)| *mined < nonce);
    }
}
