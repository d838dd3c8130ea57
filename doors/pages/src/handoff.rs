//! `GET /continue/{token}`: an agent hands a buyer over to the shop, with the cart that it filled.

use axum::{Router, extract::State, response::Response, routing::get};
use handel_domain::{Code, Refusal, checkout::Buyer};
use handel_engine::{Caller, CartRef, Context};
use handel_kit::{Door, PathParams, Problem, cart_cookie};
use http::{StatusCode, header};

use crate::{page::see, visit::Visit};

pub(crate) fn router() -> Router<Door> {
    Router::new().route("/continue/{token}", get(hand_over))
}

/// Makes the browser the owner of the cart, and goes on to its checkout.
///
/// Whoever opens the link may do so again until it expires: browsers load pages ahead, and people go back.
async fn hand_over(
    State(door): State<Door>,
    PathParams(token): PathParams<String>,
    visit: Visit,
) -> Result<Response, Problem> {
    let accepted = door.engine().accept_handoff(&visit.ctx, &token).await;
    let handoff = accepted.map_err(|error| match error.code() {
        Code::CredentialInvalid | Code::CartUnknown => gone(),
        _ => error.into(),
    })?;
    let next = match handoff.checkout_id {
        Some(id) => format!("/checkout/{id}"),
        None => {
            let cart = CartRef { token: handoff.cart_token.clone() };
            let ctx = Context { caller: Caller::Shopper(Some(handoff.cart_id)), ..visit.ctx };
            match door.engine().create_checkout(&ctx, &cart, Buyer::default()).await {
                Ok(once) => format!("/checkout/{}", once.reply.checkout.id),
                Err(error) => match error.code() {
                    // There is nothing to buy yet, or no longer.
                    Code::CartEmpty | Code::CartUnknown | Code::CartClosed => "/cart".to_owned(),
                    _ => return Err(error.into()),
                },
            }
        }
    };
    let mut response = see(&next);
    let is_secure = door.settings().public_url.starts_with("https://");
    if let Some(cookie) = cart_cookie(&handoff.cart_token, handoff.cart_ttl_ms, is_secure) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn gone() -> Problem {
    let refusal = Refusal::new(Code::NotFound, "what this link led to is over");
    Problem::with_status(StatusCode::GONE, refusal)
}
