//! Webhooks of providers: checked over the raw body, stored once, answered at once, and applied by a job.

use bytes::Bytes;
use handel_domain::{
    Code, Refusal,
    id::{AttemptId, TenantId},
    payment::{NextAction, Report},
};
use handel_ports::CrashPoint;
use handel_store::{Transaction, statements, values};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Context, Engine, Error, jobs};

statements! {
    INSERT = "
        insert into webhook_events (tenant_id, provider, event_id, attempt_id, received_at)
        values ($1, $2, $3, $4, $5) on conflict do nothing";
    PURGE = "
        delete from webhook_events where (tenant_id, provider, event_id) in (
            select tenant_id, provider, event_id from webhook_events where received_at <= $1 limit 500)";
}

/// The kind of the job that applies a webhook.
pub(crate) const WEBHOOK_JOB: &str = "payment.webhook";
/// How long events are remembered, to know them again.
const RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Longest event id of a provider, in characters.
const EVENT_ID_MAX: usize = 255;

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookReceipt {
    /// Whether it was new; a repetition changes nothing.
    pub accepted: bool,
}

/// What the job needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WebhookJob {
    attempt_id: AttemptId,
    provider: String,
    report: StoredReport,
}

/// A report as it is stored between the webhook and its job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum StoredReport {
    Captured { reference: String, amount: handel_domain::Money },
    ActionRequired { reference: String, next_action: NextAction },
    Processing { reference: String },
    Declined { reference: Option<String>, code: Code },
    Ask,
}

impl From<Report> for StoredReport {
    fn from(report: Report) -> Self {
        match report {
            Report::Captured { reference, amount } => Self::Captured { reference, amount },
            Report::ActionRequired { reference, next_action } => {
                Self::ActionRequired { reference, next_action }
            }
            Report::Processing { reference } => Self::Processing { reference },
            Report::Declined { reference, code } => Self::Declined { reference, code },
            // A webhook that says nothing certain is a hint to ask.
            Report::NotSent | Report::NotFound | Report::Unknown => Self::Ask,
        }
    }
}

impl StoredReport {
    fn into_report(self) -> Report {
        match self {
            Self::Captured { reference, amount } => Report::Captured { reference, amount },
            Self::ActionRequired { reference, next_action } => {
                Report::ActionRequired { reference, next_action }
            }
            Self::Processing { reference } => Report::Processing { reference },
            Self::Declined { reference, code } => Report::Declined { reference, code },
            Self::Ask => Report::Unknown,
        }
    }
}

impl Engine {
    /// Takes a webhook in. The same event is accepted once, however often it comes.
    pub async fn receive_webhook(
        &self,
        ctx: &Context,
        provider: &str,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<WebhookReceipt, Error> {
        let provider = self.provider(Some(provider))?;
        let event = provider.read_webhook(headers, body).map_err(|rejected| {
            tracing::warn!(provider = provider.name(), %rejected, "a webhook was refused");
            Refusal::new(
                Code::WebhookRefused,
                "the webhook was not signed by this provider, or is too old",
            )
        })?;
        let shaped = (1..=EVENT_ID_MAX).contains(&event.event_id.chars().count())
            && !event.event_id.chars().any(char::is_control);
        if !shaped {
            return Err(Refusal::field("/id", "must be 1 to 255 characters").into());
        }
        let (system, name, tenant_id) =
            (self.system().clone(), provider.name().to_owned(), ctx.tenant_id);
        let accepted = self
            .database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = system.now();
                let attempt_id = event.report.as_ref().map(|report| report.key);
                let insert =
                    INSERT.bind(values![tenant_id, &name, &event.event_id, attempt_id, now]);
                if tx.run(insert).await? == 0 {
                    return Ok(false);
                }
                if let Some(report) = &event.report {
                    let job = WebhookJob {
                        attempt_id: report.key,
                        provider: name.clone(),
                        report: report.report.clone().into(),
                    };
                    tx.run(jobs::enqueue(&system, tenant_id, WEBHOOK_JOB, &job, None, now)).await?;
                }
                Ok::<_, Error>(true)
            })
            .await?;
        self.system().reach(CrashPoint::WebhookStored).await;
        self.0.jobs_wake.notify_one();
        Ok(WebhookReceipt { accepted })
    }

    /// Applies a webhook. Reports of attempts that are not ours are dropped: there is nothing to change.
    pub(crate) async fn run_webhook(
        &self,
        tenant_id: TenantId,
        job: WebhookJob,
    ) -> Result<(), String> {
        let ctx = Context::system(tenant_id, "webhook", self.request_id());
        match self.settle_report(&ctx, job.attempt_id, job.report.into_report()).await {
            Err(error) if error.code() == Code::OrderUnknown => {
                tracing::warn!(provider = job.provider, attempt = %job.attempt_id, "a webhook concerns nothing of ours");
                Ok(())
            }
            outcome => outcome.map(drop).map_err(|error| error.to_string()),
        }
    }
}

/// Deletes some events that are too old to come again.
pub(crate) fn purge(now: Timestamp) -> handel_store::Bound {
    PURGE.bind(values![now - RETENTION])
}
