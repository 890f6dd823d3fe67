use std::net::{Ipv4Addr, SocketAddr};

/// Parses an address to listen on. A port alone, with or without a colon, is on the loopback interface.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    // The parser of numbers takes a plus sign, too.
    match port.parse::<u16>() {
        Ok(number) if !port.starts_with('+') => Ok((Ipv4Addr::LOCALHOST, number).into()),
        _ => text
            .parse()
            .map_err(|_no_address| "pass a port such as 8080, or an address such as 127.0.0.1:8080".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_on_this_machine() {
        let here: SocketAddr = "127.0.0.1:8099".parse().unwrap();
        for text in ["8099", ":8099", "127.0.0.1:8099"] {
            assert_eq!(listen_address(text), Ok(here), "{text}");
        }
        assert_eq!(listen_address("0.0.0.0:80").unwrap().to_string(), "0.0.0.0:80");
        for bad in ["70000", "localhost", "", ":", "::8099:", "+80", ":+80"] {
            assert!(listen_address(bad).unwrap_err().contains("pass a port"), "{bad}");
        }
    }
}
