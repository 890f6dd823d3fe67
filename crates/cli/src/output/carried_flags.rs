use std::sync::{PoisonError, RwLock};

use clap::{Arg, Command, CommandFactory};

use crate::args::{CALLED_POOL, Cli, TYPED_POOL};

/// Flags with which a command finds a node, a pool, the state of an agent, or the key of an account, in the order in which a
/// hint adds them. A command that a hint names takes those that it accepts.
pub(crate) const CARRIED: [&str; 9] =
    ["keystore", "account", "rpc", "nodekey", "state-dir", "tls-ca", "insecure", "datadir", "socket"];

/// The flags of this process that the commands in its hints need too. Without them, `vipnode release` would undo the changes
/// on another node, and `vipnode pool verify` would check another pool.
#[derive(Debug, Default)]
pub(crate) struct CarriedFlags {
    /// The name of each flag, and how it is typed.
    flags: Vec<(&'static str, String)>,
    /// The pool, quoted for a shell.
    pool: Option<String>,
}

static OF_THIS_PROCESS: RwLock<Option<CarriedFlags>> = RwLock::new(None);

/// Keeps the flags for all hints of this process.
pub(crate) fn carry_flags(flags: CarriedFlags) {
    *OF_THIS_PROCESS.write().unwrap_or_else(PoisonError::into_inner) = Some(flags);
}

/// Completes the commands of a hint with the flags of this process.
pub(super) fn with_carried_flags(hint: &str) -> String {
    of_this_process(|carried| carried.complete(hint)).unwrap_or_else(|| hint.to_owned())
}

/// Completes the commands of a hint of this program, which may have prices and texts in quotes.
pub(crate) fn with_carried_flags_of_own(hint: &str) -> String {
    of_this_process(|carried| carried.complete_where(hint, |_own| true)).unwrap_or_else(|| hint.to_owned())
}

fn of_this_process<T>(read: impl FnOnce(&CarriedFlags) -> T) -> Option<T> {
    OF_THIS_PROCESS.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(read)
}

impl CarriedFlags {
    /// Flags that are typed like this, and a pool, each quoted for a shell.
    pub(crate) const fn new(flags: Vec<(&'static str, String)>, pool: Option<String>) -> Self {
        Self { flags, pool }
    }

    /// Completes the commands in backquotes, but for one that was run before ("the file that `vipnode pool backup` wrote").
    pub(crate) fn complete(&self, hint: &str) -> String {
        self.complete_where(hint, is_plain)
    }

    /// Completes those of the commands that are vipnode's own.
    pub(crate) fn complete_where(&self, hint: &str, is_own: fn(&str) -> bool) -> String {
        if !hint.contains("`vipnode ") || (self.flags.is_empty() && self.pool.is_none()) {
            return hint.to_owned();
        }
        let mut tree = Cli::command();
        tree.build();
        let (mut whole, mut before) = (String::new(), "");
        for (number, piece) in hint.split('`').enumerate() {
            if number > 0 {
                whole.push('`');
            }
            whole += piece;
            let is_command = number % 2 == 1 && piece.starts_with("vipnode ") && is_own(piece);
            if is_command && !before.ends_with("that ") {
                whole += &self.missing(&tree, piece);
            }
            before = piece;
        }
        whole
    }

    /// What a command lacks: each part has a space before it.
    fn missing(&self, tree: &Command, command: &str) -> String {
        let words: Vec<&str> = command.split_whitespace().collect();
        let mut leaf = tree;
        for word in words.iter().skip(1) {
            let Some(next) = leaf.find_subcommand(word) else { break };
            leaf = next;
        }
        if leaf.get_name() == tree.get_name() {
            return String::new();
        }
        let mut missing = String::new();
        if let Some(pool) = &self.pool
            && !command.contains("://")
        {
            let id = leaf
                .get_positionals()
                .map(|arg| arg.get_id().as_str())
                .find(|id| [TYPED_POOL, CALLED_POOL].contains(id));
            // A single word is taken only from the flag.
            let flag = if pool.contains(['.', ':', '/']) { "" } else { "--pool " };
            missing += &id.map(|_| format!(" {flag}{pool}")).unwrap_or_default();
        }
        let long = |name: &str| leaf.get_arguments().find(|arg| arg.get_long() == Some(name));
        let mut typed: Vec<&Arg> = words.iter().filter_map(|word| long(word.strip_prefix("--")?)).collect();
        for (name, text) in &self.flags {
            let Some(arg) = long(name) else { continue };
            if !typed.iter().any(|other| other.get_id() == arg.get_id() || exclude(leaf, arg, other)) {
                missing += &format!(" {text}");
                typed.push(arg);
            }
        }
        missing
    }
}

/// Whether a command consists of names, flags, numbers, and placeholders such as FILE. Others may come from a pool, which must not
/// get a command for a person to paste that looks like one of vipnode's own.
fn is_plain(command: &str) -> bool {
    let is_word = |word: &str| {
        let name = word.strip_prefix("--").unwrap_or(word);
        let all = |is: fn(&u8) -> bool| name.bytes().all(|byte| is(&byte) || byte == b'-');
        all(u8::is_ascii_lowercase) || all(u8::is_ascii_uppercase) || all(u8::is_ascii_digit)
    };
    command.split(' ').all(is_word)
}

/// Whether two flags of a command cannot be typed together.
fn exclude(command: &Command, one: &Arg, other: &Arg) -> bool {
    let names =
        |by: &Arg, named: &Arg| command.get_arg_conflicts_with(by).iter().any(|arg| arg.get_id() == named.get_id());
    names(one, other) || names(other, one)
}
