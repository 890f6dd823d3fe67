//! The newest epoch, its claims, and the transactions whose block is not final.

use rusqlite::{Connection, Result, params};
use vipnode_pool_core::{ChainTransactionRow, EpochClaimRow, EpochRow, EpochStep, GasTerms, Row, TransactionPurpose};
use vipnode_types::{Account, Amount, Hash256, payment::ChannelId};

use super::{bindings::Bindings, columns::Columns};

/// The tables of this file, which version 2 of the schema adds.
pub(super) const VERSION_2: &str = "
    CREATE TABLE epoch (
        only INTEGER PRIMARY KEY CHECK (only = 0), number INTEGER NOT NULL, step TEXT NOT NULL, since INTEGER NOT NULL,
        cut INTEGER NOT NULL, withdrawals_only INTEGER NOT NULL, settled_before BLOB, settles INTEGER NOT NULL,
        unattributed BLOB NOT NULL, spent BLOB NOT NULL, spent_before BLOB NOT NULL, finished INTEGER, problem TEXT
    ) STRICT;
    CREATE TABLE epoch_claims (
        signer BLOB PRIMARY KEY, channel BLOB NOT NULL, target BLOB NOT NULL, claimed_before BLOB NOT NULL,
        attempts INTEGER NOT NULL, set_aside TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE chain_transactions (
        nonce BLOB PRIMARY KEY, settles INTEGER NOT NULL, signers BLOB NOT NULL, gas INTEGER NOT NULL,
        priority_fee BLOB NOT NULL, max_fee BLOB NOT NULL, hash BLOB NOT NULL, raw BLOB NOT NULL, bumps INTEGER NOT NULL,
        signed INTEGER NOT NULL, cost BLOB
    ) STRICT, WITHOUT ROWID;
";

const WRITE_EPOCH: &str = "
    INSERT OR REPLACE INTO epoch (only, number, step, since, cut, withdrawals_only, settled_before, settles, unattributed, spent,
    spent_before, finished, problem) VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
const READ_EPOCH: &str = "
    SELECT number, step, since, cut, withdrawals_only, settled_before, settles, unattributed, spent, spent_before, finished,
    problem FROM epoch";
const WRITE_CLAIM: &str = "
    INSERT OR REPLACE INTO epoch_claims (signer, channel, target, claimed_before, attempts, set_aside)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const READ_CLAIMS: &str =
    "SELECT signer, channel, target, claimed_before, attempts, set_aside FROM epoch_claims ORDER BY signer";
const WRITE_TRANSACTION: &str = "
    INSERT OR REPLACE INTO chain_transactions (nonce, settles, signers, gas, priority_fee, max_fee, hash, raw, bumps, signed, cost)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const READ_TRANSACTIONS: &str = "
    SELECT nonce, settles, signers, gas, priority_fee, max_fee, hash, raw, bumps, signed, cost FROM chain_transactions
    ORDER BY nonce";

pub(super) fn write_epoch(connection: &Connection, row: &EpochRow) -> Result<()> {
    let mut statement = connection.prepare_cached(WRITE_EPOCH)?;
    let mut bindings = Bindings::of(&mut statement);
    bindings.number(row.number)?;
    bindings.put(row.step.name())?;
    bindings.ms(row.since)?;
    bindings.ms(row.cut)?;
    bindings.put(row.withdrawals_only)?;
    bindings.optional_amount(row.settled_before)?;
    bindings.put(row.settles)?;
    bindings.amount(row.unattributed)?;
    bindings.amount(Amount::new(row.spent_wei))?;
    bindings.amount(Amount::new(row.spent_before_wei))?;
    bindings.optional_ms(row.finished)?;
    bindings.put(row.problem.as_deref())?;
    bindings.execute()?;
    Ok(())
}

pub(super) fn write_claim(connection: &Connection, row: &EpochClaimRow) -> Result<()> {
    let mut statement = connection.prepare_cached(WRITE_CLAIM)?;
    let mut bindings = Bindings::of(&mut statement);
    bindings.account(Some(row.signer))?;
    bindings.put(&row.channel.hash().0[..])?;
    bindings.amount(row.target)?;
    bindings.amount(row.claimed_before)?;
    bindings.put(row.attempts)?;
    bindings.put(row.set_aside.as_deref())?;
    bindings.execute()?;
    Ok(())
}

pub(super) fn delete_claim(connection: &Connection, signer: Account) -> Result<()> {
    connection.prepare_cached("DELETE FROM epoch_claims WHERE signer = ?1")?.execute([&signer.as_bytes()[..]])?;
    Ok(())
}

pub(super) fn write_transaction(connection: &Connection, row: &ChainTransactionRow) -> Result<()> {
    let mut statement = connection.prepare_cached(WRITE_TRANSACTION)?;
    let signers: Vec<u8> = row.purpose.signers().iter().flat_map(|signer| *signer.as_bytes()).collect();
    let mut bindings = Bindings::of(&mut statement);
    bindings.put(&row.nonce.to_be_bytes()[..])?;
    bindings.put(row.purpose == TransactionPurpose::Settle)?;
    bindings.put(signers)?;
    bindings.number(row.gas.gas)?;
    bindings.amount(Amount::new(row.gas.priority_fee_wei))?;
    bindings.amount(Amount::new(row.gas.max_fee_wei))?;
    bindings.put(&row.hash.0[..])?;
    bindings.put(&row.raw[..])?;
    bindings.put(row.bumps)?;
    bindings.ms(row.signed)?;
    bindings.optional_amount(row.cost_wei.map(Amount::new))?;
    bindings.execute()?;
    Ok(())
}

pub(super) fn delete_transaction(connection: &Connection, nonce: u64) -> Result<()> {
    const DELETE: &str = "DELETE FROM chain_transactions WHERE nonce = ?1";
    connection.prepare_cached(DELETE)?.execute(params![&nonce.to_be_bytes()[..]])?;
    Ok(())
}

/// Reads the epoch, its claims by payer authorizer, and the transactions by nonce.
pub(super) fn read(connection: &Connection, each: &mut dyn FnMut(Row)) -> Result<()> {
    read_rows(connection, READ_EPOCH, |columns| {
        each(Row::Epoch(Box::new(epoch_of(columns)?)));
        Ok(())
    })?;
    read_rows(connection, READ_CLAIMS, |columns| {
        each(Row::EpochClaim(Box::new(claim_of(columns)?)));
        Ok(())
    })?;
    read_rows(connection, READ_TRANSACTIONS, |columns| {
        each(Row::ChainTransaction(Box::new(transaction_of(columns)?)));
        Ok(())
    })
}

fn read_rows(
    connection: &Connection,
    sql: &str,
    mut each: impl FnMut(&mut Columns<'_, '_>) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(&mut Columns::of(row))?;
    }
    Ok(())
}

