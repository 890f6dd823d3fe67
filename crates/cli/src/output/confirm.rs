//! Questions that are answered on the terminal.

use std::io::{self, BufRead as _, IsTerminal, Write as _};

use super::{Styled, terminal::error_width};

/// Asks a question that is answered with yes or no. No is the default, and the answer without a terminal.
///
/// The thread that reads the answer is left behind if the command ends meanwhile (Ctrl-C).
pub(crate) async fn confirm(question: &str) -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return false;
    }
    let question = Styled::from(format!("{question} [y/N]").as_str()).wrapped(error_width());
    let answered = tokio::task::spawn_blocking(move || -> io::Result<bool> {
        let mut output = anstream::stderr().lock();
        write!(output, "{question} ")?;
        output.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(is_yes(&answer))
    });
    matches!(answered.await, Ok(Ok(true)))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_one() {
        for yes in ["y\n", "Y\r\n", " yes \n", "YES"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "yess\n", "j\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
