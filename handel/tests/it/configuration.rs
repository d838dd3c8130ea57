//! What is set where, and how mistakes are told.

use super::support::Place;

#[test]
fn flags_win_over_variables_over_the_file_over_the_defaults() {
    let place = Place::new();
    place.write(
        "handel.toml",
        "[server]\nlisten = \"127.0.0.1:1001\"\nrequests_max = 77\nbody_max_bytes = 2048\n",
    );
    let variables =
        [("HANDEL__SERVER__LISTEN", "127.0.0.1:1002"), ("HANDEL__SERVER__REQUESTS_MAX", "78")];
    let mut command = place.command(&["config", "--listen", "127.0.0.1:1003"]);
    let output = command.envs(variables).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    for line in [
        "listen = \"127.0.0.1:1003\" # --listen",
        "requests_max = 78 # HANDEL__SERVER__REQUESTS_MAX",
        "body_max_bytes = 2048 # handel.toml",
        "connections_max = 4096 # the defaults",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} is not in {shown}");
    }
}

#[test]
fn an_unknown_key_is_named_with_its_file() {
    let place = Place::new();
    place.write("shop.toml", "[server]\nlissten = \"127.0.0.1:1\"\n");
    let complaint = place.fail(&["config", "--config", "shop.toml"]);
    assert!(complaint.contains("shop.toml has the unknown key server.lissten"), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "one sentence: {complaint}");

    let mut command = place.command(&["config"]);
    let output = command.env("HANDEL__SERVER__LISSTEN", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("HANDEL__SERVER__LISSTEN"));
}

#[test]
fn secrets_are_not_printed() {
    let place = Place::new();
    let mut command = place.command(&["config"]);
    let url = "postgres://shop:hunter2@db.example/shop";
    let output = command.env("DATABASE_URL", url).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("url = \"***\" # DATABASE_URL"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");

    let unreachable = "postgres://shop:hunter2@127.0.0.1:9/shop";
    let complaint = place.fail(&["migrate", "--database-url", unreachable]);
    assert!(complaint.contains("the database cannot be opened"), "{complaint}");
    assert!(!complaint.contains("hunter2"), "{complaint}");
}

#[test]
fn wrong_usage_is_told_by_its_own_exit_code() {
    let place = Place::new();
    for arguments in [
        &["sell"][..],
        &["serve", "--listen", "everywhere"],
        &["key", "create", "--name", "x", "--scopes", "catalog:eat"],
        &["import", "products"],
        &[],
    ] {
        assert_eq!(place.run(arguments).code, Some(2), "{arguments:?}");
    }
    assert_eq!(place.run(&["--help"]).code, Some(0));
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0, "nothing was made");
}
