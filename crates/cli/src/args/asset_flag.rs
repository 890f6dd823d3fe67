//! `--asset SYMBOL:DECIMALS`.

use vipnode_types::{Asset, TypedError as _};

/// Assets that many people know, with the number of decimals that most of their tokens have.
const WELL_KNOWN: [(&str, u8); 7] =
    [("ETH", 18), ("WETH", 18), ("DAI", 18), ("USDC", 6), ("USDT", 6), ("EURC", 6), ("WBTC", 8)];

/// Parses an asset. One that looks like ether and is not has none of the units of ether.
pub(crate) fn asset(text: &str) -> Result<Asset, String> {
    let asset = text.parse::<Asset>().map_err(|error| {
        let hint = error.hint().map_or_else(String::new, |hint| format!(". {hint}"));
        format!("{error}{hint}")
    })?;
    if asset != Asset::ETHER && asset.symbol().eq_ignore_ascii_case(Asset::ETHER.symbol()) {
        return Err("ether is ETH:18: upper case, with 18 decimals".to_owned());
    }
    Ok(asset)
}

/// What is unusual about an asset whose symbol people know: every amount of the pool is in it.
pub(crate) fn unusual(asset: Asset) -> Option<String> {
    let (symbol, decimals) = WELL_KNOWN.iter().find(|(symbol, _)| asset.symbol().eq_ignore_ascii_case(symbol))?;
    let usual = asset.symbol() == *symbol && asset.decimals() == *decimals;
    (!usual).then(|| {
        let (given, has) = (asset.symbol(), asset.decimals());
        format!(
            "--asset {given}:{has} differs from the usual {symbol}:{decimals}. A pool cannot change its asset later"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ether_is_spelled_in_one_way_and_others_that_differ_are_named() {
        for bad in ["eth:18", "ETH:6", "Eth:0", "ETH"] {
            assert!(asset(bad).is_err(), "{bad}");
        }
        assert_eq!(asset("ETH:18"), Ok(Asset::ETHER));
        let unusual = |text| unusual(asset(text).unwrap());
        for well in ["ETH:18", "USDC:6", "credit:0", "POINTS:3"] {
            assert_eq!(unusual(well), None, "{well}");
        }
        assert!(unusual("USDC:18").unwrap().contains("--asset USDC:18 differs from the usual USDC:6"));
        assert!(unusual("usdc:6").unwrap().contains("the usual USDC:6"));
    }
}
