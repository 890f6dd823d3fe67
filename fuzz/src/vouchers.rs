//! Lines that are read as a payment channel, a voucher, or a signature of typed data: what is read is written and read
//! again, and a signature holds for what was signed only.

use vipnode_types::{
    Account, AgentKey, Amount, Hash256,
    payment::{ChannelConfig, ChannelTerms, TypedDataSignature, Voucher},
};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(text: &str) {
    for line in text.lines() {
        if let Ok(channel) = serde_json::from_str(line) {
            run_channel(&channel);
        }
        if let Ok(voucher) = serde_json::from_str(line) {
            run_voucher(&voucher);
        }
        if let Ok(signature) = line.parse::<TypedDataSignature>() {
            assert_eq!(signature.to_string().parse(), Ok(signature));
            assert_eq!(TypedDataSignature::from_bytes(&signature.to_bytes()), Ok(signature));
        }
    }
}

fn run_channel(channel: &ChannelConfig) {
    let json = serde_json::to_string(channel).expect("a channel is JSON");
    assert_eq!(serde_json::from_str::<ChannelConfig>(&json).expect("a channel of ours"), *channel);
    let terms = ChannelTerms {
        chain_id: 1,
        token: channel.token,
        receiver: channel.receiver,
        receiver_authorizer: channel.receiver_authorizer,
        withdraw_delay_s: channel.withdraw_delay_s,
    };
    if terms.check(channel).is_ok() {
        let other = ChannelTerms { receiver: Account::new([0xfe; 20]), ..terms };
        assert!(other == terms || other.check(channel).is_err());
    }
    let other = ChannelConfig { salt: Hash256(channel.salt.0.map(|byte| !byte)), ..*channel };
    assert_ne!(channel.id(1), other.id(1));
}

fn run_voucher(voucher: &Voucher) {
    let json = serde_json::to_string(voucher).expect("a voucher is JSON");
    assert_eq!(serde_json::from_str::<Voucher>(&json).expect("a voucher of ours"), *voucher);
    let key = AgentKey::from_random([7; 32]).expect("a key");
    let signature = key.sign_typed(&voucher.typed_data(1));
    assert!(voucher.verify(1, &signature, &key.account()).is_ok());
    let other = Voucher { max_claimable: Amount::new(!voucher.max_claimable.get()), ..*voucher };
    assert!(other.verify(1, &signature, &key.account()).is_err());
}
