use vipnode_types::{
    Account, Amount, Hash256, keccak256,
    payment::{AbiWord, ChannelConfig, ChannelId},
};

use crate::{abi::Returned, node::EvmLog};

/// An event of the escrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscrowEvent {
    /// A channel received its first deposit. It may repeat for one channel, and may be missing after a refill.
    ChannelCreated {
        /// The channel.
        channel: ChannelId,
        /// Its fields.
        config: ChannelConfig,
    },
    /// A channel from which nothing was claimed is empty.
    ChannelClosed {
        /// The channel.
        channel: ChannelId,
        /// Its fields.
        config: ChannelConfig,
    },
    /// A channel received a deposit.
    Deposited {
        /// The channel.
        channel: ChannelId,
        /// How much.
        amount: Amount,
        /// Its balance from then on.
        balance: Amount,
    },
    /// A voucher was claimed.
    Claimed {
        /// The channel.
        channel: ChannelId,
        /// How much.
        amount: Amount,
        /// What was claimed in all from then on.
        total_claimed: Amount,
    },
    /// What was claimed was paid to a receiver.
    Settled {
        /// The receiver.
        receiver: Account,
        /// The token.
        token: Account,
        /// How much.
        amount: Amount,
    },
    /// The receiver returned funds to the payer.
    Refunded {
        /// The channel.
        channel: ChannelId,
        /// How much.
        amount: Amount,
    },
    /// A withdrawal was started.
    WithdrawInitiated {
        /// The channel.
        channel: ChannelId,
        /// How much, at most.
        amount: Amount,
        /// When it can be finished, in Unix seconds of the chain.
        finalize_after_s: u64,
    },
    /// A withdrawal was finished.
    WithdrawFinalized {
        /// The channel.
        channel: ChannelId,
        /// How much.
        amount: Amount,
    },
}

/// The signatures of the events, as the ABI writes them.
const SIGNATURES: [&str; 8] = [
    "ChannelCreated(bytes32,(address,address,address,address,address,uint40,bytes32))",
    "ChannelClosed(bytes32,(address,address,address,address,address,uint40,bytes32))",
    "Deposited(bytes32,address,uint128,uint128)",
    "Claimed(bytes32,address,uint128,uint128)",
    "Settled(address,address,address,uint128)",
    "Refunded(bytes32,address,uint128)",
    "WithdrawInitiated(bytes32,uint128,uint40)",
    "WithdrawFinalized(bytes32,address,uint128)",
];

impl EscrowEvent {
    /// Reads a log of the escrow. `None` for an event that is not one of these, or does not have their form.
    #[must_use]
    pub fn of(log: &EvmLog) -> Option<Self> {
        let (topic, indexed) = log.topics.split_first()?;
        let kind = SIGNATURES.iter().position(|signature| keccak256(signature) == *topic)?;
        let data = Returned(&log.data);
        let channel = ChannelId::new(*indexed.first()?);
        let amount = |index| data.word(index).and_then(|word| word.as_u128()).map(Amount::new);
        Some(match kind {
            0 => Self::ChannelCreated { channel, config: config(data)? },
            1 => Self::ChannelClosed { channel, config: config(data)? },
            2 => Self::Deposited { channel, amount: amount(0)?, balance: amount(1)? },
            3 => Self::Claimed { channel, amount: amount(0)?, total_claimed: amount(1)? },
            4 => {
                let [receiver, token] = [0, 1].map(|index| indexed.get(index).copied().and_then(account));
                Self::Settled { receiver: receiver?, token: token?, amount: amount(0)? }
            }
            5 => Self::Refunded { channel, amount: amount(0)? },
            6 => Self::WithdrawInitiated {
                channel,
                amount: amount(0)?,
                finalize_after_s: data.word(1).and_then(|word| word.as_u64())?,
            },
            _ => Self::WithdrawFinalized { channel, amount: amount(0)? },
        })
    }
}

fn account(topic: Hash256) -> Option<Account> {
    AbiWord::from(topic).as_account()
}

