use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::SignedCall;
use crate::{
    Account, NodeId, NodeIdError, NodeKey,
    crypto::{is_odd, personal_digest, signer},
    errors,
    id::Keccak256,
};

errors! {
    /// Why a signed call is not valid.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum SignatureError {
        /// The ID is not a node ID in the required format. Wallet addresses are not accepted.
        Id {
            /// What is wrong with it.
            why: NodeIdError,
        }: Unauthorized, "the ID in this call is not valid: {why}",
            hint "Write the ID as the public key in the node's enode: 128 characters 0-9a-f, without 0x.";
        /// A call that a wallet signs has the wallet's address as its ID.
        Account: Unauthorized, "the ID in this call is not a valid address (0x and 40 hex characters)",
            hint "Pass the wallet's address as the ID.";
        /// The text is not base64, or has the wrong number of bytes.
        NodeForm: Unauthorized, "a node's signature is 65 bytes in base64 (R, S, and V)",
            hint "Encode R, S, and V (65 bytes) as the signature: base64 in a signed call, hex from a wallet.";
        /// The text is not hexadecimal, has the wrong number of bytes, or ends with a V that is not allowed.
        WalletForm: Unauthorized,
            "a wallet's signature is 65 bytes in hex (R, S, and V, where V is 0, 1, 27, or 28)",
            hint "Encode R, S, and V (65 bytes) as the signature: base64 in a signed call, hex from a wallet.";
        /// The signature was made with a different key, or different bytes were signed.
        Wrong: Unauthorized, "the signature does not match this ID, method, and params",
            hint "Sign the method and [id,nonce,arguments…] byte for byte as they are sent.";
    }
}

impl From<NodeIdError> for SignatureError {
    fn from(why: NodeIdError) -> Self {
        Self::Id { why }
    }
}

impl SignedCall<'_> {
    /// The node that signed. The last byte, V, is not used.
    ///
    /// # Errors
    /// See [`SignatureError`]. The nonce is the caller's to judge, and only after this (fault D8, docs/faults.md).
    pub fn verify_node(&self, method: &str) -> Result<NodeId, SignatureError> {
        let node: NodeId = self.id.parse()?;
        let mut bytes = [0; 65];
        let length = BASE64.decode_slice(self.signature.as_bytes(), &mut bytes);
        if length != Ok(65) {
            return Err(SignatureError::NodeForm);
        }
        let [signature @ .., _v] = bytes;
        if !node.verifies(node_digest(method, self.rest), &signature) {
            return Err(SignatureError::Wrong);
        }
        Ok(node)
    }

    /// The wallet that signed, by EIP-191 `personal_sign`.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn verify_wallet(&self, method: &str) -> Result<Account, SignatureError> {
        let account: Account = self.id.parse().map_err(|_| SignatureError::Account)?;
        let hex = self.signature.strip_prefix("0x").unwrap_or(&self.signature);
        let mut bytes = [0; 65];
        const_hex::decode_to_slice(hex, &mut bytes).map_err(|_| SignatureError::WalletForm)?;
        let [signature @ .., v] = bytes;
        let odd = is_odd(v).ok_or(SignatureError::WalletForm)?;
        let by = signer(&signature, odd, wallet_digest(method, self.rest));
        if by == Some(account) { Ok(account) } else { Err(SignatureError::Wrong) }
    }
}

/// Signs a call as the original does; `rest` is `"id",nonce,…arguments]`, as it will stand in the params.
#[must_use]
pub fn sign_call(key: &NodeKey, method: &str, rest: &str) -> String {
    BASE64.encode(key.sign_recoverable(node_digest(method, rest)))
}

/// Params of a signed call with one argument, which is JSON as [`crate::protocol2::go_json`] writes it.
#[must_use]
pub fn signed_params(key: &NodeKey, method: &str, nonce: u64, argument: &str) -> String {
    let rest = format!("\"{}\",{nonce},{argument}]", key.id());
    format!("[\"{}\",{rest}", sign_call(key, method, &rest))
}

/// keccak256 of `method[id,nonce,…]`.
fn node_digest(method: &str, rest: &str) -> [u8; 32] {
    let mut hasher = Keccak256::default();
    hasher.update(method);
    hasher.update("[");
    hasher.update(rest);
    hasher.finish()
}

