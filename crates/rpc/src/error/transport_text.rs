/// What TLS reports if the other side ended without a goodbye, as a process that is killed does.
const TLS_CUT: &str = "close_notify";

/// The text of an error of the transport, for people: TLS explains a connection that was cut to programmers, with a link to
/// its documentation.
pub(super) fn transport_text(text: &str) -> &str {
    if text.contains(TLS_CUT) { "the connection was cut" } else { text }
}

#[cfg(test)]
mod tests {
    use std::io;

    use crate::{OpenError, SessionEnd};

    /// The text of rustls 0.23.
    const EOF: &str = "peer closed connection without sending TLS close_notify: https://docs.rs/rustls/latest/rustls/manual/_03_howto/index.html#unexpected-eof";

    #[test]
    fn a_cut_connection_is_called_that() {
        let eof = io::Error::new(io::ErrorKind::UnexpectedEof, EOF);
        let ended = SessionEnd::broken(&format!("IO error: {eof}"));
        assert_eq!(ended.to_string(), "the connection was cut");
        let unopened = OpenError::unreachable("wss://p", &eof);
        assert_eq!(unopened.to_string(), "cannot reach wss://p: the connection was cut");
        assert_eq!(SessionEnd::broken(&"Connection reset by peer").to_string(), "Connection reset by peer");
    }
}
