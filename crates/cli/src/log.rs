use std::io;

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::{
    args::LogFormat,
    live::{ErrAbove, LiveLine},
};

/// Changes how much is logged.
pub(crate) struct Verbosity(Box<dyn Fn(EnvFilter) + Send + Sync>);

impl Verbosity {
    pub(crate) fn set(&self, verbose: u8) {
        (self.0)(filter(verbose));
    }
}

/// Logs go to stderr: warnings, with -v what happens, with -vv every step. `RUST_LOG` says it more finely.
/// They stand above this line.
pub(crate) fn start(verbose: u8, format: LogFormat, live: &'static LiveLine) -> Verbosity {
    let colour = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let log = tracing_subscriber::fmt().with_env_filter(filter(verbose)).with_writer(move || ErrAbove(live));
    match format {
        LogFormat::Text => {
            let log = log.with_ansi(colour).with_filter_reloading();
            let handle = log.reload_handle();
            log.init();
            Verbosity(Box::new(move |filter| drop(handle.reload(filter))))
        }
        LogFormat::Json => {
            let log = log.with_ansi(false).json().with_filter_reloading();
            let handle = log.reload_handle();
            log.init();
            Verbosity(Box::new(move |filter| drop(handle.reload(filter))))
        }
    }
}

fn filter(verbose: u8) -> EnvFilter {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    EnvFilter::builder().with_default_directive(level.into()).from_env_lossy()
}
