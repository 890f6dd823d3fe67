//! The output for users and programs: the screen with its lines and the live line below them, the log, and the wording
//! of notices, times, and amounts.
//!
//! All output goes through [`Screen`] or [`log`], which remove control characters from text that others sent. May use
//! `args` and `error`; does not depend on any command.

mod agent_notices;
mod carried_flags;
mod columns;
mod confirm;
mod connect_failure;
mod csv_line;
mod evict_reasons;
pub(crate) mod format;
mod host_slow;
mod live_line;
pub(crate) mod log;
mod payment_notices;
mod price_notices;
mod redraw;
mod sanitize;
mod screen;
mod styled;
mod table;
pub(crate) mod terminal;
mod unwritten;
mod wrap;

pub(crate) use self::{
    agent_notices::agent_notice_line,
    carried_flags::{CARRIED, CarriedFlags, carry_flags, with_carried_flags_of_own},
    columns::{cut, shorten},
    confirm::confirm,
    csv_line::csv_line,
    live_line::LiveLine,
    payment_notices::{funds_low_text, link, pay},
    price_notices::price_here,
    redraw::Redraw,
    sanitize::{escape_json, sanitize_all_but_styles},
    screen::{Line, Screen, Tone},
    styled::Styled,
    table::{Column, Table},
    unwritten::{note_terminal, unwritten, written},
};

#[cfg(test)]
pub(crate) use self::{columns::columns, wrap::wrap};
