//! The cart: `GET /cart`, and the forms that change it.

use std::collections::HashMap;

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use handel_domain::{
    Code, Refusal,
    checkout::Quote,
    id::{LineId, VariantId},
    order::Order,
};
use handel_engine::{AddItem, OwnedCart, StockKey};
use handel_kit::{Door, PathParams, Problem, status_of};
use http::{StatusCode, Uri, header};

use crate::{
    basket::{self, Line, Shipping, Sums},
    catalog::{Problems, product_page},
    codes::{self, CodeRow},
    field::Complaint,
    format::Format,
    page::{Found, Frame, Privacy, Shop, see, show},
    visit::{Fields, Form, Visit, remember},
    words::{ENGLISH, Words},
};

pub(crate) fn router() -> Router<Door> {
    Router::new()
        .route("/cart", get(show_cart))
        .route("/cart/items", post(add))
        .route("/cart/items/{id}", post(change))
}

#[derive(Template)]
#[template(path = "cart.html")]
struct CartPage {
    w: &'static Words,
    frame: Frame,
    /// What was done.
    note: String,
    complaints: Vec<Complaint>,
    lines: Vec<Line>,
    sums: Option<Sums>,
    tax_note: &'static str,
    codes: Vec<CodeRow>,
    /// What is wrong with the code that was typed; empty if nothing is.
    code_error: String,
    code_typed: String,
    /// The line that a complaint is about.
    wrong_line: String,
    quantity_max: u32,
    /// Whether it can be bought.
    can_check_out: bool,
    /// The order that became of the cart and waits for money.
    waiting: Option<Waiting>,
}

struct Waiting {
    text: String,
    href: String,
}

/// What was done before the cart is shown.
#[derive(Clone, Copy)]
pub(crate) enum Note {
    None,
    Added(VariantId),
    Updated,
    Removed,
}

impl Note {
    /// What is said of it. That all went well is only said where nothing else is wrong.
    fn text(self, quote: &Quote, is_fine: bool) -> String {
        let title = |variant_id| {
            let line = quote.lines.iter().find(|line| line.line.variant_id == variant_id)?;
            Some(line.offer.as_ref()?.title.clone())
        };
        match self {
            Self::Added(id) => {
                title(id).map_or_else(|| ENGLISH.added.to_owned(), |title| ENGLISH.added(&title))
            }
            Self::Updated if is_fine => ENGLISH.updated.to_owned(),
            Self::Removed => ENGLISH.removed.to_owned(),
            Self::None | Self::Updated => String::new(),
        }
    }
}

/// What went wrong, for which line.
#[derive(Default)]
pub(crate) struct Wrong {
    pub(crate) complaints: Vec<Complaint>,
    pub(crate) line: String,
    pub(crate) code: WrongCode,
    pub(crate) status: Option<StatusCode>,
}

/// A code that was not taken, with the one message that says why.
#[derive(Default)]
pub(crate) struct WrongCode {
    pub(crate) error: String,
    /// What was typed; empty where it must not be sent back.
    pub(crate) typed: String,
}

impl WrongCode {
    pub(crate) fn new(error: impl Into<String>, typed: &str) -> Self {
        Self { error: error.into(), typed: typed.to_owned() }
    }
}

async fn show_cart(State(door): State<Door>, uri: Uri, visit: Visit) -> Result<Response, Problem> {
    let asked = Fields::of_query(&uri);
    let note = match asked.get("added").parse() {
        Ok(variant_id) => Note::Added(variant_id),
        Err(_) if asked.has("updated") => Note::Updated,
        Err(_) if asked.has("removed") => Note::Removed,
        Err(_) => Note::None,
    };
    cart_page(&door, &visit, note, Wrong::default()).await
}

pub(crate) async fn cart_page(
    door: &Door,
    visit: &Visit,
    note: Note,
    wrong: Wrong,
) -> Result<Response, Problem> {
    let shop = Shop::of(door, visit).await?;
    let waiting = match &shop.cart {
        Found::Ordered => waiting(door, visit).await?,
        _ => None,
    };
    let mut page = CartPage {
        w: &ENGLISH,
        frame: shop.frame(door, ENGLISH.cart).private(),
        note: String::new(),
        complaints: wrong.complaints,
        lines: Vec::new(),
        sums: None,
        tax_note: "",
        codes: Vec::new(),
        code_error: wrong.code.error,
        code_typed: wrong.code.typed,
        wrong_line: wrong.line,
        can_check_out: true,
        quantity_max: shop.channel.settings.line_quantity_max,
        waiting,
    };
    if let Found::Open(owned) = &shop.cart {
        // A cart is sold in the currency of its channel, whichever the visitor is in now.
        let format = Format::new(owned.view.currency, &shop.channel.settings.locale);
        let quote = &owned.view.quote;
        let shipping = if quote.needs_shipping() { Shipping::Later } else { Shipping::None };
        page.lines = basket::lines(quote, &format);
        page.can_check_out = quote.totals.total_minor == 0 || door.engine().can_take_payments();
        page.codes = codes::rows(&owned.view.cart, quote);
        page.tax_note = ENGLISH.tax_note(quote.totals.prices_include_tax);
        let is_fine = page.complaints.is_empty()
            && page.lines.iter().all(|line| line.problems.is_empty())
            && page.code_error.is_empty()
            && page.codes.iter().all(|code| code.problem.is_empty());
        page.note = note.text(quote, is_fine);
        page.sums = (!page.lines.is_empty()).then(|| basket::sums(quote, shipping, &format));
    }
    Ok(show(door, wrong.status.unwrap_or(StatusCode::OK), Privacy::Personal, &page))
}

