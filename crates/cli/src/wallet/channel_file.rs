use std::{io, path::Path};

use serde::{Deserialize, Serialize};
use vipnode_files::OpenDir;
use vipnode_types::{
    Account, Hash256,
    payment::{ChannelConfig, ChannelId, ChannelTerms, contracts::ESCROW},
};

use crate::{
    args::ChannelFieldArgs,
    error::{CliError, WalletError},
};

/// A larger file is not one of a channel.
const FILE_BYTES: u64 = 16 << 10;

/// The file of a payment channel: its chain, its escrow, its seven fields, named as in x402, and the decimals of its
/// token.
///
/// A chain has only the hash of the fields, so nothing could be withdrawn without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChannelFile {
    pub(crate) chain_id: u64,
    escrow: Account,
    #[serde(rename = "channelConfig")]
    pub(crate) config: ChannelConfig,
    /// The decimals of the token, as the chain stated them when the file was created.
    #[serde(rename = "tokenDecimals")]
    pub(crate) decimals: u8,
}

impl ChannelFile {
    /// A channel of a chain.
    pub(crate) const fn new(chain_id: u64, config: ChannelConfig, decimals: u8) -> Self {
        Self { chain_id, escrow: ESCROW, config, decimals }
    }

    /// Reads a channel of this chain.
    ///
    /// # Errors
    /// [`WalletError::NoChannel`], [`WalletError::ChannelFile`], [`WalletError::OtherChain`],
    /// [`WalletError::OtherEscrow`].
    pub(crate) fn read(path: &Path, chain_id: u64) -> Result<Self, WalletError> {
        let file = Self::read_of_any_chain(path)?;
        if file.chain_id != chain_id {
            return Err(WalletError::OtherChain { path: path.to_owned(), of: file.chain_id, node: chain_id });
        }
        Ok(file)
    }

