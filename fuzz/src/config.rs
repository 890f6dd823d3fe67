//! What an operator or a proxy writes: addresses, secrets, lists of members, journals, headers.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use http::{HeaderMap, HeaderValue};
use vipnode_agent::PoolAddress;
use vipnode_agent_core::JournalEntry;
use vipnode_node::Endpoint;
use vipnode_pool::{Membership, ProxyHeader, TrustedProxies};
use vipnode_types::{JoinSecret, NodeId};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(data: (u8, &str)) {
    let (pick, text) = data;
    match pick % 6 {
        0 => {
            if let Ok(address) = PoolAddress::read(text) {
                let again = PoolAddress::read(address.url()).expect("its own words");
                assert_eq!(again.url(), address.url());
            }
        }
        1 => {
            let _any = text.parse::<Endpoint>().map(|endpoint| endpoint.is_local());
        }
        2 => {
            if let Ok(members) = Membership::members(Path::new("members"), text) {
                assert!(members.is_closed());
            }
        }
        3 => {
            if let Ok(entry) = serde_json::from_str::<JournalEntry>(text) {
                let line = serde_json::to_string(&entry).expect("writes");
                assert!(!line.contains('\n') && serde_json::from_str::<JournalEntry>(&line).is_ok());
            }
        }
        4 => {
            if let Some(secret) = JoinSecret::new(text) {
                let node = NodeId::new([1; 64]);
                assert!(secret.accepts(&secret.prove(&node, "n"), &node, "n"));
                assert_eq!(format!("{secret:?}"), "JoinSecret(…)", "nothing of it is shown");
            }
        }
        _ => proxies(text),
    }
}

fn proxies(text: &str) {
    let proxy = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    for (name, header) in [
        ("x-forwarded-for", ProxyHeader::XForwardedFor),
        ("forwarded", ProxyHeader::Forwarded),
        ("x-real-ip", ProxyHeader::XRealIp),
    ] {
        let trusted =
            TrustedProxies { proxies: vec!["10.0.0.0/8".parse().expect("a network")], header, ..Default::default() };
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
        if let Ok(client) = trusted.client(proxy, &headers) {
            assert!(
                client == proxy || text.contains(':') || text.contains(&client.to_string()),
                "{client} out of {text}"
            );
        }
    }
}