async fn waiting(door: &Door, visit: &Visit) -> Result<Option<Waiting>, Problem> {
    let orders = door.engine().list_own_orders(&visit.ctx).await?;
    let order = orders.into_iter().map(|details| details.order).next();
    Ok(order.filter(Order::awaits_payment).map(|order| Waiting {
        text: ENGLISH.order_waits(order.number),
        href: format!("/checkout/{}", order.checkout_id),
    }))
}

/// Puts something into the cart. A cart that was bought, or is gone, is left for a new one.
async fn add(State(door): State<Door>, form: Form) -> Result<Response, Problem> {
    let typed = form.fields.get("quantity").trim().to_owned();
    let variant = form.fields.get("variant").to_owned();
    let wrong = |complaint: Complaint, status: StatusCode| Problems {
        complaints: vec![complaint],
        variant: variant.clone(),
        quantity: typed.clone(),
        status: Some(status),
    };
    let parsed = (variant.parse::<VariantId>(), typed.parse::<i64>());
    let (id, quantity) = match parsed {
        (Ok(id), Ok(quantity)) => (id, quantity),
        (Err(_), _) => {
            let problems = wrong(
                Complaint::at("options", ENGLISH.choose_variant),
                StatusCode::UNPROCESSABLE_ENTITY,
            );
            return product_page(&door, &form.visit, form.fields.get("product"), problems).await;
        }
        (_, Err(_)) => {
            let problems = wrong(
                Complaint::at("quantity", ENGLISH.whole_number),
                StatusCode::UNPROCESSABLE_ENTITY,
            );
            return product_page(&door, &form.visit, form.fields.get("product"), problems).await;
        }
    };
    let mut item = AddItem {
        cart: form.visit.cart.clone(),
        variant: StockKey::Id(id),
        quantity,
        custom: HashMap::new(),
        expected_version: None,
    };
    let mut added = door.engine().add_cart_item(&form.visit.ctx, item.clone()).await;
    let is_over = |code| matches!(code, Code::CartUnknown | Code::CartClosed);
    if item.cart.is_some() && added.as_ref().is_err_and(|error| is_over(error.code())) {
        item.cart = None;
        added = door.engine().add_cart_item(&form.visit.ctx, item).await;
    }
    match added {
        Ok(once) => Ok(with_cookie(&door, &once.reply, see(&format!("/cart?added={id}")))),
        Err(error) => match quantity_complaint(&error.refusal, "quantity") {
            Some(complaint) => {
                let problems = wrong(complaint, status_of(error.code()));
                product_page(&door, &form.visit, form.fields.get("product"), problems).await
            }
            None => Err(error.into()),
        },
    }
}

/// Sets how many of a line are wanted, or removes it.
async fn change(
    State(door): State<Door>,
    PathParams(id): PathParams<LineId>,
    form: Form,
) -> Result<Response, Problem> {
    let is_removal = !form.fields.are_empty(&["remove"]);
    let typed = form.fields.get("quantity").trim();
    let field = format!("quantity-{id}");
    let wrong = |complaint, status| Wrong {
        complaints: vec![complaint],
        line: id.to_string(),
        status: Some(status),
        ..Wrong::default()
    };
    let quantity = match (is_removal, typed.parse::<i64>()) {
        (true, _) => 0,
        (false, Ok(quantity)) => quantity,
        (false, Err(_)) => {
            let complaint = Complaint::at(&field, ENGLISH.whole_number);
            let wrong = wrong(complaint, StatusCode::UNPROCESSABLE_ENTITY);
            return cart_page(&door, &form.visit, Note::None, wrong).await;
        }
    };
    let Some(cart) = &form.visit.cart else { return Ok(see("/cart")) };
    let changed = door.engine().set_cart_quantity(&form.visit.ctx, cart, id, quantity, None).await;
    match changed {
        Ok(once) => {
            let next = if quantity == 0 { "/cart?removed" } else { "/cart?updated" };
            Ok(with_cookie(&door, &once.reply, see(next)))
        }
        // It was removed in another window, or bought: the cart says what is so now.
        Err(error)
            if matches!(
                error.code(),
                Code::CartLineUnknown | Code::CartUnknown | Code::CartClosed
            ) =>
        {
            Ok(see("/cart"))
        }
        Err(error) => match quantity_complaint(&error.refusal, &field) {
            Some(complaint) => {
                let wrong = wrong(complaint, status_of(error.code()));
                cart_page(&door, &form.visit, Note::None, wrong).await
            }
            None => Err(error.into()),
        },
    }
}

/// What to say beside a quantity, if the refusal is about it or about what it belongs to.
fn quantity_complaint(refusal: &Refusal, field: &str) -> Option<Complaint> {
    let text = match refusal.code {
        Code::StockShort => match refusal.details.shortages.first() {
            Some(short) if short.available > 0 => {
                ENGLISH.only_left_of(short.available, short.requested)
            }
            _ => ENGLISH.sold_out_meanwhile.to_owned(),
        },
        Code::InputInvalid => {
            let error = refusal.details.errors.first()?;
            ENGLISH.about(ENGLISH.quantity, &error.message)
        }
        Code::CartFull | Code::NotPriced | Code::VariantUnknown => {
            ENGLISH.sentence(&refusal.message)
        }
        _ => return None,
    };
    Some(Complaint::at(field, text))
}

pub(crate) fn with_cookie(door: &Door, cart: &OwnedCart, mut response: Response) -> Response {
    if let Some(cookie) = remember(door, cart) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
