use super::{
    reader::{Reader, Unread},
    settings::Settings,
};
use crate::{
    args::Cli,
    output::{Line, Screen, Tone, log::Verbosity},
};

/// The settings of a running command, and the way to read them again.
pub(crate) struct Reload {
    reader: Reader,
    running: Settings,
    verbosity: Verbosity,
}

/// Settings that were read again and are not in force yet.
pub(crate) struct ReloadedSettings {
    settings: Settings,
    verbose: u8,
}

impl Reload {
    pub(crate) const fn new(reader: Reader, running: Settings, verbosity: Verbosity) -> Self {
        Self { reader, running, verbosity }
    }

    /// Reads everything again; if something is wrong, reports it and changes nothing.
    pub(crate) fn read(&self, screen: Screen) -> Option<(Cli, ReloadedSettings)> {
        match self.reader.read() {
            Ok((cli, settings)) => {
                let verbose = cli.global.verbose;
                Some((cli, ReloadedSettings { settings, verbose }))
            }
            // The line was read at the start.
            Err(Unread::Help(_)) => None,
            Err(Unread::Error(error)) => {
                say_kept(&error.message, &error.hint, screen);
                None
            }
        }
    }

    /// Whether one of these settings is another one than what is in force.
    pub(crate) fn differs(&self, newer: &ReloadedSettings, keys: &[&str]) -> bool {
        self.running.changed(&newer.settings).iter().any(|key| keys.contains(&key.as_str()))
    }

    /// Reports which settings are in effect now and which only after a restart. `live` are the keys that the command
    /// took over, `refused` what else it could not.
    pub(crate) fn done(&mut self, newer: ReloadedSettings, live: &[&str], refused: &[String], screen: Screen) {
        let changed = self.running.changed(&newer.settings);
        let (now, mut later): (Vec<String>, Vec<String>) =
            changed.into_iter().partition(|key| key == "verbose" || live.contains(&key.as_str()));
        self.verbosity.set(newer.verbose);
        self.running.take_over(newer.settings, &later);
        later.extend_from_slice(refused);
        let text = match now.is_empty() {
            true => "Reloaded the settings and the files that they name. No setting that can be changed at run time has changed"
                .to_owned(),
            false => format!("Reloaded the settings; now in effect: {}", now.join(", ")),
        };
        screen.say(&Line::new("reloaded", Tone::Good, text).with("changed", now));
        if !later.is_empty() {
            let text = format!("These settings take effect at the next start: {}", later.join(", "));
            let line = Line::new("restart_needed", Tone::Warning, text).hint("Restart vipnode");
            screen.say(&line.with("settings", later));
        }
    }
}

/// Reports why nothing changes.
pub(crate) fn say_kept(why: &str, hint: &str, screen: Screen) {
    let text = format!("Cannot use the new settings ({why}); keeping the old ones");
    screen.say(&Line::new("settings_kept", Tone::Warning, text).with("reason", why).hint(hint));
}
