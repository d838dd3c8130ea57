//! What a PostgreSQL server is told: its configuration and its port.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use anyhow::{Context, Result};

use super::Profile;

/// The whole configuration of the server; what it does not say is PostgreSQL's default.
pub fn text(profile: Profile, port: u16, sockets: &Path) -> String {
    let durable = match profile {
        Profile::Disposable => "off",
        Profile::Durable => "on",
    };
    let sockets = sockets.display().to_string().replace('\'', "''");
    format!(
        "\
# Written at each start by `cargo xtask services up`.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
max_connections = 300
shared_buffers = 128MB
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
timezone = 'UTC'
log_timezone = 'UTC'
"
    )
}

pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_server_for_tests_does_without_fsync() {
        let sockets = Path::new("/tmp/run");
        let disposable = text(Profile::Disposable, 5433, sockets);
        assert!(
            disposable
                .contains("\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
        );
        let durable = text(Profile::Durable, 5433, sockets);
        assert!(durable.contains("\nfsync = on\nsynchronous_commit = on\nfull_page_writes = on\n"));
    }

    #[test]
    fn the_server_listens_on_the_loopback_interface_and_a_private_socket_alone() {
        let text = text(Profile::Disposable, 5433, Path::new("/tmp/it's here"));
        assert!(text.contains("\nlisten_addresses = '127.0.0.1'\nport = 5433\n"));
        assert!(text.contains("\nunix_socket_directories = '/tmp/it''s here'\n"));
    }

    #[test]
    fn a_free_port_is_free_until_somebody_takes_it() {
        let port = free_port().unwrap();
        assert!(is_free(port));
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
    }
}
