use vipnode_types::{Amount, Asset, wire::AccountFunds};

/// The figures of an account's funds by their names, for a table. Each page that shows them uses these names.
pub(crate) fn funds_rows(asset: Asset, funds: &AccountFunds) -> Vec<[String; 2]> {
    let AccountFunds { balance, running, limit, available } = *funds;
    let show = |amount: Amount| asset.show(amount).to_string();
    let mut rows =
        vec![["Balance".to_owned(), asset.show_signed(balance)], ["Running leases".to_owned(), show(running)]];
    if limit != Amount::ZERO {
        rows.push(["Credit limit".to_owned(), show(limit)]);
    }
    rows.push(["Available".to_owned(), show(available)]);
    rows
}
