//! A network between a shop and its database that can be cut, and that can swallow what is sent.

use std::{net::SocketAddr, time::Duration};

use handel_ports::System;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// How the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Everything arrives.
    Up,
    /// Everything arrives this much later.
    Slow(Duration),
    /// Connections break, and new ones too.
    Cut,
    /// Nothing arrives and nobody is told. Connections of that time stay so for good.
    Swallowing,
}

/// A place to connect to instead of the database.
pub struct Proxy {
    pub address: SocketAddr,
    network: watch::Sender<Network>,
}

impl Proxy {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let (network, state) = watch::channel(Network::Up);
        System::real().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = state.clone();
                System::real().spawn(serve(client, target, state));
            }
        });
        Self { address, network }
    }

    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

async fn serve(client: TcpStream, target: SocketAddr, state: watch::Receiver<Network>) {
    if *state.borrow() == Network::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    // When one direction breaks, both do.
    tokio::select! {
        () = pump(client_read, server_write, state.clone()) => {}
        () = pump(server_read, client_write, state) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<Network>,
) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let network = *state.borrow_and_update();
        match network {
            Network::Cut => return,
            // The connection stays open and dead, whatever the network is later.
            Network::Swallowing => std::future::pending().await,
            Network::Up | Network::Slow(_) => {}
        }
        let length = tokio::select! {
            biased;
            _changed = state.changed() => continue,
            read = from.read(&mut buffer) => read.unwrap_or(0),
        };
        if length == 0 {
            return;
        }
        if let Network::Slow(delay) = network {
            System::real().sleep(delay).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
