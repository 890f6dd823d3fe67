use std::{
    io::{self, IsTerminal, Write},
    path::Path,
};

use zeroize::Zeroizing;

use crate::error::KeystoreError;

/// A longer file is not a password.
const FILE_BYTES: u64 = 4 << 10;

/// Reads the password of a keystore: the first line of a file, or what the user types.
///
/// # Errors
/// [`KeystoreError::PasswordFile`], [`KeystoreError::NoPassword`], [`KeystoreError::Terminal`].
pub(super) fn password(file: Option<&Path>) -> Result<Zeroizing<String>, KeystoreError> {
    let Some(path) = file else { return asked("Password of the keystore: ") };
    let read = vipnode_files::read_text(path, FILE_BYTES);
    let text = read.map_err(|error| KeystoreError::PasswordFile { path: path.to_owned(), error })?;
    Ok(first_line(&Zeroizing::new(text)))
}

/// Reads the password of a new keystore: the first line of a file, or what the user types twice.
///
/// # Errors
/// As [`password`], and [`KeystoreError::NoNewPassword`] for an empty one, [`KeystoreError::Mistyped`].
pub(crate) fn new_password(file: Option<&Path>) -> Result<Zeroizing<String>, KeystoreError> {
    let chosen = match file {
        Some(_) => password(file)?,
        None => asked("Password of the new keystore: ")?,
    };
    if chosen.is_empty() {
        return Err(KeystoreError::NoNewPassword);
    }
    if file.is_none() && *asked("The same password again: ")? != *chosen {
        return Err(KeystoreError::Mistyped);
    }
    Ok(chosen)
}

/// Asks for something secret on the terminal.
///
/// # Errors
/// [`KeystoreError::NoPassword`], [`KeystoreError::Terminal`].
pub(crate) fn hidden_answer(question: &str) -> Result<Zeroizing<String>, KeystoreError> {
    asked(question)
}

/// The first line without its end. Spaces belong to the password.
fn first_line(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().to_owned())
}

/// Asks on the terminal, which does not show what is typed.
fn asked(question: &str) -> Result<Zeroizing<String>, KeystoreError> {
    let input = io::stdin();
    if !input.is_terminal() {
        return Err(KeystoreError::NoPassword);
    }
    let fault = |error| KeystoreError::Terminal { error };
    let mut output = anstream::stderr().lock();
    output.write_all(question.as_bytes()).and_then(|()| output.flush()).map_err(fault)?;
    let mut line = Zeroizing::new(String::new());
    let read = read_hidden(&input, &mut line);
    // The end of the line that was typed is hidden too.
    output.write_all(b"\n").map_err(fault)?;
    read.map_err(fault)?;
    Ok(first_line(&line))
}

#[cfg(unix)]
fn read_hidden(terminal: &io::Stdin, line: &mut String) -> io::Result<()> {
    use std::io::BufRead as _;
    let _hidden = HiddenInput::begin(terminal)?;
    terminal.lock().read_line(line).map(drop)
}

/// Elsewhere, the password has to be in a file.
#[cfg(not(unix))]
fn read_hidden(_terminal: &io::Stdin, _line: &mut String) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Until it is dropped, the terminal does not show what is typed.
#[cfg(unix)]
struct HiddenInput<'a> {
    terminal: &'a io::Stdin,
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl<'a> HiddenInput<'a> {
    fn begin(terminal: &'a io::Stdin) -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &hidden)?;
        Ok(Self { terminal, before })
    }
}

#[cfg(unix)]
impl Drop for HiddenInput<'_> {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let _terminal_gone = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        for (text, password_in_it) in [("a b \r\nc", "a b "), ("\u{feff}x\n", "x"), ("", ""), (" ä", " ä")] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(*password(Some(&path)).unwrap(), password_in_it, "{text:?}");
        }
        assert!(matches!(password(Some(dir.path())), Err(KeystoreError::PasswordFile { .. })));
        std::fs::write(&path, "\nx").unwrap();
        assert!(matches!(new_password(Some(&path)), Err(KeystoreError::NoNewPassword)));
    }
}
