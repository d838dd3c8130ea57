//! Connections to what was checked, and to nothing else.

use std::{net::IpAddr, sync::Arc, time::Duration};

use handel_ports::{System, WebError};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::{address::Rules, client::Lookup};

/// How long one of several addresses of a name may take to answer before the next one is tried.
const CONNECT: Duration = Duration::from_secs(3);
/// Most addresses of a name that are tried.
const ADDRESSES_MAX: usize = 4;

/// A connection, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes connections.
pub(crate) struct Connector {
    pub rules: Rules,
    pub lookup: Lookup,
    pub system: System,
    pub tls: TlsConnector,
}

/// TLS that believes these authorities.
pub(crate) fn tls(roots: RootCertStore) -> TlsConnector {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows the usual protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

impl Connector {
    /// Connects to the host of an address that [`Rules::read`] took.
    pub async fn connect(&self, url: &Url) -> Result<TokioIo<Box<dyn Stream>>, WebError> {
        let port = url.port_or_known_default().ok_or(WebError::Address)?;
        let addresses = self.resolve(url).await?;
        let stream = self.reach(&addresses, port).await?;
        if url.scheme() == "http" {
            return Ok(TokioIo::new(Box::new(stream)));
        }
        let connected = self.tls.connect(server_name(url)?, stream).await.map_err(|error| {
            tracing::debug!(host = url.host_str(), %error, "no secure connection");
            match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(_) => WebError::Tls,
                None => WebError::Unreachable,
            }
        })?;
        Ok(TokioIo::new(Box::new(connected)))
    }

    /// The addresses of the host. One that must not be called spoils them all: a name that leads inside and outside
    /// is up to no good.
    async fn resolve(&self, url: &Url) -> Result<Vec<IpAddr>, WebError> {
        let mut addresses = match url.host().ok_or(WebError::Address)? {
            Host::Ipv4(address) => vec![address.into()],
            Host::Ipv6(address) => vec![address.into()],
            Host::Domain(name) => (self.lookup)(name.to_owned()).await.map_err(|error| {
                tracing::debug!(host = name, %error, "a name could not be resolved");
                WebError::Unreachable
            })?,
        };
        if addresses.is_empty() {
            return Err(WebError::Unreachable);
        }
        let must_be_local = url.scheme() == "http";
        let is_allowed = |address: &IpAddr| {
            self.rules.allows(*address) && (!must_be_local || address.is_loopback())
        };
        if !addresses.iter().all(is_allowed) {
            tracing::debug!(
                host = url.host_str(),
                "a name leads to an address that must not be called"
            );
            return Err(WebError::Address);
        }
        addresses.truncate(ADDRESSES_MAX);
        Ok(addresses)
    }

    /// A connection to the first address that answers.
    async fn reach(&self, addresses: &[IpAddr], port: u16) -> Result<TcpStream, WebError> {
        for address in addresses {
            let connected = self.system.within(CONNECT, TcpStream::connect((*address, port))).await;
            if let Some(Ok(stream)) = connected {
                return Ok(stream);
            }
        }
        Err(WebError::Unreachable)
    }
}

fn server_name(url: &Url) -> Result<ServerName<'static>, WebError> {
    match url.host().ok_or(WebError::Address)? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| WebError::Address),
        Host::Ipv4(address) => Ok(ServerName::from(IpAddr::from(address))),
        Host::Ipv6(address) => Ok(ServerName::from(IpAddr::from(address))),
    }
}
