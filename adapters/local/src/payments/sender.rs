//! Delivers the provider's webhooks, over whatever the caller posts with.
//!
//! Owns when an event is sent and sent again. It knows neither HTTP nor an address.

use std::time::Duration;

use futures_util::future::join_all;
use handel_ports::{BoxFuture, System};

use super::{
    ledger::{ChargeEvent, Ledger, LedgerError},
    log,
    webhook::{SignedWebhook, WebhookKey},
};

/// How often it looks for events that became due.
const POLL: Duration = Duration::from_millis(250);
/// How long one delivery may take; shorter than the lease of an event.
const POST_LIMIT: Duration = Duration::from_secs(10);
/// Most deliveries at the same time.
const BATCH_MAX: u32 = 64;

const _: () = assert!(
    POST_LIMIT.as_millis() < Ledger::WEBHOOK_LEASE_MS as u128,
    "an event must not be due again while it is being delivered"
);

/// Sends webhooks until each has arrived. Several may work on one ledger.
pub struct WebhookSender {
    ledger: Ledger,
    key: WebhookKey,
    system: System,
}

impl WebhookSender {
    pub(super) fn new(ledger: Ledger, key: WebhookKey, system: System) -> Self {
        Self { ledger, key, system }
    }

    /// Delivers whatever becomes due, at least once each. It never ends; stop it by dropping it.
    ///
    /// `post` sends one request and says why it failed; any answer but a 2xx is a failure.
    pub async fn run(
        &self,
        post: impl Fn(SignedWebhook) -> BoxFuture<'static, Result<(), String>> + Send + Sync,
    ) {
        loop {
            let sent = self.send_due(&post).await.unwrap_or_else(|error| {
                log(&error);
                0
            });
            if sent == 0 {
                self.system.sleep(POLL).await;
            }
        }
    }

    /// Tries each event that is due now once, and returns how many there were.
    pub async fn send_due(
        &self,
        post: &(impl Fn(SignedWebhook) -> BoxFuture<'static, Result<(), String>> + Send + Sync),
    ) -> Result<usize, LedgerError> {
        let events = self.ledger.due_webhooks(self.system.now(), BATCH_MAX).await?;
        let deliveries = events.iter().map(|event| self.send(event, post));
        join_all(deliveries).await.into_iter().collect::<Result<(), _>>()?;
        Ok(events.len())
    }

    async fn send(
        &self,
        event: &ChargeEvent,
        post: &(impl Fn(SignedWebhook) -> BoxFuture<'static, Result<(), String>> + Send + Sync),
    ) -> Result<(), LedgerError> {
        let webhook = self.key.sign_event(event, self.system.now());
        let outcome = self.system.within(POST_LIMIT, post(webhook)).await;
        let now = self.system.now();
        match outcome.unwrap_or_else(|| Err("no answer in time".to_owned())) {
            Ok(()) => self.ledger.webhook_delivered(&event.id, now).await,
            Err(reason) => {
                tracing::debug!(event_id = event.id, reason, "a test webhook did not arrive");
                self.ledger.webhook_failed(&event.id, now).await
            }
        }
    }
}
