//! Who may read the files of a shop, and what commands may write over.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use super::support::{Place, Said, sample};

/// Runs a command under a umask.
fn run_under(umask: &str, place: &Place, arguments: &[&str]) -> Said {
    let program = place.command(arguments);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]).arg(program.get_program());
    shell.args(program.get_args()).env_clear().current_dir(place.path(""));
    Said::of(&shell.output().expect("a shell"))
}

/// Every file and directory below one, with its mode.
fn modes(directory: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let there = entry.metadata().expect("it is there");
        found.push((entry.path(), there.permissions().mode() & 0o777));
        if there.is_dir() {
            found.extend(modes(&entry.path()));
        }
    }
    found
}

/// Goal: other users of the machine cannot read what a shop keeps, also where the operator made the directory.
#[test]
fn files_of_a_shop_are_private_whatever_the_umask() {
    for umask in ["000", "022"] {
        let place = Place::new();
        let data = place.path("handel-data");
        fs::create_dir(&data).expect("a directory");
        fs::set_permissions(&data, Permissions::from_mode(0o755)).expect("our own directory");
        let said = run_under(umask, &place, &["demo", "--exit", "--listen", "127.0.0.1:0"]);
        assert_eq!(said.code, Some(0), "{}{}", said.output, said.errors);
        let found = modes(&data);
        let names: Vec<_> = found.iter().filter_map(|(path, _)| path.file_name()).collect();
        for name in ["handel.db", "lock", "test-payments.db", "test-payments.secret", "blobs"] {
            assert!(names.contains(&name.as_ref()), "{name} is not in {names:?}");
        }
        for (path, mode) in found {
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:03o}", path.display());
        }
        let said = run_under(umask, &place, &["backup", "copy.db"]);
        assert_eq!(said.code, Some(0), "{}", said.errors);
        let mode = fs::metadata(place.path("copy.db")).expect("a copy").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// Goal: an installation of an earlier version is corrected by the next start, and until then it is told.
#[test]
fn files_that_were_left_open_are_told_and_closed() {
    let place = Place::new();
    place.succeed(&["migrate"]);
    let open = |name: &str, mode| {
        fs::set_permissions(place.path(name), Permissions::from_mode(mode)).expect("our own file");
    };
    open("handel-data", 0o755);
    for name in ["handel-data/handel.db", "handel-data/lock"] {
        open(name, 0o644);
        let said = place.run(&["doctor", "--listen", "127.0.0.1:0"]);
        assert_eq!(said.code, Some(1), "{}", said.output);
        let line = said.output.lines().find(|line| line.contains("WRONG")).unwrap_or_default();
        assert!(line.contains(name) && line.contains("chmod go="), "{}", said.output);
        place.succeed(&["migrate"]);
        let mode = fs::metadata(place.path(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    open("handel-data", 0o777);
    let said = place.run(&["doctor", "--listen", "127.0.0.1:0"]);
    assert!(said.code == Some(1) && said.output.contains("chmod o-w"), "{}", said.output);
}

/// Goal: no command writes over what is not a file of that kind, however it is named.
#[test]
fn an_export_replaces_nothing_but_a_regular_file_of_others() {
    let place = Place::new();
    place.succeed(&["import", "products", &sample()]);
    fs::create_dir(place.path("folder")).expect("a directory");
    symlink("/dev/null", place.path("device")).expect("a link");
    symlink("handel-data/handel.db", place.path("alias.csv")).expect("a link");
    symlink("nowhere", place.path("broken.csv")).expect("a link");
    fs::hard_link(place.path("handel-data/handel.db"), place.path("twin.csv")).expect("a link");
    let refused = [
        "folder",
        "device",
        "alias.csv",
        "twin.csv",
        "broken.csv",
        "handel-data/handel.db",
        "handel-data/handel.db-wal",
        "handel-data/lock",
        "handel-data/blobs/new.csv",
    ];
    fs::create_dir_all(place.path("handel-data/blobs")).expect("a directory");
    for file in refused {
        let complaint = place.fail(&["export", "products", file]);
        assert!(complaint.contains("cannot write"), "{file}: {complaint}");
    }
    let complaint = place.fail(&["backup", "handel-data/handel.db-wal"]);
    assert!(complaint.contains("cannot write"), "{complaint}");
    assert!(place.path("device").is_symlink() && place.path("folder").is_dir());

    // Another file of that name is replaced, also by way of a link, and keeps its permissions.
    let file = place.write("goods.csv", "old");
    fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("our own file");
    symlink("goods.csv", place.path("latest.csv")).expect("a link");
    place.succeed(&["export", "products", "latest.csv"]);
    let text = fs::read_to_string(&file).expect("a file");
    assert!(text.contains("MAP-1") && place.path("latest.csv").is_symlink(), "{text}");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o640);
    let left = modes(&place.path(""))
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "part"));
    assert_eq!(left.count(), 0, "unfinished files are removed");
    // A new one can be read by whom the user lets read files.
    let said = run_under("022", &place, &["export", "products", "new.csv"]);
    assert_eq!(said.code, Some(0), "{}", said.errors);
    let mode = fs::metadata(place.path("new.csv")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}

/// Goal: deleting the lock file of a running server does not let a second one work on the same data.
#[tokio::test]
async fn a_deleted_lock_file_lets_no_second_server_in() {
    let place = Place::new();
    let served = place.serve();
    fs::remove_file(place.path("handel-data/lock")).expect("a lock");
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"]] {
        let complaint = place.fail(arguments);
        assert!(complaint.contains("a server uses this data directory"), "{complaint}");
    }
    served.get("/health/ready").await;
    served.stop().await;
    place.serve().stop().await;
}

/// Goal: a system without threads to spare is told in a sentence.
#[test]
fn too_few_threads_are_told_in_a_sentence() {
    let place = Place::new();
    let program = place.command(&["config"]);
    let mut shell = Command::new("/bin/sh");
    // The limit counts the threads of a user, and the superuser has none.
    shell.args([
        "-c",
        "ulimit -p 1 2>/dev/null || ulimit -u 1 2>/dev/null || exit 77; exec \"$0\" config",
    ]);
    shell.arg(program.get_program()).env_clear().current_dir(place.path(""));
    if rustix::process::geteuid().is_root() {
        use std::os::unix::process::CommandExt as _;
        // A user that nothing else runs as, who may enter here.
        fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).expect("our own");
        shell.uid(54_321);
    }
    let said = Said::of(&match shell.output() {
        Ok(output) => output,
        // The program lies where that user may not look.
        Err(_) => return,
    });
    if matches!(said.code, Some(77 | 126 | 127)) {
        eprintln!("skipped: the limit cannot be set here");
        return;
    }
    assert_eq!(said.code, Some(1), "{}{}", said.output, said.errors);
    assert!(said.errors.contains("too few threads"), "{}", said.errors);
    assert!(!said.errors.contains("panicked"), "{}", said.errors);
}