fn config(data: Returned<'_>) -> Option<ChannelConfig> {
    let account = |index| data.word(index).and_then(|word| word.as_account());
    Some(ChannelConfig {
        payer: account(0)?,
        payer_authorizer: account(1)?,
        receiver: account(2)?,
        receiver_authorizer: account(3)?,
        token: account(4)?,
        withdraw_delay_s: data.word(5)?.as_u64()?.try_into().ok()?,
        salt: Hash256(*data.word(6)?.as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::abi::AbiValue;

    fn log(signature: &str, indexed: &[AbiWord], data: &[AbiValue]) -> EvmLog {
        let topics = std::iter::once(keccak256(signature)).chain(indexed.iter().map(|word| Hash256(*word.as_bytes())));
        EvmLog {
            address: Account::new([1; 20]),
            topics: topics.collect(),
            data: AbiValue::encode(data),
            block_number: 1,
            block_hash: Hash256::ZERO,
            transaction_hash: Hash256::ZERO,
            log_index: 0,
            removed: false,
        }
    }

    #[test]
    fn each_event_is_read_with_its_fields() {
        let (id, channel) = (AbiWord::from(7_u64), ChannelId::new(Hash256(*AbiWord::from(7_u64).as_bytes())));
        let (sender, token) = (Account::new([3; 20]), Account::new([4; 20]));
        let (five, nine) = (AbiValue::from(5_u64), AbiValue::from(9_u64));
        let indexed = [id, sender.into()];
        let (amount, total) = (Amount::new(5), Amount::new(9));
        for (log, event) in [
            (
                log(SIGNATURES[2], &indexed, &[five.clone(), nine.clone()]),
                EscrowEvent::Deposited { channel, amount, balance: total },
            ),
            (
                log(SIGNATURES[3], &indexed, &[five.clone(), nine.clone()]),
                EscrowEvent::Claimed { channel, amount, total_claimed: total },
            ),
            (
                log(SIGNATURES[4], &[sender.into(), token.into(), id], std::slice::from_ref(&five)),
                EscrowEvent::Settled { receiver: sender, token, amount },
            ),
            (log(SIGNATURES[5], &indexed, std::slice::from_ref(&five)), EscrowEvent::Refunded { channel, amount }),
            (
                log(SIGNATURES[6], &[id], &[five.clone(), nine]),
                EscrowEvent::WithdrawInitiated { channel, amount, finalize_after_s: 9 },
            ),
            (log(SIGNATURES[7], &indexed, &[five]), EscrowEvent::WithdrawFinalized { channel, amount }),
        ] {
            assert_eq!(EscrowEvent::of(&log), Some(event));
            let cut = EvmLog { data: log.data[..31].to_vec(), ..log.clone() };
            assert_eq!(EscrowEvent::of(&cut), None);
            let bare = EvmLog { topics: log.topics[..1].to_vec(), ..log };
            assert_eq!(EscrowEvent::of(&bare), None);
        }
    }

    #[test]
    fn a_channel_is_read_with_its_seven_fields() {
        let config = ChannelConfig {
            payer: Account::new([1; 20]),
            payer_authorizer: Account::new([2; 20]),
            receiver: Account::new([3; 20]),
            receiver_authorizer: Account::new([4; 20]),
            token: Account::new([5; 20]),
            withdraw_delay_s: 900,
            salt: Hash256([6; 32]),
        };
        let id = config.id(31_337);
        let fields = crate::escrow::voucher_claim::channel(&config);
        for (signature, created) in [(SIGNATURES[0], true), (SIGNATURES[1], false)] {
            let log = log(signature, &[id.hash().into()], std::slice::from_ref(&fields));
            let event = match created {
                true => EscrowEvent::ChannelCreated { channel: id, config },
                false => EscrowEvent::ChannelClosed { channel: id, config },
            };
            assert_eq!(EscrowEvent::of(&log), Some(event));
        }
    }

    /// The committed ABI of the double, which has the escrow's events.
    #[test]
    fn the_signatures_are_those_of_the_abi() {
        let text = include_str!("../../../../contracts/artifacts/TestEscrow.json");
        let artifact: serde_json::Value = serde_json::from_str(text).unwrap();
        let signatures = crate::tests::signatures(&artifact, "event");
        for signature in SIGNATURES {
            assert!(signatures.contains(signature), "{signature}: {signatures:?}");
        }
    }

    proptest! {
        #[test]
        fn a_hostile_node_cannot_cause_a_panic(kind in 0_usize..8, topics in 0_usize..4, data in prop::collection::vec(any::<u8>(), 0..300)) {
            let log = EvmLog { data, ..log(SIGNATURES[kind], &vec![AbiWord::new([0xff; 32]); topics], &[]) };
            let _ = EscrowEvent::of(&log);
        }
    }
}
