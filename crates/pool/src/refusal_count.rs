use vipnode_types::wire::ErrorCode;

/// How often a pool refused a request or a connection for one reason since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusalCount {
    /// The reason, for programs: the name of an error's code, or what happened to connections.
    pub reason: &'static str,
    /// The reason, for the operator, after the count.
    pub words: &'static str,
    /// How often it refused one since its start.
    pub total: u64,
}

impl RefusalCount {
    /// Requests that were answered with an error.
    pub(crate) const fn of_code(code: ErrorCode, total: u64) -> Self {
        Self { reason: code.name(), words: words(code), total }
    }

    /// Connections that were refused before a request.
    pub(crate) const fn of_connections(reason: &'static str, words: &'static str, total: u64) -> Self {
        Self { reason, words, total }
    }
}

const fn words(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Parse => "not JSON",
        ErrorCode::InvalidRequest => "not JSON-RPC",
        ErrorCode::MethodNotFound => "unknown method",
        ErrorCode::InvalidParams => "invalid parameters",
        ErrorCode::Internal => "internal error",
        ErrorCode::Server => "error of protocol 2",
        ErrorCode::Unauthorized => "signature not valid",
        ErrorCode::NotMember => "not a member",
        ErrorCode::Busy => "over a limit",
        ErrorCode::Unsuitable => "unsuitable node",
        ErrorCode::Refused => "refused by the agent",
        ErrorCode::Unpaired => "too long unpaired",
        ErrorCode::Full => "no free slot",
        ErrorCode::LightFull => "no free slot for light nodes",
        ErrorCode::NotAdmitted => "not admitted by the host's node",
        ErrorCode::PaymentRequired => "not paid for",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_words_of_its_own_for_the_operator() {
        let mut seen = std::collections::BTreeSet::new();
        for code in ErrorCode::ALL {
            let words = words(*code);
            assert!(seen.insert(words), "twice: {words}");
            assert!(!words.contains(code.name()) || words.contains(' '), "the name of the code: {words}");
        }
    }
}
