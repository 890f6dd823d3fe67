//! Amounts of money: no amount is rounded or becomes zero (faults D27 and D28, docs/faults.md).

use vipnode_types::{Amount, Asset, Price, QuotedPrice};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(data: (&str, u128)) {
    let (text, number) = data;
    let amount = Amount::new(number);
    let json = serde_json::to_string(&amount).expect("JSON");
    assert!(json.starts_with('"'), "amounts are strings (fault D29, docs/faults.md)");
    assert_eq!(serde_json::from_str::<Amount>(&json).expect("reads"), amount);
    let asset = text.parse::<Asset>().unwrap_or_default();
    if let Ok(quoted) = text.parse::<QuotedPrice>() {
        assert_eq!(quoted.to_string().parse::<QuotedPrice>().expect("what is printed can be read"), quoted);
        assert!(
            quoted.is_free() != text.contains(|c: char| ('1'..='9').contains(&c)) || text.contains(['/', ' ']),
            "{text}"
        );
        if let Ok(price) = quoted.in_asset(asset) {
            assert_eq!(price.is_free(), quoted.is_free());
            assert!(price.cost(0).is_some_and(|cost| cost == Amount::ZERO));
            let shown: QuotedPrice = price.to_string().parse().expect("what is printed can be read");
            assert_eq!(shown.in_asset(asset), Ok(price));
        }
    }
    if let Ok(price) = serde_json::from_str::<Price>(text) {
        assert_eq!(serde_json::from_str::<Price>(&serde_json::to_string(&price).expect("JSON")).expect("reads"), price);
    }
    if let Ok(amount) = serde_json::from_str::<Amount>(text) {
        assert_eq!(
            serde_json::from_str::<Amount>(&serde_json::to_string(&amount).expect("JSON")).expect("reads"),
            amount
        );
    }
}
