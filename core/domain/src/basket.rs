//! Full replacement: a cart that becomes exactly what its owner says. Programs keep no list of changes; they
//! say the whole basket each time.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::{
    cart::{Cart, CartLine, check_custom, check_lines},
    channel::Settings,
    id::{LineId, VariantId},
    refusal::{Code, FieldErrors, Refusal},
};

/// An item as it is to stand in the cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The line that it is now, if it is one; else a line with the same goods keeps its id.
    pub line_id: Option<LineId>,
    /// The id of the line, if it becomes a new one.
    pub new_id: LineId,
    /// What is bought.
    pub variant_id: VariantId,
    /// How many.
    pub quantity: i64,
    /// What is attached.
    pub custom: HashMap<String, String>,
    /// The price of one now, in minor units; none where it is not for sale here.
    pub unit_price_minor: Option<i64>,
}

impl Cart {
    /// Makes the lines exactly what is wanted, or refuses and changes nothing. Errors name the items as
    /// `/items/N`.
    ///
    /// What the cart holds already may stay although it is no longer for sale, so that its owner sees what is
    /// wrong with it. Nothing else that is not for sale gets in.
    pub fn replace(
        &mut self,
        items: Vec<Wanted>,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.check_open(now)?;
        check_lines(items.len(), settings)?;
        self.check_items(&items, settings)?;
        let claimed = self.claim(&items);
        let lines = items.into_iter().zip(claimed).map(|(item, known)| line(item, known));
        self.lines = lines.collect();
        self.touch(settings, now);
        Ok(())
    }

    fn check_items(&self, items: &[Wanted], settings: &Settings) -> Result<(), Refusal> {
        let known: HashSet<LineId> = self.lines.iter().map(|line| line.id).collect();
        let held: HashSet<VariantId> = self.lines.iter().map(|line| line.variant_id).collect();
        let is_unknown =
            |item: &Wanted| item.unit_price_minor.is_none() && !held.contains(&item.variant_id);
        let unknown: Vec<usize> = items
            .iter()
            .enumerate()
            .filter(|(_, item)| is_unknown(item))
            .map(|(at, _)| at)
            .collect();
        if !unknown.is_empty() {
            return Err(unknown_variants(&unknown));
        }
        let mut errors = FieldErrors::default();
        let (mut named, mut has_unknown_line) = (HashSet::new(), false);
        let max = i64::from(settings.line_quantity_max);
        for (at, item) in items.iter().enumerate() {
            errors.check(
                (1..=max).contains(&item.quantity),
                format!("/items/{at}/quantity"),
                format!("must be 1 to {max}"),
            );
            errors.take(check_custom(&format!("/items/{at}/custom"), &item.custom));
            if let Some(id) = item.line_id {
                let pointer = format!("/items/{at}/line_id");
                has_unknown_line |= !known.contains(&id);
                errors.check(known.contains(&id), &*pointer, "the basket has no such line");
                errors.check(named.insert(id), &*pointer, "stands for another item already");
            }
        }
        errors.finish().map_err(|mut refusal| {
            if has_unknown_line && refusal.code == Code::InputInvalid {
                refusal.code = Code::CartLineUnknown;
            }
            refusal
        })
    }

    /// The line that each item takes over. Those who name theirs go first; then those with the same goods.
    fn claim(&self, items: &[Wanted]) -> Vec<Option<CartLine>> {
        let named: HashSet<LineId> = items.iter().filter_map(|item| item.line_id).collect();
        let mut free: Vec<&CartLine> =
            self.lines.iter().filter(|line| !named.contains(&line.id)).collect();
        let claim = |item: &Wanted| match item.line_id {
            Some(id) => self.lines.iter().find(|line| line.id == id).cloned(),
            None => {
                let is_same = |line: &&CartLine| {
                    line.variant_id == item.variant_id && line.custom == item.custom
                };
                free.iter().position(is_same).map(|at| free.remove(at).clone())
            }
        };
        items.iter().map(claim).collect()
    }
}

fn line(item: Wanted, known: Option<CartLine>) -> CartLine {
    let id = known.as_ref().map_or(item.new_id, |known| known.id);
    let before = known.filter(|known| known.variant_id == item.variant_id);
    let added = before.map(|known| known.added_price_minor);
    CartLine {
        id,
        variant_id: item.variant_id,
        quantity: item.quantity,
        custom: item.custom,
        // The price that its owner saw first, to show that it changed.
        added_price_minor: added.or(item.unit_price_minor).unwrap_or_default(),
    }
}

