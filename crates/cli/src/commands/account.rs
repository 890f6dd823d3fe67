use std::process::ExitCode;

use vipnode_agent::{
    AcceptedPool, AccountClient, KnownPool, NetConnector, clock,
    state::{AgentIdentity, StateDir, kept_identity, pinned_pool},
};
use vipnode_node::limits::NodeLimits;
use vipnode_types::{
    Account, AccountAct, AccountRequest, AccountSignature, Ms, NodeFacts, NodeId, PayoutOrder,
    wire::{
        AccountQuery, AccountView, Done, LinkReply, LinkRequest, PayoutRequest, PayoutView, Statement,
        StatementRequest, UnlinkRequest, WireError, method,
    },
};

use crate::{
    account::{AccountSigner, AccountSigning, account_page},
    args::{
        AccountCommand, AccountLinkArgs, AccountPayoutArgs, AccountPoolArgs, AccountShowArgs, AccountStatementArgs,
        AccountUnlinkArgs, NodeArgs,
    },
    commands::{called_pool::CalledPool, daily_statements, link, own_funds},
    discover::{RetryPolicy, find_node},
    error::{CliError, KeystoreError},
    output::{Line, Screen, Tone, terminal},
};

/// Characters that are shown of a text from a pool.
const WORDS: usize = 1_000;

/// Calls a pool about an account.
pub(crate) async fn run(command: AccountCommand, screen: Screen) -> Result<ExitCode, CliError> {
    match command {
        AccountCommand::Link(args) => link(&args, screen).await,
        AccountCommand::Unlink(args) => unlink(&args, screen).await,
        AccountCommand::Show(args) => show(&args, screen).await,
        AccountCommand::Statement(args) => statement(&args, screen).await,
        AccountCommand::DailyStatements(args) => return daily_statements::show(&args, screen),
        AccountCommand::Payout(args) => payout(&args, screen).await,
    }
    .map(|()| ExitCode::SUCCESS)
}

/// Lets the local node spend from an account.
async fn link(args: &AccountLinkArgs, screen: Screen) -> Result<(), CliError> {
    let called = CalledPool::of(&args.pool, &args.node.trust, args.node.state_dir.as_deref(), screen).await?;
    let (node, agent) = local_node(&args.node, screen).await?;
    let pool = open(&called, &args.pool, Some((&args.node, node.id))).await?;
    let signer = AccountSigner::of(&args.signer)?;
    let act = AccountAct::Link { node: node.id, chain_id: node.chain.chain_id };
    let Some((counter, signature)) = signed(&signer, &pool, act, screen)? else { return Ok(()) };
    let (account, chain_id) = (signer.account(), node.chain.chain_id);
    let request = LinkRequest { account, chain_id, counter, signature };
    let LinkReply { unpaid } = pool.call(method::LINK, &request, Some(&agent)).await?;
    let unpaid = unpaid.map(|error| error.sanitized(WORDS));
    link_lines((node.id, account), called.address.url(), unpaid.as_ref()).iter().for_each(|line| screen.say(line));
    Ok(())
}

/// What is said after a link, and that the account cannot pay for a slot, if that is so.
fn link_lines((node, account): (NodeId, Account), pool: &str, unpaid: Option<&WireError>) -> Vec<Line> {
    let text = format!("Node {} now spends from account {account} at {pool}.", node.short());
    let linked = Line::new("account_linked", Tone::Good, text);
    let mut lines = vec![linked.with("node", node.to_string()).with("account", account.to_string())];
    if let Some(error) = unpaid {
        let text = format!("The account has too little for a slot: {}", error.message);
        let short = Line::new("account_short", Tone::Warning, text).hint(error.hint().unwrap_or_default());
        lines.push(short.with("account", account.to_string()));
    }
    lines
}

/// Ends the link between a node and an account.
async fn unlink(args: &AccountUnlinkArgs, screen: Screen) -> Result<(), CliError> {
    let called = CalledPool::of(&args.pool, &args.node.trust, args.node.state_dir.as_deref(), screen).await?;
    let by_agent = args.signer.keystore.is_none() && args.signer.signature.is_none() && args.linked.is_none();
    let (node, agent) = match args.linked {
        Some(node) => (node, None),
        None => {
            let (facts, agent) = local_node(&args.node, screen).await?;
            (facts.id, by_agent.then_some(agent))
        }
    };
    let pool = open(&called, &args.pool, Some((&args.node, node))).await?;
    let signer = AccountSigner::of(&args.signer)?;
    let account = signer.account();
    let request = if by_agent {
        UnlinkRequest { account, node, counter: clock::wall(), signature: None }
    } else {
        let Some((counter, signature)) = signed(&signer, &pool, AccountAct::Unlink { node }, screen)? else {
            return Ok(());
        };
        UnlinkRequest { account, node, counter, signature: Some(signature) }
    };
    let Done {} = pool.call(method::UNLINK, &request, agent.as_ref()).await?;
    screen.say(&unlinked_line((node, account), called.address.url()));
    Ok(())
}

