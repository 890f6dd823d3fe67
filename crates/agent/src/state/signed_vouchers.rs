use serde::{Deserialize, Serialize};
use vipnode_agent_core::{SignedAmountAt, VoucherRecord};
use vipnode_files::OpenDir;
use vipnode_types::{Amount, Ms, payment::ChannelId};

use super::{StateDir, files};
use crate::AgentError;

const VOUCHERS: &str = "vouchers.json";

/// What the agent has signed on each of its payment channels. A record is durable before its voucher leaves. A further channel
/// beyond the limit of [`files::write_bounded`] drops the one that was signed on first; a pool still has its newest voucher.
#[derive(Debug)]
pub(crate) struct SignedVouchers {
    dir: OpenDir,
    /// In the order of the last signature.
    channels: Vec<ChannelVouchers>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ChannelVouchers {
    channel: ChannelId,
    signed: Amount,
    raised: Vec<(Ms, Amount)>,
}

impl StateDir {
    /// What earlier runs signed.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`].
    pub(crate) fn signed_vouchers(&self) -> Result<SignedVouchers, AgentError> {
        let channels = match files::read(&self.dir, VOUCHERS)? {
            None => Vec::new(),
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| AgentError::Damaged { path: self.dir.file(VOUCHERS), why: error.to_string() })?,
        };
        Ok(SignedVouchers { dir: self.dir.clone(), channels })
    }
}

impl SignedVouchers {
    /// The records of all channels.
    pub(crate) fn records(&self) -> impl Iterator<Item = VoucherRecord> {
        let raised = |kept: &ChannelVouchers| {
            kept.raised.iter().map(|(at, amount)| SignedAmountAt { at: *at, amount: *amount }).collect()
        };
        self.channels.iter().map(move |kept| VoucherRecord {
            channel: kept.channel,
            signed: kept.signed,
            raised: raised(kept),
        })
    }

    /// Keeps the record of a channel. Durable when this returns.
    ///
    /// # Errors
    /// [`AgentError::File`]; then everything is as before, and the voucher must not leave.
    pub(crate) fn keep(&mut self, record: &VoucherRecord) -> Result<(), AgentError> {
        let VoucherRecord { channel, signed, raised } = record;
        let raised = raised.iter().map(|raised| (raised.at, raised.amount)).collect();
        let mut channels: Vec<_> = self.channels.iter().filter(|kept| kept.channel != *channel).cloned().collect();
        channels.push(ChannelVouchers { channel: *channel, signed: *signed, raised });
        files::write_bounded(&self.dir, VOUCHERS, &mut channels)?;
        self.channels = channels;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::{Hash256, NodeKey};

    use super::*;

    #[test]
    fn what_was_signed_survives_a_restart() {
        let root = tempfile::tempdir().unwrap();
        let state = StateDir::open(root.path(), &NodeKey::read(&[1; 32]).unwrap().id()).unwrap();
        let record = |byte, signed| VoucherRecord {
            channel: ChannelId::new(Hash256([byte; 32])),
            signed: Amount::new(signed),
            raised: vec![SignedAmountAt { at: Ms::new(9), amount: Amount::new(signed) }],
        };
        for (byte, signed) in [(1, 5), (2, 6), (1, u128::MAX)] {
            state.signed_vouchers().unwrap().keep(&record(byte, signed)).unwrap();
        }
        let records: Vec<_> = state.signed_vouchers().unwrap().records().collect();
        assert_eq!(records, [record(2, 6), record(1, u128::MAX)]);
    }
}
