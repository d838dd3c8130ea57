//! `/continue/{token}`: an agent hands a buyer over to the shop, with the cart that it filled.

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use handel_domain::{Code, Refusal, cart::Cart, checkout::Buyer};
use handel_engine::{Caller, CartRef, Context, Handoff};
use handel_kit::{Door, PathParams, Problem, cart_cookie};
use http::{StatusCode, header};

use crate::{
    page::{Found, Frame, Privacy, Shop, items, see, show},
    visit::{Form, Visit},
    words::{ENGLISH, Words},
};

pub(crate) fn router() -> Router<Door> {
    Router::new().route("/continue/{token}", get(arrive).post(go_on))
}

#[derive(Template)]
#[template(path = "continue.html")]
struct SharedCartPage {
    w: &'static Words,
    frame: Frame,
    text: String,
    /// What becomes of the buyer's own cart; empty where there is none.
    own: String,
    here: String,
}

/// Asks before a browser takes a cart over, because the sender of the link can see what is typed at its checkout. A
/// browser that has the cart already goes on at once.
///
/// The link can be opened again until it expires: browsers load pages ahead, and people go back.
async fn arrive(
    State(door): State<Door>,
    PathParams(token): PathParams<String>,
    visit: Visit,
) -> Result<Response, Problem> {
    let handoff = accept(&door, &visit, &token).await?;
    if matches!(visit.ctx.caller, Caller::Shopper(Some(own)) if own == handoff.cart_id) {
        return hand_over(&door, visit, handoff).await;
    }
    let shop = Shop::of(&door, &visit).await?;
    let new = CartRef { token: handoff.cart_token.clone() };
    let new = match door.engine().get_cart(&visit.ctx, &new).await {
        Ok(owned) => owned.view.cart,
        Err(error) if error.code() == Code::CartUnknown => return Err(gone()),
        Err(error) => return Err(error.into()),
    };
    Ok(ask(&door, &shop, &new, &token))
}

/// The buyer chose the new cart.
async fn go_on(
    State(door): State<Door>,
    PathParams(token): PathParams<String>,
    form: Form,
) -> Result<Response, Problem> {
    let handoff = accept(&door, &form.visit, &token).await?;
    hand_over(&door, form.visit, handoff).await
}

async fn accept(door: &Door, visit: &Visit, token: &str) -> Result<Handoff, Problem> {
    let accepted = door.engine().accept_handoff(&visit.ctx, token).await;
    accepted.map_err(|error| match error.code() {
        Code::CredentialInvalid | Code::CartUnknown => gone(),
        _ => error.into(),
    })
}

/// Whether the browser shall take the cart over, and give its own up if it has one.
fn ask(door: &Door, shop: &Shop, new: &Cart, token: &str) -> Response {
    let own = match &shop.cart {
        Found::Open(owned) if !owned.view.cart.lines.is_empty() => {
            ENGLISH.two_carts_text(items(&owned.view.cart))
        }
        Found::Open(_) | Found::Nothing | Found::Ordered => String::new(),
    };
    let page = SharedCartPage {
        w: &ENGLISH,
        frame: shop.frame(door, ENGLISH.shared_cart).private(),
        text: ENGLISH.shared_cart_text(items(new)),
        own,
        here: format!("/continue/{token}"),
    };
    show(door, StatusCode::OK, Privacy::Personal, &page)
}

/// Makes the browser the owner of the cart, and goes on to its checkout.
async fn hand_over(door: &Door, visit: Visit, handoff: Handoff) -> Result<Response, Problem> {
    let next = match handoff.checkout_id {
        Some(id) => format!("/checkout/{id}"),
        None => {
            let cart = CartRef { token: handoff.cart_token.clone() };
            let ctx = Context { caller: Caller::Shopper(Some(handoff.cart_id)), ..visit.ctx };
            match door.engine().create_checkout(&ctx, &cart, Buyer::default()).await {
                Ok(once) => format!("/checkout/{}", once.reply.checkout.id),
                Err(error) => match error.code() {
                    // There is nothing to buy yet, or no longer.
                    Code::CartEmpty
                    | Code::CartUnknown
                    | Code::CartClosed
                    | Code::PaymentsNotConfigured => "/cart".to_owned(),
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
