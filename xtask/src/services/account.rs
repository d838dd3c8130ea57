//! The account that servers run as: ours, or an unprivileged one when we are root, because PostgreSQL refuses
//! to run as root.

use std::{
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::process;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Who we are ourselves.
    pub our_uid: u32,
    /// Who the server is; none when it is us.
    pub other: Option<Ids>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    pub uid: u32,
    pub gid: u32,
}

/// Accounts that may run a server for root, the preferred one first.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

impl Account {
    pub fn of_servers() -> Result<Self> {
        let our_uid = our_uid()?;
        if our_uid != 0 {
            return Ok(Self { our_uid, other: None });
        }
        let other = UNPRIVILEGED
            .iter()
            .find_map(|name| {
                Some(Ids { uid: id(&["-u", name]).ok()?, gid: id(&["-g", name]).ok()? })
            })
            .context(
                "PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody`",
            )?;
        Ok(Self { our_uid, other: Some(other) })
    }

    /// Makes the command run as this account, without root's other groups.
    pub fn assume(&self, command: &mut Command) {
        if let Some(Ids { uid, gid }) = self.other {
            // A process of root that changes its user this way drops its supplementary groups too.
            command.uid(uid).gid(gid);
        }
    }
}

pub fn our_uid() -> Result<u32> {
    id(&["-u"])
}

fn id(args: &[&str]) -> Result<u32> {
    let printed = process::read(Command::new("id").args(args).stderr(Stdio::null()))?;
    printed.trim().parse().with_context(|| format!("`id` printed `{}`", printed.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_never_runs_as_root() {
        let account = Account::of_servers().unwrap();
        let mut command = Command::new("id");
        account.assume(command.arg("-u"));
        let uid: u32 = process::read(&mut command).unwrap().trim().parse().unwrap();
        assert_ne!(uid, 0);
        assert_eq!(uid, account.other.map_or(account.our_uid, |ids| ids.uid));
    }

    #[test]
    fn a_server_keeps_none_of_roots_groups() {
        let account = Account::of_servers().unwrap();
        let Some(ids) = account.other else { return };
        let mut command = Command::new("id");
        account.assume(command.arg("-G"));
        assert_eq!(process::read(&mut command).unwrap().trim(), ids.gid.to_string());
    }
}
