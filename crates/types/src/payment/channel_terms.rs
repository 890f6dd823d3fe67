use serde::{Deserialize, Serialize};

use super::{
    ChannelConfig,
    contracts::{LEAST_WITHDRAW_DELAY_S, MOST_WITHDRAW_DELAY_S},
};
use crate::{Account, errors};

/// The terms that a pool requires of each channel whose vouchers it accepts.
///
/// A channel that differs in one of these fields would let its client take back what it has spent, for example with its
/// own
/// receiver or authorizer, or with a delay that ends before the pool claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChannelTerms {
    /// The ID of the chain with the escrow.
    pub chain_id: u64,
    /// The token that the pool charges in.
    pub token: Account,
    /// The account that receives the claimed amounts.
    pub receiver: Account,
    /// The account that claims for the receiver.
    pub receiver_authorizer: Account,
    /// The delay of a withdrawal, in seconds.
    pub withdraw_delay_s: u32,
}

errors! {
    /// Why a channel does not fit a pool's [`ChannelTerms`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ChannelTermsError {
        /// The channel was created for a token in which this pool does not charge.
        Token {
            /// The token of the channel.
            token: Account,
            /// The token that the pool charges in.
            expected: Account,
        }: InvalidParams, "the channel's token is {token}, but the pool charges in {expected}",
            hint "Create a channel that this pool accepts: run `vipnode wallet deposit AMOUNT --channel NEW_FILE --pool URL --chain.rpc URL \
                  --keystore FILE`. Then pass --pay NEW_FILE.";
        /// The channel was created for another pool, or the pool has changed its receiver.
        Receiver {
            /// The receiver of the channel.
            receiver: Account,
            /// The receiver that the pool names.
            expected: Account,
        }: InvalidParams, "the channel's receiver is {receiver}, not {expected}",
            hint "Create a channel that this pool accepts: run `vipnode wallet deposit AMOUNT --channel NEW_FILE --pool URL --chain.rpc URL \
                  --keystore FILE`. Then pass --pay NEW_FILE.";
        /// Another account could claim and refund.
        ReceiverAuthorizer {
            /// The authorizer of the channel.
            authorizer: Account,
            /// The authorizer that the pool names.
            expected: Account,
        }: InvalidParams, "the channel's receiver authorizer is {authorizer}, not {expected}",
            hint "Create a channel that this pool accepts: run `vipnode wallet deposit AMOUNT --channel NEW_FILE --pool URL --chain.rpc URL \
                  --keystore FILE`. Then pass --pay NEW_FILE.";
        /// The payer itself would sign vouchers. If the payer is a contract, its signatures can become invalid later.
        NoPayerAuthorizer: InvalidParams, "the channel has no payer authorizer",
            hint "Create a channel that this pool accepts: run `vipnode wallet deposit AMOUNT --channel NEW_FILE --pool URL --chain.rpc URL \
                  --keystore FILE`. Then pass --pay NEW_FILE.";
        /// The receiver's side would sign vouchers to itself.
        PayerAuthorizer {
            /// The authorizer of the channel.
            authorizer: Account,
        }: InvalidParams, "the channel's payer authorizer, {authorizer}, is the receiver or its authorizer",
            hint "Create a channel that this pool accepts: run `vipnode wallet deposit AMOUNT --channel NEW_FILE --pool URL --chain.rpc URL \
                  --keystore FILE`. Then pass --pay NEW_FILE.";
        /// A withdrawal would end too early, or later than the pool promises.
        WithdrawDelay {
            /// The delay of the channel, in seconds.
            delay_s: u32,
            /// The delay that the pool requires, in seconds.
            expected_s: u32,
        }: InvalidParams, "the channel's withdrawal delay is {delay_s} s, not {expected_s} s",
            hint "Create a channel that this pool accepts: run `vipnode wallet deposit AMOUNT --channel NEW_FILE --pool URL --chain.rpc URL \
                  --keystore FILE`. Then pass --pay NEW_FILE.";
        /// The x402 escrow accepts only delays from 15 minutes to 30 days.
        DelayRange {
            /// The delay, in seconds.
            delay_s: u32,
        }: InvalidParams, "the escrow does not accept a withdrawal delay of {delay_s} s",
            hint "Use a delay from {least} s to {most} s." (least = LEAST_WITHDRAW_DELAY_S, most = MOST_WITHDRAW_DELAY_S);
    }
}

