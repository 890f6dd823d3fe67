use std::{collections::BTreeMap, path::Path, time::Duration};

use vipnode_agent::local;
use vipnode_chain::{BlockTag, Escrow, development::DevelopmentChain};
use vipnode_pool::admin::AdminPayoutState;
use vipnode_types::{Account, Amount, Asset, QuotedPrice};

use super::{
    anvil::DemoAnvil,
    balances::{BalanceRow, DemoBalances, LedgerFigures},
    chain::DemoChain,
    deposits::{DEPOSIT, DemoChannel},
    operator::DemoOperator,
};
use crate::{
    args::DemoArgs,
    demo::{
        display::DemoDisplay,
        roles::DemoRole,
        scenario::{Scenario, all_served, timed_out},
        timeline::TimelineEntry,
        wording,
    },
    error::{CliError, CommandError},
    output::{Tone, format::counted},
    signals::Signals,
};

/// A demo in which clients pay.
struct PaidDemo {
    chain: DemoChain,
    asset: Asset,
    operator: DemoOperator,
    channels: BTreeMap<DemoRole, DemoChannel>,
    before: BTreeMap<Account, Amount>,
}

/// What a slot costs: 0.01 tokens a second.
const PRICE: &str = "0.6 USDC/minute";
/// The symbol and decimals of the test token.
const ASSET: (&str, u8) = ("USDC", 6);
/// How long the clients are served.
const SERVED: Duration = Duration::from_secs(5);
/// The flags of the pool that do not depend on the run. A coin of the development chain counts as little, so that claims of
/// cents are worth their gas. The chain is read often, and clients ask again soon, so that nobody waits.
const POOL_FLAGS: [&str; 9] = [
    "--payment=x402",
    "--asset=USDC:6",
    "--fee-bps=250",
    "--trial=off",
    "--chain.coin-price=0.1 USDC",
    "--chain.withdraw-delay=15m",
    "--epoch=10m",
    "--limit=chain_look_ms=200ms",
    "--limit=unfunded_retry_ms=1s",
];

/// Runs the demo. On Ctrl-C it stops everything in order.
///
/// # Errors
/// A step fails, or the amounts do not add up.
pub(in crate::demo) async fn run(
    args: &DemoArgs,
    mut display: DemoDisplay,
    signals: &Signals,
    verbose: u8,
) -> Result<(), CliError> {
    let program = DemoAnvil::find(args.anvil.as_deref())?;
    let wrong = |why| CommandError::Price { why };
    let asset = Asset::new(ASSET.0, ASSET.1).map_err(wrong)?;
    let price = PRICE.parse::<QuotedPrice>().and_then(|price| price.in_asset(asset)).map_err(wrong)?;
    for text in wording::paid_intro(&program) {
        display.say(&text);
    }
    let mut scenario = tokio::select! {
        scenario = Scenario::prepare(None, price, verbose) => scenario?,
        () = signals.first() => return Ok(()),
    };
    let acted = tokio::select! {
        acted = PaidDemo::act(&mut scenario, (&program, asset), &mut display) => acted.map(Some),
        () = signals.first() => {
            display.say("Stopping: every agent undoes its changes.");
            Ok(None)
        }
    };
    let ended = scenario.end(&mut display).await;
    if let Some(balances) = acted? {
        display.say(&wording::balances(asset));
        display.show("balances", &balances.table(), balances.json(), None);
        balances.check()?;
        display.say(&balances.text());
    }
    ended
}

impl PaidDemo {
    async fn act(
        scenario: &mut Scenario,
        (program, asset): (&Path, Asset),
        display: &mut DemoDisplay,
    ) -> Result<DemoBalances, CliError> {
        display.say("1  A development chain starts, and each client's account gets 20 USDC, but no coins for gas");
        let (dir, datadir) = (scenario.dir().to_owned(), scenario.datadir());
        let chain = scenario.during(display, DemoChain::start(program, &dir)).await?;
        note(display, DemoRole::Chain, format!("listening on {}, with the contracts at their addresses", chain.rpc));
        let operator = DemoOperator::of(&datadir);
        let mut demo = Self { chain, asset, operator, channels: BTreeMap::new(), before: BTreeMap::new() };
        demo.before = demo.wallets().await?;
        display.say("2  A pool that charges starts, and two hosts sell peer slots on their nodes");
        demo.start_pool_and_hosts(scenario, display).await?;
        display.say("3  The clients sign deposits into payment channels, and the operator sends them");
        demo.deposit(scenario, display).await?;
        display.say("4  The clients are served: both sides report the connection, and the agents sign vouchers");
        demo.serve(scenario, display).await?;
        display.say("5  The clients leave, and the pool claims what was metered");
        scenario.stop(&DemoRole::CLIENTS, display).await;
        demo.claim(scenario, display).await?;
        display.say("6  The operator pays the hosts from the treasury and marks the payouts as paid");
        demo.pay_hosts(scenario, display).await?;
        let balances = scenario.during(display, demo.balances()).await?;
        display.say("7  All agents stop and undo their changes to the nodes");
        scenario.stop(&DemoRole::HOSTS, display).await;
        scenario.stop(&[DemoRole::Pool], display).await;
        Ok(balances)
    }

