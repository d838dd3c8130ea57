//! What the provider tells the shop on its own: late, twice, and in any order, but in the end always.

use bytes::Bytes;
use handel_domain::{
    Code, Money,
    id::AttemptId,
    payment::{NextAction, Report},
};
use handel_ports::{ProviderReport, WebhookEvent, WebhookRejected};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A webhook that waits to be delivered.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// What is sent.
    pub body: Bytes,
    /// Not before.
    pub due_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Body {
    event_id: String,
    key: AttemptId,
    says: Says,
}

#[derive(Serialize, Deserialize)]
enum Says {
    Captured { reference: String, amount: Money },
    ActionRequired { reference: String, url: String },
    Processing { reference: String },
    Declined { reference: Option<String>, code: Code },
    Look,
}

/// Writes a webhook. There is no signature: forgeries are not what is simulated.
pub fn write(event_id: String, key: AttemptId, report: Report) -> Bytes {
    let says = match report {
        Report::Captured { reference, amount } => Says::Captured { reference, amount },
        Report::ActionRequired { reference, next_action } => {
            let (NextAction::Redirect { url } | NextAction::Confirm { client_secret: url }) =
                next_action;
            Says::ActionRequired { reference, url }
        }
        Report::Processing { reference } => Says::Processing { reference },
        Report::Declined { reference, code } => Says::Declined { reference, code },
        Report::NotSent | Report::NotFound | Report::Unknown => Says::Look,
    };
    let body = Body { event_id, key, says };
    serde_json::to_vec(&body).expect("a webhook can be written").into()
}

/// Reads a webhook.
pub fn read(body: &Bytes) -> Result<WebhookEvent, WebhookRejected> {
    let body: Body = serde_json::from_slice(body).map_err(|_| WebhookRejected::Malformed)?;
    let report = match body.says {
        Says::Captured { reference, amount } => Report::Captured { reference, amount },
        Says::ActionRequired { reference, url } => {
            Report::ActionRequired { reference, next_action: NextAction::Redirect { url } }
        }
        Says::Processing { reference } => Report::Processing { reference },
        Says::Declined { reference, code } => Report::Declined { reference, code },
        Says::Look => Report::Unknown,
    };
    let report = Some(ProviderReport { key: body.key, report });
    Ok(WebhookEvent { event_id: body.event_id, report })
}
