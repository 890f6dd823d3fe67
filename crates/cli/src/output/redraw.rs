use super::columns::{cut, rows};

/// The lines at the bottom of a terminal that are replaced in place.
///
/// A terminal breaks lines that are wider than itself, and breaks them again when its user resizes it. So what is drawn is
/// kept, and its rows are counted for the width at the time it is erased.
#[derive(Debug)]
pub(crate) struct Redraw {
    /// Each line ends with a line feed. Empty: nothing is drawn.
    drawn: String,
}

impl Redraw {
    /// Nothing is drawn yet.
    pub(crate) const fn new() -> Self {
        Self { drawn: String::new() }
    }

    /// Returns what erases the lines on a terminal that is now `width` wide, with the cursor where they began.
    pub(crate) fn erase(&mut self, width: usize) -> String {
        let drawn = std::mem::take(&mut self.drawn);
        let rows: usize = drawn.lines().map(|line| rows(line, width)).sum();
        if rows == 0 { String::new() } else { format!("\x1b[{rows}A\r\x1b[J") }
    }

    /// Returns what replaces the lines by those of `text`, each cut to the width.
    pub(crate) fn draw(&mut self, text: &str, width: usize) -> String {
        let erase = self.erase(width);
        self.drawn = text.lines().map(|line| cut(line, width) + "\n").collect();
        erase + &self.drawn
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::*;

    const WIDTHS: [u16; 6] = [17, 40, 60, 80, 97, 200];

    /// What a terminal of this width shows.
    fn shown(width: u16, written: &str) -> String {
        let mut terminal = vt100::Parser::new(NonZero::new(100).unwrap(), NonZero::new(width).unwrap(), 0);
        terminal.process(written.replace('\n', "\r\n").as_bytes());
        terminal.screen().contents()
    }

    #[test]
    fn a_redraw_erases_exactly_what_was_drawn_at_any_other_width() {
        let above = format!("{}\nabove\n", "wide ".repeat(50));
        let wide = format!("{}\n\n日本語{}\n", "table ".repeat(16), "語 ".repeat(30));
        for (before, now) in WIDTHS.iter().flat_map(|before| WIDTHS.map(|now| (*before, now))) {
            let mut redraw = Redraw::new();
            let drawn = redraw.draw(&wide, before.into());
            // A terminal that is resized breaks its lines as if it had always been as wide.
            let again = redraw.draw("new", now.into());
            assert_eq!(
                shown(now, &format!("{above}{drawn}{again}")),
                shown(now, &format!("{above}new\n")),
                "{before} to {now}"
            );
            let erased = redraw.erase(now.into());
            let all = format!("{above}{drawn}{again}{erased}");
            assert_eq!(shown(now, &all), shown(now, &above), "{before} to {now}");
            assert_eq!(redraw.erase(now.into()), "", "nothing is drawn any more");
        }
    }
}
