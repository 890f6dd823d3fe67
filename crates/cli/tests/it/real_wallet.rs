//! `vipnode wallet` on a real EVM, from a new account to the end of a withdrawal.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use vipnode_chain::{EvmNodes, GasPlan, escrow_calls, testing::Anvil, wait_for_receipt};
use vipnode_types::{
    Account, AccountKey, AgentKey, Amount,
    payment::{ChannelConfig, Voucher, VoucherClaim},
};

use crate::support::{ran, text};

const ETHER: u128 = 1_000_000_000_000_000_000;
const DELAY_S: u64 = 900;

/// A user's directory and the chain.
struct Wallet {
    anvil: Anvil,
    dir: TempDir,
}

impl Wallet {
    async fn start() -> Self {
        Self { anvil: Anvil::start().await, dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs `vipnode wallet` with `--json`; returns the events that it printed, and what it wrote of an error.
    async fn run(&self, args: &[&str]) -> Result<Vec<Value>, String> {
        let output = ran(&[&["wallet"], args, &["--json"]].concat()).await;
        if !output.status.success() {
            return Err(text(&output.stderr));
        }
        Ok(text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// The same with the channel and the chain, and with this keystore as the key.
    async fn on_chain(&self, args: &[&str], keystore: Option<&str>) -> Result<Vec<Value>, String> {
        let (channel, password) = (self.path("channel.json"), self.path("password"));
        let key = keystore.map(|name| self.path(name));
        let mut all = args.to_vec();
        all.extend(["--channel", &channel, "--chain.rpc", self.anvil.url()]);
        if let Some(key) = &key {
            all.extend(["--keystore", key, "--password-file", &password]);
        }
        self.run(&all).await
    }

    async fn balance(&self) -> Value {
        self.on_chain(&["balance"], None).await.unwrap().remove(0)
    }
}

fn event<'a>(events: &'a [Value], name: &str) -> &'a Value {
    events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no {name}: {events:?}"))
}

/// Claims `amount` of a channel with a voucher by the agent's key.
async fn claim(node: &EvmNodes, channel: &ChannelConfig, (agent, receiver): (&AgentKey, &AccountKey), amount: u128) {
    let voucher = Voucher { channel: channel.id(Anvil::CHAIN_ID), max_claimable: Amount::new(amount) };
    let row = VoucherClaim {
        channel: *channel,
        max_claimable: voucher.max_claimable,
        signature: agent.sign_typed(&voucher.typed_data(Anvil::CHAIN_ID)),
        total_claimed: voucher.max_claimable,
    };
    let plan = GasPlan::of(node, escrow_calls::claim(&[row]), receiver.account()).await.unwrap();
    let nonce = node.next_nonce(receiver.account()).await.unwrap();
    let signed = plan.transaction(Anvil::CHAIN_ID, nonce).sign(receiver);
    node.send_raw(&signed.raw).await.unwrap();
    wait_for_receipt(node, signed.hash).await.unwrap();
}

#[tokio::test]
async fn a_new_account_deposits_by_signature_and_withdraws_what_was_not_claimed() {
    let wallet = Wallet::start().await;
    let (agent, receiver) = (AgentKey::from_random([8; 32]).unwrap(), AccountKey::from_bytes([9; 32]).unwrap());
    std::fs::write(wallet.path("password"), "a password\n").unwrap();
    let new = ["new", "--out", &wallet.path("wallet.json"), "--password-file", &wallet.path("password")];
    let made = wallet.run(&new).await.unwrap();
    let account: Account = made[0]["account"].as_str().unwrap().parse().unwrap();
    let address = ["address", "--keystore", &wallet.path("wallet.json"), "--password-file", &wallet.path("password")];
    assert_eq!(wallet.run(&address).await.unwrap()[0]["account"], made[0]["account"]);

    // 100 tokens of six decimals, and coins for gas.
    wallet.anvil.give_tokens(account, Amount::new(100_000_000)).await;
    let (token, to, by) = (Anvil::TOKEN.to_string(), receiver.account().to_string(), agent.account().to_string());
    let amount = |units: &str| format!("{units} USDC");
    let (forty, ten) = (amount("40"), amount("10"));
    let fields = ["--token", &token, "--receiver", &to, "--authorizer", &by, "--withdraw-delay", "15m"];
    let deposit = [&["deposit", &forty], &fields[..]].concat();
    let poor = wallet.on_chain(&[&deposit[..], &["--yes"]].concat(), Some("wallet.json")).await.unwrap_err();
    assert!(poor.contains("but the gas for the transaction can cost"), "{poor}");
    wallet.anvil.give_wei(account, ETHER).await;
    wallet.anvil.give_wei(receiver.account(), ETHER).await;
    let asked = wallet.on_chain(&deposit, Some("wallet.json")).await.unwrap_err();
    assert!(asked.contains("not confirmed") && asked.contains("--yes"), "nothing is sent unasked: {asked}");
    let sent = wallet.on_chain(&[&deposit[..], &["--yes"]].concat(), Some("wallet.json")).await.unwrap();
    assert_eq!(event(&sent, "deposited")["balance"], "40000000");
    let (plan, used) = (event(&sent, "transaction_plan"), event(&sent, "deposited")["gas_used"].as_u64().unwrap());
    assert!(plan["gas"].as_u64().unwrap() >= used && used > 50_000, "{plan} {used}");
    let balance = wallet.balance().await;
    assert_eq!((&balance["tokens"], &balance["balance"]), (&"60000000".into(), &"40000000".into()));
    assert_eq!(balance["account"], account.to_string().to_lowercase());

    let file: Value = serde_json::from_slice(&std::fs::read(wallet.path("channel.json")).unwrap()).unwrap();
    let channel: ChannelConfig = serde_json::from_value(file["channelConfig"].clone()).unwrap();
    assert_eq!(balance["channel"], channel.id(Anvil::CHAIN_ID).to_string());
    // Into the same channel, without the flags of a new one.
    let again = wallet.on_chain(&["deposit", &ten, "--yes"], Some("wallet.json")).await.unwrap();
    assert_eq!(event(&again, "deposited")["balance"], "50000000");
    let too_much = wallet.on_chain(&["deposit", &amount("51"), "--yes"], Some("wallet.json")).await.unwrap_err();
    assert!(too_much.contains("has only"), "{too_much}");

    claim(&wallet.anvil.node(), &channel, (&agent, &receiver), 12_000_000).await;
    let started = wallet.on_chain(&["withdraw", "--yes"], Some("wallet.json")).await;
    let started = started.unwrap();
    let after = event(&started, "withdraw_started")["finalize_after"].clone();
    let early = wallet.on_chain(&["withdraw", "--yes"], Some("wallet.json")).await.unwrap();
    assert_eq!(event(&early, "withdraw_pending")["finalize_after"], after);
    assert_eq!(early.len(), 1, "nothing is sent: {early:?}");
    // A voucher can be claimed until then.
    claim(&wallet.anvil.node(), &channel, (&agent, &receiver), 20_000_000).await;
    let balance = wallet.balance().await;
    assert_eq!((&balance["claimed"], &balance["withdrawing"]), (&"20000000".into(), &"38000000".into()));
    assert_eq!(balance["finalize_after"], after);
    wallet.anvil.pass(DELAY_S).await;
    let ended = wallet.on_chain(&["withdraw", "--yes"], Some("wallet.json")).await.unwrap();
    assert_eq!(event(&ended, "withdrawn")["amount"], "30000000");
    assert_eq!(wallet.balance().await["tokens"], "80000000", "all but what was claimed");
    let nothing = wallet.on_chain(&["withdraw", "--yes"], Some("wallet.json")).await.unwrap_err();
    assert!(nothing.contains("has nothing to withdraw"), "{nothing}");
}

#[tokio::test]
async fn another_wallet_signs_the_printed_data_and_somebody_else_pays_the_gas() {
    let wallet = Wallet::start().await;
    let (payer, relay) = (AccountKey::from_bytes([7; 32]).unwrap(), AccountKey::from_bytes([6; 32]).unwrap());
    wallet.anvil.give_tokens(payer.account(), Amount::new(100_000_000)).await;
    wallet.anvil.give_wei(relay.account(), ETHER).await;
    std::fs::write(wallet.path("password"), "a password\n").unwrap();
    let key = const_hex::encode([6; 32]);
    let import = ["import", "--private-key", &key, "--out", &wallet.path("relay.json")];
    let made = wallet.run(&[&import[..], &["--password-file", &wallet.path("password")]].concat()).await.unwrap();
    assert_eq!(made[0]["account"], relay.account().to_string());

    let (amount, token) = ("40 USDC", Anvil::TOKEN.to_string());
    let [from, to, by] = [payer.account(), Account::new([0x51; 20]), Account::new([0x52; 20])].map(|a| a.to_string());
    let fields = ["--token", &token, "--receiver", &to, "--authorizer", &by, "--account", &from];
    let deposit = [&["deposit", amount], &fields[..]].concat();
    let printed = wallet.on_chain(&[&deposit[..], &["--unsigned"]].concat(), None).await.unwrap();
    let (data, until) = (&printed[0]["typed_data"], printed[0]["valid_until"].to_string());
    assert_eq!(
        (&data["primaryType"], &data["domain"]["chainId"]),
        (&"ReceiveWithAuthorization".into(), &31_337.into())
    );

    let signature = signed_by(&payer, &wallet, data, &until).await;
    let stranger = relay.sign("anything").to_string();
    let given = |signature: &str| {
        [&deposit[..], &["--valid-until", &until, "--signature", signature]]
            .concat()
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let wrong = given(&stranger);
    let wrong: Vec<&str> = wrong.iter().map(String::as_str).chain(["--yes"]).collect();
    let refused = wallet.on_chain(&wrong, Some("relay.json")).await.unwrap_err();
    assert!(refused.contains("did not make this signature"), "{refused}");
    let right = given(&signature);
    let right: Vec<&str> = right.iter().map(String::as_str).collect();
    let unsent = wallet.on_chain(&[&right[..], &["--unsigned"]].concat(), None).await.unwrap();
    assert_eq!(unsent[0]["transaction"]["from"], from);
    let sent = wallet.on_chain(&[&right[..], &["--yes"]].concat(), Some("relay.json")).await.unwrap();
    assert_eq!(event(&sent, "deposited")["balance"], "40000000");
    let not_theirs = wallet.on_chain(&["withdraw", "--yes"], Some("relay.json")).await.unwrap_err();
    assert!(not_theirs.contains("payer"), "{not_theirs}");
}

/// The signature of the same data by the key, which a wallet would make from the JSON.
async fn signed_by(key: &AccountKey, wallet: &Wallet, data: &Value, until: &str) -> String {
    use vipnode_types::payment::DepositAuthorization;
    let file: Value =
        serde_json::from_slice(&std::fs::read(PathBuf::from(wallet.path("channel.json"))).unwrap()).unwrap();
    let channel: ChannelConfig = serde_json::from_value(file["channelConfig"].clone()).unwrap();
    let node = wallet.anvil.node();
    let token = vipnode_chain::Token::open(&node, Anvil::CHAIN_ID, Anvil::TOKEN).await;
    let (amount, valid_before_s) = (Amount::new(40_000_000), until.parse().unwrap());
    let words = [
        channel.id(Anvil::CHAIN_ID).hash().into(),
        amount.into(),
        vipnode_types::payment::AbiWord::from(valid_before_s),
    ];
    let authorization = DepositAuthorization::Erc3009 {
        token: token.unwrap().erc3009_domain().await.unwrap().unwrap(),
        from: key.account(),
        amount,
        valid_after_s: 0,
        valid_before_s,
        salt: vipnode_types::keccak256(words.map(|word: vipnode_types::payment::AbiWord| *word.as_bytes()).concat()),
        channel: channel.id(Anvil::CHAIN_ID),
    };
    let typed = authorization.typed_data(Anvil::CHAIN_ID);
    assert_eq!(&typed.to_json(), data);
    key.sign_typed(&typed).to_string()
}

#[tokio::test]
async fn a_token_without_erc3009_is_approved_for_permit2_once() {
    let wallet = Wallet::start().await;
    wallet.anvil.remove_erc3009().await;
    let payer = AccountKey::from_bytes([6; 32]).unwrap();
    wallet.anvil.give_tokens(payer.account(), Amount::new(100_000_000)).await;
    wallet.anvil.give_wei(payer.account(), ETHER).await;
    std::fs::write(wallet.path("password"), "a password\n").unwrap();
    let key = const_hex::encode([6; 32]);
    let import = ["import", "--private-key", &key, "--out", &wallet.path("wallet.json")];
    wallet.run(&[&import[..], &["--password-file", &wallet.path("password")]].concat()).await.unwrap();
    let (token, to, by) = (Anvil::TOKEN.to_string(), Account::new([0x51; 20]), Account::new([0x52; 20]));
    let (to, by) = (to.to_string(), by.to_string());
    let fields = ["--token", &token, "--receiver", &to, "--authorizer", &by, "--yes"];
    let first = wallet.on_chain(&[&["deposit", "40 USDC"], &fields[..]].concat(), Some("wallet.json")).await.unwrap();
    assert_eq!(functions(&first), ["approve", "deposit"]);
    assert_eq!(event(&first, "deposited")["balance"], "40000000");
    let second = wallet.on_chain(&["deposit", "5 USDC", "--yes"], Some("wallet.json")).await.unwrap();
    assert_eq!(functions(&second), ["deposit"]);
    assert_eq!(event(&second, "deposited")["balance"], "45000000");
}

/// The functions that transactions called.
fn functions(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["function"].as_str()).collect()
}

#[tokio::test]
async fn a_chain_without_the_escrow_is_refused_with_the_way_out() {
    let wallet = Wallet { anvil: Anvil::start_empty().await, dir: tempfile::tempdir().unwrap() };
    let refused = wallet.on_chain(&["balance"], None).await.unwrap_err();
    assert!(refused.contains("chain 31337") && refused.contains("--payment credit"), "{refused}");
}

#[tokio::test]
async fn the_channels_of_many_agents_are_brought_up_to_one_amount() {
    let wallet = Wallet::start().await;
    let payer = AccountKey::from_bytes([6; 32]).unwrap();
    std::fs::write(wallet.path("password"), "a password\n").unwrap();
    std::fs::write(wallet.path("secret"), const_hex::encode([6; 32])).unwrap();
    wallet.anvil.give_tokens(payer.account(), Amount::new(100_000_000)).await;
    wallet.anvil.give_wei(payer.account(), ETHER).await;
    let agents = [1, 2, 3].map(|number| AgentKey::from_random([number; 32]).unwrap().account());
    let list = |agents: &[Account]| {
        let lines: Vec<String> = agents.iter().map(Account::to_string).collect();
        std::fs::write(wallet.path("agents"), lines.join("\n")).unwrap();
    };
    let (token, to) = (Anvil::TOKEN.to_string(), Account::new([0x51; 20]).to_string());
    let (file, dir, secret) = (wallet.path("agents"), wallet.path("channels"), wallet.path("secret"));
    let deposit = async |amount: &'static str| {
        let many = ["deposit", amount, "--nodes", &file, "--channel-dir", &dir, "--token", &token, "--receiver", &to];
        let by = ["--chain.rpc", wallet.anvil.url(), "--private-key-file", &secret, "--yes"];
        wallet.run(&[&many[..], &by].concat()).await
    };
    list(&agents[..2]);
    let made = deposit("10 USDC").await.unwrap();
    assert_eq!(event(&made, "deposits_plan")["total"], "20000000");
    assert_eq!(made.iter().filter(|event| event["event"] == "deposited").count(), 2);
    // A further agent joins: only its channel gets something.
    list(&agents);
    let more = deposit("10 USDC").await.unwrap();
    assert_eq!(
        (&event(&more, "deposits_plan")["lacking"], &event(&more, "deposited")["amount"]),
        (&1.into(), &"10000000".into())
    );
    let again = deposit("10 USDC").await.unwrap();
    assert_eq!(again.len(), 1, "nothing is sent: {again:?}");
    let poor = deposit("40 USDC").await.unwrap_err();
    assert!(poor.contains("has only 70 USDC"), "{poor}");
    for agent in agents {
        let name = format!("channels/{}.json", agent.to_string().to_lowercase());
        let file: Value = serde_json::from_slice(&std::fs::read(wallet.path(&name)).unwrap()).unwrap();
        let channel: ChannelConfig = serde_json::from_value(file["channelConfig"].clone()).unwrap();
        assert_eq!((channel.payer, channel.payer_authorizer), (payer.account(), agent));
    }
}
