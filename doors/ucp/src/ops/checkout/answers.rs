//! Answers to requests of which something could not be taken over: no good part is dropped without a word, and nothing
//! is asked for that was just sent.

use crate::neutral::{
    Message,
    checkout::{Checkout, Status},
    message::path,
    request::Wanted,
};

/// Where the addresses of a checkout are.
const DESTINATIONS: &str = "$.fulfillment.methods[0].destinations";

/// Says that nothing of an update was applied. The checkout as it was may be ready, but it is not what was asked for,
/// and lacks nothing that the update named.
pub(super) fn refuse_update(shown: &mut Checkout, wanted: &Wanted) {
    let delivery = wanted.delivery.as_ref();
    let has_place = delivery.is_some_and(|delivery| {
        !delivery.destinations.is_empty() || delivery.destination.is_some()
    });
    let has_option = delivery.is_some_and(|delivery| delivery.option.is_some());
    shown.messages.retain(|message| match message.code {
        "email_required" => wanted.buyer.email.is_none(),
        "destination_required" | "address_incomplete" => !has_place,
        "option_required" => !has_option,
        _ => true,
    });
    if shown.status == Status::ReadyForComplete {
        shown.status = Status::Incomplete;
    }
    let text = "nothing of this update was applied, and the checkout is as it was before; correct what the errors \
                name, and send the whole update again";
    shown.messages.push(Message::warning("update_not_applied", text));
}

/// Leaves out that something is needed where another error says what is wrong with what was sent.
pub(super) fn leave_out_sent(shown: &mut Checkout) {
    let messages = shown.messages.clone();
    let is_named = |at: &str, but: &str| {
        messages.iter().any(|message| {
            let is_there = message.path.as_ref().is_some_and(|path| path.starts_with(at));
            is_there && message.is_error() && message.code != but
        })
    };
    shown.messages.retain(|message| match message.code {
        code @ "email_required" => !is_named(path::EMAIL, code),
        code @ "destination_required" => {
            !is_named(DESTINATIONS, code) && !is_named(path::DESTINATION, code)
        }
        code @ "option_required" => !is_named(path::OPTION, code),
        _ => true,
    });
}

/// The warning that a cart has codes of its own, which go before those of the request.
pub(super) fn codes_of_cart(wanted: &[String], of_cart: &[String]) -> Option<Message> {
    let is_taken =
        |code: &String| of_cart.iter().any(|known| known.eq_ignore_ascii_case(code.trim()));
    let at = wanted.iter().position(|code| !is_taken(code))?;
    let text = "the cart has codes of its own, and those count; update the checkout to give others";
    Some(Message::warning("discount_code_not_taken", text).at(path::code(at)))
}
