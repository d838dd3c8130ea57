//! Goods, carts, buyers and what they do.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use handel_domain::{
    Code,
    address::Address,
    catalog::{Price, Product, ProductInput, VariantInput},
    channel::{Channel, Settings},
    checkout::{Buyer, Checkout, WithPayment},
    id::{CartId, CheckoutId, OrderId, TenantId},
    order::{Order, Source},
    promotion::{Action, Class, CombinesWith, Conditions, Rules},
    stock::Level,
    tax::{Rate, TaxRate},
    text::{Sku, Slug},
};
use handel_engine::{
    AddItem, AdjustStock, Caller, CartRef, CheckoutView, Complete, Completion, Context, Error,
    Idempotency, Once, OrderDetails, OwnedCart, PaymentChoice, PromotionDetails, StockKey, Submit,
    WebhookReceipt,
};
use handel_local::payments::{ChargeEvent, SignedWebhook};
use handel_ports::Secret;

use super::TestShop;
use crate::books;

/// The settings of a channel in the European Union, with its taxes in its prices.
pub const EUR_CHANNEL: &str = r#"{
    "name": "Europe", "currency": "EUR", "locale": "de-DE", "default_country": "DE",
    "countries": ["DE", "AT", "FR"],
    "tax": { "prices_include_tax": true, "rates": [
        { "class": "standard", "country": "DE", "rate_millionths": 190000, "name": "MwSt. 19 %" },
        { "class": "standard", "country": "AT", "rate_millionths": 200000, "name": "USt. 20 %" } ] },
    "shipping_methods": [
        { "code": "standard", "name": "Paket", "amount_minor": 490, "tax_class": "standard" },
        { "code": "courier", "name": "Kurier", "countries": ["DE"], "amount_minor": 990, "tax_class": "standard" } ]
}"#;

/// A SKU that is known to be well-formed.
pub fn sku(text: &str) -> Sku {
    text.parse().expect("a SKU")
}

/// A slug that is known to be well-formed.
pub fn slug(text: &str) -> Slug {
    text.parse().expect("a slug")
}

/// A product with one variant that costs the same in EUR and USD.
pub fn product_input(sku_text: &str, price_minor: i64) -> ProductInput {
    let price = |currency: &str| Price {
        currency: currency.parse().expect("a currency"),
        amount_minor: price_minor,
        compare_at_minor: None,
    };
    ProductInput {
        slug: Some(slug(&handel_domain::text::slugify(sku_text))),
        title: format!("Product {sku_text}"),
        description_html: String::new(),
        vendor: "Handel".to_owned(),
        product_type: String::new(),
        status: handel_domain::catalog::ProductStatus::Active,
        tax_class: "standard".to_owned(),
        tags: Vec::new(),
        options: Vec::new(),
        attributes: Vec::new(),
        category_ids: Vec::new(),
        media: Vec::new(),
        seo: handel_domain::catalog::Seo::default(),
        variants: vec![VariantInput {
            id: None,
            sku: sku(sku_text),
            option_values: Vec::new(),
            barcode: None,
            weight_grams: 300,
            requires_shipping: true,
            tracked: true,
            backorder: handel_domain::catalog::Backorder::Deny,
            prices: vec![price("EUR"), price("USD")],
        }],
    }
}

/// Somebody in Germany who said all that a checkout needs.
pub fn buyer() -> Buyer {
    Buyer {
        email: Some("ada@example.com".parse().expect("an address")),
        shipping_address: Some(address("DE", "10115")),
        shipping_method: Some(slug("standard")),
        ..Buyer::default()
    }
}

/// An address in a country without regions.
pub fn address(country: &str, postal_code: &str) -> Address {
    Address {
        name: "Ada Lovelace".to_owned(),
        line1: "1 Main Street".to_owned(),
        line2: None,
        city: "Somewhere".to_owned(),
        region: None,
        postal_code: Some(postal_code.to_owned()),
        country: country.parse().expect("a country"),
        phone: None,
    }
}

