//! Everything that people read, in one place, so that it can be said in another language one day.
//!
//! `{}` is where a value goes. Texts of refusals come from the engine and are not here.

/// Declares all texts once: the type, and what they are in English.
macro_rules! words {
    ($($name:ident = $text:literal;)*) => {
        /// The texts of one language.
        pub(crate) struct Words {
            $(pub(crate) $name: &'static str,)*
        }

        /// The texts in English.
        pub(crate) const ENGLISH: Words = Words { $($name: $text,)* };
    };
}

words! {
    // Around every page.
    shop = "Shop";
    skip = "Skip to content";
    search = "Search";
    search_label = "Search the shop";
    cart = "Cart";
    items = "items";
    back_to_cart = "Back to the cart";
    policies = "Policies";
    breadcrumbs = "Breadcrumb";
    test_shop = "Test shop: no money moves.";
    no_payments = "You cannot order at the moment: this shop does not take payments.";
    no_payments_cart = "You cannot check out at the moment, because this shop does not take payments. Your cart is kept.";
    please_check = "There is a problem";
    optional = "(optional)";
    before = "was";
    total = "Total";
    yes = "Yes";
    no = "No";

    // The list of products.
    all_products = "All products";
    categories = "Categories";
    filter_and_sort = "Filter and sort";
    price_from = "Price from";
    price_to = "Price to";
    sort = "Sort by";
    newest_first = "Newest first";
    cheapest_first = "Price, low to high";
    dearest_first = "Price, high to low";
    by_title = "Name, A to Z";
    only_in_stock = "In stock only";
    apply = "Apply";
    clear_filters = "Clear";
    home_description_ = "All products of {}.";
    category_description_ = "{} at {}.";
    nothing_found = "No products found.";
    see_everything = "See all products";
    from = "from";
    sold_out = "Sold out";
    pages = "Pages";
    first_page = "First page";
    next_page = "Next page";
    found = "Results for “{}”";
    not_an_amount_ = "“{}” is not a price. Enter a number such as 20 or 19.50.";
    price_range_wrong = "The lowest price must not be higher than the highest price.";

    // A product.
    in_stock = "In stock";
    on_order = "Available on backorder";
    not_for_sale = "Unavailable";
    only_left_ = "Only {} left";
    quantity = "Quantity";
    pictures = "Pictures";
    picture_ = "Picture {} of {}";
    value_sold_out = "sold out";
    value_elsewhere = "in another combination";
    value_nowhere = "not available";
    add_to_cart = "Add to cart";
    properties = "Specifications";
    prices_with_tax = "Tax included. Shipping is calculated at checkout.";
    prices_without_tax = "Tax and shipping are calculated at checkout.";
    choose_variant = "Choose one of the options.";
    whole_number = "The quantity must be a whole number.";

    // The cart.
    added_ = "Added to your cart: {}";
    added = "Added to your cart.";
    updated = "Cart updated.";
    removed = "Removed from your cart.";
    cart_empty = "Your cart is empty.";
    each = "each";
    update = "Update";
    remove = "Remove";
    summary = "Summary";
    to_checkout = "Go to checkout";
    go_on_shopping = "Continue shopping";
    go_on_paying = "Continue to payment";
    order_waits_ = "Your order {} is waiting for payment.";
    gone = "No longer available";
    no_longer_for_sale = "This item is no longer available. Please remove it.";
    sold_out_meanwhile = "This item is sold out.";
    only_left_of_ = "Only {} available; you asked for {}.";
    price_changed_ = "The price has changed. It was {}.";

    code = "Discount code";
    codes = "Discount codes in your cart";
    code_applied = "applied";
    code_unknown = "This code does not exist.";
    code_expired = "This code has expired.";
    code_not_yet = "This code is not valid yet.";
    code_used_up = "This code has been used up.";
    code_not_eligible = "This code does not apply to the items in your cart.";
    code_waits = "Not applied yet: it depends on your items and your address.";
    code_not_combinable = "This code cannot be combined with your other discount, which saves you more.";
    code_applied_already = "This code is already applied.";
    code_missing = "Enter a discount code.";

    // Sums.
    plus_shipping = "+ shipping";
    plus_tax_and_shipping = "+ tax and shipping";
    shipping_follows = "Shipping is added in the next step.";
    tax_and_shipping_follow = "Tax and shipping are added in the next step.";
    subtotal = "Subtotal";
    discount_by_code_ = "{} ({})";
    shipping = "Shipping";
    shipping_by_ = "Shipping ({})";
    at_checkout = "Calculated at checkout";
    not_chosen = "Calculated in the next step";
    free = "Free";
    tax = "Tax";
    includes_tax_ = "Includes {} tax";
    one_item = "1 item";
    n_items_ = "{} items";

    // The checkout.
    checkout = "Checkout";
    checkout_wrong = "Please check: checkout";
    steps = "Steps";
    step_contact = "Contact";
    step_delivery = "Delivery";
    step_review = "Review and pay";
    contact_heading = "Contact and address";
    delivery_heading = "Delivery";
    pay_heading = "Review and pay";
    email = "E-mail";
    email_missing = "is needed";
    email_hint = "For questions about your order.";
    name = "Full name";
    line1 = "Street and number";
    line2 = "Apartment, floor, company";
    choose = "Choose";
    country = "Country";
    phone = "Phone";
    update_country = "Use this country";
    phone_hint = "For questions about the delivery.";
    ship_to = "Delivery address";
    bill_to = "Billing address";
    bill_same = "Same as the delivery address";
    bill_other = "Another address";
    receipt_to = "E-mail";
    ship_by = "Shipping method";
    go_on = "Continue";
    change = "Change";
    no_method = "These items cannot be shipped to this address.";
    other_address = "Use another address";
    choose_method = "Choose a shipping method.";
    items_heading = "Items";
    payment = "Payment";
    choose_payment = "Choose a payment method.";
    policies_apply = "These policies apply to your order:";
    pay_ = "Pay {}";
    order_free = "Place the order";
    change_cart = "Edit the cart";
    something_gone = "An item in your cart is no longer available. Please remove it from the cart.";
    something = "An item";
    title_short_ = "There are only {1} of {0} left. Please change the quantity in your cart.";
    title_sold_out_ = "{} is sold out. Please remove it from your cart.";
    cart_changed = "Your cart has changed. Please check it once more before you pay.";
    total_changed_ = "The total has changed: it is now {}. You have not been charged. Please check your order once more.";
    review_changed_ = "This has changed: {}. You have not been charged. Please check your order once more.";
    part_email = "the e-mail address";
    part_address = "the delivery address";
    part_billing = "the billing address";
    part_method = "the shipping method";
    part_items = "the items";
    part_any = "the checkout";
    form_used = "This form was already sent. Please check everything once more and send it again.";
    order_kept_ = "Your order {} is reserved for you until {}. Choose another payment method to complete it, or change it \
                   below.";
    not_paid_heading = "Payment not completed";

    // Ways to pay.
    card_ok = "Test card that works";
    card_ok_note = "The payment goes through at once.";
    card_action = "Test card that needs approval";
    card_action_note = "You approve the payment on the bank’s page.";
    card_async = "Test bank transfer";
    card_async_note = "The payment is confirmed a moment later.";
    card_declined = "Test card that is declined";
    card_declined_note = "Shows what happens when a payment fails.";
    card_funds = "Test card without funds";
    card_funds_note = "Shows what happens when the account has not enough money.";
    by_token = "With a payment token of this provider.";
    other_token = "Use another test token";
    token = "Payment token";
    token_hint = "The payment provider issues it. Never enter a card number.";
    approve = "Approve the payment";
    approve_text = "Your order is placed. Your bank asks you to confirm the payment on its own page.";
    approve_note = "You come back here afterwards.";
    open_provider = "Go to the payment page";
    open_provider_again = "Open the payment page again";
    needs_script = "This payment method does not work here. Please go back and choose another one.";
    back_text = "If you approved the payment, this usually takes less than a minute.";

    // A page that waits for a payment provider.
    reloads_after_ = "This page checks again by itself in {} {}.";
    reload_ended = "This page does not check by itself any more.";
    seconds = "seconds";
    minute = "minute";
    minutes = "minutes";
    stop_reloading = "Stop checking";
    look_again = "Check again";

    // An expired checkout.
    expired = "This checkout has expired";
    expired_text = "You have not been charged. Your cart is still here, so you can start again.";
    start_again = "Start again";

    // A cart that an assistant or another device filled.
    shared_cart = "Continue with this cart?";
    shared_cart_text_ = "This link leads to a cart with {} that your assistant or another device filled.";
    shared_cart_warning = "The sender of the link can see what you type at the checkout, such as your e-mail and \
                           delivery address. Continue only if it comes from someone you trust.";
    two_carts_text_ = "Your own cart in this browser has {}. Only one of them can stay here: if you continue, this \
                       one replaces yours.";
    take_shared_cart = "Continue with this cart";
    keep_own_cart = "Back to my own cart";
    leave_shared_cart = "To the shop";

    // An order.
    keep_address = "Keep this address: it is the way back to your order.";
    order_link = "Link to this order";
    order = "Order";
    order_title_ = "Order {}";
    thanks = "Thank you for your order";
    thanks_text = "We are preparing it.";
    checking = "We are checking your payment";
    checking_text = "This usually takes less than a minute. You can leave this page; your order is safe.";
    not_paid = "Your order is not paid yet";
    pays_until_ = "We reserve the items for you until {}.";
    pay_now = "Pay now";
    on_its_way = "Your order is on its way";
    on_its_way_text = "All items have been shipped.";
    partly_on_its_way = "Part of your order is on its way";
    partly_text = "The other items follow.";
    arrived = "Your order has arrived";
    arrived_text = "We hope you enjoy it.";
    canceled = "This order was canceled";
    canceled_text = "Nothing will be shipped.";
    canceled_refunded = "Nothing will be shipped. Your payment has been refunded.";
    progress = "Progress";
    stage_placed = "Placed";
    stage_paid = "Paid";
    stage_packing = "Packing";
    stage_shipped = "Shipped";
    stage_delivered = "Delivered";
    details = "Details";
    n_canceled = "{} of {} canceled";
    n_shipped = "{} of {} shipped";
    n_delivered = "{} of {} delivered";
    parcels = "Shipments";
    parcel_ = "Shipment {}";
    sent_on = "Shipped on";
    units_ = "{} × {}";
    track = "Track parcel";
    tracking_number = "Tracking number";
    refunds = "Refunds";
    refund_done = "{} refunded on {}.";
    refund_pending = "A refund of {} is on its way.";
    refund_failed = "The refund of {} could not be completed yet. We are looking into it.";
    nothing_owed = "Nothing to pay";
    unpaid = "Not paid";
    needs_approval = "Waiting for your approval";
    processing = "Processing";
    payment_unknown = "Being checked";
    partly_paid = "Partly paid";
    paid = "Paid";
    partly_refunded = "Partly refunded";
    refunded = "Refunded";

    // What went wrong.
    not_found = "Page not found";
    not_found_text = "The address may be mistyped, or the page no longer exists.";
    browse = "Browse the shop";
    no_checkout = "Checkout not found";
    no_checkout_text = "It may have ended, or it belongs to another browser. Your items are in your cart.";
    link_expired = "This link has expired";
    link_expired_text = "Links like this work for a limited time. Please ask for a new one where you got it.";
    foreign = "This came from another site";
    foreign_text = "For your safety we only accept forms from our own pages. Please open the page here and try again.";
    wrong_method = "This address cannot be used like that";
    wrong_method_text = "Please go back and try again.";
    busy = "We are very busy";
    busy_text = "Please try again in a moment.";
    broken = "Something went wrong";
    broken_text = "The error is on our side. Please try again in a moment.";
    refused = "That did not work";
    refused_text = "Please go back, check what you entered, and try again.";
    may_repeat = "You can reload this page: however often you send it, your order is placed only once.";
    reference = "If you contact us, please mention";
    to_cart = "Go to cart";
}

/// Puts values where the text has `{}`, or `{0}` and `{1}` where their order differs.
fn fill(text: &str, values: &[&str]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut next = 0;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        let at = place.parse().unwrap_or(next);
        filled.push_str(before);
        filled.push_str(values.get(at).copied().unwrap_or_default());
        next += 1;
        rest = after;
    }
    filled.push_str(rest);
    filled
}

