//! How actors reach the shop: one list of calls, answered by the use cases of the engine.
//!
//! This is the seam for other doors: whatever can answer a [`Call`] can be driven by the same actors.

mod agent;

use bytes::Bytes;
use handel_domain::{
    Refusal,
    catalog::Price,
    checkout::Buyer,
    id::{CartId, CheckoutId, LineId, OrderId, TenantId},
    order::{LineQuantity, Order, Source, Status},
};
use handel_engine::{
    AddItem, AdjustStock, Caller, CartRef, CheckoutView, Complete, Completion, Context, Engine,
    Error, Idempotency, ListOrders, ListProducts, Once, OrderDetails, OwnedCart, Parcel,
    PaymentChoice, ProductKey, StockKey, Submit,
};
use handel_ports::Secret;
use handel_testkit::fixtures::{sku, slug};

pub use agent::Wish;

/// What is asked of the shop.
#[derive(Clone, Debug)]
pub enum Call {
    ListProducts,
    ViewProduct { sku: String },
    AddItem { cart: Option<String>, sku: String, quantity: i64 },
    SetQuantity { cart: String, line: LineId, quantity: i64 },
    SetCodes { cart: String, codes: Vec<String> },
    SeeCart { cart: String },
    CreateCheckout { cart: String, buyer: Buyer },
    UpdateCheckout { checkout: CheckoutId, buyer: Buyer },
    SeeCheckout { checkout: CheckoutId },
    Open { wish: Wish, buyer: Buyer },
    Replace { checkout: CheckoutId, wish: Wish, buyer: Buyer, expected_version: Option<i64> },
    CancelCheckout { checkout: CheckoutId },
    Complete { checkout: CheckoutId, token: String, expected_total_minor: Option<i64> },
    Submit { cart: String, buyer: Buyer, token: String },
    SeeOrder { order: OrderId },
    ListOrders { status: Option<Status> },
    SetPrice { sku: String, prices: Vec<Price> },
    AdjustStock { sku: String, delta: i64 },
    Cancel { order: OrderId },
    Pack { order: OrderId },
    Ship { order: OrderId, units: Vec<LineQuantity> },
    Deliver { order: OrderId },
    Reconcile { order: OrderId },
    ReplayJobs,
    Webhook { body: Bytes },
}

impl Call {
    /// The name in traces, which is also what an idempotency key is unique within.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ListProducts => "list products",
            Self::ViewProduct { .. } => "view product",
            Self::AddItem { .. } => "add item",
            Self::SetQuantity { .. } => "set quantity",
            Self::SetCodes { .. } => "set codes",
            Self::SeeCart { .. } => "see cart",
            Self::CreateCheckout { .. } => "create checkout",
            Self::UpdateCheckout { .. } => "update checkout",
            Self::SeeCheckout { .. } => "see checkout",
            Self::Open { .. } => "open",
            Self::Replace { .. } => "replace",
            Self::CancelCheckout { .. } => "cancel checkout",
            Self::Complete { .. } => "complete",
            Self::Submit { .. } => "submit",
            Self::SeeOrder { .. } => "see order",
            Self::ListOrders { .. } => "list orders",
            Self::SetPrice { .. } => "set price",
            Self::AdjustStock { .. } => "adjust stock",
            Self::Cancel { .. } => "cancel",
            Self::Pack { .. } => "pack",
            Self::Ship { .. } => "ship",
            Self::Deliver { .. } => "deliver",
            Self::Reconcile { .. } => "reconcile",
            Self::ReplayJobs => "replay jobs",
            Self::Webhook { .. } => "webhook",
        }
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Shopper(Option<CartId>),
    /// The program of that number.
    Agent(u64),
    Staff,
}

/// A call with who makes it and the key that makes a repetition harmless.
#[derive(Clone, Debug)]
pub struct Request {
    pub who: Who,
    pub key: Option<String>,
    pub call: Call,
}

/// What the shop says when it does what it was asked.
#[derive(Clone, Debug)]
pub enum Reply {
    Cart(Box<OwnedCart>),
    Checkout(Box<CheckoutView>),
    Completion(Box<Completion>),
    Order(Box<Order>),
    Details(Box<OrderDetails>),
    Orders(Vec<OrderId>),
    Other(String),
}

/// What a caller sees.
#[derive(Clone, Debug)]
pub enum Answer {
    Ok {
        reply: Reply,
        replayed: bool,
    },
    Refused(Refusal),
    /// No answer: a hang-up, a crash, or nobody was there.
    Lost,
}

