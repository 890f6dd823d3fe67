use std::net::TcpListener;

/// Panics where the machine's own network can be reached.
pub fn assert_isolated() {
    let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let outside = routes.lines().skip(1).filter_map(|line| line.split_whitespace().next()).find(|name| *name != "lo");
    if let Some(interface) = outside {
        panic!(
            "there is a route over {interface}: real nodes are tested in a network namespace of their own, or strangers \
             could reach them. Run ./test, or: unshare -n sh -c 'ip link set lo up; exec cargo test …' \
             (unshare -rn for those who are not root)"
        );
    }
}

/// A TCP port that nobody listens at, at this moment.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind(("0.0.0.0", 0)).expect("a free port").local_addr().expect("its number").port()
}
