//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use handel_domain::{Currency, id::ApiKeyId};
use handel_engine::Scope;
use handel_ports::Secret;
use jiff::{SignedDuration, Span};

use crate::{config::Overrides, serve::ucp_compat};

/// Sell to people and to agents: an agent-native commerce engine in one program.
#[derive(Debug, Parser)]
#[command(name = "handel", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Settings {
    /// Configuration file [default: ./handel.toml if it exists].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port of the server.
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Where everything lies that this process keeps.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The database: postgres://… or sqlite:DIR. A password is safer in DATABASE_URL.
    #[arg(long, global = true, value_name = "URL", value_parser = secret)]
    database_url: Option<Secret<String>>,
}

impl Arguments {
    /// What the flags say about the configuration.
    pub fn overrides(&self) -> Overrides {
        let Settings { config, listen, data_dir, database_url } = &self.settings;
        Overrides {
            config: config.clone(),
            listen: *listen,
            data_dir: data_dir.clone(),
            database_url: database_url.clone(),
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the shop until it is told to stop.
    Serve {
        #[command(flatten)]
        sandbox: ucp_compat::Options,
    },
    /// Let an assistant on this machine use a shop that runs, over the standard input and output.
    Mcp {
        /// Where the shop is, such as http://127.0.0.1:8080 [default: the address that it listens on].
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Run a shop with goods and prices to look at.
    Demo {
        /// End after the tour instead of serving on.
        #[arg(long)]
        exit: bool,
    },
    /// Bring goods into the shop.
    #[command(subcommand)]
    Import(Import),
    /// Take goods out of the shop.
    #[command(subcommand)]
    Export(Export),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Key(Key),
    /// Bring the schema of the database to the newest version.
    Migrate {
        /// Change nothing; fail if the schema is not the newest.
        #[arg(long)]
        check: bool,
    },
    /// Copy the embedded database to a new file, also while a server runs.
    Backup {
        /// The file to write; it must not exist.
        file: PathBuf,
    },
    /// Look at everything that a shop needs, and say what is wrong.
    Doctor,
    /// Print the settings in force and where each comes from.
    Config,
}

/// What can be imported.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Products from a CSV file in the format of Shopify; those that exist are replaced.
    Products {
        /// The file.
        file: PathBuf,
        /// The currency of its prices where a column does not name one.
        #[arg(long, default_value = "USD", value_parser = currency)]
        currency: Currency,
        /// Only say what is wrong with the file.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What can be exported.
#[derive(Debug, Subcommand)]
pub enum Export {
    /// All products as CSV.
    Products {
        /// The file to write, or `-` for the standard output.
        #[arg(default_value = "-")]
        file: PathBuf,
    },
}

/// What can be done with API keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key and print it; it is never shown again.
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it may do: scopes with commas between, or `all`.
        #[arg(long, value_parser = scopes)]
        scopes: Scopes,
        /// When it ends, such as 90d or 12h [default: never].
        #[arg(long, value_parser = duration, value_name = "TIME")]
        expires_in: Option<SignedDuration>,
    },
    /// List all keys, newest first.
    List,
    /// End a key at once.
    Revoke {
        /// Its id, as `key list` shows it.
        #[arg(value_parser = key_id)]
        id: ApiKeyId,
    },
}

/// Some scopes. A type of its own, as the parser takes a list for several arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(pub Vec<Scope>);

fn secret(text: &str) -> Result<Secret<String>, String> {
    Ok(Secret::new(text.to_owned()))
}

fn currency(text: &str) -> Result<Currency, String> {
    text.parse().map_err(|refusal: handel_domain::Refusal| refusal.message)
}

fn key_id(text: &str) -> Result<ApiKeyId, String> {
    text.parse().map_err(|_| "expected the id of a key, as `handel key list` shows it".to_owned())
}

fn scopes(text: &str) -> Result<Scopes, String> {
    if text.trim() == "all" {
        return Ok(Scopes(Scope::ALL.to_vec()));
    }
    let known = || Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
    let mut scopes = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let scope = name
            .parse()
            .map_err(|_| format!("there is no scope {name}; use all, or some of {}", known()))?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        Err(format!("use all, or some of {}", known()))
    } else {
        Ok(Scopes(scopes))
    }
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "expected a time that is not negative, such as 90d, 12h or 30m".to_owned();
    let span: Span = text.parse().map_err(|_| wrong())?;
    let duration =
        span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if duration.is_positive() { Ok(duration) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn scopes_are_named_or_all_of_them() {
        assert_eq!(scopes("all"), Ok(Scopes(Scope::ALL.to_vec())));
        let some = scopes("catalog:read, catalog:write,catalog:read");
        assert_eq!(some, Ok(Scopes(vec![Scope::CatalogRead, Scope::CatalogWrite])));
        assert!(scopes("catalog:eat").is_err_and(|error| error.contains("catalog:eat")));
        assert!(scopes(" , ").is_err());
    }

    #[test]
    fn keys_end_after_days_or_hours() {
        assert_eq!(duration("90d"), Ok(SignedDuration::from_hours(90 * 24)));
        assert_eq!(duration("2w"), Ok(SignedDuration::from_hours(14 * 24)));
        assert_eq!(duration("30m"), Ok(SignedDuration::from_mins(30)));
        for wrong in ["", "90", "-1d", "0h", "1 year", "1mo"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
