use vipnode_types::{
    Account, Amount, Ms, PaymentMode,
    payment::VoucherClaim,
    wire::{VoucherRequest, WireError},
};

use crate::{
    AddressBlock, ChainEvent, ChainRequest, ChannelReading, ChannelRow, ConnectionId, Core, CoreError, Effect, Limits,
    Reply, RequestId, Signer,
    ledger::{
        Ledger,
        channels::{ChannelNews, FirstVoucher},
        notice_times::NoticeTimes,
    },
    output::Output,
};

/// An agent whose channel could not be read, or is empty, tries again after this time.
const RETRY_MS: u64 = 10_000;

impl Core {
    /// Takes a voucher: the node of the agent spends from the channel, up to its amount.
    pub(crate) fn voucher(&mut self, output: &mut Output, caller: (ConnectionId, RequestId), voucher: &VoucherRequest) {
        match self.take_voucher(output, caller, voucher) {
            Ok(Some(reply)) => output.reply_durably(caller.0, caller.1, reply),
            // The answer follows when the channel was read.
            Ok(None) => {}
            Err(error) => output.reply(caller.0, caller.1, Err(error)),
        }
    }

    fn take_voucher(
        &mut self,
        output: &mut Output,
        caller: (ConnectionId, RequestId),
        voucher: &VoucherRequest,
    ) -> Result<Option<Reply>, WireError> {
        let VoucherRequest { channel: config, max_claimable: signed, signature } = *voucher;
        let terms = self.limits.channel.filter(|_| self.pays_by_channels()).ok_or(CoreError::NoChannels)?;
        let client = self.agents.at(caller.0).ok_or(CoreError::NotConnected)?;
        let signer = config.payer_authorizer;
        self.check_signer(client, signer)?;
        terms.check(&config)?;
        self.check_other_payer(client, signer, output)?;
        let id = config.id(terms.chain_id);
        let block = self.agents.address(client).map_or(AddressBlock::ALL, AddressBlock::of);
        let ledger = self.ledger.as_mut().ok_or(CoreError::NoLedger)?;
        match ledger.channel(signer).copied() {
            Some(row) if row.config == config => {
                if signed < row.signed {
                    let asset = self.limits.price.asset();
                    return Err(CoreError::LowerVoucher { signed: row.signed, asset }.into());
                }
                if signed > row.signed {
                    let pause_ms = ledger.voucher_pause_ms(signer, self.limits.voucher_interval_ms, output.now);
                    if pause_ms > 0 {
                        return Err(CoreError::VoucherTooSoon { retry_ms: pause_ms }.into());
                    }
                    ledger.sign_channel(output, signer, signed, signature);
                }
                self.pay_from_channel(output, client, signer);
                Ok(self.channel_reply(signer))
            }
            earlier => {
                if let Some(row) = earlier {
                    check_settled(ledger, &row, &self.limits, output.now)?;
                }
                let retry_ms = RETRY_MS;
                let waits = ledger.waits_for_channel(signer);
                if waits || !ledger.may_wait_for_channel(block, self.limits.channel_reads) {
                    return Err(CoreError::ChainBusy { retry_ms }.into());
                }
                let until = output.now.plus(self.limits.channel_read_ms);
                let first = FirstVoucher { id, config, signed, signature, caller, block, until };
                ledger.wait_for_channel(first);
                output.push(Effect::Chain(ChainRequest::Watch { config: Box::new(config), block: Some(block) }));
                Ok(None)
            }
        }
    }

    /// Only the agent's own key signs for its node: anyone can name an account as the payer of a channel without its consent.
    fn check_signer(&self, client: u32, authorizer: Account) -> Result<(), CoreError> {
        let node = self.agents.get(client).ok_or(CoreError::NotConnected)?;
        let Signer::Agent { key, .. } = node.credentials().signer else { return Err(CoreError::NoChannels) };
        let agent = key.account().ok_or(CoreError::NoChannels)?;
        if agent == authorizer { Ok(()) } else { Err(CoreError::ChannelSigner { authorizer, agent }) }
    }

    /// The same limit as for links holds for a node that gets another payer.
    fn check_other_payer(&self, client: u32, signer: Account, output: &Output) -> Result<(), CoreError> {
        let node = self.agents.id(client).ok_or(CoreError::NotConnected)?;
        if self.payer(client) == Some(signer) { Ok(()) } else { self.check_waiting_periods(node, signer, output.now) }
    }

