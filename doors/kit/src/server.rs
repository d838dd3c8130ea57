//! The accept loop: connections are limited, slow clients are cut off, and a shutdown lets requests end.

mod quiet;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use handel_ports::System;
use http::{HeaderMap, Request};
use hyper::{
    body::Incoming,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use self::quiet::{Activity, Owed, Watched};
use crate::{
    Client, Network,
    client::Peer,
    shares::{Shares, share_of},
};

/// Limits of connections.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Maximum number of connections; more wait in the operating system's queue. One client gets at most an eighth of
    /// them.
    pub connections_max: usize,
    /// Proxies that connect for many clients, so that their connections are not limited by client.
    pub trusted_proxies: Vec<Network>,
    /// How long a connection is kept on which nothing happens: how long a client may take to send the head of
    /// a request or to read an answer, and how long it may stay without asking.
    pub header_timeout: Duration,
    /// How long requests may go on after a shutdown was asked for.
    pub shutdown_grace: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            trusted_proxies: Network::loopback(),
            header_timeout: Duration::from_secs(15),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}

/// A server that is bound to its address.
pub struct Server {
    listener: TcpListener,
    settings: ServerSettings,
    system: System,
}

/// Largest head of a request, and buffer of a connection, in bytes.
const HEAD_MAX: usize = 32 * 1024;
/// Most header fields of a request.
const HEADERS_MAX: usize = 64;
/// Most requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;
/// How long to wait when the process is out of file handles.
const PAUSE: Duration = Duration::from_millis(50);

impl Server {
    /// Binds to an address.
    pub async fn bind(
        address: SocketAddr,
        settings: ServerSettings,
        system: System,
    ) -> std::io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, settings, system })
    }

    /// The address that it is bound to.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` turns true, then lets open requests end for a while.
    pub async fn run(self, router: Router, mut stop: watch::Receiver<bool>) {
        let Self { listener, settings, system } = self;
        let places = Arc::new(Semaphore::new(settings.connections_max));
        let connections = GracefulShutdown::new();
        let (builder, shares) = (http(), Arc::new(Shares::default()));
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = accept(&listener, &places, &system) => accepted,
            };
            let (stream, peer, place) = accepted;
            let client = Client::find(Some(&peer), &HeaderMap::new(), &settings.trusted_proxies);
            let Some(share) = Share::take(&shares, client, settings.connections_max) else {
                tracing::debug!(peer = %peer.address, "a client has too many connections");
                continue;
            };
            let activity = Arc::new(Activity::new(system.clone()));
            let (routes, requests) = (TowerToHyperService::new(router.clone()), activity.clone());
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(peer.clone());
                let (under_way, answer) = (requests.begin(), routes.call(request));
                let activity = requests.clone();
                async move {
                    let answer = answer.await;
                    drop(under_way);
                    answer.map(|answer| answer.map(|body| Owed::new(body, activity)))
                }
            });
            let stream = Watched::new(TokioIo::new(stream), activity.clone());
            let connection = builder.serve_connection(stream, service).into_owned();
            let connection = connections.watch(connection);
            system.spawn(async move {
                tokio::select! {
                    ended = connection => if let Err(error) = ended {
                        // A client that breaks off is its own business.
                        tracing::debug!(%error, "a connection ended early");
                    },
                    () = activity.quiet_for(settings.header_timeout) => {
                        tracing::debug!("a connection was closed because nothing came of it");
                    }
                }
                drop((place, share));
            });
        }
        drop(listener);
        if system.within(settings.shutdown_grace, connections.shutdown()).await.is_none() {
            tracing::warn!(
                "some connections were still open when the time for shutting down was over"
            );
        }
    }
}

/// A connection of a client, until this is dropped.
struct Share {
    shares: Arc<Shares>,
    client: Option<Client>,
}

impl Share {
    /// None if the client has all the connections that it may have.
    fn take(shares: &Arc<Shares>, client: Option<Client>, max: usize) -> Option<Self> {
        let is_within = client.is_none_or(|client| shares.take(&client, 1, share_of(max)));
        is_within.then(|| Self { shares: shares.clone(), client })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(client) = &self.client {
            self.shares.give_back(client, 1);
        }
    }
}

/// No time limits of the library: [`Activity`] also counts before it is known which protocol a client speaks.
fn http() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().header_read_timeout(None).max_buf_size(HEAD_MAX).max_headers(HEADERS_MAX);
    builder
        .http2()
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(HEAD_MAX).unwrap_or(u32::MAX));
    builder
}

/// Takes the next connection once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    system: &System,
) -> (TcpStream, Peer, OwnedSemaphorePermit) {
    let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Answers are small and complete; waiting to fill a packet only adds latency.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection was gone before it was served");
                }
                return (stream, Peer::new(address), place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                system.sleep(PAUSE).await;
            }
        }
    }
}
