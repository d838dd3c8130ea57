//! The server that the official conformance kit of the protocol asks for, on the transport of the shop.
//!
//! The kit calls tools, prompts and resources of fixed names. They stand here and in no shop; what is tested is
//! `handel_mcp::transport` with the server below it. Run it, then the kit:
//!
//! ```console
//! $ cargo run -p handel-mcp --example conformance -- --listen 127.0.0.1:8001
//! $ npx @modelcontextprotocol/conformance server --url http://127.0.0.1:8001/mcp --requirements 2026-07-28
//! ```

#![expect(deprecated, reason = "the kit of 2025-11-25 asks for sampling, roots and logging")]

mod fixture;
mod inputs;
mod questions;
mod texts;

use std::{io::Write as _, net::SocketAddr};

use axum::{Router, body::Body, routing::any};
use clap::Parser;
use handel_kit::{Server, ServerSettings};
use handel_mcp::transport::{Transport, TransportSettings};
use handel_ports::System;
use http::Request;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use fixture::Fixture;

/// Serves the fixtures of the conformance kit.
#[derive(Parser)]
struct Arguments {
    /// Address and port.
    #[arg(long, default_value = "127.0.0.1:8001")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let Arguments { listen } = Arguments::parse();
    let server = Server::bind(listen, ServerSettings::default(), System::real()).await?;
    let public_url = format!("http://{}", server.address()?);
    writeln!(std::io::stdout(), "Listening on {public_url}")?;
    let settings = TransportSettings { public_url, ..TransportSettings::default() };
    let transport = Transport::new(&settings, Fixture::default(), &CancellationToken::new());
    let serve = move |request: Request<Body>| {
        let transport = transport.clone();
        async move { transport.serve(request).await }
    };
    let (_never, stop) = watch::channel(false);
    server.run(Router::new().route("/mcp", any(serve)), stop).await;
    Ok(())
}