    async fn start_pool_and_hosts(&self, scenario: &mut Scenario, display: &mut DemoDisplay) -> Result<(), CliError> {
        let claimer = self.chain.claimer();
        let mut flags: Vec<String> = POOL_FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        flags.extend([
            format!("--price={PRICE}"),
            format!("--chain.rpc={}", self.chain.rpc),
            format!("--chain.token={}", vipnode_chain::development::TEST_TOKEN),
            format!("--chain.receiver={}", self.chain.treasury()),
            format!("--chain.claimer={}", claimer.account),
            format!("--chain.keystore={}", claimer.keystore.display()),
            format!("--chain.password-file={}", claimer.password.display()),
        ]);
        scenario.start_pool(flags, display).await?;
        for (who, payout) in self.chain.hosts() {
            scenario.start_agent(who, &["host", "--max-head-age=off", &format!("--payout={payout}")])?;
        }
        scenario.until_hosts_joined(display).await
    }

    /// Makes a channel for each client as the pool requires it, and deposits into it.
    async fn deposit(&mut self, scenario: &mut Scenario, display: &mut DemoDisplay) -> Result<(), CliError> {
        let terms = scenario.pool_status().await.and_then(|status| status.terms).and_then(|terms| terms.channel);
        let terms = terms.ok_or_else(|| timed_out("asking the pool for its terms"))?;
        let mut last = 0;
        for (who, payer) in self.chain.clients() {
            let Some(node) = scenario.node(who) else { continue };
            let path = scenario.dir().join(format!("{}.channel.json", who.slug()));
            let files = (scenario.state_dir(), path, self.asset.decimals());
            let channel = DemoChannel::make(&terms, payer.account(), node, files)?;
            let receipt = scenario.during(display, channel.deposit(&self.chain, payer)).await?;
            let shown = self.asset.show(DEPOSIT);
            note(display, who, format!("signed a deposit of {shown} (ERC-3009)"));
            note(display, DemoRole::Operator, format!("sent it for {} gas", receipt.gas_used));
            last = receipt.block_number;
            self.channels.insert(who, channel);
        }
        let safe = async || Ok(Some(self.chain.safe_block().await?).filter(|safe| *safe >= last));
        scenario.poll("waiting until the deposits are safe", display, safe).await.map(drop)
    }

    async fn serve(&self, scenario: &mut Scenario, display: &mut DemoDisplay) -> Result<(), CliError> {
        for (who, channel) in &self.channels {
            let pay = format!("--pay={}", channel.path.display());
            let most = format!("--max-spend-per-day={}", self.asset.show(DEPOSIT));
            scenario.start_agent(*who, &["client", "--min-peers=1", &pay, &most, "--ahead=20m"])?;
        }
        scenario.until("waiting for every client to have a host", display, all_served).await?;
        scenario.watch_meters(SERVED, display).await?;
        for who in self.channels.keys() {
            let Some(node) = scenario.node(*who) else { continue };
            let socket = local::socket(&scenario.state_dir(), &node);
            let funds = scenario.during(display, async { Ok(local::funds(&socket).await?) }).await?;
            if let Some(channel) = funds.channel {
                let [signed, used] = [channel.signed, channel.metered].map(|amount| self.asset.show(amount));
                note(display, *who, format!("signed vouchers for {signed}, of which {used} is used"));
            }
        }
        Ok(())
    }