fn unlinked_line((node, account): (NodeId, Account), pool: &str) -> Line {
    let text = format!("Node {} no longer spends from account {account} at {pool}.", node.short());
    let line = Line::new("account_unlinked", Tone::Good, text).with("node", node.to_string());
    line.with("account", account.to_string())
}

/// Shows what an account has at a pool.
async fn show(args: &AccountShowArgs, screen: Screen) -> Result<(), CliError> {
    if args.signer.keystore.is_none() && args.signer.account.is_none() {
        return own_funds::show(args.state_dir.as_deref(), args.pool.pool(), screen).await;
    }
    let called = CalledPool::of(&args.pool, &args.trust, args.state_dir.as_deref(), screen).await?;
    let pool = open(&called, &args.pool, None).await?;
    let signer = AccountSigner::of(&args.signer)?;
    let Some((counter, signature)) = signed(&signer, &pool, AccountAct::Read, screen)? else { return Ok(()) };
    let account = signer.account();
    let view: AccountView = pool.call(method::ACCOUNT, &AccountQuery { account, counter, signature }, None).await?;
    let page = account_page(&account, called.address.url(), &view, terminal::page_width());
    let mut json = serde_json::to_value(&view).unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        fields.insert("event".to_owned(), "account".into());
        fields.insert("account".to_owned(), account.to_string().into());
    }
    screen.print(&page, &json);
    Ok(())
}

/// Prints the statement of an account.
async fn statement(args: &AccountStatementArgs, screen: Screen) -> Result<(), CliError> {
    let called = CalledPool::of(&args.pool, &args.trust, None, screen).await?;
    let pool = open(&called, &args.pool, None).await?;
    let signer = AccountSigner::of(&args.signer)?;
    let Some((counter, signature)) = signed(&signer, &pool, AccountAct::Read, screen)? else { return Ok(()) };
    let account = signer.account();
    let of = format!("account {account} at {}", called.address);
    let query = Some(AccountQuery { account, counter, signature });
    let ask = async |range| {
        let request = StatementRequest { account: query, range };
        Ok(pool.call::<Statement>(method::STATEMENT, &request, None).await?)
    };
    super::statement::print(&of, &args.output, screen, ask).await
}

/// Sets the account that receives what a host earns.
async fn payout(args: &AccountPayoutArgs, screen: Screen) -> Result<(), CliError> {
    let called = CalledPool::of(&args.pool, &args.node.trust, args.node.state_dir.as_deref(), screen).await?;
    let key = link::node_key(args.nodekey.as_deref(), &args.node, screen).await?;
    let (node, account) = (key.id(), args.account);
    let pool = open(&called, &args.pool, Some((&args.node, node))).await?;
    let request = PayoutRequest { node, order: PayoutOrder::sign(&key, account, clock::wall()) };
    let view: PayoutView = pool.call(method::PAYOUT, &request, None).await?;
    screen.say(&payout_line(node, called.address.url(), &view));
    Ok(())
}

/// What the pool answered to an order of a payout account.
fn payout_line(node: NodeId, pool: &str, view: &PayoutView) -> Line {
    let PayoutView { account, next } = view;
    let node_short = node.short();
    let text = match next {
        None => format!("{pool} pays what node {node_short} earns to {account}"),
        Some(next) => format!(
            "{pool} pays what node {node_short} earns to {account}, and from {} to {}",
            next.from_ms.rfc3339_seconds(),
            next.account
        ),
    };
    let line =
        Line::new("payout", Tone::Good, text).with("node", node.to_string()).with("account", account.to_string());
    line.with("next", next.map(|next| next.account.to_string())).with("from_ms", next.map(|next| next.from_ms.get()))
}

/// The local node, and the identity of its agent, whose signature is the node's consent.
async fn local_node(args: &NodeArgs, screen: Screen) -> Result<(NodeFacts, AgentIdentity), CliError> {
    let found = find_node(args, None, NodeLimits::default(), RetryPolicy::None, screen).await?;
    let facts = found.node.facts().await?;
    let root = StateDir::root(args.state_dir.as_deref())?;
    let agent = kept_identity(&root, facts.id, clock::wall())?;
    let agent = agent.ok_or_else(|| KeystoreError::NoAgent { node: facts.id.short() })?;
    Ok((facts, agent))
}

