//! The mind as whoever runs it sees it: commands in, effects out.

mod connect;
mod flow;
mod metering;
mod pool;