fn wallet_digest(method: &str, rest: &str) -> [u8; 32] {
    personal_digest(&[method, "[", rest])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    const METHOD: &str = "vipnode_update";
    const NONCE: u64 = 1_600_000_000_000_000_000;
    /// Made by the original.
    const ARGUMENT: &str = r#"{"peers_info":[{"id":"x","name":"a\u003cb\u003e\u0026c","caps":null,"protocols":null,"network":{"localAddress":"","remoteAddress":""}}],"block_number":0}"#;
    const SIGNATURE: &str = "Bg/iL/rHxi6QjnGS+zcwbqeux5Xlu8WLf2RI0yRC7j86iMrgvvfMCgf0STP7eQb2+ecmdDKDgTQQzer1GfnMrAA=";

    /// Of `vipnode_peer` with `{"num":3,"kind":"geth"}`, the nonce one more.
    const PEER_SIGNATURE: &str =
        "14AwtsAJZ7R4/ajhre/3Uy1Xpxd1LOBaF3eUciJtIkAvesFfhn3qSi8pwSlizmYxLbLoPiqzBTn2kxOjsF0JYwA=";
    /// Of `pool_withdraw` by the wallet 0x4646…46, V being 0 or 1.
    const WITHDRAW_SIGNATURE: &str = "541e619aacc03d249842589f0e7b2252a5ed0787d73c97efe0d1cddf3f56bccf7c9c0943f957babbd79d559ff13b3d115d440efac7d2bdd240237bf1ab4e86a601";

    fn key() -> NodeKey {
        NodeKey::read(&BASE64.decode("Qz7wmX+MXfvY85IsJMnMFd8fOI4msOT24bp6Iw/NuPo=").unwrap()).unwrap()
    }

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    fn verify(text: &str) -> Result<NodeId, SignatureError> {
        SignedCall::read(&raw(text)).unwrap().verify_node(METHOD)
    }

    #[test]
    fn golden_vector_of_the_original() {
        let params = signed_params(&key(), METHOD, NONCE, ARGUMENT);
        assert_eq!(params, format!(r#"["{SIGNATURE}","{}",{NONCE},{ARGUMENT}]"#, key().id()));
        assert_eq!(verify(&params), Ok(key().id()));
    }

    /// Made by this code on 2026-11-24, and the same by ethers 6.
    #[test]
    fn golden_vectors_of_our_own() {
        let peer = signed_params(&key(), "vipnode_peer", NONCE + 1, r#"{"num":3,"kind":"geth"}"#);
        let call = raw(&peer);
        assert_eq!(SignedCall::read(&call).unwrap().signature, PEER_SIGNATURE);
        let rest = format!("\"0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F\",{NONCE}]");
        let wallet = NodeKey::read(&[0x46; 32]).unwrap();
        let signature = wallet.sign_recoverable(wallet_digest("pool_withdraw", &rest));
        assert_eq!(const_hex::encode(signature), WITHDRAW_SIGNATURE);
    }

    /// Bytes are verified as they came: a caller that is not Go need not write as Go does.
    #[test]
    fn spaces_and_unescaped_characters_are_covered_as_they_came() {
        let params = signed_params(&key(), METHOD, NONCE, r#"{ "peers_info": [ {"id": "<&>"} ] }"#);
        assert_eq!(verify(&params), Ok(key().id()));
        assert_eq!(verify(&params.replace(" ]", "]")), Err(SignatureError::Wrong));
    }

    #[test]
    fn d1_a_short_signature_is_an_error_and_no_panic() {
        for length in [0, 1, 32, 63, 64, 66, 200] {
            let signature = BASE64.encode(vec![1; length]);
            let text = format!(r#"["{signature}","{}",{NONCE},{{}}]"#, key().id());
            assert_eq!(verify(&text), Err(SignatureError::NodeForm), "{length}");
        }
        assert_eq!(verify(&format!(r#"["%","{}",1]"#, key().id())), Err(SignatureError::NodeForm));
    }

    #[test]
    fn d10_a_wallet_or_an_alias_is_no_node() {
        let (id, params) = (key().id().to_string(), signed_params(&key(), METHOD, NONCE, ARGUMENT));
        for alias in [id.to_uppercase(), format!("0x{id}"), format!("0x{}", &id[..40]), String::new()] {
            assert!(matches!(verify(&params.replacen(&id, &alias, 1)), Err(SignatureError::Id { .. })), "{alias}");
        }
    }

    #[test]
    fn d11_every_argument_is_covered() {
        let params = signed_params(&key(), METHOD, NONCE, r#"{"peers":["a"]}"#);
        let added = params.replace(r#"{"peers":["a"]}"#, r#"{"peers":["a"],"peers_info":[]}"#);
        assert_eq!(verify(&added), Err(SignatureError::Wrong));
        let other = SignedCall::read(&raw(&params)).unwrap().verify_node("vipnode_connect");
        assert_eq!(other, Err(SignatureError::Wrong));
    }

    /// Key 0x4646…46 of EIP-155's example, whose address is 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F.
    #[test]
    fn a_wallet_signs_by_eip_191() {
        let wallet = NodeKey::read(&[0x46; 32]).unwrap();
        let account = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
        let rest = format!("\"{account}\",{NONCE},\"node\"]");
        let signature = wallet.sign_recoverable(wallet_digest("pool_addNode", &rest));
        for v in [0, 27] {
            let mut bytes = signature;
            bytes[64] += v;
            for prefix in ["", "0x"] {
                let params = raw(&format!(r#"["{prefix}{}",{rest}"#, const_hex::encode(bytes)));
                let call = SignedCall::read(&params).unwrap();
                assert_eq!(call.verify_wallet("pool_addNode"), Ok(account.parse().unwrap()));
                assert_eq!(call.verify_wallet("pool_withdraw"), Err(SignatureError::Wrong));
            }
        }
        for bad in ["", "0x", "zz", &"00".repeat(64), &"09".repeat(65)] {
            let params = raw(&format!(r#"["{bad}",{rest}"#));
            assert_eq!(
                SignedCall::read(&params).unwrap().verify_wallet("pool_addNode"),
                Err(SignatureError::WalletForm)
            );
        }
    }

    proptest! {
        #[test]
        fn never_panics(signature in ".{0,120}", id in ".{0,140}", argument in ".{0,60}") {
            let text = serde_json::to_string(&(signature, id, 5u64, argument)).unwrap();
            let params = raw(&text);
            let call = SignedCall::read(&params).unwrap();
            prop_assert!(call.verify_node(METHOD).is_err());
            prop_assert!(call.verify_wallet(METHOD).is_err());
        }

        #[test]
        fn what_is_signed_holds(secret in any::<[u8; 32]>(), nonce in 0..=i64::MAX as u64, text in any::<String>()) {
            if let Ok(key) = NodeKey::read(&secret) {
                let argument = crate::protocol2::go_json(&text).unwrap();
                let params = raw(&signed_params(&key, METHOD, nonce, &argument));
                let call = SignedCall::read(&params).unwrap();
                prop_assert_eq!(call.verify_node(METHOD), Ok(key.id()));
                prop_assert_eq!(call.nonce, nonce);
            }
        }
    }
}
