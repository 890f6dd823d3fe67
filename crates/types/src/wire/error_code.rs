/// Declares the codes, their list and what each means from one list of `/// meaning` `Name = number;`.
macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $number:literal;)+) => {
        /// Codes of JSON-RPC 2.0 and our own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum ErrorCode {
            $($(#[doc = $meaning])+ $name = $number,)+
        }

        impl ErrorCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What it is called in `docs/openrpc.json` and in the book.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// Returns when the code is used in general, without a full stop; the message of an error is more specific.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($meaning),+).trim().trim_end_matches('.'),)+
                }
            }
        }
    };
}

codes! {
    /// The frame is not JSON.
    Parse = -32700;
    /// The frame is not a JSON-RPC 2.0 request.
    InvalidRequest = -32600;
    /// No method has this name.
    MethodNotFound = -32601;
    /// The params do not have the format that the method expects, or contain a value that it does not accept.
    InvalidParams = -32602;
    /// An internal error on the responding side.
    Internal = -32603;
    /// An error without a more specific code. Over protocol 2, it replaces the codes −32001 to −32099.
    Server = -32000;
    /// A signature, delegation, nonce, or audience is not valid, or the call is not signed.
    Unauthorized = -32001;
    /// The pool is closed and the node is not one of its members, or the operator banned the node, its agent, or its
    /// address.
    NotMember = -32002;
    /// A limit was reached. `data.retry_ms` is the time after which to try again.
    Busy = -32003;
    /// The call cannot succeed because of the chain, version, role, or settings of the caller or of the other side.
    Unsuitable = -32004;
    /// The agent refuses the pool's call, for example because the agent is stopping or its node is down.
    Refused = -32005;
    /// Hosts reported the node as connected for too long today without reports from its own agent.
    Unpaired = -32006;
    /// All slots of the host are in use.
    Full = -32007;
    /// All light-node slots of the host's node are in use.
    LightFull = -32008;
    /// The host's node rejected this client. It may admit others.
    NotAdmitted = -32009;
    /// The pool charges a price, and no account pays for the client's node, or the account has too little left.
    PaymentRequired = -32010;
}

impl ErrorCode {
    /// The code with this number, if it is one of ours.
    #[must_use]
    pub fn of(number: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| *code as i32 == number)
    }
}
