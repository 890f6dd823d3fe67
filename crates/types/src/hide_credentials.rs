/// Returns a text in which each URL has `…` in place of a user name and a password, also a URL that is badly written: one
/// without a scheme, or with a password that ends the host part too early. An enode keeps its ID, which is public.
///
/// It is the last defense, for text that is already made. Where a value ought to be one URL, [`hide_url_credentials`]
/// misses nothing.
#[must_use]
pub fn hide_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.find(|c| !is_edge(c)).unwrap_or(rest.len());
        let (edges, from_word) = rest.split_at(start);
        shown.push_str(edges);
        // The name of a style, between ESC and m, is not part of the word.
        let style =
            if edges.ends_with('\u{1b}') { from_word.find('m').map_or(0, |at| at.saturating_add(1)) } else { 0 };
        let (style, from_word) = from_word.split_at(style);
        shown.push_str(style);
        let end = end_of_url(from_word);
        let (before, hidden) = match credentials(from_word.get(..end).unwrap_or_default(), from_word) {
            Some((from, to)) => (from, Some(to)),
            None => (end, None),
        };
        shown.push_str(from_word.get(..before).unwrap_or_default());
        rest = from_word.get(before..).unwrap_or_default();
        if let Some(to) = hidden {
            // The host, and whatever follows it.
            let after = from_word.get(to..).unwrap_or_default();
            let (host, next) = after.split_at(end_of_url(after));
            shown.push('…');
            shown.push_str(host);
            rest = next;
        }
    }
    shown
}

/// Where a text ends that begins like a URL: at an edge, or where another URL begins.
fn end_of_url(text: &str) -> usize {
    let word = text.split(is_edge).next().unwrap_or_default();
    let mut begins = word.match_indices("://").map(|(at, _)| {
        let before = word.get(..at).unwrap_or_default();
        before.trim_end_matches(|c: char| c.is_ascii_alphanumeric()).len()
    });
    begins.find(|begin| *begin > 0).unwrap_or(word.len())
}

/// Returns a value that ought to be one URL, with `…` in place of everything before its last `@` but the scheme. A path
/// and an enode stay as they are.
#[must_use]
pub fn hide_url_credentials(value: &str) -> String {
    let text = value.trim();
    if text.starts_with(['/', '.', '~', '\\']) || is_enode(text) {
        return value.to_owned();
    }
    let Some((before, after)) = text.rsplit_once('@') else { return value.to_owned() };
    match before.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…@{after}"),
        None => format!("…@{after}"),
    }
}

/// Returns the address of a node's RPC with `…` in place of its path and its query, which hold the keys of providers, and of a
/// user name and a password. Anything but the URL of an HTTP or WebSocket server keeps its path.
#[must_use]
pub fn hide_url_path(value: &str) -> String {
    let Some((scheme, rest)) = value.trim().split_once("://").filter(|(scheme, _)| is_web(scheme)) else {
        return hide_url_credentials(value);
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let may_be_user = authority.contains('@') || (authority.contains(':') && !is_host_and_port(authority));
    if path.contains('@') && may_be_user {
        // Nothing shows where a password with a slash ends, and where a path with an @ begins.
        return format!("{scheme}://…");
    }
    let path = if matches!(path, "" | "/") { path } else { "/…" };
    match authority.rsplit_once('@') {
        Some((_user, host)) => format!("{scheme}://…@{host}{path}"),
        None => format!("{scheme}://{authority}{path}"),
    }
}

/// Whether it is the scheme of an HTTP or WebSocket server.
fn is_web(scheme: &str) -> bool {
    ["http", "https", "ws", "wss"].iter().any(|web| scheme.eq_ignore_ascii_case(web))
}

/// Whether no URL goes on beyond this character, in text that was not made for a parser.
fn is_edge(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '\u{1b}')
}

fn is_enode(text: &str) -> bool {
    text.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("enode:"))
}

/// Which bytes of a word, or of the text that begins with it, are a user name and a password: from the one to the `@`.
fn credentials(word: &str, text: &str) -> Option<(usize, usize)> {
    let Some((scheme, after)) = word.split_once("://") else {
        let at = word.rfind('@')?;
        // Without a colon it is an email address, an instance of a unit, or the ID of a node.
        let before = word.get(..at)?;
        return (before.contains(':') && !is_enode(last_part(before))).then_some((0, at));
    };
    if scheme.eq_ignore_ascii_case("enode") {
        return None;
    }
    let from = scheme.len().saturating_add(3);
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(at) = authority.rfind('@') {
        return Some((from, from.saturating_add(at)));
    }
    // The text may go on behind it: "http://h:1, and".
    let authority = authority.trim_end_matches(|c: char| c.is_ascii_punctuation() && c != ']');
    let colon_before_at = after.rsplit_once('@').is_some_and(|(before, _)| before.contains(':'));
    if is_host_and_port(authority) || !(authority.contains(':') || colon_before_at) {
        return None;
    }
    // A password with a slash or a space: it ends at the last @ before the next URL.
    let line = text.get(from..)?.split(['\n', '"']).next().unwrap_or_default();
    let line = line.split("://").next().unwrap_or_default();
    line.rfind('@').map(|at| (from, from.saturating_add(at)))
}

