use std::error::Error;

use vipnode_agent_core::VersionPatternError;
use vipnode_pool::{NetworkError, OriginError, ProxyHeaderNameError, StatusAudienceError, WelcomeError};
use vipnode_types::{
    AccountError, AmountError, CapabilityError, EnodeError, HexError, MinVersionError, NodeIdError, RpcUrlError,
    TypedError, UtcDayError, payment::TypedDataSignatureError,
};

use crate::error::{CommandError, TargetError};

/// Returns the hint of the error for which clap rejects a value; clap shows only its message.
pub(crate) fn value_hint(error: &clap::Error) -> Option<String> {
    let cause = error.source()?;
    let hints = [
        hint_of::<AccountError>,
        hint_of::<CapabilityError>,
        hint_of::<CommandError>,
        hint_of::<EnodeError>,
        hint_of::<HexError>,
        hint_of::<MinVersionError>,
        hint_of::<NodeIdError>,
        hint_of::<RpcUrlError>,
        hint_of::<TargetError>,
        hint_of::<TypedDataSignatureError>,
        hint_of::<VersionPatternError>,
        hint_of::<AmountError>,
        hint_of::<UtcDayError>,
        hint_of::<NetworkError>,
        hint_of::<OriginError>,
        hint_of::<ProxyHeaderNameError>,
        hint_of::<StatusAudienceError>,
        hint_of::<WelcomeError>,
    ];
    hints.into_iter().find_map(|hint| hint(cause))
}

fn hint_of<E: TypedError + 'static>(cause: &(dyn Error + 'static)) -> Option<String> {
    cause.downcast_ref::<E>()?.hint()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;

    #[test]
    fn a_value_that_is_rejected_has_the_hint_of_its_error() {
        for (line, part) in [
            (&["host", "--payout", "0x12"][..], "40 hex characters"),
            (&["client", "--need", "/"], "snap/1"),
            (&["host", "--enode", "enode://1"], "128 characters"),
            (&["client", "--accept-pool-key", "0x"], "66 characters"),
            (&["client", "--min-client-version", "geth"], "geth/1.17.0"),
            (&["client", "--keep", "0x"], "128 characters"),
            (&["client", "enode://1"], "128 characters"),
            (&["client", "host"], "vipnode doctor --role host"),
            (&["client", "--reject-client", "("], "regular expression"),
            (&["client", "--max-price", "100"], "100 gwei/minute"),
            (&["wallet", "balance", "--channel", "c", "--chain.rpc", "localhost"], "https://HOST"),
            (&["account", "daily-statements", "--day", "today"], "2026-11-30"),
            (&["pool", "--restrict-network", "main net"], "network ID"),
            (&["pool", "--allow-origin", "pages.example"], "https://pages.example"),
            (&["pool", "--proxy-header", "via"], "x-forwarded-for"),
            (&["pool", "--status", "all"], "public, members, or off"),
            (&["pool", "--welcome", "Hi {{.Name}}"], "{{.NodeID}}"),
        ] {
            let error = Cli::read(["vipnode"].iter().chain(line)).unwrap_err();
            let hint = value_hint(&error).unwrap_or_else(|| panic!("{line:?}: {error}"));
            assert!(hint.contains(part), "{line:?}: {hint}");
        }
        assert_eq!(value_hint(&Cli::read(["vipnode", "--no-such-flag"]).unwrap_err()), None);
    }
}
