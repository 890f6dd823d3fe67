//! The header of the PROXY protocol, as a balancer sends it before the bytes of its client.

use tokio::io::AsyncReadExt as _;
use vipnode_pool::{ConnectionEnds, read_ends};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(data: &[u8]) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        let whole = read(data, data.len()).await;
        // However a stream is cut, the same header comes out of it, and the same bytes stay behind it.
        for cut in [0, 1, 12, 16, data.len() / 2] {
            assert_eq!(read(data, cut).await, whole);
        }
        // Bytes behind the header change nothing.
        if let Some((ends, rest)) = whole {
            let more = [data, b"GET /"].concat();
            assert_eq!(read(&more, more.len()).await, Some((ends, [&rest[..], b"GET /"].concat())));
        }
    });
}

/// The ends that a header names, and the bytes behind it.
async fn read(data: &[u8], cut: usize) -> Option<(Option<ConnectionEnds>, Vec<u8>)> {
    let (first, second) = data.split_at(cut.min(data.len()));
    let mut stream = first.chain(second);
    let ends = read_ends(&mut stream).await.ok()?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.ok()?;
    Some((ends, rest))
}
