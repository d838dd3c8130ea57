//! Carries the test provider's webhooks to this server, as a real provider would over the internet.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use handel_local::{TestPayments, payments::SignedWebhook};
use handel_ports::{BoxFuture, System};
use reqwest::{Client, redirect};
use tokio::sync::watch;

/// How long one delivery may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Delivers until `stop` turns true.
pub(super) fn start(
    payments: &Arc<TestPayments>,
    local_url: &str,
    system: &System,
    mut stop: watch::Receiver<bool>,
) -> Result<()> {
    // The server is on this machine: a proxy would only be in the way.
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(LIMIT);
    let client = client.build().context("the client for webhooks cannot be made")?;
    let url = format!("{local_url}{}/webhooks/{}", handel_rest::PREFIX, TestPayments::NAME);
    let sender = payments.webhook_sender();
    system.spawn(async move {
        let post = move |webhook: SignedWebhook| -> BoxFuture<'static, Result<(), String>> {
            let request = client.post(&url).headers(webhook.headers).body(webhook.body);
            Box::pin(async move {
                let answer = request.send().await.map_err(|error| error.to_string())?;
                let status = answer.status();
                if status.is_success() { Ok(()) } else { Err(format!("the answer was {status}")) }
            })
        };
        tokio::select! {
            () = sender.run(post) => {}
            // An error means that nobody can say stop any more.
            _ = stop.wait_for(|stop| *stop) => {}
        }
    });
    Ok(())
}