/// A promotion that is in force at once and for ever, for everybody, and combines with everything. The currency
/// of its amounts is that of the channel that the fixtures sell in.
pub fn promotion_rules(class: Class, action: Action) -> Rules {
    Rules {
        title: "A test".to_owned(),
        is_enabled: true,
        class,
        action,
        currency: Some("EUR".parse().expect("a currency")),
        channel_id: None,
        conditions: Conditions::default(),
        priority: 0,
        combines_with: CombinesWith::ALL,
        is_exclusive: false,
        starts_at: None,
        ends_at: None,
        usage_limit: None,
        customer_limit: None,
    }
}

/// Sells everywhere, with a sales tax of 7.25 % on goods that go to California and no other tax.
pub fn tax_california(settings: &mut Settings) {
    settings.countries.clear();
    for method in &mut settings.shipping_methods {
        method.countries.clear();
        method.tax_class = "shipping".to_owned();
    }
    let rate = |region: Option<&str>, millionths| TaxRate {
        class: "standard".to_owned(),
        country: "US".parse().expect("a country"),
        region: region.map(str::to_owned),
        rate_millionths: Rate::from_millionths(millionths).expect("a rate"),
        name: "Sales tax".to_owned(),
    };
    settings.tax.prices_include_tax = false;
    settings.tax.rates = vec![rate(Some("California"), 72_500), rate(None, 0)];
}

/// A part in hundredths.
pub fn percent(percent: u32) -> Action {
    let rate_millionths = Rate::from_millionths(percent * 10_000).expect("at most 100 %");
    Action::Percentage { rate_millionths }
}

/// How somebody pays with a token of the test provider.
pub fn pays(token: &str) -> Option<PaymentChoice> {
    Some(PaymentChoice { provider: None, token: Secret::new(token.to_owned()), return_url: None })
}

impl TestShop {
    pub(super) async fn open_channel(&self) {
        let settings = serde_json::from_str(EUR_CHANNEL).expect("valid settings");
        let channel = self
            .engine
            .put_channel(&self.staff(), slug("eur"), settings, None)
            .await
            .map(|once| once.reply);
        channel.expect("the channel opens");
    }

    /// Changes the settings of the channel that the fixtures sell in.
    pub async fn change_channel(&self, change: impl FnOnce(&mut Settings)) -> Channel {
        let channel = self.engine.get_channel(&self.ctx()).await.expect("it was opened");
        let mut settings = channel.settings.clone();
        change(&mut settings);
        let changed = self.engine.put_channel(&self.staff(), slug("eur"), settings, None).await;
        changed.expect("the change is valid").reply
    }

    /// Somebody who has no cart yet.
    pub fn ctx(&self) -> Context {
        Context {
            tenant_id: TenantId::DEFAULT,
            channel: Some(slug("eur")),
            caller: Caller::Shopper(None),
            request_id: self.engine.request_id(),
            idempotency: None,
            source: Source::Rest,
        }
    }

    /// A request with an idempotency key; `body` stands for all that it says.
    pub fn ctx_with_key(&self, key: &str, body: &str) -> Context {
        with_key(self.ctx(), key, body)
    }

    /// The shopper who owns a cart.
    pub fn owner(&self, cart_id: CartId) -> Context {
        Context { caller: Caller::Shopper(Some(cart_id)), ..self.ctx() }
    }

    /// The owner of a cart, with an idempotency key.
    pub fn owner_with_key(&self, cart_id: CartId, key: &str, body: &str) -> Context {
        with_key(self.owner(cart_id), key, body)
    }

    /// Somebody who may do everything.
    pub fn staff(&self) -> Context {
        Context { caller: Caller::Operator, ..self.ctx() }
    }

    /// An idempotency key that was not used before.
    pub fn fresh_key(&self) -> String {
        format!("key-{}", self.world.counter.fetch_add(1, Ordering::Relaxed))
    }

    /// A product with one variant.
    pub async fn product(&self, sku_text: &str, price_minor: i64, on_hand: i64) -> Product {
        self.create(product_input(sku_text, price_minor), on_hand).await
    }

