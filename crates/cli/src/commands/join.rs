use vipnode_types::JoinSecret;

use crate::{args::JoinArgs, error::Failure};

/// The join secret, from the flag or its file.
pub(crate) fn join_secret(args: &JoinArgs) -> Result<Option<JoinSecret>, Failure> {
    let Some(path) = &args.join_secret_file else { return Ok(args.join_secret.clone()) };
    let hint = "--join-secret-file with a file that this user may read";
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error, hint))?;
    let secret = JoinSecret::new(&text)
        .ok_or_else(|| Failure::new(format!("{} holds no secret", path.display()), "write the secret into it"))?;
    Ok(Some(secret))
}
