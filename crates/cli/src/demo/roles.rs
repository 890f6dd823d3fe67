use std::fmt;

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DemoRole {
    Pool,
    Host(u8),
    Client(u8),
    /// The development chain.
    Chain,
    /// Who runs the pool.
    Operator,
}

impl DemoRole {
    pub(super) const HOSTS: [Self; 2] = [Self::Host(0), Self::Host(1)];
    pub(super) const CLIENTS: [Self; 3] = [Self::Client(0), Self::Client(1), Self::Client(2)];

    /// Without spaces, for names of files and simulated nodes.
    pub(super) fn slug(self) -> String {
        self.to_string().replace(' ', "-")
    }
}

impl fmt::Display for DemoRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool => f.pad("pool"),
            Self::Host(number) => f.pad(&format!("host {}", char::from(b'A'.saturating_add(*number)))),
            Self::Client(number) => f.pad(&format!("client {}", number.saturating_add(1))),
            Self::Chain => f.pad("chain"),
            Self::Operator => f.pad("operator"),
        }
    }
}
