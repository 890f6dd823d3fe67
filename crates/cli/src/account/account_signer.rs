use vipnode_types::{Account, AccountAct, AccountKey, AccountRequest, AccountSignature, Ms, PoolId};

use super::keystore::keystore_key;
use crate::{
    args::SignerArgs,
    error::{CliError, KeystoreError},
};

/// Who signs for an account: a key in a keystore file, or a wallet elsewhere.
pub(crate) struct AccountSigner {
    account: Account,
    by: SignedBy,
}

enum SignedBy {
    Key(AccountKey),
    /// A wallet, which has signed the text with this counter, or has yet to sign one.
    Wallet(Option<(Ms, AccountSignature)>),
}

/// A text that an account signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountSigning {
    /// The account of a keystore signed it here.
    Signed { counter: Ms, signature: AccountSignature },
    /// The user has it signed by a wallet.
    Unsigned(AccountRequest),
}

impl AccountSigner {
    /// Reads the keystore, if there is one.
    ///
    /// # Errors
    /// See [`KeystoreError`].
    pub(crate) fn of(args: &SignerArgs) -> Result<Self, KeystoreError> {
        if let Some(path) = &args.keystore {
            let key = keystore_key(path, args.password_file.as_deref())?;
            return Ok(Self { account: key.account(), by: SignedBy::Key(key) });
        }
        let account = args.account.ok_or(KeystoreError::NoSigner)?;
        let given = args.counter.zip(args.signature).map(|(counter, signature)| (Ms::new(counter), signature));
        Ok(Self { account, by: SignedBy::Wallet(given) })
    }

    pub(crate) const fn account(&self) -> Account {
        self.account
    }

    /// Has the account sign for a pool, at `now`.
    ///
    /// # Errors
    /// The wallet signed another text, or with another account.
    pub(crate) fn sign(&self, pool: PoolId, act: AccountAct, now: Ms) -> Result<AccountSigning, CliError> {
        let request = |counter| AccountRequest { pool, account: self.account, counter, act };
        Ok(match &self.by {
            SignedBy::Key(key) => AccountSigning::Signed { counter: now, signature: key.sign(&request(now).text()) },
            SignedBy::Wallet(None) => AccountSigning::Unsigned(request(now)),
            SignedBy::Wallet(Some((counter, signature))) => {
                request(*counter).verify(signature)?;
                AccountSigning::Signed { counter: *counter, signature: *signature }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::PoolKey;

    use super::*;

    #[test]
    fn a_wallet_signs_the_printed_text_and_no_other() {
        let (key, pool) = (AccountKey::from_bytes([7; 32]).unwrap(), PoolKey::from_random([1; 32]).unwrap().id());
        let signer = |given| {
            let (counter, signature) = Option::unzip(given);
            let account = Some(key.account());
            AccountSigner::of(&SignerArgs { keystore: None, password_file: None, account, counter, signature }).unwrap()
        };
        let sign = |given, act| signer(given).sign(pool, act, Ms::new(5));
        let Ok(AccountSigning::Unsigned(request)) = sign(None, AccountAct::Read) else { panic!() };
        assert_eq!((request.counter, request.account), (Ms::new(5), key.account()));
        let signature = key.sign(&request.text());
        let signed = AccountSigning::Signed { counter: Ms::new(5), signature };
        assert_eq!(sign(Some((5, signature)), AccountAct::Read), Ok(signed));
        for (counter, act) in
            [(6, AccountAct::Read), (5, AccountAct::Unlink { node: vipnode_types::NodeId::new([1; 64]) })]
        {
            assert!(sign(Some((counter, signature)), act).unwrap_err().hint.contains("vipnode account"));
        }
    }
}
