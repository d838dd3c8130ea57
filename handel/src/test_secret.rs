//! The secret that the test provider signs its webhooks with, made once and kept beside the data.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use handel_local::TestPayments;
use handel_ports::{Secret, System};

use crate::config::Config;

/// Only the owner may read it.
const MODE: u32 = 0o600;

/// Where the secret is kept that nobody configured.
pub fn path(config: &Config) -> PathBuf {
    config.data_dir.join("test-payments.secret")
}

/// The configured secret, or the one that is kept, which is made on the first start.
pub fn load(config: &Config, system: &System) -> Result<Secret<Vec<u8>>> {
    if let Some(secret) = &config.payments.test.webhook_secret {
        return Ok(Secret::new(secret.expose().clone().into_bytes()));
    }
    let path = path(config);
    let shown = path.display();
    let secret = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(&path, system).with_context(|| format!("cannot write {shown}"))?;
            fs::read_to_string(&path).with_context(|| format!("cannot read {shown}"))?
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
    };
    let secret = secret.trim().as_bytes().to_vec();
    ensure!(
        secret.len() >= TestPayments::SECRET_LEN_MIN,
        "{shown} holds no secret of at least {} bytes; delete it, and the next start makes a new one",
        TestPayments::SECRET_LEN_MIN
    );
    Ok(Secret::new(secret))
}

/// Writes a new secret beside its place and links it there, so that of two processes that start at the
/// same time both read the same whole secret.
fn make(path: &Path, system: &System) -> std::io::Result<()> {
    let random = system.bytes::<32>();
    let text: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let temporary = path.with_extension(format!("secret.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&temporary)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| match fs::hard_link(&temporary, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(&temporary)?;
    linked
}
