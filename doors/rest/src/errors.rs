//! What the `type` of a problem leads to: the meaning of its code.

use axum::{Router, routing::get};
use handel_domain::{Code, Refusal};
use handel_kit::{EXPLAINED_AT, PathParams, Problem, status_of};

pub(crate) fn router() -> Router {
    let all = EXPLAINED_AT.trim_end_matches('/');
    let one = format!("{EXPLAINED_AT}{{code}}");
    Router::new().route(all, get(async || list())).route(&one, get(explain))
}

/// Every code with its meaning, one a line.
fn list() -> String {
    let line = |code: &Code| format!("{code}: {}\n", meaning(*code));
    Code::ALL.iter().map(line).collect()
}

async fn explain(PathParams(code): PathParams<String>) -> Result<String, Problem> {
    let known = Code::ALL.iter().copied().find(|known| known.as_str() == code);
    let code = known.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such error code"))?;
    Ok(format!("{code}\n\nHTTP status {}\n\n{}\n", status_of(code), meaning(code)))
}

/// The documentation of a code as one line.
fn meaning(code: Code) -> String {
    code.meaning().split_whitespace().collect::<Vec<_>>().join(" ")
}
