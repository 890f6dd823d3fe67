use crate::{Enode, EnodeError, NodeId, NodeIdError};

/// A text that a person wrote in a file or on a command line, without what surrounds it there: white space, the byte order mark of
/// an editor, and quotes and commas of a console or a list.
///
/// Texts on the wire are never read this way: there, one thing has one form (fault D10, docs/faults.md).
#[must_use]
pub fn typed_text(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'' | ','))
}

impl NodeId {
    /// Reads a node that a person wrote: its ID, also with `0x` before it, or its enode, with or without an address.
    ///
    /// # Errors
    /// As for an ID on the wire.
    pub fn typed(text: &str) -> Result<Self, NodeIdError> {
        let text = typed_text(text);
        let id = match in_enode(text) {
            Some(rest) => rest.split(['@', '?']).next().unwrap_or_default(),
            None => text,
        };
        id.strip_prefix("0x").or_else(|| id.strip_prefix("0X")).unwrap_or(id).parse()
    }
}

impl Enode {
    /// Reads a node that a person wrote: its enode, or its ID alone.
    ///
    /// # Errors
    /// As for an enode on the wire; for a text without `:`, as for an ID.
    pub fn typed(text: &str) -> Result<Self, EnodeError> {
        let text = typed_text(text);
        match (text.contains(':'), NodeId::typed(text)) {
            (false, id) => Ok(Self::id_only(id?)),
            // An ID with 0x within an enode, and the scheme in upper case.
            (true, _) => match in_enode(text) {
                Some(rest) => format!("enode://{}", rest.strip_prefix("0x").unwrap_or(rest)).parse(),
                None => text.parse(),
            },
        }
    }
}

/// What follows `enode://`, in upper or lower case.
fn in_enode(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    scheme.eq_ignore_ascii_case("enode").then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_accepted_and_only_there() {
        let id = "0a".repeat(64);
        let forms = ["ID", " \"ID\",\r", "0xID", "\u{feff}'0XID'", "enode://ID@10.0.0.1:30303", "\"ENODE://0xID\""];
        for form in forms.map(|form| form.replace("ID", &id)) {
            assert_eq!(NodeId::typed(&form).map(|id| id.to_string()), Ok(id.clone()), "{form:?}");
            assert_eq!(Enode::typed(&form).map(|enode| enode.id.to_string()), Ok(id.clone()), "{form:?}");
            assert!(form == id || form.parse::<NodeId>().is_err(), "on the wire: {form:?}");
        }
        let enode = Enode::typed(&format!("'enode://0x{id}@h.example:1?discport=0'")).unwrap();
        assert_eq!(enode.to_string(), format!("enode://{id}@h.example:1?discport=0"));
        assert_eq!(NodeId::typed("0x12"), Err(NodeIdError::Length { characters: 2 }));
        assert!(matches!(Enode::typed("enr:-abc"), Err(EnodeError::Scheme)));
    }
}
