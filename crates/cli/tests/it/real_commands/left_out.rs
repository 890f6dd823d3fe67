//! The commands of the README and the book that the test does not type, each with the reason.

/// A command that is not typed.
pub struct LeftOut {
    pub page: &'static str,
    /// The beginning of the line.
    pub line: &'static str,
    #[allow(dead_code, reason = "for the reader of this table")]
    pub why: &'static str,
    /// What is typed in its place, so that the rest of the page works. Its output is compared with the page.
    pub instead: &'static str,
}

const fn left_out(page: &'static str, line: &'static str, why: &'static str, instead: &'static str) -> LeftOut {
    LeftOut { page, line, why, instead }
}

const SYSTEMD: &str = "needs systemd as process 1; the units are verified by packages::, Type=notify by service_manager::";
const CONTAINERS: &str = "needs a container engine; packaging/try-image runs both files where there is one";

/// A table of them. A row that no page has fails the test.
pub const LEFT_OUT: &[LeftOut] = &[
    left_out("README.md", "cargo run --release -- demo", "compiles for minutes", "vipnode demo --simulated"),
    left_out("README.md", "./test", "runs this test", ""),
    left_out("README.md", "cargo install ", "compiles for minutes", ""),
];
