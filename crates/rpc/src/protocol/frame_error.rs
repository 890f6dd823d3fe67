use vipnode_types::errors;

errors! {
    /// Why a frame, or a request in one, is not carried out.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) enum FrameError {
        /// The other side sent text that cannot be parsed as JSON, for example because it uses another protocol.
        NotJson: Parse, "the frame is not valid JSON",
            hint "Send JSON-RPC 2.0: one object per frame, or a short array of objects.";
        /// The message is empty, or it was skipped because it is longer than allowed.
        Empty: Parse, "the message is empty, or longer than this side accepts",
            hint "Send a shorter message: one JSON-RPC 2.0 object.";
        /// The other side sent an empty list. JSON-RPC requires at least one message in a batch.
        EmptyBatch: InvalidRequest, "the batch is empty",
            hint "Send JSON-RPC 2.0: one object per frame, or a short array of objects.";
        /// The other side sent more messages in one frame than this side processes at once.
        LongBatch { messages: usize, most: usize }: InvalidRequest,
            "the batch has {messages} messages; at most {most} are allowed",
            hint "Send JSON-RPC 2.0: one object per frame, or a short array of objects.";
        /// The object is neither a request nor a response.
        Invalid { why: &'static str }: InvalidRequest, "{why}",
            hint "Send JSON-RPC 2.0: one object per frame, or a short array of objects.";
        /// The other side is sending requests faster than this side can answer them.
        Busy { retry_ms: u64 }: Busy, "too many requests on this connection are waiting for a response",
            hint "Try again in {retry}." (retry = vipnode_types::RetryIn(*retry_ms)), retry retry_ms;
        /// The method name is misspelled, belongs to another version, or is served by the other side only.
        NoMethod { method: String }: MethodNotFound, "unknown method {method}",
            hint "Check the method name and that you call it on the right side.";
        /// The answer could not be serialized as JSON.
        NotWritten { why: String }: Internal, "the answer could not be written: {why}", hint "Please report this.";
        /// The task that handled the request ended without sending an answer.
        NotAnswered: Internal, "the request was not answered", hint "Try again. If it happens again, please report this.";
        /// The response contains an error that is not a JSON-RPC error object.
        UnknownForm: Server, "the other side returned an error in an unknown format",
            no_hint "only the other side knows what went wrong";
    }
}

/// When to try again where a connection has too many requests, in milliseconds.
pub(crate) const RETRY_MS: u64 = 1_000;
