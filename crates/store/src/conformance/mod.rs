//! The test suite that every store must pass.
//!
//! A crate with a store calls [`run`] from one of its tests, with two functions: one opens an empty store, the other
//! closes a store and opens it again (a store in memory is returned as it is).
//!
//! Uses only the traits of this crate. What is particular to one store does not belong here.

mod contract;
mod epoch_sample;
mod ledger_sample;
mod model;
mod reading;
mod sample;

use std::fmt::Debug;

use proptest::{
    collection::vec,
    test_runner::{Config, TestRunner},
};

#[cfg(test)]
pub(crate) use self::ledger_sample::entry;
use self::model::Model;
#[cfg(test)]
pub(crate) use self::model::{entries_of, journal_of, state_of};
#[cfg(test)]
pub(crate) use self::sample::{any_row, lease, metered, node, node_id};
use crate::{Store, StoreError};

/// Cases of the property test against the model; few, because stores that sync to a disk are slow.
const CASES: u32 = 64;

/// Checks that a store keeps the contract of [`Store`].
///
/// # Panics
/// If it does not.
pub fn run<S: Store + Debug>(fresh: impl Fn() -> S, reopen: impl Fn(S) -> S) {
    contract::run(&fresh, &reopen);
    reading::run(&fresh);
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let batches = vec((vec(sample::any_row(), 0..8), proptest::bool::weighted(0.2)), 0..12);
    let outcome = runner.run(&batches, |batches| {
        let mut store = fresh();
        let mut model = Model::default();
        let mut last = None;
        for (batch, reopened) in batches {
            let expected = model.apply(&batch);
            match store.apply(&batch) {
                Ok(seq) => {
                    assert_eq!(expected, Ok(()), "accepted a batch that the contract rejects: {batch:?}");
                    assert!(Some(seq) > last, "sequence {seq} after {last:?}");
                    last = Some(seq);
                }
                Err(error @ (StoreError::Conflict { .. } | StoreError::EntryConflict { .. })) => {
                    assert_eq!(expected, Err(error));
                }
                Err(error) => unreachable!("{error}"),
            }
            if reopened {
                store = reopen(store);
                last = None;
            }
            model.compare(&mut store);
            reading::compare(&mut store);
        }
        Ok(())
    });
    assert_eq!(outcome, Ok(()), "the smallest sequence of batches that breaks the contract");
}