    /// Takes what was learned from the chain.
    pub(crate) fn chain_event(&mut self, output: &mut Output, event: ChainEvent) {
        let (id, signer, news) = match event {
            ChainEvent::Channel { id, signer, state } => (id, signer, ChannelNews::State(state)),
            ChainEvent::ChannelFailed { id, signer } => (id, signer, ChannelNews::Failed),
            ChainEvent::Claimed { id, signer, total } => (id, signer, ChannelNews::Claimed(total)),
            ChainEvent::Answer(answer) => return self.chain_answered(output, *answer),
        };
        let chain_id = self.limits.chain_id();
        let Some(ledger) = &mut self.ledger else { return };
        let first = match news {
            ChannelNews::Claimed(_) => None,
            _ => ledger.take_first_voucher(signer, id),
        };
        if let Some(first) = first {
            match news {
                ChannelNews::State(state) => self.begin_channel(output, &first, state),
                _ => refuse_first(output, &first, CoreError::ChainBusy { retry_ms: RETRY_MS }),
            }
            return;
        }
        let rises = ledger.channel_read(output, chain_id, (id, signer), news);
        if matches!(news, ChannelNews::Claimed(_)) {
            ledger.collect(output, signer, self.limits.collected_a_tick);
        }
        if rises {
            self.funded(signer);
        } else {
            ledger.plan_check(signer, NoticeTimes::of(&self.limits), output.now);
        }
    }

    /// The deposit of a new channel was read.
    fn begin_channel(&mut self, output: &mut Output, first: &FirstVoucher, state: ChannelReading) {
        let (connection, request) = first.caller;
        let Some(ledger) = &mut self.ledger else { return };
        let signer = first.config.payer_authorizer;
        if state.covers() == Amount::ZERO {
            return refuse_first(output, first, CoreError::EmptyChannel { channel: first.id, retry_ms: RETRY_MS });
        }
        if let Some(earlier) = ledger.channel(signer).copied() {
            // The node may have spent from it while this one was read.
            if let Err(error) = check_settled(ledger, &earlier, &self.limits, output.now) {
                return refuse_first(output, first, error);
            }
            output.push(Effect::Chain(ChainRequest::Forget(earlier.config.id(self.limits.chain_id()))));
        }
        ledger.begin_channel(output, first, state);
        // The agent may have gone meanwhile; its next voucher has its node pay.
        if let Some(client) = self.agents.at(connection).filter(|client| self.check_signer(*client, signer).is_ok()) {
            self.pay_from_channel(output, client, signer);
        }
        match self.channel_reply(signer) {
            Some(reply) => output.reply_durably(connection, request, reply),
            None => refuse_first(output, first, CoreError::ChainBusy { retry_ms: RETRY_MS }),
        }
    }

    /// Has a client's node spend from the channel of a signer from now on.
    fn pay_from_channel(&mut self, output: &mut Output, client: u32, signer: Account) {
        let Some(node) = self.agents.id(client) else { return };
        if self.payer(client) == Some(signer) {
            self.funded(signer);
        } else {
            self.set_payer(output, node, Some(signer));
        }
    }

    fn channel_reply(&self, signer: Account) -> Option<Reply> {
        let funds = self.ledger.as_ref()?.channel_funds(signer, self.limits.chain_id(), self.clock.now())?;
        Some(Reply::Voucher(Box::new(funds)))
    }

    /// Gives up a first voucher for which the chain did not answer in time. Returns false if there is none.
    pub(crate) fn chain_silent(&mut self, output: &mut Output) -> bool {
        let first = self.ledger.as_mut().and_then(|ledger| ledger.take_expired_voucher(output.now));
        first.is_some_and(|first| {
            refuse_first(output, &first, CoreError::ChainBusy { retry_ms: RETRY_MS });
            true
        })
    }

    /// At a start: has the channels watched if clients pay by them, and otherwise has their vouchers count for nothing.
    pub(crate) fn watch_channels(&mut self, output: &mut Output) {
        let counts = self.pays_by_channels();
        let Some(ledger) = &mut self.ledger else { return };
        ledger.apply_vouchers(output, counts);
        if counts {
            let configs: Vec<_> = ledger.channels().map(|row| row.config).collect();
            for config in configs {
                output.push(Effect::Chain(ChainRequest::Watch { config: Box::new(config), block: None }));
            }
        }
    }

    /// What can be claimed of the clients' channels, by payer after one, at most `most` rows; `None` if the pool has no ledger.
    ///
    /// A claim is cumulative: to make it again changes nothing.
    #[must_use]
    pub fn claims(&self, after: Option<Account>, most: usize) -> Option<Vec<VoucherClaim>> {
        Some(self.ledger.as_ref()?.claims(after, most))
    }

    pub(crate) const fn pays_by_channels(&self) -> bool {
        matches!(self.limits.payment, PaymentMode::X402)
    }
}

/// Refuses a first voucher whose channel was read or should have been: the channel is not read again.
fn refuse_first(output: &mut Output, first: &FirstVoucher, error: CoreError) {
    let (connection, request) = first.caller;
    output.push(Effect::Chain(ChainRequest::Forget(first.id)));
    output.reply(connection, request, Err(error.into()));
}

/// Another channel of the same agent counts only after the earlier one is settled.
fn check_settled(ledger: &Ledger, row: &ChannelRow, limits: &Limits, now: Ms) -> Result<(), CoreError> {
    let owed = ledger.owed_on(row, now).checked_sub(row.claimed).unwrap_or_default();
    if owed == Amount::ZERO {
        return Ok(());
    }
    let channel = Box::new(row.config.id(limits.chain_id()));
    Err(CoreError::ChannelInUse { channel, owed, asset: limits.price.asset() })
}
