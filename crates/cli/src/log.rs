use std::io;

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::args::LogFormat;

/// Logs go to stderr: warnings, with -v what happens, with -vv every step. `RUST_LOG` says it more finely.
pub(crate) fn start(verbose: u8, format: LogFormat) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let filter = EnvFilter::builder().with_default_directive(level.into()).from_env_lossy();
    let colour = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(colour).init(),
        LogFormat::Json => log.with_ansi(false).json().init(),
    }
}