/// What follows the last character that stands in front of a URL in a list or an assignment.
fn last_part(text: &str) -> &str {
    text.rsplit(['=', ',', '(', '[']).next().unwrap_or_default()
}

/// Whether an authority is a host with a port, and not a user name with a password: the name has a dot or is `localhost`,
/// and the port is a number.
fn is_host_and_port(authority: &str) -> bool {
    let Some((host, port)) = authority.rsplit_once(':') else { return false };
    let named = host.contains('.') || host.starts_with('[') || host == "localhost";
    named && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What people write, and what of it is shown: of a value, and of a sentence with it.
    const VALUES: [(&str, &str); 12] = [
        ("http://me:secret@h", "http://…@h"),
        ("me:secret@127.0.0.1:8545", "…@127.0.0.1:8545"),
        ("http://me:sec/ret@h", "http://…@h"),
        ("http://me:sec#ret@h", "http://…@h"),
        ("http://me:sec?ret@h", "http://…@h"),
        ("http://me:sec ret@h", "http://…@h"),
        ("http://me:12/ret@h", "http://…@h"),
        ("http:/me:secret@h", "…@h"),
        ("http//me:secret@h", "…@h"),
        ("wss://http//me:secret@h", "wss://…@h"),
        ("https://p@ss:w@h", "https://…@h"),
        ("HTTP://me:secret@[::1]:2/x", "HTTP://…@[::1]:2/x"),
    ];

    #[test]
    fn a_value_shows_no_password() {
        for (value, shown) in VALUES {
            assert_eq!(hide_url_credentials(value), shown, "{value}");
            assert_eq!(hide_credentials(value), shown, "{value}");
        }
        for value in ["/var/lib/geth@1:2/geth.ipc", "./a:b@c", "enode://0a0a@1.2.3.4:5", "http://h:1/x", "", "geth"] {
            assert_eq!(hide_url_credentials(value), value);
        }
        // In a path, before another @.
        assert_eq!(hide_url_credentials("http://me:p@ss/word@h"), "http://…@h");
    }

    #[test]
    fn an_address_of_a_node_shows_no_key_of_a_provider() {
        for (value, shown) in [
            ("https://h/v3/0123456789abcdef?k=secret", "https://h/…"),
            ("wss://me:secret@h:8546/key", "wss://…@h:8546/…"),
            ("WS://h?key", "WS://h/…"),
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("http://127.0.0.1:8545/", "http://127.0.0.1:8545/"),
            (" http://127.0.0.1:8545 ", "http://127.0.0.1:8545"),
            ("https://h/key@more", "https://h/…"),
            ("http://127.0.0.1:8545/key@more", "http://127.0.0.1:8545/…"),
            ("http://me:sec/ret@h", "http://…"),
            ("http://me:p@ss/word@h/key", "http://…"),
            ("http://me:sec ret@h", "http://…@h"),
            ("me:secret@h", "…@h"),
            ("/run/geth/geth.ipc", "/run/geth/geth.ipc"),
            ("sim://127.0.0.1:1/node", "sim://127.0.0.1:1/node"),
        ] {
            assert_eq!(hide_url_path(value), shown, "{value}");
        }
    }

    #[test]
    fn a_sentence_shows_no_password() {
        for (value, shown) in VALUES {
            for (before, after) in
                [("cannot reach ", ": refused"), ("invalid value '", "' for --rpc"), ("\u{1b}[1m", "\u{1b}[0m")]
            {
                assert_eq!(hide_credentials(&format!("{before}{value}{after}")), format!("{before}{shown}{after}"));
            }
            let json = format!("{{\"rpc\":\"{value}\",\"at\":\"a@b\"}}");
            assert_eq!(hide_credentials(&json), format!("{{\"rpc\":\"{shown}\",\"at\":\"a@b\"}}"));
        }
        for (text, shown) in [
            ("http://me:secret@h:1/x@y", "http://…@h:1/x@y"),
            ("ws://a:b@h,ws://c:d@e,enode://0a@h", "ws://…@h,ws://…@e,enode://0a@h"),
            ("enode://0a@h:1,http://a:b@c", "enode://0a@h:1,http://…@c"),
            ("two: ws://a:b@h and wss://c:d@[::1]:2", "two: ws://…@h and wss://…@[::1]:2"),
            ("bad http://a:b is not enode://ID@h:1", "bad http://a:b is not enode://ID@h:1"),
        ] {
            assert_eq!(hide_credentials(text), shown);
        }
    }

    #[test]
    fn what_is_no_credential_stays() {
        for text in [
            "enode://0a0a@1.2.3.4:5",
            "http://h/a b@c",
            "http://h/x@y",
            "http://127.0.0.1:8545/x@y and a@b",
            "see http://127.0.0.1:8545: ask admin@example.org",
            "systemctl restart vipnode-agent@geth.service: done",
            "0a0a@1.2.3.4:30303",
            "keep=enode:0a@1.2.3.4:5",
            "12:30 mail a@b.example",
            "://",
            "",
        ] {
            assert_eq!(hide_credentials(text), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_the_rest_stays(text in "[a-z:/@#? '\u{1b}\\[m…é\n]{0,40}") {
            let shown = hide_credentials(&text);
            prop_assert!(text.contains('@') || shown == text);
            prop_assert_eq!(shown.lines().count(), text.lines().count());
            let _any = hide_url_credentials(&text);
        }
    }
}
