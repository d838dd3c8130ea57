//! What stands beside every step: what is bought, what it costs, and how far one has come.

use handel_domain::{
    address::{Address, Country},
    order::Order,
};

use super::{Desk, Step};
use crate::{
    basket::{self, Line, Shipping, Sums},
    words::ENGLISH,
};

/// The checkout beside its steps.
pub(super) struct Summary {
    pub(super) id: String,
    pub(super) steps: Vec<Mark>,
    pub(super) lines: Vec<Line>,
    pub(super) count: String,
    pub(super) sums: Sums,
    /// Whether something else is to be seen first, where both do not stand beside each other.
    pub(super) is_below: bool,
}

/// A step in the list of steps.
pub(super) struct Mark {
    pub(super) label: &'static str,
    /// Where it is changed, once it is done.
    pub(super) href: Option<String>,
    pub(super) is_current: bool,
}

impl Summary {
    pub(super) fn new(desk: &Desk, current: Step) -> Self {
        let open = desk.first_open();
        let mark = |step: Step, label: &'static str| Mark {
            label,
            href: (step < open && step != current).then(|| step.address(desk.id())),
            is_current: step == current,
        };
        let mut steps = vec![mark(Step::Contact, ENGLISH.step_contact)];
        if desk.needs_delivery() {
            steps.push(mark(Step::Delivery, ENGLISH.step_delivery));
        }
        steps.push(mark(Step::Review, ENGLISH.step_review));
        Self { steps, ..Self::without_steps(desk) }
    }

    pub(super) fn without_steps(desk: &Desk) -> Self {
        // What is marked in the form counts already.
        let preselected = desk.view.preselected.as_ref();
        let quote = preselected.map_or(&desk.view.quote, |preselected| &preselected.quote);
        let name = method_name(desk).or_else(|| Some(preselected?.method.name.clone()));
        let shipping = match (desk.needs_delivery(), name) {
            (false, _) => Shipping::None,
            (true, Some(name)) => Shipping::Chosen(name),
            (true, None) => Shipping::Open,
        };
        let count = quote.lines.iter().map(|line| line.line.quantity).sum();
        Self {
            id: desk.id().to_string(),
            steps: Vec::new(),
            lines: basket::lines(quote, &desk.format),
            count: ENGLISH.n_items(count),
            sums: basket::sums(quote, shipping, &desk.format),
            is_below: false,
        }
    }
}

impl Summary {
    /// What was ordered, at the prices of the order.
    pub(super) fn of_order(desk: &Desk, order: &Order) -> Self {
        let count = order.lines.iter().map(|line| line.ordered).sum();
        Self {
            id: desk.id().to_string(),
            steps: Vec::new(),
            lines: basket::ordered_lines(order, &desk.format),
            count: ENGLISH.n_items(count),
            sums: basket::ordered_sums(order, &desk.format),
            is_below: true,
        }
    }
}

/// What the chosen shipping method is called.
pub(super) fn method_name(desk: &Desk) -> Option<String> {
    let code = desk.view.checkout.buyer.shipping_method.as_ref()?;
    let methods = &desk.channel.settings.shipping_methods;
    methods.iter().find(|method| method.code == *code).map(|method| method.name.clone())
}

/// An address as its country writes it, and the phone number. The country is named where it is another one than `home`.
pub(crate) fn address_lines(address: &Address, home: Country) -> Vec<String> {
    let mut lines = address.lines(Some(home));
    lines.extend(address.phone.clone());
    lines
}
