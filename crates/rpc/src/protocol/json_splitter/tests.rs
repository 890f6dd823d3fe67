use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Feeds `bytes` in pieces of the given sizes; returns what came out, and the error if any.
fn split(limit: usize, bytes: &[u8], pieces: &[usize]) -> (Vec<String>, Option<SplitError>) {
    split_by(JsonSplitter::new(limit), bytes, pieces)
}

fn split_by(mut splitter: JsonSplitter, bytes: &[u8], pieces: &[usize]) -> (Vec<String>, Option<SplitError>) {
    let (mut buffer, mut rest, mut texts) = (BytesMut::new(), bytes, Vec::new());
    let mut pieces = pieces.iter().copied().cycle();
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(pieces.next().unwrap_or(1).clamp(1, rest.len()));
        buffer.extend_from_slice(piece);
        rest = later;
        loop {
            match splitter.decode(&mut buffer) {
                Ok(Some(text)) => texts.push(text),
                Ok(None) => break,
                Err(error) => return (texts, Some(error)),
            }
        }
    }
    (texts, None)
}

#[test]
fn cuts_what_geth_writes() {
    let (texts, error) = split(100, b" {\"a\":\"}\\\"{\"}\n[1,{}]{\"b\":[[]]} {\"half\":", &[3]);
    assert!(error.is_none());
    assert_eq!(texts, ["{\"a\":\"}\\\"{\"}", "[1,{}]", "{\"b\":[[]]}"]);
}

#[test]
fn d4_a_message_without_end_is_refused_at_the_limit() {
    let endless = vec![b'['; 1_000];
    assert!(matches!(split(100, &endless, &[7]), (texts, Some(SplitError::TooLong(100))) if texts.is_empty()));
    let fits = format!("[\"{}\"]", "x".repeat(96));
    assert_eq!(split(100, fits.as_bytes(), &[64]).0.len(), 1);
    let too_long = format!("[\"{}\"]", "x".repeat(97));
    assert!(matches!(split(100, too_long.as_bytes(), &[200]).1, Some(SplitError::TooLong(_))));
}

#[test]
fn a_request_that_is_too_long_is_skipped_up_to_a_limit_and_the_next_one_is_read() {
    let long = format!("[\"{}\"]", "}\\\"".repeat(1_000));
    let stream = format!("{long} [1]{long}{{\"a\":1}}");
    for pieces in [&[7][..], &[10_000], &[99, 1]] {
        let (texts, error) = split_by(JsonSplitter::skipping(100), stream.as_bytes(), pieces);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(texts, ["", "[1]", "", "{\"a\":1}"]);
    }
    let endless = vec![b'['; 100 * SKIPPED + 1];
    assert!(matches!(split_by(JsonSplitter::skipping(100), &endless, &[64]).1, Some(SplitError::TooLong(100))));
}

#[test]
fn what_is_no_message_is_refused() {
    assert!(matches!(split(100, b"  HTTP/1.1 400", &[2]).1, Some(SplitError::Stray(b'H'))));
    assert!(matches!(split(100, b"[\"\xff\"]", &[2]).1, Some(SplitError::Utf8)));
}

proptest! {
    #[test]
    fn any_pieces_give_the_same_messages(
        strings in prop::collection::vec(".{0,20}", 0..8),
        blanks in prop::collection::vec("[ \n\t\r]{0,3}", 8),
        pieces in prop::collection::vec(1usize..40, 1..8),
    ) {
        let messages: Vec<String> = strings.iter().map(|text| json!({"k": [text, {"}": text}]}).to_string()).collect();
        let stream: String = messages.iter().zip(&blanks).map(|(text, blank)| format!("{blank}{text}")).collect();
        let (texts, error) = split(10_000, stream.as_bytes(), &pieces);
        prop_assert!(error.is_none());
        prop_assert_eq!(texts, messages);
    }

    #[test]
    fn no_bytes_panic_and_nothing_beyond_the_limit_comes_out(
        bytes in prop::collection::vec(any::<u8>(), 0..300), pieces in prop::collection::vec(1usize..40, 1..8),
    ) {
        let mut braced = b"{".to_vec();
        braced.extend(&bytes);
        for bytes in [&bytes, &braced] {
            let (texts, _) = split(50, bytes, &pieces);
            prop_assert!(texts.iter().all(|text| text.len() <= 50));
        }
    }
}
