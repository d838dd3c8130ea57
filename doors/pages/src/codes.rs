//! Discount codes of a cart: the list of them, and the form that adds and removes.

use axum::{Router, extract::State, response::Response, routing::post};
use handel_domain::{Code, cart::Cart, checkout::Quote, promotion::Rejection};
use handel_engine::{CartRef, Error};
use handel_kit::{Door, Problem, status_of};

use crate::{
    cart::{Note, Wrong, WrongCode, cart_page, with_cookie},
    page::{Found, Shop, see},
    visit::Form,
    words::ENGLISH,
};

pub(crate) fn router() -> Router<Door> {
    Router::new().route("/cart/codes", post(change).get(async || see("/cart")))
}

/// A code that the shopper gave.
pub(crate) struct CodeRow {
    pub(crate) code: String,
    /// Why it does nothing; empty if it does something.
    pub(crate) problem: &'static str,
}

/// The codes of a cart with what they do.
pub(crate) fn rows(cart: &Cart, quote: &Quote) -> Vec<CodeRow> {
    let problem = |code: &String| {
        let rejected = quote.rejected_codes.iter().find(|rejected| rejected.code == *code);
        rejected.map_or("", |rejected| match rejected.reason {
            // It was taken, so it may apply later.
            Rejection::NotEligible => ENGLISH.code_waits,
            other => reason(other),
        })
    };
    cart.codes.iter().map(|code| CodeRow { code: code.clone(), problem: problem(code) }).collect()
}

fn reason(rejection: Rejection) -> &'static str {
    let w = &ENGLISH;
    match rejection {
        Rejection::Unknown => w.code_unknown,
        Rejection::Expired => w.code_expired,
        Rejection::NotYetValid => w.code_not_yet,
        Rejection::UsedUp => w.code_used_up,
        Rejection::NotEligible => w.code_not_eligible,
        Rejection::NotCombinable => w.code_not_combinable,
        Rejection::AlreadyApplied => w.code_applied_already,
    }
}

/// Adds the code that was typed, or removes the one whose button was pressed.
async fn change(State(door): State<Door>, form: Form) -> Result<Response, Problem> {
    let Some(cart) = &form.visit.cart else { return Ok(see("/cart")) };
    if let Some(removed) = form.fields.some("remove") {
        return remove(&door, &form, cart, &removed).await;
    }
    let Some(code) = form.fields.some("code") else {
        let wrong = WrongCode::new(ENGLISH.code_missing, "");
        return refuse(&door, &form, wrong, Code::InputInvalid).await;
    };
    match door.engine().add_cart_code(&form.visit.ctx, cart, code.clone()).await {
        Ok(Ok(owned)) => Ok(with_cookie(&door, &owned, see("/cart?updated"))),
        Ok(Err(rejection)) => {
            let wrong = WrongCode::new(reason(rejection), &code);
            refuse(&door, &form, wrong, Code::InputInvalid).await
        }
        Err(error) if matches!(error.code(), Code::InputInvalid | Code::CardNumberRefused) => {
            let said = error.refusal.details.errors.first().map(|error| error.message.as_str());
            let text = ENGLISH.about(ENGLISH.code, said.unwrap_or(&error.refusal.message));
            refuse(&door, &form, WrongCode::new(text, ""), error.code()).await
        }
        Err(error) => gone_or(error),
    }
}

async fn remove(
    door: &Door,
    form: &Form,
    cart: &CartRef,
    removed: &str,
) -> Result<Response, Problem> {
    let shop = Shop::of(door, &form.visit).await?;
    let Found::Open(owned) = &shop.cart else { return Ok(see("/cart")) };
    let mut codes = owned.view.cart.codes.clone();
    codes.retain(|code| code != removed);
    let version = Some(owned.view.cart.version);
    match door.engine().set_cart_codes(&form.visit.ctx, cart, codes, version).await {
        Ok(once) => Ok(with_cookie(door, &once.reply, see("/cart?updated"))),
        Err(error) => gone_or(error),
    }
}

/// A cart that was changed in another window is shown as it is now.
fn gone_or(error: Error) -> Result<Response, Problem> {
    match error.code() {
        Code::VersionConflict | Code::CartUnknown | Code::CartClosed => Ok(see("/cart")),
        _ => Err(error.into()),
    }
}

/// The cart with what is wrong with the code, beside its field.
async fn refuse(
    door: &Door,
    form: &Form,
    wrong: WrongCode,
    code: Code,
) -> Result<Response, Problem> {
    let wrong = Wrong { code: wrong, status: Some(status_of(code)), ..Wrong::default() };
    cart_page(door, &form.visit, Note::None, wrong).await
}
