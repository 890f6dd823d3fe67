use std::{io, net::SocketAddr, path::PathBuf};

use vipnode_agent::AgentError;
use vipnode_files::quoted_path;
use vipnode_node::{TrustError, finder::FinderError};
use vipnode_types::{Account, AmountError, Asset, errors};

use super::{SettingError, WalletError};

errors! {
    /// Why a command cannot do what its flags ask for. Errors of the roles keep their own types.
    #[derive(Debug)]
    pub(crate) enum CommandError {
        /// The settings file cannot be read.
        ConfigFile { path: PathBuf, error: io::Error }: local, "cannot read {path}: {error}" (path = path.display()),
            hint "Pass a TOML file with --config FILE. To print an example, run `vipnode <command> --print-config`.";
        /// A pool that accepts payment channels needs further flags for the chain.
        DepositFlag { flag: &'static str }: local, "--payment x402 requires {flag}",
            hint "Pass {flag}, or have the pool charge without a chain: --payment credit.";
        /// Clients could withdraw before the pool claims.
        ShortDelay { chain_id: u64 }: local, "a withdrawal delay of less than 14 days is allowed only on a development chain, and this is chain {chain_id}",
            hint "Omit --chain.withdraw-delay.";
        /// The key is not that of the claimer.
        ClaimerKey { account: Account, claimer: Account }: local,
            "the key in --chain.keystore is that of {account}, but only {claimer} can claim",
            hint "Pass the keystore of {claimer}, or --chain.claimer {account}: clients then need new channels.";
        /// An epoch costs gas.
        ShortEpoch { chain_id: u64 }: local, "an epoch of less than a day is allowed only on a development chain, and this is chain {chain_id}",
            hint "Omit --epoch.";
        /// Clients could withdraw before the pool claims.
        LongEpoch { longest: String }: local, "with this --chain.withdraw-delay, an epoch has to be shorter than {longest}",
            hint "Pass a shorter time: --epoch TIME.";
        /// The pool cannot compare claims with their gas.
        NoCoinPrice { symbol: String }: local, "--chain.keystore requires --chain.coin-price",
            hint "Pass the approximate value of the chain's coin: --chain.coin-price \"AMOUNT {symbol}\".";
        /// The --chain.token and --asset flags describe different assets.
        TokenAsset { token: Account, asset: Asset, charged: Asset }: local,
            "the token {token} is {asset}, but the pool charges in {charged}",
            hint "Pass --asset {asset} and a --price in {symbol}, or a different --chain.token." (symbol = asset.symbol());
        /// The file of the payment channel cannot be read.
        PayFile { why: Box<WalletError> }: local, "{why}",
            hint "Pass the file that `vipnode wallet deposit` created for the channel: --pay FILE.";
        /// The file is probably not a settings file.
        ConfigSize { path: PathBuf, most_bytes: u64 }: local,
            "{path} is larger than {most_bytes} bytes" (path = path.display()),
            hint "Pass a TOML file with --config FILE. To print an example, run `vipnode <command> --print-config`.";
        /// The settings file was written for the original vipnode.
        ConfigIni { path: PathBuf, replacement: String }: local,
            "{path} is a configuration file of the original vipnode (INI); this vipnode reads TOML" (path = path.display()),
            hint "{replacement}";
        /// A line in the settings file is not valid.
        ConfigLine { path: PathBuf, line: usize, why: Box<SettingError> }: local,
            "{path} line {line}: {why}" (path = path.display()), hint_of why;
        /// A variable or a key has a value that its flag does not accept.
        Setting { flag: String, source: String, takes: &'static str }: local, "{flag} in {source} is not valid",
            hint "Set it to {takes}.";
        /// The first word is neither a command nor the URL of a pool.
        UnknownCommand { word: String, nearest: String }: local, "unknown command '{word}'{nearest}",
            hint "To list the commands, run `vipnode --help`{pool}." (pool = pool_called(word, nearest));
        /// The word after a command is not one of its subcommands.
        UnknownSubcommand { word: String, nearest: String, help: String }: local, "unknown command '{word}'{nearest}",
            hint "To list the commands, run `{help}`.";
        /// A command that requires a subcommand was given without one.
        NoSubcommand: local, "a command is missing",
            hint "To list the commands, pass --help.";
        /// The original's --pprof flag was given.
        Pprof: local, "--pprof enables Go's profiler, but vipnode is no longer written in Go",
            hint "Remove it; to profile a running vipnode, run `perf record -p <pid>`.";
        /// A pool that keeps its state in memory does not use a data directory.
        StoreMemory { dir: PathBuf }: local, "--store memory does not store anything in --datadir {dir}" (dir = dir.display()),
            hint "Remove --store memory, or remove --datadir.";
        /// --store memory was combined with a payment mode that needs a ledger on disk.
        CreditInMemory: local,
            "a pool that charges requires a database, because a pool that keeps its state in memory would forget who \
             paid",
            hint "Remove --store memory.";
        /// The address is mistyped, or belongs to an account of another pool.
        UnknownAccount { account: Account }: local, "account {account} has never paid or earned on this pool, and no node is linked to it",
            hint "List the accounts: `vipnode pool admin accounts`.";
        /// A user without a home directory started the pool without --datadir.
        NoDataHome: local, "this user has no home directory in which the pool could store its data",
            hint "Pass a directory: --datadir DIR. To keep everything in memory, pass --store memory.";
        /// The original's --invalid-node flag was given.
        InvalidNode: local,
            "--invalid-node: agents do not report their other peers to this pool, and the pool evicts only clients that it \
             assigned",
            hint "Remove it; to limit who can join, pass --members FILE.";
        /// A flag of the original's payment contract was given.
        Contract { flag: &'static str }: local,
            "{flag}: this version does not use a payment contract",
            hint "Remove it. To charge, pass --price PRICE with --payment credit or --payment x402.";
        /// --price is not a price in the pool's asset.
        Price { why: AmountError }: local, "--price: {why}", hint_of why;
        /// --price is in an asset other than ether, and --asset was not given.
        PriceAsset { symbol: String, asset: Asset }: local, "--price: {symbol:?} is not a unit of {asset}",
            hint "Use {units}; or, to charge in {symbol}, name it and its number of decimals: --asset {symbol}:DECIMALS."
                (units = asset.unit_names());
        /// The reloaded settings name a different asset.
        AssetChanged { old: Asset, new: Asset }: local,
            "the pool charges in {old}:{now}, and cannot charge in {new}:{then} instead" (now = old.decimals(), then = new.decimals()),
            hint "Set asset to {old}:{now} again. To charge in {new}, start another pool with its own --datadir."
                (now = old.decimals());
        /// The original's --contract.min-balance flag was given.
        MinBalance: local,
            "--contract.min-balance: this version does not use a payment contract",
            hint "Remove it, or pass --contract.min-balance off.";
        /// More than one pool was given.
        TwoPools { first: String, second: String }: local,
            "an agent connects to one pool, but two were given: {first} and {second}",
            hint "Remove one; to join a second pool, run a second agent for another node (--rpc).";
        /// A host was given the enode of another host.
        EnodeForHost: local, "an enode was given, but `vipnode host` does not connect to other hosts",
            hint "To connect to it, run `vipnode client` or `vipnode agent`; to admit that node, pass it to --allow.";
        /// Without a URL, the command uses a pool on the same machine, and none responds there.
        NoPool { local: &'static str }: local, "no pool was given, and no pool responds at {local}",
            hint "Pass the URL of a pool or set VIPNODE_POOL. To start a pool, run `vipnode pool`; to try one, run `vipnode demo`.";
        /// No pool was named, and the agents on this machine have several.
        SeveralAgentPools { urls: String, first: String }: local,
            "no pool was given, and the agents on this machine have several: {urls}",
            hint "Pass the URL of the pool that you mean, such as {first}.";
        /// The original could run a pool inside the process of its agent.
        PoolInMemory { url: &'static str }: local,
            "{url} is the original's in-process pool, which this version does not support",
            hint "Run a pool on the same machine: `vipnode pool`; to run everything at once: `vipnode demo`.";
        /// The address of a simulated node is not valid.
        FakeNode { why: String }: local, "--rpc fakenode://… is not a valid simulated node: {why}",
            hint "Write it as --rpc 'fakenode://<id of the key in --nodekey>?fakepeers=3&fakeblock=100&fullnode=1'.";
        /// A join secret was given together with --protocol 2.
        JoinSecretOverProtocol2: local, "protocol 2 has no join secrets",
            hint "Remove the secret. A closed pool admits protocol 2 agents by node ID (`vipnode pool --members`).";
        /// --max-price was given together with --protocol 2.
        MaxPriceOverProtocol2: local, "protocol 2 does not report prices, so --max-price cannot be enforced",
            hint "Remove --max-price, or use protocol 3.";
        /// --allow-protocol-2 was given together with --protocol 2.
        AllowOverProtocol2: local, "--allow-protocol-2 works only over protocol 3, for the agent that owns the node",
            hint "Remove either --protocol 2 or --allow-protocol-2.";
        /// The command was started in an environment without a home directory.
        NoHome { path: PathBuf }: local, "the home directory (~) in {path} is not known, because HOME is not set"
                (path = path.display()),
            hint "Set HOME, or pass an absolute path.";
        /// The file of the join secret cannot be read.
        JoinSecretFile { path: PathBuf, error: io::Error }: local, "cannot read {path}: {error}" (path = path.display()),
            hint "Pass a file that this user can read: --join-secret-file FILE.";
        /// The file of the join secret is empty.
        JoinSecretEmpty { place: String }: local, "{place} does not contain a secret",
            hint "Write the join secret to the file.";
        /// The quotation marks were probably copied together with the secret.
        JoinSecretQuoted { place: String }: local, "the join secret in {place} is in quotation marks",
            hint "Remove them: they would be part of the secret.";
        /// The join secret contains a character that cannot be seen, or that looks like a space.
        JoinSecretInvisible { place: String, character: String }: local,
            "the join secret in {place} contains the invisible character {character}",
            hint "Remove that character, which was probably copied by accident: it would be part of the secret.";
        /// Two ways to close a pool were given.
        MembersAndSecret: local, "--members and a join secret cannot be used together", hint "Remove one of the two.";
        /// The --chain flag was passed twice for the same chain ID.
        ChainTwice { id: u64 }: local, "two genesis blocks are given for chain {id}",
            hint "Pass one of them: --chain {id}=GENESIS.";
        /// The name is mistyped, or belongs to another version of vipnode.
        LimitUnknown { name: String, command: &'static str }: local, "unknown limit {name}",
            hint "List all limits: `vipnode {command} --print-limits`.";
        /// Pools and agents have different limits.
        LimitOfOther { name: String, other: &'static str, command: &'static str }: local,
            "{name} is a limit of `vipnode {other}`, not of `vipnode {command}`",
            hint "Pass --limit {name}=VALUE to `vipnode {other}`. List the limits: `vipnode {command} --print-limits`.";
        /// The value is not written as this limit requires, or is out of range.
        LimitValue { name: Box<str>, value: Box<str>, rule: &'static str, least: Box<str>, most: Box<str>, default: Box<str> }: local,
            "invalid value \"{value}\" for limit {name}: {rule}",
            hint "Pass a value from {least} to {most}: --limit {name}={default}.";
        /// Every connection would time out before its first ping is due.
        SilenceBeforePing: local, "the pool_silence limit must be longer than the pool_ping limit",
            hint "Raise pool_silence or lower pool_ping, for example --limit pool_silence=60s --limit pool_ping=20s.";
        /// The CA certificates for the ACME server cannot be used.
        AcmeCa { why: Box<TrustError> }: local, "{why}", hint "Pass a PEM file: --tls-acme-ca FILE.";
        /// The directory for certificates cannot be determined.
        TlsCache { why: Box<AgentError> }: local, "{why}", hint "Pass --tls-cache DIR.";
        /// The operating system's random number generator failed.
        Random { error: String }: local, "cannot get random bytes from the operating system: {error}",
            no_hint "only the operating system can fix this";
        /// Metrics would be open to other machines.
        MetricsOpen { address: SocketAddr }: local,
            "--metrics-bind {address} is not a loopback address: anyone who can reach it could read the metrics",
            hint "Pass --metrics-bind {port}, or allow it with --metrics-open." (port = address.port());
        /// Another program is using the port, or the operating system does not permit the address.
        MetricsBind { address: SocketAddr, error: io::Error }: local, "--metrics-bind {address}: {error}",
            hint "Pass a free port: --metrics-bind PORT.";
        /// The key to sign a delegation was not found.
        LinkKey { why: Box<FinderError> }: local, "{why}",
            hint "Pass --nodekey FILE. If only another user or machine can read the key, run `vipnode link --request`.";
        /// Something that the doctor checks did not respond in time.
        NoAnswer { what: &'static str, seconds: u64 }: local, "{what} did not answer within {seconds} s",
            hint "Try again; if it still does not respond, restart it.";
        /// A page of a pool's statement ends at or before the end of the previous page.
        StatementStuck: local, "the pool's statement does not advance",
            hint "Do not rely on what was printed, and report this to the pool's operator.";
        /// The lines of a page of a pool's statement do not lead from the balances before it to those after it.
        StatementSums { page: u32 }: local, "page {page} of the pool's statement does not add up",
            hint "Do not rely on what was printed, and report this to the pool's operator.";
        /// The requested range of the statement is too long to be read at once.
        StatementPages { most: u32 }: local, "the pool's statement has more than {most} pages",
            hint "Ask for a shorter part of it: --from DATE --to DATE.";
        /// The directory of admin sockets cannot be read.
        AdminSockets { path: PathBuf, error: io::Error }: local, "cannot look for pools in {path}: {error}" (path = path.display()),
            hint "Pass the data directory of the pool: --datadir DIR.";
        /// No account was named, and no agent on this machine could ask its pool.
        NoAgentWithPool: local, "no agent connected to the pool is running here, and no account was named",
            hint "Start the agent of your node (`vipnode status` lists the running agents), or name the account: pass its \
                  keystore with --keystore FILE, or its address with --account ADDRESS.";
        /// The pool is running as a different user or with --datadir, or is not running.
        NoAdminSocket: local, "this user is not running a pool with the default data directory on this machine",
            hint "Pass the data directory of the pool (--datadir DIR), and run the command as the pool's user.";
        /// Other users are running pools on this machine, but this user is not.
        OtherAdminSockets { dirs: String, first: String, pools: usize }: local,
            "this user is not running a pool on this machine; {others} {dirs}"
                (others = if *pools == 1 { "another user is running one with the data directory" } else { "other users are running pools with these data directories:" }),
            hint "Run the command as the user of the pool, with its data directory: --datadir {first}.";
        /// This user is running several pools on this machine, and none of them has the default data directory.
        ManyPools { dirs: String, first: String }: local,
            "no --datadir was given, and this user is running pools with these data directories: {dirs}",
            hint "Pass the data directory of the pool that you mean, such as --datadir {first}.";
        /// Without --datadir or --socket, the command cannot choose between several pools.
        ManyAdminSockets { one: PathBuf, other: PathBuf }: local,
            "this user is running several pools on this machine: {one}, {other}" (one = one.display(), other = other.display()),
            hint "Pass --datadir DIR, or one of the sockets: --socket {one}." (one = quoted_path(one));
        /// The ID is mistyped, or its node is not connected and has no leases.
        NoSuchId { text: String }: local, "no node or agent that the pool lists has an ID that begins with {text}",
            hint "List the nodes: `vipnode pool admin nodes`. For a node that is not connected, pass the whole ID.";
        /// The part of the ID that was passed is too short to be unique.
        SeveralIds { text: String, ids: String }: local, "several IDs begin with {text}: {ids}",
            hint "Pass more characters of the ID.";
        /// The agents belong to another user.
        AgentsUnreadable { path: PathBuf, root: PathBuf }: local,
            "this user cannot access the agents in {path}" (path = path.display()),
            hint "Run the command as their user or as root: `sudo vipnode status --state-dir {root}`." (root = quoted_path(root));
        /// A directory contains more agents than the command shows.
        AgentsCut { most: usize }: local, "showing only {most} agents per directory; there may be more",
            hint "Show one agent: `vipnode status NODE`.";
        /// A document cannot be generated.
        Document { error: serde_json::Error }: local, "cannot write the document: {error}",
            no_hint "this is a bug in vipnode; please report it";
        /// This user does not have permission to write to the directory, or its disk is full.
        WritePage { path: PathBuf, error: io::Error }: local, "cannot write {path}: {error}" (path = path.display()),
            hint "Pass a directory that you can write to: --dir DIR.";
        /// The disk is full, or the program that reads the output has ended.
        Output { error: io::Error }: local, "cannot write to standard output: {error}",
            no_hint "the fix depends on where the output is sent";
        /// The operating system did not let vipnode handle Ctrl-C and other signals.
        Signals { error: io::Error }: local, "cannot listen for signals: {error}",
            no_hint "the operating system refused the request";
        /// The system has too little memory, or a limit on processes was reached.
        Threads { error: io::Error }: local, "cannot start threads: {error}",
            hint "Raise the limit on processes (ulimit -u), or free memory.";
        /// The agent whose changes should be undone is running.
        AgentRuns { path: PathBuf }: local, "an agent is running for this node and holds {path}; its leases are in use"
            (path = path.display()),
            hint "Stop the agent (Ctrl-C): it undoes its changes itself. This command is needed only for \
                  changes that a killed agent left behind.";
        /// A second signal (Ctrl-C) arrived while the agent was stopping.
        StoppedAtOnce: local, "stopped immediately without undoing the changes to the node",
            hint "Undo them: `vipnode release`.";
        /// A second Ctrl-C stopped a command that does not change a node.
        StoppedEarly: local, "stopped immediately", no_hint "there is nothing to undo";
        /// Ctrl-C stopped a command that would have ended on its own.
        Interrupted: local, "interrupted before it finished", hint "Run the command again.";
        /// The demo needs a temporary directory.
        DemoDir { error: io::Error }: local, "cannot create a directory for the demo: {error}",
            hint "Set TMPDIR to a directory that you can write to.";
        /// The demo's temporary directory cannot be removed.
        DemoDirLeft { dir: PathBuf, error: io::Error }: local, "cannot remove {dir}: {error}" (dir = dir.display()),
            hint "Remove it manually.";
        /// The demo cannot start its simulated nodes.
        DemoNodes { error: io::Error }: local, "cannot start the simulated nodes: {error}",
            no_hint "the message contains the operating system's error";
        /// geth is not installed at this path, or it failed at startup.
        DemoGeth { program: PathBuf, why: String }: local, "cannot run {program}: {why}" (program = program.display()),
            hint "Pass a different geth (1.17 works) with --geth PATH, or use simulated nodes with --simulated.";
        /// Another program is using the ports of the demo's geth.
        DemoPort { program: PathBuf, why: String }: local, "{program} found its ports in use: {why}" (program = program.display()),
            hint "Run the demo again, or use simulated nodes: `vipnode demo --simulated`.";
        /// `vipnode demo --pay` needs a development EVM node on this machine.
        DemoNoAnvil: local, "the demo with payments needs anvil, which is not on the PATH",
            hint "Install Foundry (https://getfoundry.sh), run `npm ci --prefix contracts` in a checkout of vipnode and start the demo there, or pass --anvil PATH.";
        /// anvil is not installed at this path, or it failed at startup.
        DemoAnvil { program: PathBuf, why: String }: local, "cannot run {program}: {why}" (program = program.display()),
            hint "Pass a different anvil (1.7 works) with --anvil PATH.";
        /// Two figures of the demo that must be equal differ: a balance on its chain, and what the pool posted.
        DemoSums { why: String }: local, "the amounts do not add up: {why}",
            no_hint "this is a bug in vipnode; please report it";
        /// The demo cannot start a pool, host, or client.
        DemoProcess { role: String, error: io::Error }: local, "cannot start {role}: {error}",
            no_hint "the message contains the operating system's error";
        /// A pool, host, or client of the demo ended early.
        DemoEnded { role: String, why: String, fix: String }: local, "{role} ended: {why}", hint "{fix}";
        /// A step of the demo took too long.
        DemoTimeout { seconds: u64, step: String }: local, "timed out after {seconds} s: {step}",
            hint "See the output of each process: `vipnode demo -v`.";
    }
}

impl CommandError {
    /// Why a price cannot be charged. A pool that has not started yet could charge in an asset of that name.
    pub(crate) fn price(why: AmountError, not_started: bool) -> Self {
        match why {
            AmountError::Unit { unit, asset: Asset::ETHER } if not_started && Asset::new(&unit, 0).is_ok() => {
                Self::PriceAsset { symbol: unit, asset: Asset::ETHER }
            }
            why => Self::Price { why },
        }
    }
}

/// How to name a pool whose name is this word; nothing where a command was meant.
fn pool_called(word: &str, nearest: &str) -> String {
    match word {
        "" => String::new(),
        "stop" | "quit" | "exit" | "kill" => {
            ". To stop an agent or a pool, press Ctrl-C, or send it SIGTERM".to_owned()
        }
        "start" | "run" => ". To start one of them, run `vipnode pool`, `vipnode host`, or `vipnode client`".to_owned(),
        _ if !nearest.is_empty() => String::new(),
        word => format!(". To use a pool of this name, pass --pool {word} or its URL, wss://{word}"),
    }
}
