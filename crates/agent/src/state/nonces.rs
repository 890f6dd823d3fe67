use vipnode_files::OpenDir;
use vipnode_types::Ms;

use super::{StateDir, files};
use crate::AgentError;

const NONCE: &str = "nonce";

/// Numbers for the calls of protocol 2, each larger than all before, over restarts and when the clock of this
/// machine goes back: nanoseconds since the Unix epoch, or one more than the last.
#[derive(Debug)]
pub struct Nonces {
    dir: OpenDir,
    last: u64,
}

impl StateDir {
    /// The numbers that calls of protocol 2 go on with.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`].
    pub fn nonces(&self) -> Result<Nonces, AgentError> {
        let dir = self.dir.clone();
        let Some(bytes) = files::read(&dir, NONCE)? else { return Ok(Nonces { dir, last: 0 }) };
        let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        match number {
            Some(last) => Ok(Nonces { dir, last }),
            None => Err(AgentError::Damaged { path: dir.file(NONCE), why: "it holds no number".to_owned() }),
        }
    }
}

impl Nonces {
    /// The next one. It is durable when this returns.
    ///
    /// # Errors
    /// [`AgentError::File`]; [`AgentError::Damaged`] at the end of the numbers, 2^63 − 1.
    pub fn next(&mut self, wall: Ms) -> Result<u64, AgentError> {
        let wall_ns = wall.get().saturating_mul(1_000_000);
        let next = wall_ns.max(self.last.saturating_add(1));
        if i64::try_from(next).is_err() {
            let why = format!("nonce {next} exceeds the largest possible nonce");
            return Err(AgentError::Damaged { path: self.dir.file(NONCE), why });
        }
        files::write(&self.dir, NONCE, format!("{next}\n").as_bytes())?;
        self.last = next;
        Ok(next)
    }
}