fn epoch_of(columns: &mut Columns<'_, '_>) -> Result<EpochRow> {
    Ok(EpochRow {
        number: columns.number()?,
        step: {
            let name: String = columns.get()?;
            let step = EpochStep::ALL.into_iter().find(|step| step.name() == name);
            step.ok_or_else(|| columns.invalid("a step of an epoch"))?
        },
        since: columns.ms()?,
        cut: columns.ms()?,
        withdrawals_only: columns.get()?,
        settled_before: columns.optional_amount()?,
        settles: columns.get()?,
        unattributed: columns.amount()?,
        spent_wei: columns.amount()?.get(),
        spent_before_wei: columns.amount()?.get(),
        finished: columns.optional_ms()?,
        problem: columns.get()?,
    })
}

fn claim_of(columns: &mut Columns<'_, '_>) -> Result<EpochClaimRow> {
    Ok(EpochClaimRow {
        signer: columns.account()?.ok_or_else(|| columns.invalid("an account"))?,
        channel: ChannelId::new(Hash256(columns.get()?)),
        target: columns.amount()?,
        claimed_before: columns.amount()?,
        attempts: columns.get()?,
        set_aside: columns.get()?,
    })
}

fn transaction_of(columns: &mut Columns<'_, '_>) -> Result<ChainTransactionRow> {
    let (nonce, settles, signers): ([u8; 8], bool, Vec<u8>) = (columns.get()?, columns.get()?, columns.get()?);
    let (signers, rest) = signers.as_chunks::<20>();
    if !rest.is_empty() {
        return Err(columns.invalid("accounts"));
    }
    let purpose = match settles {
        true => TransactionPurpose::Settle,
        false => TransactionPurpose::Claim(signers.iter().copied().map(Account::new).collect()),
    };
    let gas = columns.number()?;
    let (priority_fee_wei, max_fee_wei) = (columns.amount()?.get(), columns.amount()?.get());
    Ok(ChainTransactionRow {
        nonce: u64::from_be_bytes(nonce),
        purpose,
        gas: GasTerms { gas, priority_fee_wei, max_fee_wei },
        hash: Hash256(columns.get()?),
        raw: columns.get()?,
        bumps: columns.get()?,
        signed: columns.ms()?,
        cost_wei: columns.optional_amount()?.map(Amount::get),
    })
}