    /// Runs an epoch, from the cut until its claims are final.
    async fn claim(&self, scenario: &mut Scenario, display: &mut DemoDisplay) -> Result<(), CliError> {
        let signers: Vec<Account> = self.channels.values().map(DemoChannel::signer).collect();
        let posted = async || {
            let (accounts, epoch) = (self.operator.accounts().await?, self.operator.epoch().await?);
            let ended = signers.iter().all(|signer| accounts.get(signer).is_some_and(|account| account.leases == 0));
            Ok((ended && epoch.plan.claims == u64::try_from(signers.len()).unwrap_or(u64::MAX)).then_some(epoch))
        };
        scenario.poll("waiting until the leases are billed", display, posted).await?;
        let epoch = self.operator.begin_epoch().await?;
        note(
            display,
            DemoRole::Operator,
            format!("began epoch {}, as `vipnode pool admin epoch run` does", epoch.number),
        );
        let redeemed = async || {
            Ok(Some(self.operator.epoch().await?).filter(|epoch| epoch.step != "read" && epoch.step != "redeem"))
        };
        let epoch = scenario.poll("waiting until the pool has sent its claims", display, redeemed).await?;
        let (claimed, channels) = (self.asset.show(epoch.claiming), counted(epoch.claims, "channel"));
        note(
            display,
            DemoRole::Pool,
            format!("claimed {claimed} from {channels} for the treasury; waiting until the claims are final"),
        );
        let ended = async || {
            let epoch = self.operator.epoch().await?;
            Ok((epoch.step == "open" && !self.operator.payouts(AdminPayoutState::Due).await?.is_empty())
                .then_some(epoch))
        };
        let epoch = scenario.poll("waiting until the claims are final", display, ended).await?;
        note(
            display,
            DemoRole::Pool,
            format!("epoch {} is finished: the claims are final, and the payouts are listed", epoch.number),
        );
        Ok(())
    }

    /// Pays what is due.
    async fn pay_hosts(&self, scenario: &mut Scenario, display: &mut DemoDisplay) -> Result<(), CliError> {
        let hosts: BTreeMap<Account, DemoRole> = self.chain.hosts().map(|(who, account)| (account, who)).collect();
        for payout in scenario.during(display, self.operator.payouts(AdminPayoutState::Due)).await? {
            let Some(who) = hosts.get(&payout.account) else { continue };
            let receipt = scenario.during(display, self.operator.pay(&self.chain, &payout)).await?;
            let (amount, hash) = (self.asset.show(payout.amount), receipt.transaction_hash.to_string());
            let text =
                format!("paid {amount} to {who}; marked payout {} with its transaction, {hash:.10}…", payout.payout);
            note(display, DemoRole::Operator, text);
        }
        Ok(())
    }

    /// The tokens of all accounts.
    async fn wallets(&self) -> Result<BTreeMap<Account, Amount>, CliError> {
        let token = self.chain.token().await?;
        let mut wallets = BTreeMap::new();
        for (_, account) in self.accounts() {
            wallets.insert(account, token.balance(account).await?);
        }
        Ok(wallets)
    }

    /// All accounts that have tokens, in the order of the table.
    fn accounts(&self) -> Vec<(DemoRole, Account)> {
        let clients = self.chain.clients().map(|(who, key)| (who, key.account()));
        clients.chain(self.chain.hosts()).chain([(DemoRole::Operator, self.chain.treasury())]).collect()
    }

    /// Reads who has what from the chain, and what is posted from the ledger.
    async fn balances(&self) -> Result<DemoBalances, CliError> {
        let (wallets, ledger) = (self.wallets().await?, self.operator.accounts().await?);
        let payouts = self.operator.payouts(AdminPayoutState::Paid).await?;
        let paid: BTreeMap<Account, Amount> = payouts.iter().map(|payout| (payout.account, payout.amount)).collect();
        let escrow = Escrow::opened(&self.chain.node, DevelopmentChain::CHAIN_ID);
        let mut rows = Vec::new();
        for (who, account) in self.accounts() {
            let deposit = match self.channels.get(&who) {
                Some(channel) => escrow.channel(channel.file.id(), BlockTag::Latest).await?.unclaimed(),
                None => Amount::ZERO,
            };
            let of = |amounts: &BTreeMap<Account, Amount>| amounts.get(&account).copied().unwrap_or_default();
            rows.push(BalanceRow { who, account, before: of(&self.before), wallet: of(&wallets), deposit });
        }
        let channels = self.channels.iter().map(|(who, channel)| (*who, channel.signer()));
        let spent = channels.filter_map(|(who, signer)| Some((who, ledger.get(&signer)?.spent)));
        let earned = self.chain.hosts().filter_map(|(who, account)| Some((who, ledger.get(&account)?.earned)));
        let paid = self.chain.hosts().filter_map(|(who, account)| Some((who, *paid.get(&account)?)));
        let payable = ledger.values().map(|account| account.payable).max().unwrap_or_default();
        let ledger = LedgerFigures { spent: spent.collect(), earned: earned.collect(), paid: paid.collect(), payable };
        let (supply, in_escrow) = (self.chain.token().await?.supply().await?, self.chain.in_escrow().await?);
        Ok(DemoBalances { asset: self.asset, rows, supply, in_escrow, ledger })
    }
}

fn note(display: &mut DemoDisplay, who: DemoRole, text: String) {
    display.show_event(who, &TimelineEntry { tone: Tone::Good, text });
}
