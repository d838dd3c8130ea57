//! What is found in sound and in broken places.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
};

use super::support::{Place, Said};

/// Looks at a place with a port that is free, or so near to it that it does not matter.
fn examine(place: &Place, more: &[&str]) -> Said {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a bound address").to_string();
    drop(listener);
    place.run(&[&["doctor", "--listen", &address], more].concat())
}

/// The verdict on one thing.
fn verdict(said: &Said, what: &str) -> String {
    let line = said.output.lines().find(|line| line.starts_with(what));
    line.unwrap_or_else(|| panic!("nothing is said of {what}: {}", said.output)).to_owned()
}

#[test]
fn a_place_where_nothing_is_yet_is_fine_and_stays_so() {
    let place = Place::new();
    let said = examine(&place, &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.output, said.errors);
    assert!(verdict(&said, "database").contains("the first start makes it"));
    assert!(!place.path("handel-data").exists());
}

#[tokio::test]
async fn a_shop_is_fine_while_it_is_open_and_when_it_is_closed() {
    let place = Place::new();
    let served = place.serve();
    let address = served.url.strip_prefix("http://").unwrap().to_owned();
    let said = place.run(&["doctor", "--listen", &address]);
    assert_eq!(said.code, Some(0), "{}{}", said.output, said.errors);
    assert!(verdict(&said, "database").contains("in use by a running server"));
    assert!(verdict(&said, "address").contains("is ready"));
    served.stop().await;

    let said = examine(&place, &[]);
    assert_eq!(said.code, Some(0), "{}{}", said.output, said.errors);
    assert!(verdict(&said, "database").contains("every page is whole"));
    assert!(verdict(&said, "schema").contains("newest"));
    assert!(verdict(&said, "secrets").contains("only you can read"));
}

#[test]
fn a_damaged_database_is_found() {
    let place = Place::new();
    place.succeed(&["migrate"]);
    let path = place.path("handel-data/handel.db");
    let mut bytes = fs::read(&path).unwrap();
    let page = 4096;
    assert!(bytes.len() > 20 * page);
    // The first page still says that it is a database.
    bytes[page..].fill(0xAB);
    fs::write(&path, bytes).unwrap();
    let said = examine(&place, &[]);
    assert_eq!(said.code, Some(1), "{}", said.output);
    assert!(verdict(&said, "database").contains("WRONG"), "{}", said.output);

    fs::write(&path, "this is a shopping list").unwrap();
    let said = examine(&place, &[]);
    assert_eq!(said.code, Some(1), "{}", said.output);
    assert!(verdict(&said, "database").contains("damaged"), "{}", said.output);
    let complaint = place.fail(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(complaint.contains("damaged"), "{complaint}");
}

#[test]
fn a_directory_that_cannot_be_written_is_found() {
    let place = Place::new();
    let locked = place.path("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, Permissions::from_mode(0o555)).unwrap();
    // The superuser writes wherever files are files, but not into a view of the kernel.
    let is_superuser = fs::write(locked.join("probe"), "").is_ok();
    let directory = if is_superuser { "/sys".to_owned() } else { locked.display().to_string() };
    let said = examine(&place, &["--data-dir", &directory]);
    assert_eq!(said.code, Some(1), "{}", said.output);
    assert!(verdict(&said, "data directory").contains("cannot be written"), "{}", said.output);

    let file = place.write("a-file", "not a directory");
    let said = examine(&place, &["--data-dir", &file.display().to_string()]);
    assert_eq!(said.code, Some(1), "{}", said.output);
}

#[tokio::test]
async fn a_secret_that_others_can_read_is_found() {
    let place = Place::new();
    place.serve().stop().await;
    let secret = place.path("handel-data/test-payments.secret");
    fs::set_permissions(&secret, Permissions::from_mode(0o644)).unwrap();
    let said = examine(&place, &[]);
    assert_eq!(said.code, Some(1), "{}", said.output);
    assert!(verdict(&said, "secrets").contains("chmod go="), "{}", said.output);
}

#[test]
fn a_port_of_somebody_else_and_a_wrong_setting_are_found() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let neighbour = std::thread::scope(|scope| {
        // It hangs up on whoever asks.
        scope.spawn(|| drop(listener.accept()));
        place.run(&["doctor", "--listen", &address])
    });
    assert_eq!(neighbour.code, Some(1), "{}", neighbour.output);
    assert!(verdict(&neighbour, "address").contains("another program"));

    place.write("handel.toml", "[server]\nlissten = 1\n");
    let said = place.run(&["doctor"]);
    assert_eq!(said.code, Some(1), "{}", said.output);
    assert!(verdict(&said, "configuration").contains("server.lissten"));
}
