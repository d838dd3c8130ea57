//! The steps of an order after it was placed. Each checks the state machine and changes the order
//! as a whole, or refuses and changes nothing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Order, Status};
use crate::{
    event::OrderChange,
    id::LineId,
    origin::URL_MAX,
    refusal::{Code, FieldErrors, Refusal},
    text,
};

/// Some units of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineQuantity {
    /// The line.
    pub line_id: LineId,
    /// How many of it; positive.
    pub quantity: i64,
}

/// How a parcel is followed on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's number of the parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Where the buyer sees how far it is: an `https:` or `http:` address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Tracking {
    /// Checks what staff sent. Errors name the fields `/carrier`, `/tracking_number` and `/tracking_url`.
    pub fn checked(self) -> Result<Self, Refusal> {
        let mut errors = FieldErrors::default();
        let mut line = |pointer: &str, value: Option<String>, max| {
            value
                .and_then(|value| errors.take(text::optional_line(pointer, &value, max)))
                .filter(|value| !value.is_empty())
        };
        let carrier = line("/carrier", self.carrier, 100);
        let number = line("/tracking_number", self.number, 100);
        let url = line("/tracking_url", self.url, URL_MAX);
        // It becomes a link on pages: no other scheme may get in.
        let is_address = |url: &String| {
            (url.starts_with("https://") || url.starts_with("http://"))
                && !url.contains(char::is_whitespace)
        };
        errors.check(
            url.as_ref().is_none_or(is_address),
            "/tracking_url",
            "must begin with https:// or http://",
        );
        errors.finish()?;
        Ok(Self { carrier, number, url })
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Order {
    /// The order is paid.
    pub fn pay(&mut self, now: Timestamp) -> Result<OrderChange, Refusal> {
        self.go(Status::Paid, now)?;
        Ok(OrderChange::Paid)
    }

    /// Somebody starts to pack it.
    pub fn pack(&mut self, now: Timestamp) -> Result<OrderChange, Refusal> {
        self.go(Status::Packing, now)?;
        Ok(OrderChange::Packing)
    }

    /// Some units leave the warehouse; all that is open where `units` is empty. The order becomes
    /// shipped when nothing is left. Returns the units that left.
    pub fn ship(
        &mut self,
        units: &[LineQuantity],
        tracking: Tracking,
        now: Timestamp,
    ) -> Result<(OrderChange, Vec<LineQuantity>), Refusal> {
        self.status.check(Status::Shipped)?;
        let units = if units.is_empty() { self.open_units() } else { units.to_vec() };
        for (at, unit) in units.iter().enumerate() {
            let line = self.lines.iter_mut().find(|line| line.id == unit.line_id);
            let line = line.ok_or_else(|| {
                Refusal::field(format!("/lines/{at}/line_id"), "the order has no such line")
            })?;
            if unit.quantity < 1 || unit.quantity > line.open() {
                return Err(Refusal::new(
                    Code::QuantityExceeded,
                    format!("{} of {} are left to be shipped", line.open(), line.sku),
                ));
            }
            line.shipped += unit.quantity;
        }
        if self.lines.iter().any(|line| line.open() > 0) {
            self.updated_at = now.max(self.updated_at);
            let change = OrderChange::PartiallyShipped { lines: units.clone(), tracking };
            return Ok((change, units));
        }
        self.go(Status::Shipped, now)?;
        Ok((OrderChange::Shipped { lines: units.clone(), tracking }, units))
    }

    /// Everything has arrived.
    pub fn deliver(&mut self, now: Timestamp) -> Result<OrderChange, Refusal> {
        self.go(Status::Delivered, now)?;
        for line in &mut self.lines {
            line.delivered = line.shipped;
        }
        Ok(OrderChange::Delivered)
    }

    /// The order is called off. `refund_minor` is what goes back to the buyer.
    pub fn cancel(
        &mut self,
        reason: String,
        refund_minor: i64,
        now: Timestamp,
    ) -> Result<OrderChange, Refusal> {
        self.status.check(Status::Canceled)?;
        if self.lines.iter().any(|line| line.shipped > 0) {
            return Err(Refusal::new(
                Code::TransitionRefused,
                "a part of the order has shipped; ask for a return instead",
            ));
        }
        self.go(Status::Canceled, now)?;
        for line in &mut self.lines {
            line.canceled = line.ordered;
        }
        Ok(OrderChange::Canceled { reason, refund_minor })
    }

    /// Whether it still waits for money.
    pub fn awaits_payment(&self) -> bool {
        self.status == Status::Reserved
    }

    fn open_units(&self) -> Vec<LineQuantity> {
        let open = self.lines.iter().filter(|line| line.open() > 0);
        open.map(|line| LineQuantity { line_id: line.id, quantity: line.open() }).collect()
    }

    fn go(&mut self, to: Status, now: Timestamp) -> Result<(), Refusal> {
        self.status.check(to)?;
        self.status = to;
        // Clocks differ; the story of an order never runs backwards.
        self.updated_at = now.max(self.updated_at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::order;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn order_in(status: Status) -> Order {
        Order { status, ..order() }
    }

    fn step(order: &mut Order, to: Status) -> Option<Result<(), Refusal>> {
        let done = match to {
            Status::Paid => order.pay(NOW).map(|_| ()),
            Status::Packing => order.pack(NOW).map(|_| ()),
            Status::Shipped => order.ship(&[], Tracking::default(), NOW).map(|_| ()),
            Status::Delivered => order.deliver(NOW).map(|_| ()),
            Status::Canceled => order.cancel("test".into(), 0, NOW).map(|_| ()),
            Status::Created | Status::Reserved => return None,
        };
        Some(done)
    }

    #[test]
    fn every_step_that_is_not_drawn_is_refused() {
        use Status::{Canceled, Created, Delivered, Packing, Paid, Reserved, Shipped};
        let drawn = [
            (Created, Reserved),
            (Created, Canceled),
            (Reserved, Paid),
            (Reserved, Canceled),
            (Paid, Packing),
            (Paid, Canceled),
            (Packing, Shipped),
            (Packing, Canceled),
            (Shipped, Delivered),
        ];
        for from in Status::ALL {
            for to in Status::ALL {
                let allowed = drawn.contains(&(from, to));
                assert_eq!(from.check(to).is_ok(), allowed, "{from} to {to}");
                let mut order = order_in(from);
                let before = order.clone();
                match step(&mut order, to) {
                    Some(Ok(())) => assert!(allowed && order.status == to, "{from} to {to}"),
                    Some(Err(refusal)) => {
                        assert!(!allowed, "{from} to {to}");
                        assert_eq!(refusal.code, Code::TransitionRefused);
                        assert_eq!(refusal.details.allowed.as_deref(), Some(from.next()));
                        assert_eq!(order, before, "a refused step changes nothing");
                    }
                    None => {}
                }
            }
        }
    }

    #[test]
    fn parcels_go_one_by_one_and_never_twice() {
        let mut order = order_in(Status::Packing);
        let line_id = order.lines[0].id;
        let units = |quantity| [LineQuantity { line_id, quantity }];
        let known = Tracking { number: Some("1Z".into()), ..Tracking::default() };
        let unknown = Tracking::default;
        assert!(order.clone().ship(&units(4), unknown(), NOW).is_err(), "three were ordered");
        let (change, _) = order.ship(&units(1), known.clone(), NOW).expect("one parcel");
        let lines = units(1).to_vec();
        let expected = OrderChange::PartiallyShipped { lines, tracking: known };
        assert_eq!((change, order.status), (expected, Status::Packing));
        assert!(order.clone().cancel("late".into(), 0, NOW).is_err(), "a part is on its way");
        let (change, left) = order.ship(&[], unknown(), NOW).expect("the rest");
        let expected = OrderChange::Shipped { lines: units(2).to_vec(), tracking: unknown() };
        assert_eq!((change, order.status), (expected, Status::Shipped));
        assert_eq!(left, units(2));
        assert!(order.ship(&[], unknown(), NOW).is_err());
    }

    #[test]
    fn links_to_parcels_are_links() {
        let at = |url: &str| Tracking { url: Some(url.into()), ..Tracking::default() }.checked();
        assert!(at("https://carrier.example/1Z").is_ok());
        for wrong in ["javascript:alert(1)", "carrier.example", "https://a b", "data:text/html,x"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
        let blank = Tracking { carrier: Some(" ".into()), ..Tracking::default() }.checked();
        assert!(blank.expect("nothing is said").is_empty());
    }
}
