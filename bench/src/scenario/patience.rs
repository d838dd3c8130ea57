//! What a polite client does about answers that are none yet: it waits as long as it was told and asks again.

use std::time::{Duration, Instant};

use tokio::time;

use crate::http::{Answer, Connection, Lost, Request};

/// How long a client asks again before it takes what it got.
const LIMIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(100);

/// Sends the same request until the answer is final. Waits as long as it was told, but at most `wait_max`.
pub async fn until_final(
    connection: &mut Connection,
    request: &Request,
    wait_max: Duration,
) -> Result<Answer, Lost> {
    let begun = Instant::now();
    loop {
        let answer = connection.send(request.clone()).await?;
        match wait_of(&answer) {
            Some(wait) if begun.elapsed() < LIMIT => time::sleep(wait.min(wait_max)).await,
            _ => return Ok(answer),
        }
    }
}

/// How long to wait before the same request makes sense again; none if the answer is final.
pub fn wait_of(answer: &Answer) -> Option<Duration> {
    let is_passing = match answer.status.as_u16() {
        503 | 429 => true,
        409 => matches!(
            &*answer.code(),
            "idempotency.in_flight" | "payment.in_progress" | "write.conflict"
        ),
        _ => false,
    };
    is_passing.then(|| answer.retry_after().unwrap_or(PAUSE))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn wait(status: u16, body: &'static str) -> Option<Duration> {
        let status = StatusCode::from_u16(status).unwrap();
        wait_of(&Answer { status, headers: HeaderMap::new(), body: body.into() })
    }

    #[test]
    fn what_is_still_under_way_is_asked_again() {
        let in_flight = r#"{"code":"idempotency.in_flight","retry_after_ms":1000}"#;
        assert_eq!(wait(409, in_flight), Some(Duration::from_secs(1)));
        assert_eq!(wait(409, r#"{"code":"write.conflict"}"#), Some(PAUSE));
        assert_eq!(wait(503, ""), Some(PAUSE));
    }

    #[test]
    fn a_refusal_is_final() {
        assert_eq!(wait(409, r#"{"code":"stock.short"}"#), None);
        assert_eq!(wait(402, r#"{"code":"payment.declined"}"#), None);
        assert_eq!(wait(201, "{}"), None);
    }
}
