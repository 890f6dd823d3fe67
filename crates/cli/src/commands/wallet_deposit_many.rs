use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use vipnode_agent::clock;
use vipnode_chain::{BlockTag, Escrow, Token};
use vipnode_types::{Account, Amount, Asset, typed_text};

use super::wallet_deposit::Deposit;
use crate::{
    args::{ChannelFieldArgs, WalletDepositArgs},
    error::{CliError, WalletError},
    output::{Line, Screen, Tone, format::counted},
    wallet::{ChainAccess, ChannelFile, WalletSender, with_pool_terms},
};

/// Brings the channel of each of many agents up to the same amount.
pub(super) struct ManyDeposits<'a> {
    pub(super) args: &'a WalletDepositArgs,
    pub(super) access: &'a ChainAccess,
    pub(super) escrow: Escrow<'a>,
    pub(super) payer: Option<Account>,
    pub(super) screen: Screen,
}

/// A larger list of agents is refused: it has room for [`MOST`] lines with comments.
const LIST_BYTES: u64 = 1 << 20;
/// Agents of one run, each of which costs a transaction.
const MOST: usize = 1_000;

impl ManyDeposits<'_> {
    /// Asks once, and then deposits into one channel after the other.
    ///
    /// # Errors
    /// The list or a channel cannot be used, the account has too little, or a transaction fails. Deposits before it
    /// stay made.
    pub(super) async fn run(&self, nodes: &Path, sender: WalletSender) -> Result<(), CliError> {
        let agents = agents_in(nodes)?;
        let Some(first) = agents.first().copied() else {
            return Err(WalletError::NoAgents { path: nodes.to_owned() }.into());
        };
        let (args, chain_id) = (self.args, self.escrow.chain_id());
        let fields = ChannelFieldArgs { authorizer: Some(first), ..args.fields.clone() };
        let fields = with_pool_terms(&fields, chain_id, &args.chain.trust).await?;
        let address = ChannelFile::token(&self.path(first), chain_id, &fields)?;
        let token = self.access.token(chain_id, address).await?;
        let asset = token.asset();
        let most = asset.amount(&args.amount)?;
        if most == Amount::ZERO {
            return Err(WalletError::Zero.into());
        }
        let missing = self.missing(&agents, &fields, &token, most).await?;
        let total = missing.iter().try_fold(Amount::ZERO, |sum, (_, amount)| sum.checked_add(*amount));
        let total = total.unwrap_or(Amount::MAX);
        self.screen.say(&planned(asset, total, missing.len(), agents.len()));
        let Some((file, _)) = missing.first() else { return Ok(()) };
        let payer = file.config.payer;
        let has = token.balance(payer).await?;
        if has < total {
            return Err(WalletError::TooLittle { account: payer, has, asset }.into());
        }
        let sender = sender.asked("Send these transactions?").await?;
        for (file, amount) in missing {
            // Contracts compare it with the time of their block.
            let now_s = self.access.node().block(BlockTag::Latest).await?.time_s.max(clock::wall().get() / 1_000);
            let Self { access, escrow, screen, .. } = *self;
            Deposit { access, escrow, token: &token, file, sender: &sender, screen }.make(amount, now_s).await?;
        }
        Ok(())
    }

    fn path(&self, agent: Account) -> PathBuf {
        let dir = self.args.channel_dir.clone().unwrap_or_default();
        dir.join(format!("{}.json", agent.to_string().to_ascii_lowercase()))
    }

    /// The channels that hold less, each with what it lacks. Their files are created.
    async fn missing(
        &self,
        agents: &[Account],
        fields: &ChannelFieldArgs,
        token: &Token<'_>,
        most: Amount,
    ) -> Result<Vec<(ChannelFile, Amount)>, CliError> {
        let mut missing = Vec::new();
        for agent in agents {
            let fields = ChannelFieldArgs { authorizer: Some(*agent), ..fields.clone() };
            let of = (self.payer, token.asset().decimals());
            let file = ChannelFile::read_or_create(&self.path(*agent), self.escrow.chain_id(), &fields, of)?;
            let holds = self.escrow.channel(file.id(), BlockTag::Latest).await?.unclaimed();
            missing.extend(most.checked_sub(holds).filter(|lacks| *lacks > Amount::ZERO).map(|lacks| (file, lacks)));
        }
        Ok(missing)
    }
}

/// Reads the addresses of agents, each once: one per line, `#` starts a comment.
fn agents_in(path: &Path) -> Result<Vec<Account>, WalletError> {
    let failed = |why: String| WalletError::AgentList { path: path.to_owned(), why };
    let text = vipnode_files::read_text(path, LIST_BYTES).map_err(|error| failed(error.to_string()))?;
    let (mut seen, mut agents) = (BTreeSet::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let line = typed_text(line.split('#').next().unwrap_or_default());
        if line.is_empty() {
            continue;
        }
        let agent: Account =
            line.parse().map_err(|error| failed(format!("line {}: {error}", number.saturating_add(1))))?;
        if seen.insert(agent) {
            agents.push(agent);
        }
        if agents.len() > MOST {
            return Err(failed(format!("more than {MOST} addresses")));
        }
    }
    Ok(agents)
}

fn planned(asset: Asset, total: Amount, lacking: usize, all: usize) -> Line {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let channels = counted(count(all), "channel");
    let text = match lacking {
        0 => format!("{channels} already hold this amount."),
        _ => format!(
            "Deposit {} in all, with {}, into {lacking} of {channels}.",
            asset.show(total),
            counted(count(lacking), "transaction"),
        ),
    };
    let line = Line::new("deposits_plan", Tone::Plain, text).with("total", total.get().to_string());
    line.with("lacking", count(lacking)).with("channels", count(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{at_each_width, text_of};

    #[test]
    fn a_list_of_agents_names_each_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agents");
        let (one, two) = (Account::new([1; 20]), Account::new([2; 20]));
        std::fs::write(&path, format!("\u{feff}# the fleet\r\n{one}\r\n\"{two}\" # Ben's\n\n{one}\n")).unwrap();
        assert_eq!(agents_in(&path).unwrap(), [one, two]);
        std::fs::write(&path, format!("{one}\n0x12\n")).unwrap();
        let error = agents_in(&path).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        let many: String = (0..=MOST).map(|number| format!("0x{number:040x}\n")).collect();
        std::fs::write(&path, many).unwrap();
        assert!(agents_in(&path).unwrap_err().to_string().contains("more than 1000 addresses"));
    }

    #[test]
    fn snapshot_of_many_deposits() {
        let usdc = Asset::new("USDC", 6).unwrap();
        let lines = [planned(usdc, Amount::new(80_000_000), 16, 20), planned(usdc, Amount::ZERO, 0, 20)];
        insta::assert_snapshot!("wallet_deposits", at_each_width(&text_of(&lines)));
    }
}
