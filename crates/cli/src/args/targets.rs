use std::str::FromStr;

use vipnode_agent_core::DirectConfig;
use vipnode_types::{Enode, NodeId, hide_url_credentials, typed_text};

use crate::error::{CliError, CommandError, TargetError};

/// The pool and the peers that the user named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Targets {
    /// As the user gave it.
    pub(crate) pool: Option<String>,
    pub(crate) direct: DirectConfig,
}

/// The argument that names a pool, or a host that needs none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PoolOrHost {
    /// As given; parsed once it is known that there is only one.
    Pool(String),
    Host(Enode),
}

impl FromStr for PoolOrHost {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        match Self::named(text)? {
            Self::Pool(role) if matches!(&*role, "agent" | "host" | "client") => Err(TargetError::Role { role }),
            // The name of a pool has a dot, and one in the local network is given with a scheme, with a port, or with --pool. So
            // a mistyped command starts nothing.
            Self::Pool(word) if !word.contains(['.', ':', '/']) && word != "localhost" => {
                Err(TargetError::Word { word: hide_url_credentials(&word) })
            }
            target => Ok(target),
        }
    }
}

impl PoolOrHost {
    /// Reads the value of --pool, a variable, or a settings file, where a word cannot be a mistyped command.
    pub(crate) fn named(text: &str) -> Result<Self, TargetError> {
        let text = typed_text(text);
        let is_scheme = |scheme: &str| ["enode", "enr"].iter().any(|node| scheme.eq_ignore_ascii_case(node));
        if text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)) {
            return Ok(Self::Host(Enode::typed(text)?));
        }
        if NodeId::typed(text).is_ok() { Err(TargetError::BareId) } else { Ok(Self::Pool(text.to_owned())) }
    }
}

/// Reads the argument without a name of a command that calls a pool. As with an agent's, a word may be a mistyped command.
pub(crate) fn typed_pool(text: &str) -> Result<String, TargetError> {
    match text.parse::<PoolOrHost>()? {
        PoolOrHost::Pool(pool) => Ok(pool),
        // What reads the address rejects it.
        PoolOrHost::Host(host) => Ok(host.to_string()),
    }
}

/// Reads a client to admit: an id, or an enode for execution clients that accept no bare id.
pub(crate) fn allowed(text: &str) -> Result<Enode, TargetError> {
    let text = typed_text(text);
    if text.contains(':') { Ok(Enode::typed(text)?) } else { Ok(Enode::id_only(NodeId::typed(text)?)) }
}

/// Reads a peer that the agent leaves alone: an id or an enode.
pub(crate) fn kept(text: &str) -> Result<NodeId, TargetError> {
    allowed(text).map(|node| node.id)
}

