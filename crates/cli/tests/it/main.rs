//! Tests of the binary as a process, and of the source rules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod clock;
mod command_line;
mod credentials;
mod daily_statements;
mod demo;
mod direct;
mod doctor;
mod fuzz_corpus;
mod link;
mod matching;
mod openrpc;
mod operability;
#[cfg(unix)]
mod packages;
mod pool_admin;
#[cfg(target_os = "linux")]
mod pool_id;
mod pool_log;
mod pool_restart;
mod prices;
mod protocol2;
mod pruning;
#[cfg(all(unix, feature = "acme"))]
mod real_acme;
mod real_book;
mod real_causes;
#[cfg(target_os = "linux")]
mod real_commands;
mod real_demo;
mod real_demo_pay;
mod real_deposits;
mod real_direct;
mod real_doctor;
mod real_epochs;
mod real_light;
mod real_market;
mod real_matching;
mod real_metrics;
mod real_payment;
mod real_pool_restart;
mod real_prometheus;
mod real_protocol2;
mod real_restart;
mod real_wallet;
#[cfg(unix)]
mod reload;
#[cfg(target_os = "linux")]
mod service_manager;
mod source_rules;
mod status;
mod support;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(unix)]
mod tls;
mod typed_files;
#[cfg(target_os = "linux")]
mod unwritable_output;
mod wallet;
