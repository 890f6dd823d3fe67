//! Payment channels and their newest vouchers.

use rusqlite::{Connection, Result};
use vipnode_pool_core::{ChannelReading, ChannelRow, Row};
use vipnode_types::{
    Account, Hash256,
    payment::{ChannelConfig, TypedDataSignature},
};

use super::{bindings::Bindings, columns::Columns};

/// The columns, in the order in which they are bound and read.
macro_rules! columns {
    () => {
        "signer, payer, receiver, receiver_authorizer, token, withdraw_delay, salt, signed, signature, deposited, \
         withdrawing, withdrawable, chain_claimed, read, metered_before, claimed_before, claimed"
    };
}

const WRITE: &str = concat!(
    "INSERT OR REPLACE INTO channels (",
    columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
);
/// All channels, by signer.
pub(super) const READ: &str = concat!("SELECT ", columns!(), " FROM channels ORDER BY signer");

pub(super) fn write(connection: &Connection, row: &ChannelRow) -> Result<()> {
    let ChannelConfig { payer, payer_authorizer, receiver, receiver_authorizer, token, withdraw_delay_s, salt } =
        row.config;
    let mut statement = connection.prepare_cached(WRITE)?;
    let mut bindings = Bindings::of(&mut statement);
    for account in [payer_authorizer, payer, receiver, receiver_authorizer, token] {
        bindings.account(Some(account))?;
    }
    bindings.put(withdraw_delay_s)?;
    bindings.put(&salt.0[..])?;
    bindings.amount(row.signed)?;
    bindings.put(&row.signature.to_bytes()[..])?;
    bindings.amount(row.state.deposited)?;
    bindings.amount(row.state.withdrawing)?;
    bindings.number(row.state.withdrawable_s)?;
    bindings.amount(row.state.claimed)?;
    bindings.ms(row.read)?;
    for amount in [row.metered_before, row.claimed_before, row.claimed] {
        bindings.amount(amount)?;
    }
    bindings.execute()?;
    Ok(())
}

/// A row of [`READ`].
pub(super) fn row_of(columns: &mut Columns<'_, '_>) -> Result<Row> {
    channel_of(columns).map(|row| Row::Channel(Box::new(row)))
}

fn channel_of(columns: &mut Columns<'_, '_>) -> Result<ChannelRow> {
    fn account(columns: &mut Columns<'_, '_>) -> Result<Account> {
        columns.account()?.ok_or_else(|| columns.invalid("an account"))
    }
    Ok(ChannelRow {
        config: {
            let payer_authorizer = account(columns)?;
            ChannelConfig {
                payer_authorizer,
                payer: account(columns)?,
                receiver: account(columns)?,
                receiver_authorizer: account(columns)?,
                token: account(columns)?,
                withdraw_delay_s: columns.get()?,
                salt: Hash256(columns.get()?),
            }
        },
        signed: columns.amount()?,
        signature: {
            let bytes: Vec<u8> = columns.get()?;
            TypedDataSignature::from_bytes(&bytes).map_err(|_| columns.invalid("a signature of a voucher"))?
        },
        state: ChannelReading {
            deposited: columns.amount()?,
            withdrawing: columns.amount()?,
            withdrawable_s: columns.number()?,
            claimed: columns.amount()?,
        },
        read: columns.ms()?,
        metered_before: columns.amount()?,
        claimed_before: columns.amount()?,
        claimed: columns.amount()?,
    })
}
