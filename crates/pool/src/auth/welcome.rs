use std::str::FromStr;

use vipnode_types::{NodeId, errors};

/// The operator's message to each user; `{{.NodeID}}` in it is replaced by the id of the user's node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// The texts between the places of the node's id.
    parts: Vec<String>,
}

errors! {
    /// Why a text cannot be a welcome.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum WelcomeError {
        /// The text contains an unknown placeholder.
        Unknown {
            /// What is between the braces.
            placeholder: String,
        }: local, "{{{{{placeholder}}}}} is not supported", hint "Use the only placeholder: {{{{.NodeID}}}}.";
        /// The text opens a placeholder but does not close it.
        Open: local, "there is a {{{{ without a matching }}}}", hint "Use the only placeholder: {{{{.NodeID}}}}.";
    }
}

impl Welcome {
    /// Returns the message to the user of a node.
    pub(crate) fn to(&self, node: Option<NodeId>) -> String {
        self.parts.join(&node.map(|node| node.to_string()).unwrap_or_default())
    }
}

impl FromStr for Welcome {
    type Err = WelcomeError;

    fn from_str(mut text: &str) -> Result<Self, WelcomeError> {
        let mut parts = Vec::new();
        while let Some((before, rest)) = text.split_once("{{") {
            let (inside, after) = rest.split_once("}}").ok_or(WelcomeError::Open)?;
            if inside.trim() != ".NodeID" {
                return Err(WelcomeError::Unknown { placeholder: inside.to_owned() });
            }
            parts.push(before.to_owned());
            text = after;
        }
        parts.push(text.to_owned());
        Ok(Self { parts })
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    #[test]
    fn the_placeholder_is_replaced_by_the_node_id() {
        let node = NodeId::new([0xab; 64]);
        let welcome: Welcome = "Hi {{.NodeID}}, {{ .NodeID }}!".parse().unwrap();
        assert_eq!(welcome.to(Some(node)), format!("Hi {node}, {node}!"));
        assert_eq!("be kind".parse::<Welcome>().unwrap().to(Some(node)), "be kind");
        assert_eq!("{{.Name}}".parse::<Welcome>(), Err(WelcomeError::Unknown { placeholder: ".Name".to_owned() }));
        let (unknown, open) =
            ("{{.Name}}".parse::<Welcome>().unwrap_err(), "{{.NodeID".parse::<Welcome>().unwrap_err());
        assert_eq!(unknown.to_string(), "{{.Name}} is not supported");
        assert_eq!(open.to_string(), "there is a {{ without a matching }}");
        for error in [unknown, open] {
            assert_eq!(error.hint().unwrap(), "Use the only placeholder: {{.NodeID}}.");
        }
    }
}
