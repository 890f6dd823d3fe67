use std::sync::atomic::{AtomicBool, Ordering};

use vipnode_types::RpcUrl;

use crate::auth::Arrival;

/// What the pool has seen of a proxy on its own machine that `--proxy` does not name.
///
/// Such a proxy may set no header, as nginx does by default. The requests of strangers then look like those of this machine. But
/// agents sign the URL that they use. If that is not a loopback URL and the request comes from this machine, a proxy passed it on,
/// and from then on any request from this machine may be a stranger's. The same shows a Host header that names another host.
#[derive(Debug, Default)]
pub(crate) struct UnnamedProxy {
    seen: AtomicBool,
    warned: AtomicBool,
}

impl UnnamedProxy {
    /// A call was signed for this URL, which is one of this pool.
    pub(in crate::auth) fn call_for(&self, url: &RpcUrl, arrival: &Arrival) {
        if arrival.is_from_this_machine() && !url.is_local() {
            self.seen.store(true, Ordering::Relaxed);
            self.warn();
        }
    }

    /// Whether the pool does not know who sent a request, so that neither the address that it came from nor one that the caller claims
    /// is the caller's.
    pub(in crate::auth) fn hides_caller(&self, arrival: &Arrival) -> bool {
        let may_hide = || arrival.is_from_this_machine() && self.seen.load(Ordering::Relaxed);
        matches!(arrival, Arrival::Hidden) || may_hide()
    }

    /// Warns, once, that a proxy on this machine passes requests on.
    pub(crate) fn warn(&self) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "a proxy on this machine passes requests on, but the pool does not know it, so all its clients share one \
                 address, and the addresses that they claim for their nodes are not used; pass --proxy 127.0.0.1 and the \
                 header that the proxy sets (--proxy-header)"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_for_a_public_url_from_this_machine_reveals_a_proxy() {
        let here = Arrival::Direct { local: "127.0.0.1:8080".parse().unwrap(), remote: "127.0.0.1".parse().unwrap() };
        let lan = Arrival::Direct { local: "10.0.0.1:8080".parse().unwrap(), remote: "10.0.0.9".parse().unwrap() };
        let proxy = UnnamedProxy::default();
        assert!(proxy.hides_caller(&Arrival::Hidden));
        for (url, arrival) in
            [("ws://127.0.0.1:8080", here), ("wss://pool.example", lan), ("wss://pool.example", Arrival::Proxied)]
        {
            proxy.call_for(&url.parse().unwrap(), &arrival);
            assert!(!proxy.hides_caller(&here), "{url}");
        }
        proxy.call_for(&"wss://pool.example".parse().unwrap(), &here);
        assert!(proxy.hides_caller(&here) && !proxy.hides_caller(&lan) && !proxy.hides_caller(&Arrival::Proxied));
    }
}