    /// A product, with that many on hand of its first variant.
    pub async fn create(&self, input: ProductInput, on_hand: i64) -> Product {
        let created = self.engine.create_product(&self.staff(), input).await;
        let product = created.expect("the product is valid").reply;
        if on_hand > 0 {
            self.receive_stock(product.variants[0].sku.as_str(), on_hand).await;
        }
        product
    }

    /// More units of a variant arrive.
    pub async fn receive_stock(&self, sku_text: &str, quantity: i64) {
        let adjusted =
            self.engine.adjust_stock(&self.staff(), adjustment(sku_text, quantity)).await;
        adjusted.expect("stock arrives");
    }

    /// The stock of a variant at the first location.
    pub async fn stock(&self, product: &Product) -> Level {
        let views = self.engine.get_stock(&self.staff(), product.variants[0].id).await;
        views.expect("stock can be read").first().expect("it has stock").level
    }

    /// Puts units into a cart, or into a new one.
    pub async fn add(
        &self,
        cart: Option<&OwnedCart>,
        sku_text: &str,
        quantity: i64,
    ) -> Result<OwnedCart, Error> {
        let cart = cart.map(reference);
        let item = item(cart, sku_text, quantity);
        self.engine.add_cart_item(&self.ctx(), item).await.map(|once| once.reply)
    }

    /// A cart with these units in it.
    pub async fn cart_with(&self, items: &[(&str, i64)]) -> OwnedCart {
        let created = self.engine.create_cart(&self.ctx()).await;
        let mut cart = created.expect("a cart can be made").reply;
        for (sku_text, quantity) in items {
            cart = self.add(Some(&cart), sku_text, *quantity).await.expect("it is for sale");
        }
        cart
    }

    /// A promotion, for those who give one of the codes, or for everybody where there are none.
    pub async fn promotion(&self, rules: Rules, codes: &[&str]) -> PromotionDetails {
        let codes = codes.iter().map(|code| (*code).to_owned()).collect();
        // The older one comes first, by its id.
        self.clock.advance(std::time::Duration::from_millis(1));
        let made = self.engine.create_promotion(&self.staff(), rules, codes).await;
        made.expect("the promotion is valid").reply
    }

    /// Gives codes for a cart.
    pub async fn set_codes(&self, cart: &OwnedCart, codes: &[&str]) -> Result<OwnedCart, Error> {
        let codes = codes.iter().map(|code| (*code).to_owned()).collect();
        let set = self.engine.set_cart_codes(&self.ctx(), &reference(cart), codes, None).await;
        set.map(|once| once.reply)
    }

    /// A checkout that lacks nothing.
    pub async fn checkout(&self, cart: &OwnedCart) -> CheckoutView {
        let ctx = self.owner(cart.view.cart.id);
        let made = self.engine.create_checkout(&ctx, &reference(cart), buyer()).await;
        made.expect("the checkout is complete").reply
    }

    /// The checkout of a cart, whatever became of it.
    pub async fn checkout_of(&self, cart: &OwnedCart) -> CheckoutView {
        let ctx = self.owner(cart.view.cart.id);
        let id = books::checkout_of(&self.database, cart.view.cart.id).await;
        self.engine.get_checkout(&ctx, id).await.expect("the cart has a checkout")
    }

    /// Completes a checkout with a key that was not used before.
    pub async fn complete(&self, checkout: &Checkout, token: &str) -> Result<Completion, Error> {
        let key = self.fresh_key();
        self.complete_with_key(checkout, token, &key).await.map(|once| once.reply)
    }

    /// Completes a checkout. The token is part of what the request says.
    pub async fn complete_with_key(
        &self,
        checkout: &Checkout,
        token: &str,
        key: &str,
    ) -> Result<Once<Completion>, Error> {
        let ctx = self.owner_with_key(checkout.cart_id, key, token);
        self.engine.complete_checkout(&ctx, completion_of(checkout.id, token)).await
    }

