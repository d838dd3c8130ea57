//! Where a server keeps its data: a directory of ours under the system's one for temporary files.
//!
//! It is not under `target/`, because that may be in a home directory, which the account that runs the server
//! for root cannot enter. The place can be known in advance by everybody on the machine, so a directory that
//! somebody else has put there is refused.

use std::{
    env,
    fs::{self, DirBuilder, File, Permissions},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::{
    Profile,
    account::{Account, Ids},
};
use crate::process;

#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    account: Account,
}

impl Directory {
    /// Makes the directory if need be, in the first place that is fit for a server of this account.
    pub fn open(profile: Profile, account: &Account) -> Result<Self> {
        let [preferred, other] = bases(profile);
        Self::open_in(&preferred, profile, account)
            .or_else(|error| Self::open_in(&other, profile, account).map_err(|_| error))
    }

    fn open_in(base: &Path, profile: Profile, account: &Account) -> Result<Self> {
        let parent = base.join(format!("handel-services-{}", account.our_uid));
        // The server's account passes through, and sees nothing but what is its own.
        make(&parent, account.our_uid, if account.other.is_some() { 0o711 } else { 0o700 }, None)?;
        let path = parent.join(profile.name());
        let owner = account.other.map_or(account.our_uid, |ids| ids.uid);
        make(&path, owner, 0o700, account.other)?;
        let directory = Self { path, account: *account };
        ensure!(
            process::succeeds(directory.command("test").args(["-w", "."])),
            "the account that runs the server cannot reach {}; set TMPDIR to a directory that everybody can enter",
            directory.path.display()
        );
        Ok(directory)
    }

    /// A path in the directory, which belongs to the server's account.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file beside the directory, for what only we may write.
    ///
    /// As root we never write where another account could have put a symbolic link.
    pub fn beside(&self, extension: &str) -> PathBuf {
        self.path.with_extension(extension)
    }

    /// A program that runs in this directory as the server's account, untouched by our settings for PostgreSQL.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        for (key, _) in env::vars_os().filter(|(key, _)| key.to_string_lossy().starts_with("PG")) {
            command.env_remove(key);
        }
        command.env("LC_ALL", "C").env("HOME", &self.path).current_dir(&self.path);
        self.account.assume(&mut command);
        command
    }

    /// Waits until nobody else starts or stops a server here, and keeps others waiting until it is dropped.
    pub fn lock(&self) -> Result<File> {
        let path = self.beside("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(file)
    }
}

/// Where to look for a place, the preferred one first.
///
/// What is durable lies where it survives a restart, which `/tmp` often does not: it may be in memory. Root may
/// have a TMPDIR that is closed to others, and falls back to the common one.
fn bases(profile: Profile) -> [PathBuf; 2] {
    match profile {
        Profile::Disposable => [env::temp_dir(), "/tmp".into()],
        Profile::Durable => ["/var/tmp".into(), env::temp_dir()],
    }
}

fn make(path: &Path, owner: u32, mode: u32, given_to: Option<Ids>) -> Result<()> {
    let shown = path.display();
    if fs::symlink_metadata(path).is_err() {
        // Another call may be faster, which is as good.
        let _ = DirBuilder::new().mode(mode).create(path);
    }
    let found = fs::symlink_metadata(path).with_context(|| format!("cannot make {shown}"))?;
    if let Some(Ids { uid, gid }) = given_to.filter(|_| found.is_dir() && found.uid() == 0) {
        chown(path, Some(uid), Some(gid))
            .with_context(|| format!("cannot give {shown} to the server"))?;
    }
    let found = fs::symlink_metadata(path)?;
    ensure!(
        found.is_dir() && found.uid() == owner,
        "{shown} is not a directory of ours; remove it"
    );
    fs::set_permissions(path, Permissions::from_mode(mode))
        .with_context(|| format!("cannot protect {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn us() -> u32 {
        Account::of_servers().unwrap().our_uid
    }

    #[test]
    fn a_directory_is_made_once_and_protected_each_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a");
        for _ in 0..2 {
            make(&path, us(), 0o700, None).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
            fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        }
    }

    #[test]
    fn what_somebody_else_has_put_there_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let link = parent.path().join("link");
        symlink("/etc", &link).unwrap();
        assert!(make(&link, us(), 0o700, None).is_err());
        let foreign = parent.path().join("foreign");
        fs::create_dir(&foreign).unwrap();
        assert!(make(&foreign, us() + 1, 0o700, None).is_err());
    }
}