impl Words {
    /// What is wrong with a field: its name and what the engine says of it.
    pub(crate) fn about(&self, label: &str, message: &str) -> String {
        format!("{label} {}.", message.trim_end_matches('.'))
    }

    /// What the engine says, as a sentence.
    pub(crate) fn sentence(&self, message: &str) -> String {
        format!("{}.", self.capitalized(message).trim_end_matches('.'))
    }

    /// A text with a capital at the start.
    pub(crate) fn capitalized(&self, text: &str) -> String {
        let mut chars = text.chars();
        let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}", chars.as_str())
    }

    pub(crate) fn found_for(&self, query: &str) -> String {
        fill(self.found, &[query])
    }

    pub(crate) fn not_an_amount(&self, text: &str) -> String {
        fill(self.not_an_amount_, &[text])
    }

    pub(crate) fn tax_note(&self, prices_include_tax: bool) -> &'static str {
        if prices_include_tax { self.prices_with_tax } else { self.prices_without_tax }
    }

    pub(crate) fn only_left(&self, count: i64) -> String {
        fill(self.only_left_, &[&count.to_string()])
    }

    pub(crate) fn only_left_of(&self, count: i64, wanted: i64) -> String {
        self.of(self.only_left_of_, count, wanted)
    }

    /// A text about some of all.
    pub(crate) fn of(&self, text: &str, count: i64, all: i64) -> String {
        fill(text, &[&count.to_string(), &all.to_string()])
    }

    pub(crate) fn added(&self, title: &str) -> String {
        fill(self.added_, &[title])
    }

    pub(crate) fn price_changed(&self, before: &str) -> String {
        fill(self.price_changed_, &[before])
    }

    pub(crate) fn order_waits(&self, number: i64) -> String {
        fill(self.order_waits_, &[&number.to_string()])
    }

    pub(crate) fn shipping_by(&self, method: &str) -> String {
        fill(self.shipping_by_, &[method])
    }

    pub(crate) fn includes_tax(&self, amount: &str) -> String {
        fill(self.includes_tax_, &[amount])
    }

    pub(crate) fn n_items(&self, count: i64) -> String {
        if count == 1 {
            self.one_item.to_owned()
        } else {
            fill(self.n_items_, &[&count.to_string()])
        }
    }

    /// How many items are in a cart that a link leads to.
    pub(crate) fn shared_cart_text(&self, items: i64) -> String {
        fill(self.shared_cart_text_, &[&self.n_items(items)])
    }

    /// How many items are in the buyer's own cart, which a shared one would replace.
    pub(crate) fn two_carts_text(&self, own: i64) -> String {
        fill(self.two_carts_text_, &[&self.n_items(own)])
    }

    pub(crate) fn discount_by_code(&self, title: &str, code: &str) -> String {
        fill(self.discount_by_code_, &[title, code])
    }

    pub(crate) fn pay(&self, amount: &str) -> String {
        fill(self.pay_, &[amount])
    }

    pub(crate) fn title_short(&self, title: &str, left: i64) -> String {
        fill(self.title_short_, &[title, &left.to_string()])
    }

    pub(crate) fn title_sold_out(&self, title: &str) -> String {
        fill(self.title_sold_out_, &[title])
    }

    pub(crate) fn review_changed(&self, parts: &[&str]) -> String {
        fill(self.review_changed_, &[&parts.join(", ")])
    }

    pub(crate) fn total_changed(&self, now: &str) -> String {
        fill(self.total_changed_, &[now])
    }

    pub(crate) fn order_kept(&self, number: i64, until: &str) -> String {
        fill(self.order_kept_, &[&number.to_string(), until])
    }

    pub(crate) fn reloads_after(&self, count: u32, unit: &str) -> String {
        fill(self.reloads_after_, &[&count.to_string(), unit])
    }

    pub(crate) fn home_description(&self, shop: &str) -> String {
        fill(self.home_description_, &[shop])
    }

    pub(crate) fn category_description(&self, category: &str, shop: &str) -> String {
        fill(self.category_description_, &[category, shop])
    }

    /// A picture by its place among all.
    pub(crate) fn picture(&self, number: usize, all: usize) -> String {
        fill(self.picture_, &[&number.to_string(), &all.to_string()])
    }

    pub(crate) fn order_title(&self, number: i64) -> String {
        fill(self.order_title_, &[&number.to_string()])
    }

    pub(crate) fn pays_until(&self, until: &str) -> String {
        fill(self.pays_until_, &[until])
    }

    pub(crate) fn parcel(&self, number: usize) -> String {
        fill(self.parcel_, &[&number.to_string()])
    }

    pub(crate) fn units(&self, count: i64, title: &str) -> String {
        fill(self.units_, &[&count.to_string(), title])
    }

    /// What became of a refund.
    pub(crate) fn refund(&self, text: &str, amount: &str, day: &str) -> String {
        fill(text, &[amount, day])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_the_text_wants_them() {
        assert_eq!(fill("{} of {} left", &["1", "2"]), "1 of 2 left");
        assert_eq!(fill("{1} of {0}", &["mugs", "2"]), "2 of mugs");
        assert_eq!(fill("nothing", &["x"]), "nothing");
        // A value is not looked at again.
        assert_eq!(fill("{}, {}", &["{1}", "b"]), "{1}, b");
    }

    #[test]
    fn refusals_become_sentences() {
        assert_eq!(ENGLISH.about("City", "must not be empty"), "City must not be empty.");
        assert_eq!(ENGLISH.sentence("the cart is empty"), "The cart is empty.");
    }
}
