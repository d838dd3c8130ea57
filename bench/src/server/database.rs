//! A PostgreSQL database for one run.

use anyhow::{Context, Result};
use tokio_postgres::{Client, NoTls};

/// A database that nobody else uses.
#[derive(Debug)]
pub struct FreshDatabase {
    server_url: String,
    name: String,
}

impl FreshDatabase {
    /// Makes it beside the database that `server_url` names.
    pub async fn create(server_url: &str) -> Result<Self> {
        let name = format!("handel_bench_{:08x}", rand::random::<u32>());
        let client = connect(server_url).await?;
        client
            .batch_execute(&format!("create database {name}"))
            .await
            .context("cannot make a database; the user of --postgres needs the right to do so")?;
        Ok(Self { server_url: server_url.to_owned(), name })
    }

    /// What the servers connect to.
    pub fn url(&self) -> String {
        with_database(&self.server_url, &self.name)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes it away, even from servers that are still connected.
    pub async fn drop(self) -> Result<()> {
        let client = connect(&self.server_url).await?;
        client
            .batch_execute(&format!("drop database if exists {} with (force)", self.name))
            .await
            .context("cannot drop the database")
    }
}

/// Connects to PostgreSQL.
pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.context("cannot connect to PostgreSQL")?;
    // It ends with the client, which hears of what goes wrong.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// The same address with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", address));
    let host = rest.split('/').next().unwrap_or_default();
    let sign = if options.is_empty() { "" } else { "?" };
    format!("{scheme}://{host}/{name}{sign}{options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_changes() {
        for (url, expected) in [
            ("postgres://me:pw@db:5433/shop", "postgres://me:pw@db:5433/fresh"),
            ("postgresql://db", "postgresql://db/fresh"),
            ("postgres://db/shop?sslmode=disable", "postgres://db/fresh?sslmode=disable"),
            ("postgres:///shop?host=/run/pg", "postgres:///fresh?host=/run/pg"),
        ] {
            assert_eq!(with_database(url, "fresh"), expected);
        }
    }
}
