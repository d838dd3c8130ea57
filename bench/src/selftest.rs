//! The ceiling of this program: the same clients against a server that reads a request and says thanks.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, runtime, sync::oneshot};

use crate::{
    cli::SelftestOptions,
    load::{self, Plan},
    report::{Report, Run},
    scenario::Scenario,
    world::{Goods, World},
};

const THANKS: &[u8] = br#"{"id":"cart_00000000000000000000000001","status":"open","lines":[]}"#;

/// Measures each number of clients.
pub async fn run(options: &SelftestOptions) -> Result<Report> {
    let address = start().await?;
    let goods = Goods { shipping_method: "none".to_owned(), ..Goods::default() };
    let world = Arc::new(World::new(vec![address], &goods, 0, 0)?);
    let mut report = Report::new("echo in this process".to_owned(), options.output.threads);
    for &clients in &options.clients {
        let plan = Plan {
            clients,
            warmup: Duration::from_millis(200),
            measured: Duration::from_secs(options.seconds),
            stop: Arc::new(AtomicBool::new(false)),
            window: None,
        };
        let outcome = load::run(Scenario::Echo, &world, &plan).await;
        report.add(Run::new("selftest", clients, &outcome));
    }
    Ok(report)
}

/// Starts the server. It has a thread of its own, as a server under test has processors of its own, and ends
/// with this program.
pub async fn start() -> Result<SocketAddr> {
    let (told, address) = oneshot::channel();
    thread::Builder::new().name("echo".to_owned()).spawn(move || serve(told))?;
    address.await.context("the echo server did not start")?
}

fn serve(told: oneshot::Sender<Result<SocketAddr>>) {
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            drop(told.send(Err(error.into())));
            return;
        }
    };
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = match listener.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok((address, listener)) => {
                drop(told.send(Ok(address)));
                listener
            }
            Err(error) => {
                drop(told.send(Err(error.into())));
                return;
            }
        };
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream.set_nodelay(true));
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(thank));
            tokio::spawn(connection);
        }
    });
}

async fn thank(request: hyper::Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    // A body that broke off has nobody who would read the answer.
    drop(request.into_body().collect().await);
    let mut response = Response::new(Full::new(Bytes::from_static(THANKS)));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}