/// The refusal of a basket in which the items at these places are not for sale.
pub fn unknown_variants(places: &[usize]) -> Refusal {
    let mut errors = FieldErrors::default();
    for at in places {
        errors.add(format!("/items/{at}"), "is no variant that is for sale here");
    }
    let mut refusal = Refusal::new(Code::VariantUnknown, "there is no such variant");
    if let Err(fields) = errors.finish() {
        refusal.details = fields.details;
    }
    refusal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        id::{CartId, ChannelId},
        tests::settings,
    };

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn cart() -> Cart {
        Cart::create(CartId::from_u128(1), ChannelId::from_u128(1), &settings(), NOW)
    }

    fn wanted(new_id: u128, variant: u128, quantity: i64) -> Wanted {
        Wanted {
            line_id: None,
            new_id: LineId::from_u128(new_id),
            variant_id: VariantId::from_u128(variant),
            quantity,
            custom: HashMap::new(),
            unit_price_minor: Some(100),
        }
    }

    fn line_id(id: u128) -> Option<LineId> {
        Some(LineId::from_u128(id))
    }

    fn ids(cart: &Cart) -> Vec<LineId> {
        cart.lines.iter().map(|line| line.id).collect()
    }

    #[test]
    fn lines_keep_their_ids_by_name_or_by_what_they_hold() {
        let mut cart = cart();
        let items = vec![wanted(1, 7, 1), wanted(2, 8, 1), wanted(3, 7, 2)];
        cart.replace(items, &settings(), NOW).expect("it fits");
        assert_eq!(ids(&cart), [1, 2, 3].map(LineId::from_u128), "also two lines of one variant");
        // The third line by name; the first by what it holds; the second is gone; one is new.
        let named = Wanted { line_id: line_id(3), ..wanted(11, 9, 5) };
        let items = vec![named, wanted(12, 7, 4), wanted(13, 7, 1)];
        cart.replace(items, &settings(), NOW).expect("it fits");
        assert_eq!(ids(&cart), [3, 1, 13].map(LineId::from_u128));
        let quantities: Vec<_> = cart.lines.iter().map(|line| line.quantity).collect();
        assert_eq!(quantities, [5, 4, 1]);
    }

    #[test]
    fn the_price_at_first_sight_stays_with_the_line() {
        let mut cart = cart();
        cart.replace(vec![wanted(1, 7, 1)], &settings(), NOW).expect("it fits");
        let dearer = Wanted { unit_price_minor: Some(150), ..wanted(2, 7, 2) };
        cart.replace(vec![dearer], &settings(), NOW).expect("it fits");
        assert_eq!(cart.lines[0].added_price_minor, 100);
        let other = Wanted { line_id: line_id(1), unit_price_minor: Some(70), ..wanted(3, 8, 1) };
        cart.replace(vec![other], &settings(), NOW).expect("it fits");
        assert_eq!(cart.lines[0].added_price_minor, 70, "other goods, another price");
    }

    #[test]
    fn a_basket_with_one_wrong_item_changes_nothing() {
        let mut cart = cart();
        cart.replace(vec![wanted(1, 7, 1)], &settings(), NOW).expect("it fits");
        let before = cart.clone();
        let card = HashMap::from([("note".to_owned(), "4242 4242 4242 4242".to_owned())]);
        let wrong = [
            (vec![wanted(2, 7, 0)], Code::InputInvalid, "/items/0/quantity"),
            (vec![wanted(2, 7, -1)], Code::InputInvalid, "/items/0/quantity"),
            (
                vec![wanted(2, 7, 1), wanted(3, 8, i64::MAX)],
                Code::InputInvalid,
                "/items/1/quantity",
            ),
            (
                vec![Wanted { line_id: line_id(9), ..wanted(2, 7, 1) }],
                Code::CartLineUnknown,
                "/items/0/line_id",
            ),
            (
                vec![
                    Wanted { line_id: line_id(1), ..wanted(2, 7, 1) },
                    Wanted { line_id: line_id(1), ..wanted(3, 7, 1) },
                ],
                Code::InputInvalid,
                "/items/1/line_id",
            ),
            (
                vec![wanted(2, 7, 1), Wanted { unit_price_minor: None, ..wanted(3, 8, 1) }],
                Code::VariantUnknown,
                "/items/1",
            ),
            (
                vec![Wanted { custom: card, ..wanted(2, 7, 1) }],
                Code::CardNumberRefused,
                "/items/0/custom",
            ),
        ];
        for (items, code, pointer) in wrong {
            let refusal = cart.replace(items, &settings(), NOW).expect_err(pointer);
            assert_eq!((refusal.code, &*refusal.details.errors[0].pointer), (code, pointer));
            assert_eq!(cart, before);
        }
        let many = (0..201).map(|n| wanted(n, n, 1)).collect();
        let refusal = cart.replace(many, &settings(), NOW).expect_err("the 201st line");
        assert_eq!(refusal.code, Code::CartFull);
    }

    #[test]
    fn what_is_no_longer_for_sale_stays_until_it_is_taken_out() {
        let mut cart = cart();
        cart.replace(vec![wanted(1, 7, 1)], &settings(), NOW).expect("it fits");
        let gone = Wanted { unit_price_minor: None, ..wanted(2, 7, 1) };
        cart.replace(vec![gone], &settings(), NOW).expect("it was there before");
        assert_eq!(cart.lines[0].added_price_minor, 100);
        cart.replace(Vec::new(), &settings(), NOW).expect("an empty cart is a cart");
        assert!(cart.lines.is_empty());
    }

    proptest! {
        #[test]
        fn a_cart_becomes_what_is_said_and_no_line_is_there_twice(
            baskets in prop::collection::vec(prop::collection::vec((1u128..6, 1i64..20), 0..12), 1..6)
        ) {
            let (mut cart, mut next) = (cart(), 0);
            for basket in baskets {
                let items: Vec<_> = basket
                    .iter()
                    .map(|(variant, quantity)| {
                        next += 1;
                        wanted(next, *variant, *quantity)
                    })
                    .collect();
                cart.replace(items, &settings(), NOW).expect("within limits");
                let held: Vec<_> =
                    cart.lines.iter().map(|line| (line.variant_id, line.quantity)).collect();
                let said: Vec<_> =
                    basket.iter().map(|(v, q)| (VariantId::from_u128(*v), *q)).collect();
                prop_assert_eq!(held, said);
                let distinct: HashSet<_> = ids(&cart).into_iter().collect();
                prop_assert_eq!(distinct.len(), cart.lines.len());
            }
        }
    }
}