    /// Reads a channel.
    ///
    /// # Errors
    /// As [`Self::read`], but for the chain.
    pub(crate) fn read_of_any_chain(path: &Path) -> Result<Self, WalletError> {
        let text = match vipnode_files::read_text(path, FILE_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(WalletError::NoChannel { path: path.to_owned() });
            }
            Err(error) => return Err(WalletError::ChannelFile { path: path.to_owned(), why: error.to_string() }),
        };
        let wrong = |why: String| WalletError::ChannelFile { path: path.to_owned(), why };
        let file: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if file.escrow != ESCROW {
            return Err(WalletError::OtherEscrow { path: path.to_owned(), escrow: file.escrow });
        }
        Ok(file)
    }

    /// Reads the token of a channel, or takes that of the flags for a new one.
    ///
    /// # Errors
    /// As [`Self::read`], and [`WalletError::Missing`].
    pub(crate) fn token(path: &Path, chain_id: u64, fields: &ChannelFieldArgs) -> Result<Account, WalletError> {
        match Self::read(path, chain_id) {
            Ok(file) => Ok(file.config.token),
            Err(WalletError::NoChannel { .. }) => {
                fields.token.ok_or(WalletError::Missing { path: path.to_owned(), flag: "--token" })
            }
            Err(error) => Err(error),
        }
    }

    /// Reads a channel, or creates the file of a new one from the flags. A channel that the flags contradict is
    /// refused, and one
    /// whose token has other decimals than the chain states now.
    ///
    /// # Errors
    /// As [`Self::read`], [`WalletError::Missing`], [`WalletError::OtherFields`], [`WalletError::OtherDecimals`], and
    /// that the
    /// channel cannot be used.
    pub(crate) fn read_or_create(
        path: &Path,
        chain_id: u64,
        fields: &ChannelFieldArgs,
        (payer, decimals): (Option<Account>, u8),
    ) -> Result<Self, CliError> {
        let missing = |flag| WalletError::Missing { path: path.to_owned(), flag };
        match Self::read(path, chain_id) {
            Ok(file) => {
                file.check(path, fields)?;
                if file.decimals != decimals {
                    let (path, of, node) = (path.to_owned(), file.decimals, decimals);
                    return Err(WalletError::OtherDecimals { path, of, node }.into());
                }
                Ok(file)
            }
            Err(WalletError::NoChannel { .. }) => {
                let receiver = fields.receiver.ok_or(missing("--receiver"))?;
                let config = ChannelConfig {
                    payer: payer.ok_or(missing("--account"))?,
                    payer_authorizer: fields.authorizer.ok_or(missing("--authorizer"))?,
                    receiver,
                    receiver_authorizer: fields.receiver_authorizer.unwrap_or(receiver),
                    token: fields.token.ok_or(missing("--token"))?,
                    withdraw_delay_s: fields.withdraw_delay,
                    salt: fields.salt.unwrap_or(Hash256::ZERO),
                };
                terms(&config).check(&config)?;
                let file = Self::new(chain_id, config, decimals);
                file.write(path)?;
                Ok(file)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The channel's ID.
    pub(crate) fn id(&self) -> ChannelId {
        self.config.id(self.chain_id)
    }

    fn check(&self, path: &Path, fields: &ChannelFieldArgs) -> Result<(), CliError> {
        let ChannelConfig { payer, payer_authorizer, receiver, receiver_authorizer, token, salt, .. } = self.config;
        let same = |flag: Option<Account>, field| flag.is_none_or(|flag| flag == field);
        let all = same(fields.account, payer)
            && same(fields.authorizer, payer_authorizer)
            && same(fields.receiver, receiver)
            && same(fields.receiver_authorizer, receiver_authorizer)
            && same(fields.token, token)
            && (fields.pool.is_none() || fields.withdraw_delay == self.config.withdraw_delay_s)
            && fields.salt.is_none_or(|flag| flag == salt);
        if !all {
            return Err(WalletError::OtherFields { path: path.to_owned() }.into());
        }
        Ok(terms(&self.config).check(&self.config)?)
    }

    /// Writes the file, which must not exist. Durable when this returns.
    ///
    /// # Errors
    /// [`WalletError::WriteChannel`].
    pub(crate) fn write(&self, path: &Path) -> Result<(), WalletError> {
        let failed = |why: String| WalletError::WriteChannel { path: path.to_owned(), why };
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| failed("the name of the file is not valid".to_owned()))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let dir = OpenDir::create(parent).map_err(|error| failed(error.to_string()))?;
        let mut text = serde_json::to_string_pretty(self).map_err(|error| failed(error.to_string()))?;
        text.push('\n');
        dir.replace_file(name, text.as_bytes()).map(drop).map_err(|error| failed(error.to_string()))
    }
}

/// What any channel has to fulfill, whichever pool it is for.
const fn terms(config: &ChannelConfig) -> ChannelTerms {
    ChannelTerms {
        chain_id: 0,
        token: config.token,
        receiver: config.receiver,
        receiver_authorizer: config.receiver_authorizer,
        withdraw_delay_s: config.withdraw_delay_s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn account(byte: u8) -> Account {
        Account::new([byte; 20])
    }

    fn fields() -> ChannelFieldArgs {
        ChannelFieldArgs {
            pool: None,
            state_dir: None,
            token: Some(account(1)),
            receiver: Some(account(2)),
            receiver_authorizer: None,
            authorizer: Some(account(3)),
            withdraw_delay: 900,
            salt: None,
            account: None,
        }
    }

    #[test]
    fn a_new_channel_is_written_and_read_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("channel.json");
        let missing = ChannelFieldArgs { authorizer: None, ..fields() };
        let error = ChannelFile::read_or_create(&path, 1, &missing, (Some(account(4)), 6)).unwrap_err();
        assert!(error.hint.contains("--authorizer") && !path.exists(), "{error:?}");
        let bad = ChannelFieldArgs { authorizer: Some(account(2)), ..fields() };
        assert!(ChannelFile::read_or_create(&path, 1, &bad, (Some(account(4)), 6)).is_err() && !path.exists());
        let made = ChannelFile::read_or_create(&path, 1, &fields(), (Some(account(4)), 6)).unwrap();
        assert_eq!((made.config.payer, made.config.receiver_authorizer), (account(4), account(2)));
        assert_eq!(ChannelFile::read(&path, 1).unwrap(), made);
        assert_eq!(ChannelFile::read_or_create(&path, 1, &fields(), (None, 6)).unwrap(), made);
        assert!(matches!(ChannelFile::read(&path, 2), Err(WalletError::OtherChain { of: 1, node: 2, .. })));
        let other = ChannelFieldArgs { token: Some(account(9)), ..fields() };
        let error = ChannelFile::read_or_create(&path, 1, &other, (None, 6)).unwrap_err();
        assert!(error.message.contains("a different channel"), "{error:?}");
        let error = ChannelFile::read_or_create(&path, 1, &fields(), (None, 18)).unwrap_err();
        assert!(error.message.contains("6 decimals") && error.message.contains("18"), "{error:?}");
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(ChannelFile::read(&path, 1), Err(WalletError::ChannelFile { .. })));
        let gone = dir.path().join("gone");
        assert!(matches!(ChannelFile::read(&gone, 1), Err(WalletError::NoChannel { .. })));
    }
}