impl Targets {
    pub(crate) fn of<'a>(named: impl IntoIterator<Item = &'a PoolOrHost>, allow: &[Enode]) -> Result<Self, CliError> {
        let mut targets = Self { pool: None, direct: DirectConfig { hosts: Vec::new(), allow: allow.to_vec() } };
        for one in named {
            match (one, &targets.pool) {
                (PoolOrHost::Host(host), _) => targets.direct.hosts.push(host.clone()),
                (PoolOrHost::Pool(pool), None) => targets.pool = Some(pool.clone()),
                (PoolOrHost::Pool(pool), Some(other)) => {
                    let (first, second) = (hide_url_credentials(other), hide_url_credentials(pool));
                    return Err(CommandError::TwoPools { first, second }.into());
                }
            }
        }
        targets.direct.check().map_err(|error| CliError::from(vipnode_agent::AgentError::from(error)))?;
        Ok(targets)
    }

    /// Whether there is a pool. If none is named, one is looked for, unless the user named nodes.
    pub(crate) const fn has_pool(&self) -> bool {
        self.pool.is_some() || self.direct.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    fn id(byte: &str) -> String {
        byte.repeat(64)
    }

    fn read(named: &[&str], allow: &[&str]) -> Result<Targets, String> {
        let said = |error: TargetError| format!("{error} -> {}", error.hint().unwrap_or_default());
        let named: Result<Vec<PoolOrHost>, TargetError> = named.iter().map(|text| text.parse()).collect();
        let allow: Result<Vec<Enode>, TargetError> = allow.iter().map(|text| allowed(text)).collect();
        Targets::of(&named.map_err(said)?, &allow.map_err(said)?).map_err(|error| error.message)
    }

    #[test]
    fn a_pool_hosts_or_both_are_named() {
        let one = format!("enode://{}@[2001:db8::1]:30303", id("0a"));
        let two = format!("enode://{}@host.example:30303?discport=0", id("0b"));
        let targets = read(&[&one, "wss://pool.example", &two], &[]).unwrap();
        assert_eq!(targets.pool.as_deref(), Some("wss://pool.example"));
        assert_eq!(targets.direct.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(), [one.clone(), two]);
        assert!(targets.has_pool() && read(&[], &[]).unwrap().has_pool());
        assert!(!read(&[&one], &[]).unwrap().has_pool());
        let bare = id("0c");
        let targets = read(&[], &[&bare, &one]).unwrap();
        assert!(!targets.has_pool() && targets.direct.allow[0] == Enode::id_only(bare.parse().unwrap()));
    }

    #[test]
    fn quotes_and_prefixes_of_other_programs_are_accepted() {
        let one = format!("enode://{}@10.0.0.1:30303", id("0a"));
        let targets = read(&[&format!(" \"{one}\" ")], &[&format!("0x{}", id("0c"))]).unwrap();
        assert_eq!(targets.direct.hosts[0].to_string(), one);
        let upper_case = one.replace("enode", "ENODE");
        assert_eq!(read(&[&upper_case], &[]).unwrap().direct.hosts[0].to_string(), one);
        assert_eq!(targets.direct.allow[0].id.to_string(), id("0c"));
        assert!(read(&[&format!("0x{}", id("0a"))], &[]).unwrap_err().contains("node ID has no address"));
    }

    #[test]
    fn a_word_is_not_a_pool() {
        for pool in ["localhost", "localhost:1", "pool.example", "[::1]:8080", "wss://pool", ":memory:", "pool/"] {
            assert_eq!(read(&[pool], &[]).unwrap().pool.as_deref(), Some(pool));
        }
        for word in ["statux", "version", "mypool", "", "8080"] {
            assert!(read(&[word], &[]).unwrap_err().contains(&format!("--pool {word}")), "{word}");
            assert_eq!(PoolOrHost::named(word), Ok(PoolOrHost::Pool(word.to_owned())), "{word}");
        }
        assert_eq!(PoolOrHost::named("host"), Ok(PoolOrHost::Pool("host".to_owned())));
    }

    #[test]
    fn what_is_wrong_is_said_of_which() {
        let host = |place: &str| format!("enode://{}{place}", id("0a"));
        for (named, allow, why) in [
            (vec!["host".to_owned()], vec![], "that is a role"),
            (vec!["ws://a".to_owned(), "ws://b".to_owned()], vec![], "two were given: ws://a and ws://b"),
            (vec![host("@127.0.0.1")], vec![], "the port"),
            (vec![host("@::1:30303")], vec![], "an IPv6 address in brackets"),
            (vec![host("")], vec![], "has no address to dial"),
            (vec![host("@a:1"), host("@b:1")], vec![], "given twice"),
            (vec!["enr:-abc".to_owned()], vec![], "starts with enode://"),
            (vec![id("0a")], vec![], "Pass enode://"),
            (vec![], vec![host("@host.example:1")], "--allow enode://0a0a"),
            (vec![], vec!["0a0a".to_owned()], "128"),
        ] {
            let texts = |list: &[String]| list.iter().map(|text| text.to_owned()).collect::<Vec<_>>();
            let (named, allow) = (texts(&named), texts(&allow));
            let named: Vec<&str> = named.iter().map(String::as_str).collect();
            let allow: Vec<&str> = allow.iter().map(String::as_str).collect();
            let said = read(&named, &allow).unwrap_err();
            assert!(said.contains(why), "{named:?} {allow:?}: {said}");
        }
    }
}
