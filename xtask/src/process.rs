//! Other programs: how the developer commands call them, and where the repository is.

use std::{
    env,
    ffi::OsStr,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// The root of the repository that the command was started for.
///
/// `cargo run` names the directory at run time. The one known at compile time may belong to another clone that
/// shares the build cache.
pub fn repository_root() -> PathBuf {
    let xtask = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map_or_else(|| xtask.clone(), Path::to_path_buf)
}

/// A cargo command in the repository.
///
/// Takes back the variables that `cargo run` set for this process. Build scripts that watch them would
/// otherwise run again whenever a contributor changes between `cargo xtask test` and plain `cargo test`.
pub fn cargo<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(repository_root());
    for (key, _) in env::vars_os() {
        if key.to_str().is_some_and(set_by_cargo_run) {
            command.env_remove(key);
        }
    }
    command
}

fn set_by_cargo_run(key: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
        .iter()
        .any(|prefix| key.starts_with(prefix))
}

/// Runs a command whose output is for the caller alone, and fails if it fails.
pub fn run_through(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot run `{shown}`"))?;
    ensure!(status.success(), "`{shown}`: {status}");
    Ok(())
}

/// Prints the command, runs it and fails if it fails.
///
/// Its standard error goes to our standard output: cargo-nextest reports there, and whoever keeps the output of
/// a run wants one stream in the order of events.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    println!("$ {shown}");
    let output = io::stdout().as_fd().try_clone_to_owned().context("cannot share the output")?;
    let status = command
        .stderr(Stdio::from(output))
        .status()
        .with_context(|| format!("cannot run `{shown}`"))?;
    ensure!(status.success(), "`{shown}`: {status}");
    Ok(())
}

/// Runs the command and returns what it printed on its standard output.
pub fn read(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot run `{shown}`"))?;
    ensure!(
        output.status.success(),
        "`{shown}`: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` did not print text"))
}

/// Whether the command can be started and succeeds, whatever it prints.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(program.as_os_str()).to_string_lossy()];
    words.extend(command.get_args().map(OsStr::to_string_lossy));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_without_its_directory() {
        assert_eq!(
            shown(Command::new("/usr/bin/cargo").args(["fmt", "--check"])),
            "cargo fmt --check"
        );
    }

    #[test]
    fn a_command_that_cannot_be_started_does_not_succeed() {
        assert!(!succeeds(&mut Command::new("a-program-that-nobody-has")));
    }

    #[test]
    fn a_failure_carries_what_the_command_said() {
        let error = read(Command::new("sh").args(["-c", "echo reason >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("reason"), "{error}");
    }

    #[test]
    fn cargo_does_not_inherit_the_package_of_this_program() {
        let removed: Vec<_> = cargo(["metadata"])
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(key, _)| key.to_owned())
            .collect();
        assert!(removed.iter().any(|key| key == "CARGO_PKG_NAME"), "{removed:?}");
        assert!(!removed.iter().any(|key| key == "CARGO_TARGET_DIR"), "{removed:?}");
    }
}
