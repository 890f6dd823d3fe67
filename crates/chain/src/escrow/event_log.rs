//! Events of the escrow, from the logs of a node.

use vipnode_types::{
    Account, Amount, Hash256, keccak256,
    payment::{AbiWord, ChannelConfig, ChannelId, EscrowEvent},
};

use crate::{abi::Returned, node::EvmLog};

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

/// Reads a log of the escrow. `None` for an event that is not one of these, or does not have their form.
#[must_use]
pub fn escrow_event(log: &EvmLog) -> Option<EscrowEvent> {
    let (topic, indexed) = log.topics.split_first()?;
    let kind = SIGNATURES.iter().position(|signature| keccak256(signature) == *topic)?;
    let data = Returned(&log.data);
    let channel = ChannelId::new(*indexed.first()?);
    let amount = |index| data.word(index).and_then(|word| word.as_u128()).map(Amount::new);
    Some(match kind {
        0 => EscrowEvent::ChannelCreated { channel, config: config(data)? },
        1 => EscrowEvent::ChannelClosed { channel, config: config(data)? },
        2 => EscrowEvent::Deposited { channel, amount: amount(0)?, balance: amount(1)? },
        3 => EscrowEvent::Claimed { channel, amount: amount(0)?, total_claimed: amount(1)? },
        4 => {
            let [receiver, token] = [0, 1].map(|index| indexed.get(index).copied().and_then(account));
            EscrowEvent::Settled { receiver: receiver?, token: token?, amount: amount(0)? }
        }
        5 => EscrowEvent::Refunded { channel, amount: amount(0)? },
        6 => EscrowEvent::WithdrawInitiated {
            channel,
            amount: amount(0)?,
            finalize_after_s: data.word(1).and_then(|word| word.as_u64())?,
        },
        _ => EscrowEvent::WithdrawFinalized { channel, amount: amount(0)? },
    })
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
            assert_eq!(escrow_event(&log), Some(event));
            let cut = EvmLog { data: log.data[..31].to_vec(), ..log.clone() };
            assert_eq!(escrow_event(&cut), None);
            let bare = EvmLog { topics: log.topics[..1].to_vec(), ..log };
            assert_eq!(escrow_event(&bare), None);
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
        let fields = crate::escrow::abi_fields::channel(&config);
        for (signature, created) in [(SIGNATURES[0], true), (SIGNATURES[1], false)] {
            let log = log(signature, &[id.hash().into()], std::slice::from_ref(&fields));
            let event = match created {
                true => EscrowEvent::ChannelCreated { channel: id, config },
                false => EscrowEvent::ChannelClosed { channel: id, config },
            };
            assert_eq!(escrow_event(&log), Some(event));
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
            let _ = escrow_event(&log);
        }
    }
}