impl ChannelTerms {
    /// Checks a channel. Its chain and its escrow are part of its ID ([`ChannelConfig::id`]), which the caller computes
    /// itself and never takes from a client.
    ///
    /// # Errors
    /// See [`ChannelTermsError`].
    pub fn check(&self, channel: &ChannelConfig) -> Result<(), ChannelTermsError> {
        if channel.token != self.token {
            return Err(ChannelTermsError::Token { token: channel.token, expected: self.token });
        }
        if channel.receiver != self.receiver {
            return Err(ChannelTermsError::Receiver { receiver: channel.receiver, expected: self.receiver });
        }
        let (authorizer, expected) = (channel.receiver_authorizer, self.receiver_authorizer);
        if authorizer != expected {
            return Err(ChannelTermsError::ReceiverAuthorizer { authorizer, expected });
        }
        let authorizer = channel.payer_authorizer;
        if authorizer.is_reserved() {
            return Err(ChannelTermsError::NoPayerAuthorizer);
        }
        if authorizer == self.receiver || authorizer == self.receiver_authorizer {
            return Err(ChannelTermsError::PayerAuthorizer { authorizer });
        }
        let (delay_s, expected_s) = (channel.withdraw_delay_s, self.withdraw_delay_s);
        if delay_s != expected_s {
            return Err(ChannelTermsError::WithdrawDelay { delay_s, expected_s });
        }
        Self::check_delay(delay_s)
    }

    /// Checks whether the escrow accepts a delay, in seconds.
    ///
    /// # Errors
    /// [`ChannelTermsError::DelayRange`].
    pub const fn check_delay(delay_s: u32) -> Result<(), ChannelTermsError> {
        match delay_s {
            LEAST_WITHDRAW_DELAY_S..=MOST_WITHDRAW_DELAY_S => Ok(()),
            _ => Err(ChannelTermsError::DelayRange { delay_s }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hash256;

    const FORTNIGHT_S: u32 = 14 * 24 * 60 * 60;

    const fn account(byte: u8) -> Account {
        Account::new([byte; 20])
    }

    const TERMS: ChannelTerms = ChannelTerms {
        chain_id: 1,
        token: account(1),
        receiver: account(2),
        receiver_authorizer: account(3),
        withdraw_delay_s: FORTNIGHT_S,
    };

    const CHANNEL: ChannelConfig = ChannelConfig {
        payer: account(4),
        payer_authorizer: account(5),
        receiver: account(2),
        receiver_authorizer: account(3),
        token: account(1),
        withdraw_delay_s: FORTNIGHT_S,
        salt: Hash256::ZERO,
    };

    /// Each of these channels would let its client take back what it has spent.
    #[test]
    fn a_channel_that_differs_in_one_field_is_refused_with_the_reason() {
        assert_eq!(TERMS.check(&CHANNEL), Ok(()));
        let (nobody, stranger) = (Account::new([0; 20]), account(9));
        assert_eq!(
            TERMS.check(&ChannelConfig { token: stranger, ..CHANNEL }),
            Err(ChannelTermsError::Token { token: stranger, expected: account(1) })
        );
        assert_eq!(
            TERMS.check(&ChannelConfig { receiver: stranger, ..CHANNEL }),
            Err(ChannelTermsError::Receiver { receiver: stranger, expected: account(2) })
        );
        assert_eq!(
            TERMS.check(&ChannelConfig { receiver_authorizer: stranger, ..CHANNEL }),
            Err(ChannelTermsError::ReceiverAuthorizer { authorizer: stranger, expected: account(3) })
        );
        assert_eq!(
            TERMS.check(&ChannelConfig { payer_authorizer: nobody, ..CHANNEL }),
            Err(ChannelTermsError::NoPayerAuthorizer)
        );
        for authorizer in [account(2), account(3)] {
            assert_eq!(
                TERMS.check(&ChannelConfig { payer_authorizer: authorizer, ..CHANNEL }),
                Err(ChannelTermsError::PayerAuthorizer { authorizer })
            );
        }
        for delay_s in [900, FORTNIGHT_S - 1, FORTNIGHT_S + 1] {
            assert_eq!(
                TERMS.check(&ChannelConfig { withdraw_delay_s: delay_s, ..CHANNEL }),
                Err(ChannelTermsError::WithdrawDelay { delay_s, expected_s: FORTNIGHT_S })
            );
        }
    }

    #[test]
    fn the_escrow_accepts_delays_from_15_minutes_to_30_days() {
        for delay_s in [900, 2_592_000] {
            assert_eq!(ChannelTerms::check_delay(delay_s), Ok(()));
        }
        for delay_s in [0, 899, 2_592_001, u32::MAX] {
            assert_eq!(ChannelTerms::check_delay(delay_s), Err(ChannelTermsError::DelayRange { delay_s }));
        }
    }

    #[test]
    fn the_payer_and_the_salt_are_the_clients_choice() {
        let other = ChannelConfig { payer: account(8), salt: Hash256([1; 32]), ..CHANNEL };
        assert_eq!(TERMS.check(&other), Ok(()));
        assert_ne!(other.id(1), CHANNEL.id(1), "but they make another channel");
    }
}
