//! The golden encoding: every effect of both cores as plain numbers, and a digest over all effects of a run.
//!
//! A change that should not alter behavior must not change these digests (`tests/it/seeds.rs` compares them with
//! `golden/effects.txt`). Therefore, the encoding does not depend on names in the code or on prose: each variant has a
//! number that never changes, messages and hints are left out, and everything else is encoded. Every match and every
//! pattern is exhaustive, so that a new variant or field does not compile until it has an encoding. A new variant takes
//! the next free number; a new field is encoded last.
//!
//! May read all types of the two cores; decides nothing and does not depend on the simulator.

mod action;
mod agent_request;
mod effect;
mod effect_log;
mod encoder;
mod epoch;
mod identifiers;
mod ledger;
mod notice;
mod pool_reply;
mod protocol2;
mod row;
mod wire;

pub(crate) use effect_log::EffectLog;
use encoder::{Encode, Encoder};