impl Answer {
    /// In short, for the trace.
    pub fn words(&self) -> String {
        match self {
            Self::Ok { reply, replayed } => {
                let again = if *replayed { " (again)" } else { "" };
                format!("{}{again}", reply.words())
            }
            Self::Refused(refusal) => format!("refused, {}", refusal.code),
            Self::Lost => "no answer".to_owned(),
        }
    }
}

impl Reply {
    fn words(&self) -> String {
        match self {
            Self::Cart(cart) => format!("{} v{}", cart.view.cart.id, cart.view.cart.version),
            Self::Checkout(view) => format!("{} v{}", view.checkout.id, view.checkout.version),
            Self::Completion(completion) => {
                let order = &completion.order;
                let payment = completion.payment.as_ref().map(|payment| payment.status);
                format!("{} {} {payment:?}", order.id, order.status)
            }
            Self::Order(order) => format!("{} {}", order.id, order.status),
            Self::Details(details) => format!("{} {}", details.order.id, details.order.status),
            Self::Orders(ids) => format!("{} orders", ids.len()),
            Self::Other(words) => words.clone(),
        }
    }
}

fn context(engine: &Engine, request: &Request) -> Context {
    let caller = match request.who {
        Who::Shopper(cart) => Caller::Shopper(cart),
        Who::Agent(number) => {
            Caller::Agent { profile: format!("https://agent{number}.example/profile.json") }
        }
        Who::Staff => Caller::Operator,
    };
    let idempotency = request.key.as_ref().map(|key| Idempotency {
        scope: format!("{:?} {}", request.who, request.call.name()),
        key: key.clone(),
        digest: format!("{:?}", request.call),
    });
    Context {
        tenant_id: TenantId::DEFAULT,
        channel: Some(slug("eur")),
        caller,
        request_id: engine.request_id(),
        idempotency,
        source: match request.who {
            Who::Agent(_) => Source::Ucp,
            Who::Shopper(_) | Who::Staff => Source::Rest,
        },
    }
}

/// Answers a request.
pub async fn serve(engine: &Engine, request: Request) -> Answer {
    let ctx = context(engine, &request);
    let answered = match request.who {
        Who::Staff => serve_staff(engine, &ctx, request.call).await,
        Who::Shopper(_) => serve_shopper(engine, &ctx, request.call).await,
        Who::Agent(_) => agent::serve(engine, &ctx, request.call).await,
    };
    match answered {
        Ok((reply, replayed)) => Answer::Ok { reply, replayed },
        Err(error) => Answer::Refused(error.refusal),
    }
}

type Served = Result<(Reply, bool), Error>;

fn once<T>(once: Once<T>, reply: impl FnOnce(T) -> Reply) -> Served {
    Ok((reply(once.reply), once.replayed))
}

fn other(words: impl Into<String>) -> Served {
    Ok((Reply::Other(words.into()), false))
}

fn cart(owned: OwnedCart) -> Reply {
    Reply::Cart(Box::new(owned))
}

fn pays(token: String) -> Option<PaymentChoice> {
    Some(PaymentChoice { provider: None, token: Secret::new(token), return_url: None })
}

