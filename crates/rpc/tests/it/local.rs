//! Local sockets, from both sides.

use std::{
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::Path,
    time::Duration,
};

use vipnode_rpc::{Incoming, IpcListener, RpcLimits, open_ipc};

const SOON: Duration = Duration::from_secs(20);

/// Answers one call at a path and looks at what came.
async fn speaks_at(path: &Path) {
    let listener = IpcListener::bind(path).unwrap();
    let limits = RpcLimits::default();
    let caller = open_ipc(path, &limits).await.unwrap();
    let (mut served, peer) = listener.accept(&limits).await.unwrap();
    #[cfg(unix)]
    assert_eq!(peer.user, Some(std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(path).unwrap())));
    let answering = async {
        let Some(Incoming::Request { method, responder, .. }) = served.incoming.recv().await else { panic!("gone") };
        assert_eq!(method, "vipnode_ping");
        responder.respond(Ok("pong"));
    };
    let (answer, ()) = tokio::join!(caller.peer.call("vipnode_ping", &[(); 0], SOON), answering);
    assert_eq!(answer.unwrap().get(), "\"pong\"");
}

#[tokio::test]
async fn only_its_owner_reaches_a_socket_and_its_file_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sock");
    let listener = IpcListener::bind(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(listener);
    assert!(!path.exists());
    speaks_at(&path).await;
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sock");
    // Its file stays when the process dies.
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    speaks_at(&path).await;
    std::fs::write(&path, "another's").unwrap();
    assert!(IpcListener::bind(&path).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "another's");
}

/// A socket that is closed with unread bytes is reset, so a program would learn no reason.
#[tokio::test]
async fn a_request_that_is_too_long_is_answered_with_the_reason_and_the_connection_stays() {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.sock");
    let listener = IpcListener::bind(&path).unwrap();
    let limits = RpcLimits { frame_bytes: 16 << 10, ..RpcLimits::default() };
    let caller = tokio::net::UnixStream::connect(&path).await.unwrap();
    let (mut served, _peer) = listener.accept(&limits).await.unwrap();
    let (reads, mut writes) = caller.into_split();
    let mut answers = BufReader::new(reads).lines();
    let long = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":["{}"]}}"#, "x".repeat(500_000));
    tokio::spawn(async move {
        writes.write_all(long.as_bytes()).await.unwrap();
        writes.write_all(br#"{"jsonrpc":"2.0","id":2,"method":"vipnode_ping"}"#).await.unwrap();
        // It stays open.
        std::future::pending::<()>().await;
        drop(writes);
    });
    let refused = answers.next_line().await.unwrap().unwrap();
    assert!(refused.contains("longer than this side accepts"), "{refused}");
    let Some(Incoming::Request { method, responder, .. }) = served.incoming.recv().await else { panic!("gone") };
    assert_eq!(method, "vipnode_ping");
    responder.respond(Ok("pong"));
    assert!(answers.next_line().await.unwrap().unwrap().contains("pong"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_path_may_be_longer_than_a_name_has_room_for() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("f".repeat(120));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("a.sock");
    speaks_at(&path).await;
    assert!(!path.exists());
}
