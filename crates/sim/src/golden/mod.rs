//! The golden encoding: every effect of both cores as plain numbers, and a digest over all effects of a run.
//!
//! A change that is meant to leave the behavior alone leaves these digests alone (`tests/it/seeds.rs` compares them
//! with `golden/effects.txt`). Therefore nothing in here depends on a name in the code or on prose: a variant has a
//! number that never changes, a message or a hint is left out, everything else is encoded. Every match and every
//! pattern is exhaustive, so that a new variant or field does not compile until it has its encoding. A new variant
//! takes the next free number; a new field is encoded last.
//!
//! May read all types of the two cores; decides nothing and knows nothing of the simulator.

mod action;
mod agent_request;
mod effect;
mod effect_log;
mod encoder;
mod identifiers;
mod notice;
mod pool_reply;
mod protocol2;
mod row;
mod wire;

pub(crate) use effect_log::EffectLog;
use encoder::{Encode, Encoder};
