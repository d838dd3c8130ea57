//! Whether the address is free, or whether the server that has it works.

use std::{io::ErrorKind, net::TcpListener, time::Duration};

use super::{Finding, State};
use crate::{config::Config, serve::reachable};

/// How long a running server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let mut findings = vec![address(config).await];
    let is_open = !config.server.listen.ip().is_loopback();
    if is_open && config.server.public_url.is_none() {
        let detail = "server.public_url is not set, so links lead buyers to this machine only";
        findings.push(Finding::new("public address", State::Note, detail));
    }
    findings
}

async fn address(config: &Config) -> Finding {
    let what = "address";
    let listen = config.server.listen;
    let Err(taken) = TcpListener::bind(listen) else {
        return Finding::new(what, State::Good, format!("{listen} is free"));
    };
    if taken.kind() != ErrorKind::AddrInUse {
        return Finding::new(what, State::Wrong, format!("cannot listen on {listen}: {taken}"));
    }
    match ready(&format!("http://{}/health/ready", reachable(listen))).await {
        Some(200) => {
            Finding::new(what, State::Good, format!("a server answers on {listen} and is ready"))
        }
        Some(_) => Finding::new(
            what,
            State::Wrong,
            format!("a server answers on {listen}, but is not ready"),
        ),
        None => Finding::new(what, State::Wrong, format!("another program uses {listen}")),
    }
}

/// The status of a server, if it is one of ours.
async fn ready(url: &str) -> Option<u16> {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().ok()?;
    let answer = client.get(url).send().await.ok()?;
    // Every answer of ours carries the id of its request.
    let is_ours = answer.headers().contains_key("x-request-id");
    is_ours.then_some(answer.status().as_u16())
}