    /// Orders what is in a cart, in one request, for the total that the shop names where it was not shown before.
    pub async fn submit(
        &self,
        cart: &OwnedCart,
        token: &str,
        key: &str,
    ) -> Result<Once<Completion>, Error> {
        let ctx = self.owner_with_key(cart.view.cart.id, key, token);
        match self.engine.submit_checkout(&ctx, submission(cart, token)).await {
            Err(error) if error.code() == Code::TotalsChanged => {
                self.engine.submit_checkout(&ctx, submission(cart, token)).await
            }
            outcome => outcome,
        }
    }

    /// A whole purchase that goes well.
    pub async fn buy(&self, items: &[(&str, i64)]) -> Completion {
        let cart = self.cart_with(items).await;
        let key = self.fresh_key();
        let bought = self.submit(&cart, "tok_ok", &key).await.expect("it can be bought").reply;
        assert_eq!(bought.order.status, handel_domain::order::Status::Paid);
        bought
    }

    /// An order as staff see it.
    pub async fn order(&self, id: OrderId) -> OrderDetails {
        self.engine.get_order(&self.staff(), id, None).await.expect("there is such an order")
    }

    /// Cancels an order.
    pub async fn cancel(&self, id: OrderId) -> Result<Order, Error> {
        let canceled = self.engine.cancel_order(&self.staff(), id, "a test".to_owned(), None).await;
        canceled.map(|once| once.reply)
    }

    /// Hands a webhook of the provider to the shop.
    pub async fn receive(&self, webhook: &SignedWebhook) -> Result<WebhookReceipt, Error> {
        let body: &Bytes = &webhook.body;
        self.engine.receive_webhook(&self.ctx(), "test", &webhook.headers, body).await
    }

    /// Signs what the provider has to say about a charge.
    pub fn sign(&self, event: &ChargeEvent) -> SignedWebhook {
        self.provider.sign_webhook(event)
    }

    /// The webhooks of the provider that are due now.
    pub async fn due_webhooks(&self) -> Vec<ChargeEvent> {
        let due = self.provider.ledger().due_webhooks(self.now(), 100).await;
        due.expect("the ledger can be read")
    }

    /// What the provider has taken for an order and not given back, in minor units.
    pub async fn kept_minor(&self, id: OrderId) -> i64 {
        let charges = self.provider.ledger().charges_of(id).await.expect("the ledger can be read");
        charges.iter().map(|charge| charge.captured_minor - charge.refunded_minor).sum()
    }
}

/// Adds an idempotency key to a request.
pub fn with_key(ctx: Context, key: &str, body: &str) -> Context {
    let idempotency =
        Idempotency { scope: "test".to_owned(), key: key.to_owned(), digest: body.to_owned() };
    Context { idempotency: Some(idempotency), ..ctx }
}

/// How a request names a cart.
pub fn reference(cart: &OwnedCart) -> CartRef {
    CartRef { token: cart.token.clone() }
}

/// Units of a variant for a cart.
pub fn item(cart: Option<CartRef>, sku_text: &str, quantity: i64) -> AddItem {
    AddItem {
        cart,
        variant: StockKey::Sku(sku(sku_text)),
        quantity,
        custom: std::collections::HashMap::new(),
        expected_version: None,
    }
}

/// A change of what is on hand at the first location.
pub fn adjustment(sku_text: &str, delta: i64) -> AdjustStock {
    AdjustStock {
        variant: StockKey::Sku(sku(sku_text)),
        location: None,
        delta,
        reason: "counted".to_owned(),
    }
}

/// Orders what is in a cart with a token of the test provider.
pub fn submission(cart: &OwnedCart, token: &str) -> Submit {
    Submit {
        cart: reference(cart),
        buyer: buyer(),
        payment: pays(token),
        expected_total_minor: None,
    }
}

/// Completes a checkout with a token of the test provider.
pub fn completion_of(checkout_id: CheckoutId, token: &str) -> Complete {
    let (payment, said) = (pays(token), WithPayment::default());
    Complete { checkout_id, payment, said, expected_total_minor: None, expected_version: None }
}
