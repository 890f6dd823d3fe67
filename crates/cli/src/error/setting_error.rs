use vipnode_types::errors;

errors! {
    /// What is wrong with a line of the settings file.
    #[derive(Debug)]
    pub(crate) enum SettingError {
        /// The file does not follow the TOML syntax.
        NotToml { why: String }: local, "not valid TOML: {why}",
            hint "Write key = \"value\"; `vipnode <command> --print-config` prints an example.";
        /// The value has a type that no flag accepts.
        Type { key: String }: local, "\"{key}\" is not a string, an integer, true, false, or a list of strings",
            hint "Put the value in quotes: {key} = \"…\".";
        /// No command has a flag with this name.
        Unknown { key: String, table: String, nearest: String }: local, "unknown setting \"{key}\"{table}{nearest}",
            hint "Use the name of a flag in `vipnode <command> --help`, without --.";
    }
}
