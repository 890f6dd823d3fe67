use std::io::{self, IsTerminal as _, Write};

use anstyle::Style;
use tracing::Level;
use tracing_subscriber::{
    Registry,
    field::MakeExt as _,
    filter::{LevelFilter, Targets},
    fmt::{
        self, FormatFields as _,
        format::{self, Writer},
    },
    layer::{Layer as _, SubscriberExt as _},
    reload,
    util::SubscriberInitExt as _,
};
use vipnode_pool::admin::OPERATOR_LOG;
use vipnode_types::sanitize;

use crate::{
    args::LogFormat,
    output::{
        LiveLine, Styled, Tone, escape_json, format::capitalized, sanitize_all_but_styles, terminal::error_width,
        wrap::wrap,
    },
};

/// Characters kept of one field of an event.
const FIELD_CHARS: usize = 4_096;

/// The handle that changes how much is logged.
pub(crate) struct Verbosity(reload::Handle<Targets, Registry>);

impl Verbosity {
    pub(crate) fn set(&self, verbose: u8) {
        let _gone_with_the_log = self.0.reload(filter(verbose, &wanted()));
    }
}

/// Starts logging to stderr, above the live line: warnings, with -v events, with -vv every step. `RUST_LOG` can set it in
/// more detail.
pub(crate) fn start(verbose: u8, format: LogFormat, live: &'static LiveLine) -> Verbosity {
    let color = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let (filter, handle) = reload::Layer::new(filter(verbose, &wanted()));
    match format {
        // Between the notices, a line of the log looks like them. With -v, each has its time and source.
        LogFormat::Text if as_notices(verbose) => {
            let log = fmt::layer().fmt_fields(format::debug_fn(write_field).delimited(" ")).event_format(NoticeEvents);
            let log = log.with_writer(move || LogWriter { live, clean: sanitize_all_but_styles });
            tracing_subscriber::registry().with(log.with_ansi(color).with_filter(filter)).init();
        }
        LogFormat::Text => {
            let log = fmt::layer().fmt_fields(format::debug_fn(write_field).delimited(" "));
            let log = log.with_writer(move || LogWriter { live, clean: sanitize_all_but_styles });
            tracing_subscriber::registry().with(log.with_ansi(color).with_filter(filter)).init();
        }
        LogFormat::Json => {
            let log = fmt::layer().json().with_writer(move || LogWriter { live, clean: escape_json });
            tracing_subscriber::registry().with(log.with_ansi(false).with_filter(filter)).init();
        }
    }
    Verbosity(handle)
}

/// Whether a person reads the log on a terminal, and asked for nothing else.
fn as_notices(verbose: u8) -> bool {
    verbose == 0 && wanted().is_empty() && io::stderr().is_terminal()
}

/// Writes an event as a notice: a mark, and a sentence with its fields.
struct NoticeEvents;

impl<S, N> format::FormatEvent<S, N> for NoticeEvents
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    N: for<'a> fmt::FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &fmt::FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> std::fmt::Result {
        let mut text = String::new();
        context.format_fields(Writer::new(&mut text), event)?;
        writeln!(writer, "{}", notice(*event.metadata().level(), &text, error_width()))
    }
}

/// The text of an event as a notice.
fn notice(level: Level, text: &str, width: usize) -> String {
    let tone = match level {
        Level::ERROR => Tone::Bad,
        Level::WARN => Tone::Warning,
        _ => Tone::Plain,
    };
    let mut line = Styled::default();
    line.mark(tone);
    line.push(&capitalized(text));
    wrap(&line.to_string(), width)
}

fn wanted() -> String {
    std::env::var("RUST_LOG").unwrap_or_default()
}

/// What is logged: a level for all, and those of `RUST_LOG`, such as `vipnode_pool=debug,hyper=trace`. Parts of `RUST_LOG` that cannot
/// be read are left out.
fn filter(verbose: u8, wanted: &str) -> Targets {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    // An empty part would be read as the level of errors.
    let parts = wanted.split(',').map(str::trim).filter(|part| !part.is_empty());
    let targets = parts.filter_map(|part| part.parse::<Targets>().ok());
    let targets = targets.fold(Targets::new(), |all, one| {
        let default = one.default_level().or(all.default_level());
        let all = all.with_targets(one);
        match default {
            Some(level) => all.with_default(level),
            None => all,
        }
    });
    let says_nothing = targets.iter().next().is_none() && targets.default_level().is_none();
    match says_nothing {
        // What the operator ordered is always logged, although it is not a warning. On a terminal, the operator has just seen its result.
        true if !io::stderr().is_terminal() => {
            targets.with_default(level).with_target(OPERATOR_LOG, LevelFilter::INFO.max(level))
        }
        true => targets.with_default(level),
        false => targets,
    }
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
    fn the_level_is_that_of_v_unless_the_variable_sets_it() {
        let logs = |verbose, wanted, level| filter(verbose, wanted).would_enable("vipnode_pool", &level);
        for (verbose, least, most) in [(0, Level::WARN, Level::INFO), (1, Level::INFO, Level::DEBUG)] {
            for nothing in ["", " ", ",", "=="] {
                assert!(logs(verbose, nothing, least) && !logs(verbose, nothing, most), "{verbose} {nothing:?}");
            }
        }
        assert!(logs(2, "", Level::DEBUG) && logs(0, "vipnode_pool=trace,,hyper=off", Level::TRACE));
        assert!(logs(0, "hyper=warn,debug", Level::DEBUG) && !logs(2, "error", Level::WARN));
    }

    #[test]
    fn what_the_operator_orders_is_logged_and_is_no_warning() {
        // A test has no terminal.
        assert!(filter(0, "").would_enable(OPERATOR_LOG, &Level::INFO));
        assert!(!filter(0, "").would_enable("vipnode_pool::admin", &Level::INFO));
        assert!(filter(2, "").would_enable(OPERATOR_LOG, &Level::DEBUG));
    }

    #[test]
    fn on_a_terminal_an_event_is_a_notice() {
        let text = crate::tests::plain(&notice(Level::WARN, "requests were not answered in time requests=7", 30));
        assert_eq!(text, "! Requests were not answered\n  in time requests=7");
        assert!(crate::tests::plain(&notice(Level::ERROR, "x", 80)).starts_with("✗ X"));
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
