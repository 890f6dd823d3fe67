use vipnode_types::{Failure, ShortNodeId, UtcDay, errors};

use super::own_meter::MeterDifference;

errors! {
    /// What is wrong with the daily statement of a pool.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum StatementFault {
        /// The pool refused to sign the statement of a day, or its answer is not valid.
        Refused {
            /// The day that the host asked for.
            day: UtcDay,
            /// What it answered.
            why: Failure,
        }: local, "no statement for {day} from the pool: {why}", hint_of why;
        /// The pool signed a statement that cannot be true.
        Untrue {
            /// The day that the host asked for.
            day: UtcDay,
            /// What is wrong.
            why: &'static str,
        }: local, "the pool's statement for {day} is inconsistent: {why}",
            hint "Run `vipnode account daily-statements` to see it, and report it to the pool's operator. The agent keeps the statement as evidence.";
        /// A statement bills a different amount of time from what the host itself metered.
        Differs {
            /// The day of the statement.
            day: UtcDay,
            /// In how many billing periods, or clients.
            cases: u64,
            /// The client with the largest difference.
            client: ShortNodeId,
            /// What the pool billed for it, in minutes.
            billed: u64,
            /// What the host metered, in minutes.
            metered: u64,
        }: local, "the pool's statement for {day} differs from what this host metered; differences: {cases}, the largest for client {client}: \
                  billed {billed} min, metered {metered} min",
            hint "The pool bills only time that both agents reported, so there can be a difference if the client's agent was offline. \
                  Otherwise, run `vipnode account daily-statements`, and ask the pool's operator.";
        /// The signed statement of a day is larger than the `daily_statement_bytes` limit.
        TooLarge {
            /// The day that the host asked for.
            day: UtcDay,
            /// How many bytes are kept.
            most_bytes: usize,
        }: local, "only a part of the pool's statement of {day} is kept, because it is larger than {most_bytes} bytes",
            hint "Raise the limit: --limit daily_statement_bytes=N. Then remove the file of that day and restart.";
        /// The pages do not all belong to the same statement.
        Changed {
            /// The day that the host asked for.
            day: UtcDay,
        }: Server, "the pool's statement for {day} changed while its pages were being read", hint "Wait: the agent asks again.";
    }
}

impl StatementFault {
    pub(super) fn of(day: UtcDay, difference: MeterDifference) -> Self {
        let MeterDifference { cases, client, billed_ms, metered_ms } = difference;
        Self::Differs { day, cases, client, billed: billed_ms / 60_000, metered: metered_ms / 60_000 }
    }
}