async fn serve_shopper(engine: &Engine, ctx: &Context, call: Call) -> Served {
    match call {
        Call::ListProducts => {
            let list = ListProducts { limit: 20, ..ListProducts::default() };
            let page = engine.list_products(ctx, list).await?;
            other(format!("{} products", page.items.len()))
        }
        Call::ViewProduct { sku } => {
            let product = engine.view_product(ctx, ProductKey::Slug(slug(&slugify(&sku)))).await?;
            other(format!("product {}", product.product.id))
        }
        Call::AddItem { cart: token, sku: name, quantity } => {
            let item = AddItem {
                cart: token.map(|token| CartRef { token }),
                variant: StockKey::Sku(sku(&name)),
                quantity,
                custom: std::collections::HashMap::new(),
                expected_version: None,
            };
            once(engine.add_cart_item(ctx, item).await?, cart)
        }
        Call::SetQuantity { cart: token, line, quantity } => {
            let of = CartRef { token };
            once(engine.set_cart_quantity(ctx, &of, line, quantity, None).await?, cart)
        }
        Call::SetCodes { cart: token, codes } => {
            let of = CartRef { token };
            once(engine.set_cart_codes(ctx, &of, codes, None).await?, cart)
        }
        Call::SeeCart { cart: token } => {
            Ok((cart(engine.get_cart(ctx, &CartRef { token }).await?), false))
        }
        Call::CreateCheckout { cart: token, buyer } => {
            let made = engine.create_checkout(ctx, &CartRef { token }, buyer).await?;
            once(made, |view| Reply::Checkout(Box::new(view)))
        }
        Call::UpdateCheckout { checkout, buyer } => {
            let updated = engine.update_checkout(ctx, checkout, buyer, None).await?;
            once(updated, |view| Reply::Checkout(Box::new(view)))
        }
        Call::SeeCheckout { checkout } => {
            let view = engine.get_checkout(ctx, checkout).await?;
            Ok((Reply::Checkout(Box::new(view)), false))
        }
        Call::Complete { checkout, token, expected_total_minor } => {
            let complete =
                Complete { checkout_id: checkout, payment: pays(token), expected_total_minor };
            let done = engine.complete_checkout(ctx, complete).await?;
            once(done, |completion| Reply::Completion(Box::new(completion)))
        }
        Call::Submit { cart: of, buyer, token } => {
            let submit = Submit {
                cart: CartRef { token: of },
                buyer,
                payment: pays(token),
                expected_total_minor: None,
            };
            let done = engine.submit_checkout(ctx, submit).await?;
            once(done, |completion| Reply::Completion(Box::new(completion)))
        }
        Call::SeeOrder { order } => see_order(engine, ctx, order).await,
        Call::Webhook { body } => {
            let headers = http::HeaderMap::new();
            let receipt = engine.receive_webhook(ctx, "sim", &headers, &body).await?;
            other(if receipt.accepted { "accepted" } else { "known" })
        }
        staff => unreachable!("a shopper does not {}", staff.name()),
    }
}

async fn see_order(engine: &Engine, ctx: &Context, id: OrderId) -> Served {
    let details = engine.get_order(ctx, id, None).await?;
    Ok((Reply::Details(Box::new(details)), false))
}

async fn serve_staff(engine: &Engine, ctx: &Context, call: Call) -> Served {
    let order = |order: Order| Reply::Order(Box::new(order));
    match call {
        Call::ListOrders { status } => {
            let list = ListOrders { status, limit: 100, ..ListOrders::default() };
            let page = engine.list_orders(ctx, list).await?;
            Ok((Reply::Orders(page.items.iter().map(|order| order.id).collect()), false))
        }
        Call::SeeOrder { order } => see_order(engine, ctx, order).await,
        Call::SetPrice { sku: of, prices } => {
            let set = engine.set_prices(ctx, sku(&of), prices, None).await?;
            once(set, |product| Reply::Other(format!("product v{}", product.version)))
        }
        Call::AdjustStock { sku: of, delta } => {
            let adjust = AdjustStock {
                variant: StockKey::Sku(sku(&of)),
                location: None,
                delta,
                reason: "counted".to_owned(),
            };
            let adjusted = engine.adjust_stock(ctx, adjust).await?;
            once(adjusted, |view| Reply::Other(format!("{} on hand", view.level.on_hand)))
        }
        Call::Cancel { order: id } => {
            once(engine.cancel_order(ctx, id, "a whim".to_owned(), None).await?, order)
        }
        Call::Pack { order: id } => once(engine.pack_order(ctx, id, None).await?, order),
        Call::Ship { order: id, units } => once(
            engine.ship_order(ctx, id, Parcel { units, ..Parcel::default() }, None).await?,
            order,
        ),
        Call::Deliver { order: id } => once(engine.deliver_order(ctx, id, None).await?, order),
        Call::Reconcile { order: id } => {
            let check = engine.reconcile_order(ctx, id).await?;
            other(check.map_or("no payment".to_owned(), |check| check.provider_says))
        }
        Call::ReplayJobs => {
            let dead = engine.list_dead_jobs(ctx, None, 100).await?;
            for job in &dead.items {
                engine.replay_job(ctx, job.id).await?;
            }
            other(format!("{} dead jobs", dead.items.len()))
        }
        shopper => unreachable!("staff do not {}", shopper.name()),
    }
}

/// How the fixtures of the test kit name a product on the web.
fn slugify(sku: &str) -> String {
    handel_domain::text::slugify(sku)
}
