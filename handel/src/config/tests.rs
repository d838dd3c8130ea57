//! Which layer wins, and what is refused.

use std::{ffi::OsString, fs, path::PathBuf};

use handel_kit::{DoorSettings, ServerSettings};
use handel_local::MemoryCache;
use handel_mcp::TransportSettings;
use handel_store::DatabaseConfig;

use super::*;

const PASSWORD: &str = "hunter2-and-more";

/// What the layers above the defaults say.
#[derive(Default)]
struct Given<'a> {
    file: &'a str,
    variables: &'a [(&'a str, &'a str)],
    overrides: Overrides,
}

impl Given<'_> {
    fn read(self) -> anyhow::Result<Loaded> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shop.toml");
        fs::write(&path, self.file).unwrap();
        let overrides = Overrides { config: Some(path), ..self.overrides };
        let pairs = self.variables.iter().map(|(name, value)| (name.into(), value.into()));
        Loaded::from_layers(&overrides, pairs.collect::<Vec<(OsString, OsString)>>().into_iter())
    }

    fn config(self) -> Config {
        self.read().unwrap().config
    }

    fn error(self) -> String {
        format!("{:#}", self.read().expect_err("the configuration should be refused"))
    }
}

fn file(file: &str) -> Given<'_> {
    Given { file, ..Given::default() }
}

fn variables<'a>(variables: &'a [(&'a str, &'a str)]) -> Given<'a> {
    Given { variables, ..Given::default() }
}

#[test]
fn nothing_needs_to_be_configured() {
    let config = file("").config();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.sqlite_directory(), Some(PathBuf::from("./handel-data")));
    assert!(config.has_test_payments() && config.database.migrate);
    assert_eq!(config.test_ledger(), PathBuf::from("./handel-data/test-payments.db"));
}

#[test]
fn the_defaults_are_those_of_the_parts() {
    let config = file("").config();
    let (server, door, cache) = (config.server, DoorSettings::default(), config.cache);
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap();
    assert_eq!(server.body_max_bytes, door.body_max);
    assert_eq!(server.agent_body_max_bytes, door.agent_body_max);
    assert_eq!(server.agent_body_max_bytes, TransportSettings::default().body_max);
    assert_eq!(server.bodies_max_bytes, door.bodies_bytes_max);
    assert_eq!(server.body_timeout_ms, ms(door.body_timeout));
    assert_eq!(server.writes_per_minute, door.writes_per_minute);
    assert_eq!(server.proxies(), door.trusted_proxies);
    assert_eq!(server.proxies(), ServerSettings::default().trusted_proxies);
    assert_eq!(server.request_timeout_ms, ms(door.request_timeout));
    assert_eq!(server.requests_max, door.requests_max);
    assert_eq!(server.queue_max, door.queue_max);
    let settings = ServerSettings::default();
    assert_eq!(server.connections_max, settings.connections_max);
    assert_eq!(server.header_timeout_ms, ms(settings.header_timeout));
    assert_eq!(server.shutdown_grace_ms, ms(settings.shutdown_grace));
    assert_eq!(cache.bytes, MemoryCache::WEIGHT_MAX);
    assert_eq!(cache.ttl_ms, ms(MemoryCache::TIME_TO_LIVE));
    let (mcp, transport) = (config.mcp, handel_mcp::TransportSettings::default());
    assert_eq!((mcp.sessions_max, mcp.hosts), (transport.sessions_max, transport.hosts));
    assert_eq!(mcp.session_idle_ms, ms(transport.session_idle));
    let limits = handel_engine::Limits::default();
    assert_eq!(config.limits.provider_timeout_ms, ms(limits.provider_timeout));
    assert_eq!(config.limits.placement_batch, limits.placement_batch);
    assert_eq!(u128::from(config.limits.placement_wait_ms), limits.placement_wait.as_millis());
    assert_eq!(config.limits.job_attempts, limits.job_attempts);
}

#[test]
fn each_layer_wins_over_those_below() {
    let text = "data_dir = \"file\"\n[server]\nlisten = \"127.0.0.1:1\"\nrequests_max = 7\n[log]\nfilter = \"warn\"";
    let loaded = Given {
        file: text,
        variables: &[("HANDEL__SERVER__LISTEN", "127.0.0.1:2"), ("HANDEL__DATA_DIR", "variable")],
        overrides: Overrides { listen: "127.0.0.1:3".parse().ok(), ..Overrides::default() },
    };
    let loaded = loaded.read().unwrap();
    let config = &loaded.config;
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.data_dir, PathBuf::from("variable"));
    assert_eq!((config.server.requests_max, config.log.filter.as_str()), (7, "warn"));
    assert_eq!(loaded.origin("server.listen"), "--listen");
    assert_eq!(loaded.origin("data_dir"), "HANDEL__DATA_DIR");
    assert!(loaded.origin("log.filter").ends_with("shop.toml"));
    assert_eq!(loaded.origin("cache.bytes"), "the defaults");
}

#[test]
fn the_usual_variable_names_the_database() {
    let usual = ("DATABASE_URL", "postgres://u:p@db/shop");
    let config = variables(&[usual]).config();
    assert!(matches!(config.database(), DatabaseConfig::Postgres { .. }));
    assert_eq!(config.sqlite_directory(), None);

    let config = variables(&[usual, ("HANDEL__DATABASE__URL", "sqlite:elsewhere")]).config();
    assert_eq!(config.sqlite_directory(), Some(PathBuf::from("elsewhere")));

    let flag = Overrides {
        database_url: Some(Secret::new("sqlite:flag".to_owned())),
        ..Overrides::default()
    };
    let given = Given { variables: &[usual], overrides: flag, ..Given::default() };
    assert_eq!(given.config().sqlite_directory(), Some(PathBuf::from("flag")));
}

