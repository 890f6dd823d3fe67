use std::io::{self, Write};

use anstyle::Style;
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt as _,
    filter::LevelFilter,
    fmt::format::{self, Writer},
};
use vipnode_types::sanitize;

use crate::{
    args::LogFormat,
    output::{LiveLine, escape_json, sanitize_all_but_styles},
};

/// Characters kept of one field of an event.
const FIELD_CHARS: usize = 4_096;

/// The handle that changes how much is logged.
pub(crate) struct Verbosity(Box<dyn Fn(EnvFilter) + Send + Sync>);

impl Verbosity {
    pub(crate) fn set(&self, verbose: u8) {
        (self.0)(filter(verbose));
    }
}

/// Starts logging to stderr, above the live line: warnings, with -v events, with -vv every step. `RUST_LOG` can set it in
/// more detail.
pub(crate) fn start(verbose: u8, format: LogFormat, live: &'static LiveLine) -> Verbosity {
    let color = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let log = tracing_subscriber::fmt().with_env_filter(filter(verbose));
    match format {
        LogFormat::Text => {
            let log = log.fmt_fields(format::debug_fn(write_field).delimited(" "));
            let log = log.with_writer(move || LogWriter { live, clean: sanitize_all_but_styles });
            let log = log.with_ansi(color).with_filter_reloading();
            let handle = log.reload_handle();
            log.init();
            Verbosity(Box::new(move |filter| drop(handle.reload(filter))))
        }
        LogFormat::Json => {
            let log = log.with_writer(move || LogWriter { live, clean: escape_json });
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

/// Writes a field of an event. Its value may hold a stranger's text, so it becomes one line without control characters.
fn write_field(
    writer: &mut Writer<'_>,
    field: &tracing::field::Field,
    value: &dyn std::fmt::Debug,
) -> std::fmt::Result {
    let value = sanitize(&format!("{value:?}"), FIELD_CHARS);
    if field.name() == "message" {
        return writer.write_str(&value);
    }
    let style = if writer.has_ansi_escapes() { Style::new().italic() } else { Style::new() };
    write!(writer, "{style}{}{style:#}={value}", field.name())
}

/// stderr, above the live line. Whatever a formatter lets through, no control character leaves it.
#[derive(Debug, Clone, Copy)]
struct LogWriter {
    live: &'static LiveLine,
    clean: fn(&str) -> String,
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = (self.clean)(&String::from_utf8_lossy(bytes));
        self.live.above(|| io::stderr().write_all(text.as_bytes()))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_field_is_one_line_without_escapes() {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = tracing_subscriber::fmt().fmt_fields(format::debug_fn(write_field).delimited(" "));
        let log = log.with_writer(move || writer.clone()).with_ansi(true).without_time().finish();
        let hostile = "a\u{1b}[2J\u{7}\r\nb\u{9b}c\u{202e}d";
        tracing::subscriber::with_default(log, || tracing::warn!(reason = %hostile, text = hostile, "said {hostile}"));
        let written = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert!(!written.contains("[2J\u{7}") && written.matches('\n').count() == 1, "{written:?}");
        assert!(
            !written.contains(['\r', '\u{7}', '\u{9b}', '\u{202e}']) && !written.contains("\u{1b}[2J"),
            "{written:?}"
        );
    }
}
