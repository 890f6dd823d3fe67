//! The binary `vipnode`: reads the command line and runs a role.
fn main() {}