/// Connects to a pool. It has to be the one that the agent of the node remembers.
async fn open(
    CalledPool { address, trust }: &CalledPool,
    args: &AccountPoolArgs,
    agent: Option<(&NodeArgs, NodeId)>,
) -> Result<AccountClient, CliError> {
    let pinned = match agent {
        Some((args, node)) => pinned_pool(&StateDir::root(args.state_dir.as_deref())?, node, address.url())?,
        None => None,
    };
    let accepted: Option<AcceptedPool> = args.accept_pool_key;
    let connector = NetConnector::new(address.clone(), trust.clone());
    Ok(AccountClient::open(&connector, KnownPool::new(address, pinned, accepted)).await?)
}

/// Has the account sign. `None` if the user has to have a wallet sign the text that was printed.
fn signed(
    signer: &AccountSigner,
    pool: &AccountClient,
    act: AccountAct,
    screen: Screen,
) -> Result<Option<(Ms, AccountSignature)>, CliError> {
    match signer.sign(pool.pool_id(), act, clock::wall())? {
        AccountSigning::Signed { counter, signature } => Ok(Some((counter, signature))),
        AccountSigning::Unsigned(request) => {
            let typed: Vec<String> = std::env::args().collect();
            let (before, after) = unsigned_lines(&request, &typed);
            screen.say(&before);
            if !screen.is_json() {
                screen.raw(format!("\n{}\n\n", request.text()).as_bytes());
                screen.say(&after);
            }
            Ok(None)
        }
    }
}

/// What is said before and after the text that a wallet has to sign, byte for byte.
fn unsigned_lines(request: &AccountRequest, typed: &[String]) -> (Line, Line) {
    let command = shlex::try_join(typed.iter().map(String::as_str)).unwrap_or_else(|_| "vipnode account".to_owned());
    let command = format!("{command} --counter {} --signature SIGNATURE", request.counter.get());
    let text = format!(
        "Have the wallet of {} sign this message (personal_sign), from the first letter to the last period:",
        request.account
    );
    let before = Line::new("account_text", Tone::Plain, text)
        .with("message", request.text())
        .with("command", command.clone())
        .with("account", request.account.to_string());
    let after = Line::new(
        "account_text",
        Tone::Plain,
        format!("Then run this within a day, with the signature:\n  `{command}`"),
    );
    (before, after)
}

#[cfg(test)]
mod tests {
    use vipnode_types::{
        AccountKey, NodeKey, PoolKey,
        wire::{ErrorCode, NextPayout},
    };

    use super::*;

    #[test]
    fn snapshot_of_what_a_pool_pays() {
        let [account, later] = [7, 8].map(|byte| Account::new([byte; 20]));
        let next = NextPayout { account: later, from_ms: Ms::new(1_795_000_000_000) };
        let views = [PayoutView { account, next: None }, PayoutView { account, next: Some(next) }];
        let node = NodeKey::read(&[7; 32]).unwrap().id();
        let lines = views.map(|view| payout_line(node, "wss://pool.example", &view));
        insta::assert_snapshot!("account_payout", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
    }

    #[test]
    fn snapshot_of_a_link() {
        let (account, node) = (Account::new([7; 20]), NodeKey::read(&[7; 32]).unwrap().id());
        let short = "account 0x… has 0.01 USDC available; a slot costs 0.5 USDC/hour here, and the account must have enough for \
                     10 min of all its slots";
        let hint = "Pay the operator of this pool, who then runs `vipnode pool admin credit 0x… AMOUNT --reason TEXT`.";
        let unpaid = WireError::new(ErrorCode::PaymentRequired, short, hint);
        let mut lines = link_lines((node, account), "wss://pool.example", None);
        lines.extend(link_lines((node, account), "wss://pool.example", Some(&unpaid)));
        insta::assert_snapshot!("account_link", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
    }

    #[test]
    fn snapshot_of_the_end_of_a_link() {
        let (account, node) = (Account::new([7; 20]), NodeKey::read(&[7; 32]).unwrap().id());
        let lines = [unlinked_line((node, account), "wss://pool.example")];
        insta::assert_snapshot!("account_unlinked", crate::tests::at_each_width(&crate::tests::text_of(&lines)));
    }

    #[test]
    fn snapshot_of_what_a_wallet_signs() {
        let (key, pool) = (AccountKey::from_bytes([7; 32]).unwrap(), PoolKey::from_random([1; 32]).unwrap().id());
        let act = AccountAct::Link { node: NodeKey::read(&[7; 32]).unwrap().id(), chain_id: 1 };
        let request = AccountRequest { pool, account: key.account(), counter: Ms::new(1_795_000_000_000), act };
        let typed = ["vipnode", "account", "link", "wss://pool.example", "--account", "0x…", "--rpc", "a b"];
        let (before, after) = unsigned_lines(&request, &typed.map(str::to_owned));
        insta::assert_snapshot!("account_text", crate::tests::at_each_width(&crate::tests::text_of(&[before, after])));
    }
}
