//! The built-in test payment provider.
//!
//! Owns what a provider does when calls go well, fail, get lost or come late, so that a shop can be tried
//! and proved without an account anywhere. Its books are a file of its own and survive a crash. It moves
//! no real money and refuses to see a card number.

mod ledger;
mod pages;
mod sender;
mod token;
mod webhook;

use std::{path::PathBuf, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use handel_domain::{
    Refusal,
    id::AttemptId,
    payment::{NextAction, Report},
};
use handel_ports::{
    Charge, PaymentProvider, Refund, RefundOutcome, Secret, System, WebhookEvent, WebhookRejected,
};
use http::HeaderMap;
use jiff::Timestamp;

pub use ledger::{ChargeEvent, ChargeRow, ChargeStatus, Ledger, LedgerError, Summary};
pub use sender::WebhookSender;
pub use token::TestToken;
pub use webhook::SignedWebhook;

use ledger::NewCharge;
use webhook::WebhookKey;

/// How the test provider behaves.
#[derive(Clone, Debug)]
pub struct TestPaymentsConfig {
    /// The file of the ledger. Processes that share it are one provider.
    pub ledger: PathBuf,
    /// Where buyers reach [`TestPayments::pages`], such as `https://shop.example`.
    pub base_url: String,
    /// What webhooks are signed with; at least [`TestPayments::SECRET_LEN_MIN`] bytes.
    pub webhook_secret: Secret<Vec<u8>>,
    /// How long a call hangs that ends without an answer.
    pub hang: Duration,
    /// How long the provider works on a charge whose result comes by webhook.
    pub webhook_delay: Duration,
}

impl TestPaymentsConfig {
    /// A provider whose calls never hang and whose webhooks come after 200 ms.
    pub fn new(
        ledger: impl Into<PathBuf>,
        base_url: impl Into<String>,
        webhook_secret: Secret<Vec<u8>>,
    ) -> Self {
        Self {
            ledger: ledger.into(),
            base_url: base_url.into(),
            webhook_secret,
            hang: Duration::ZERO,
            webhook_delay: Duration::from_millis(200),
        }
    }
}

/// Why the test provider cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Anybody could forge its webhooks.
    #[error("the webhook secret is shorter than {} bytes", TestPayments::SECRET_LEN_MIN)]
    SecretTooShort,
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The provider `test`. The token of a charge decides what happens: see [`TestToken`].
pub struct TestPayments {
    ledger: Ledger,
    base_url: String,
    webhook_key: WebhookKey,
    hang: Duration,
    webhook_delay: Duration,
    system: System,
}

impl TestPayments {
    /// The name that requests and rows use.
    pub const NAME: &'static str = "test";
    /// Shortest secret for webhooks, in bytes.
    pub const SECRET_LEN_MIN: usize = 16;

    /// Opens the ledger, which is made if it is missing.
    pub fn open(config: TestPaymentsConfig, system: System) -> Result<Self, OpenError> {
        if config.webhook_secret.expose().len() < Self::SECRET_LEN_MIN {
            return Err(OpenError::SecretTooShort);
        }
        Ok(Self {
            ledger: Ledger::open(&config.ledger)?,
            base_url: config.base_url.trim_end_matches('/').to_owned(),
            webhook_key: WebhookKey::new(config.webhook_secret),
            hang: config.hang,
            webhook_delay: config.webhook_delay,
            system,
        })
    }

    /// What was charged and given back.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What delivers the webhooks of this provider.
    pub fn webhook_sender(&self) -> WebhookSender {
        WebhookSender::new(self.ledger.clone(), self.webhook_key.clone(), self.system.clone())
    }

    /// Writes and signs the webhook for an event, as of now.
    pub fn sign_webhook(&self, event: &ChargeEvent) -> SignedWebhook {
        self.webhook_key.sign_event(event, self.system.now())
    }

    /// Decides for the buyer over a charge that waits for an action, and queues the webhook that says so.
    ///
    /// The first decision holds, and a charge that waits for nobody stays as it is. None if there is no
    /// such charge.
    pub async fn complete_action(
        &self,
        key: AttemptId,
        approve: bool,
    ) -> Result<Option<ChargeRow>, LedgerError> {
        self.ledger.complete(key, approve, self.system.now()).await
    }

    async fn find_charge(&self, key: AttemptId) -> Result<Option<ChargeRow>, LedgerError> {
        self.ledger.find(key, self.system.now()).await
    }

    /// A charge that gets lost before it arrives, unless an earlier one with its key did arrive.
    async fn lose(&self, key: AttemptId, token: TestToken) -> Report {
        match self.find(key).await {
            Report::NotFound if token == TestToken::Unreachable => Report::NotSent,
            Report::NotFound => {
                self.system.sleep(self.hang).await;
                Report::Unknown
            }
            known => known,
        }
    }

    fn new_charge(
        &self,
        charge: Charge,
        token: TestToken,
        status: ChargeStatus,
        now: Timestamp,
    ) -> NewCharge {
        // No provider takes nothing or less.
        let status = if charge.amount.amount_minor > 0 { status } else { ChargeStatus::Declined };
        let settles_at = (status == ChargeStatus::Processing)
            .then(|| now.saturating_add(self.webhook_delay).unwrap_or(Timestamp::MAX));
        NewCharge {
            key: charge.key,
            order_id: charge.order_id,
            token,
            status,
            amount: charge.amount,
            return_url: charge.return_url,
            settles_at,
            created_at: now,
        }
    }

    fn report(&self, charge: &ChargeRow) -> Report {
        let reference = charge.reference();
        match charge.status {
            ChargeStatus::Captured => Report::Captured { reference, amount: charge.captured() },
            ChargeStatus::Processing => Report::Processing { reference },
            ChargeStatus::Declined => {
                Report::Declined { reference: Some(reference), code: charge.token.decline_code() }
            }
            ChargeStatus::ActionRequired => {
                Report::ActionRequired { reference, next_action: self.next_action(charge) }
            }
        }
    }

    fn next_action(&self, charge: &ChargeRow) -> NextAction {
        match charge.token {
            TestToken::ConfirmRequired => {
                NextAction::Confirm { client_secret: format!("test_cs_{}", charge.key.body()) }
            }
            _ => NextAction::Redirect {
                url: format!("{}/test-payments/{}", self.base_url, charge.key),
            },
        }
    }
}

#[async_trait]
impl PaymentProvider for TestPayments {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn check_token(&self, token: &Secret<String>) -> Result<(), Refusal> {
        TestToken::parse(token.expose()).map(|_| ())
    }

    async fn charge(&self, charge: Charge) -> Report {
        let token = match TestToken::parse(charge.token.expose()) {
            Ok(token) => token,
            Err(refusal) => return Report::Declined { reference: None, code: refusal.code },
        };
        let Some(status) = token.first_status() else { return self.lose(charge.key, token).await };
        let charge = self.new_charge(charge, token, status, self.system.now());
        match self.ledger.charge(charge).await {
            Ok(charged) if charged.is_new && token == TestToken::TimeoutAfterCharge => {
                self.system.sleep(self.hang).await;
                Report::Unknown
            }
            Ok(charged) => self.report(&charged.charge),
            Err(error) => {
                log(&error);
                Report::Unknown
            }
        }
    }

    async fn find(&self, key: AttemptId) -> Report {
        match self.find_charge(key).await {
            Ok(Some(charge)) => self.report(&charge),
            Ok(None) => Report::NotFound,
            Err(error) => {
                log(&error);
                Report::Unknown
            }
        }
    }

    async fn refund(&self, refund: Refund) -> RefundOutcome {
        match self.ledger.refund(refund, self.system.now()).await {
            Ok(refunded) if refunded.is_new && refunded.token == Some(TestToken::RefundTimeout) => {
                self.system.sleep(self.hang).await;
                RefundOutcome::Unknown
            }
            Ok(refunded) if refunded.is_done => RefundOutcome::Done,
            Ok(_) => RefundOutcome::Refused,
            Err(error) => {
                log(&error);
                RefundOutcome::Unknown
            }
        }
    }

    fn read_webhook(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<WebhookEvent, WebhookRejected> {
        self.webhook_key.read(headers, body, self.system.now())
    }
}

/// The port has no error but "unknown", so this is where a failure of the ledger is logged.
fn log(error: &LedgerError) {
    tracing::error!(error = error as &dyn std::error::Error, "the test ledger does not work");
}
