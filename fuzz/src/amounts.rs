//! Amounts of money: nothing is rounded, nothing becomes zero on its way (D27, D28).

use vipnode_types::{Price, Wei};

/// What libFuzzer runs, and the replay of the corpus.
pub fn run(data: (&str, u128)) {
    let (text, number) = data;
    let wei = Wei::new(number);
    assert_eq!(wei.to_string().parse::<Wei>().expect("what is printed can be read"), wei);
    let json = serde_json::to_string(&wei).expect("JSON");
    assert!(json.starts_with('"'), "amounts are strings (D29)");
    assert_eq!(serde_json::from_str::<Wei>(&json).expect("reads"), wei);
    if let Ok(wei) = text.parse::<Wei>() {
        assert_eq!(wei.to_string().parse::<Wei>().expect("what is printed can be read"), wei);
        assert!(
            wei != Wei::ZERO || !text.contains(|c: char| ('1'..='9').contains(&c)) || text.contains("0x"),
            "{text}"
        );
    }
    if let Ok(price) = text.parse::<Price>() {
        assert_eq!(price.to_string().parse::<Price>().expect("what is printed can be read"), price);
        assert!(price.cost(0).is_some_and(|cost| cost == Wei::ZERO));
    }
    if let Ok(wei) = serde_json::from_str::<Wei>(text) {
        assert_eq!(serde_json::from_str::<Wei>(&serde_json::to_string(&wei).expect("JSON")).expect("reads"), wei);
    }
}