#[test]
fn variables_are_read_as_what_their_setting_is() {
    let config = variables(&[
        ("HANDEL__SERVER__CONNECTIONS_MAX", "12"),
        ("HANDEL__DATABASE__MIGRATE", "false"),
        ("HANDEL__PAYMENTS__PROVIDERS", ""),
        ("HANDEL__PAYMENTS__TEST__WEBHOOK_SECRET", "1234567890123456"),
        ("HANDEL_REQUIRE_SERVICES", "not ours"),
    ])
    .config();
    assert_eq!(config.server.connections_max, 12);
    assert!(!config.database.migrate && !config.has_test_payments());
    let secret = config.payments.test.webhook_secret.unwrap();
    assert_eq!(secret.expose(), "1234567890123456");

    let error = variables(&[("HANDEL__SERVER__CONNECTIONS_MAX", "many")]).error();
    assert!(error.contains("HANDEL__SERVER__CONNECTIONS_MAX must be a whole number"), "{error}");
    let error = variables(&[("HANDEL__SERVER", "x")]).error();
    assert!(error.contains("names a section"), "{error}");
}

#[test]
fn unknown_keys_are_named_with_their_origin() {
    let error = file("[server]\nlisen = \"x\"").error();
    assert!(error.contains("shop.toml") && error.contains("server.lisen"), "{error}");
    assert!(error.contains("listen"), "what is known is told: {error}");
    let error = file("[srver]\nlisten = \"x\"").error();
    assert!(error.contains("unknown key srver"), "{error}");
    let error = file("server = 1").error();
    assert!(error.contains("must be a section"), "{error}");
    let error = variables(&[("HANDEL__SERVER__LISEN", "x")]).error();
    assert!(error.contains("HANDEL__SERVER__LISEN"), "{error}");
}

#[test]
fn wrong_values_are_named_with_their_origin() {
    let error = file("[server]\nconnections_max = 0\nheader_timeout_ms = 1").error();
    assert!(error.contains("server.connections_max") && error.contains("1 to 1000000"), "{error}");
    assert!(error.contains("server.header_timeout_ms"), "all are told at once: {error}");
    let error = file("[server]\nlisten = \"everywhere\"").error();
    assert!(error.contains("server.listen") && error.contains("shop.toml"), "{error}");
    let error = file("[server]\nrequests_max = \"many\"").error();
    assert!(error.contains("server.requests_max"), "{error}");
    let error = file("[server]\nrequests_max = 1.5").error();
    assert!(error.contains("server.requests_max"), "{error}");
    let error = file("[log]\nformat = \"xml\"").error();
    assert!(error.contains("log.format"), "{error}");
    let error = file("[log]\nfilter = \"a=b=c\"").error();
    assert!(error.contains("log.filter"), "{error}");
    let error = file("[payments]\nproviders = [\"test\", \"bank\"]").error();
    assert!(error.contains("payments.providers") && error.contains("known is test"), "{error}");
    let error = variables(&[("HANDEL__SERVER__PUBLIC_URL", "shop.example")]).error();
    assert!(error.contains("HANDEL__SERVER__PUBLIC_URL"), "{error}");
}

#[test]
fn a_named_file_must_be_there() {
    let overrides =
        Overrides { config: Some(PathBuf::from("/nowhere/shop.toml")), ..Overrides::default() };
    let error = Loaded::from_layers(&overrides, std::iter::empty()).err();
    assert!(format!("{:#}", error.unwrap()).contains("/nowhere/shop.toml"));
}

#[test]
fn secrets_are_shown_nowhere() {
    let url = format!("postgres://shop:{PASSWORD}@db/shop");
    let text = format!("[payments.test]\nwebhook_secret = \"{PASSWORD}\"");
    let given = Given { file: &text, variables: &[("DATABASE_URL", &url)], ..Given::default() };
    let loaded = given.read().unwrap();
    let shown = loaded.show().unwrap();
    for text in [format!("{loaded:?}"), shown] {
        assert!(!text.contains(PASSWORD), "{text}");
        assert!(text.contains("***"), "{text}");
    }
    for wrong in [
        format!("[payments.test]\nwebhook_secret = [\"{PASSWORD}\"]"),
        format!("[payments.test]\nwebhook_secret = \"{PASSWORD}"),
        format!("[database]\nurl = \"mysql://u:{PASSWORD}@h/d\""),
    ] {
        let error = file(&wrong).error();
        assert!(!error.contains(PASSWORD), "{error}");
    }
    let error = variables(&[("DATABASE_URL", &format!("mysql://u:{PASSWORD}@h/d"))]).error();
    assert!(error.contains("DATABASE_URL") && !error.contains(PASSWORD), "{error}");
}

#[test]
fn what_is_shown_can_be_read_again() {
    let shown = file("[server]\nrequests_max = 9").read().unwrap().show().unwrap();
    assert!(shown.contains("requests_max = 9 # "), "{shown}");
    assert_eq!(file(&shown).config().server.requests_max, 9);
}
