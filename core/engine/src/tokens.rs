//! Tokens that only this shop can make: cart tokens, page cursors, access to an order.
//!
//! A token is text and an HMAC-SHA256 over its purpose and the text. Nothing is stored for it. The key is
//! made on the first start and kept in the database, so all processes agree on it; its id is in each
//! token, so that a new key does not break old tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use handel_domain::{
    Code, Refusal,
    id::{CartId, OrderId, TenantId},
};
use handel_ports::{Secret, System};
use handel_store::{Database, StoreError, Transaction, statements, values};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

statements! {
    LIST = "select id, secret from signing_keys order by created_at, id";
    INSERT = "insert into signing_keys (id, secret, created_at) values ($1, $2, $3) on conflict do nothing";
}

/// The id of the first key. Later keys count on.
const FIRST: &str = "1";

/// Makes and checks tokens.
#[derive(Clone)]
pub(crate) struct Signer {
    keys: Vec<(String, Secret<Vec<u8>>)>,
}

/// What a token is for. A token for one purpose is worthless for another.
#[derive(Clone, Copy)]
enum Purpose {
    Cart,
    Cursor,
    Order,
    Handoff,
    Signatures,
}

impl Signer {
    /// Reads the keys, and makes the first one where there is none.
    pub(crate) async fn load(database: &Database, system: &System) -> Result<Self, StoreError> {
        let (now, fresh) = (system.now(), system.bytes::<32>().to_vec());
        let keys =
            database
                .write(async move |tx: &mut Transaction<'_>| {
                    tx.run(INSERT.bind(values![FIRST, fresh.clone(), now])).await?;
                    let rows = tx.rows(LIST.bind(values![])).await?;
                    rows.iter()
                        .map(|row| Ok((row.get(0)?, Secret::new(row.get(1)?))))
                        .collect::<Result<Vec<_>, StoreError>>()
                })
                .await?;
        Ok(Self { keys })
    }

    /// The token by which a shopper owns a cart.
    pub(crate) fn cart_token(&self, cart_id: CartId) -> String {
        self.sign(Purpose::Cart, &cart_id.to_string())
    }

    /// The cart of a token; none where the token was not made by this shop.
    pub(crate) fn read_cart_token(&self, token: &str) -> Option<CartId> {
        self.verify(Purpose::Cart, token)?.parse().ok()
    }

    /// The token by which a guest sees an order.
    pub(crate) fn order_token(&self, tenant_id: TenantId, order_id: OrderId) -> String {
        let (id, secret) = self.newest();
        format!("{id}.{}", signature(secret, Purpose::Order, &format!("{tenant_id}/{order_id}")))
    }

    /// Whether a token gives access to an order.
    pub(crate) fn opens_order(&self, tenant_id: TenantId, order_id: OrderId, token: &str) -> bool {
        let Some((id, mac)) = token.split_once('.') else { return false };
        self.has_signature(id, Purpose::Order, &format!("{tenant_id}/{order_id}"), mac)
    }

    /// The token that hands a cart over until it expires, to the second.
    pub(crate) fn handoff_token(&self, cart_id: CartId, expires_at: Timestamp) -> String {
        self.sign(Purpose::Handoff, &format!("{cart_id}.{}", expires_at.as_second()))
    }

    /// The cart of a token, and when it expires; none where the token was not made by this shop.
    pub(crate) fn read_handoff_token(&self, token: &str) -> Option<(CartId, Timestamp)> {
        let (cart, seconds) = self.verify(Purpose::Handoff, token)?.split_once('.')?;
        Some((cart.parse().ok()?, Timestamp::from_second(seconds.parse().ok()?).ok()?))
    }

    /// A cursor that continues a list. `query` names the list, so that the cursor fits no other.
    pub(crate) fn cursor(&self, query: &str, position: &str) -> String {
        let text = URL_SAFE_NO_PAD.encode(position);
        let (id, secret) = self.newest();
        format!("{id}.{text}.{}", signature(secret, Purpose::Cursor, &format!("{query}\n{text}")))
    }

    /// The position of a cursor.
    pub(crate) fn read_cursor(&self, query: &str, cursor: &str) -> Result<String, Refusal> {
        let read = || {
            let mut parts = cursor.splitn(3, '.');
            let (id, text, mac) = (parts.next()?, parts.next()?, parts.next()?);
            let signed = format!("{query}\n{text}");
            let position = self
                .has_signature(id, Purpose::Cursor, &signed, mac)
                .then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
            String::from_utf8(position).ok()
        };
        read().ok_or_else(|| {
            Refusal::new(Code::CursorInvalid, "the cursor does not belong to this list")
        })
    }

    /// The secret from which the shop's own key for signatures is made. It comes from the first key and never changes,
    /// because others know the shop by what is made of it.
    pub(crate) fn signature_seed(&self) -> Secret<[u8; 32]> {
        let (_, secret) =
            self.keys.first().expect("a shop has a signing key from its first start on");
        Secret::new(hmac(secret, Purpose::Signatures, "").finalize().into_bytes().into())
    }

    fn sign(&self, purpose: Purpose, text: &str) -> String {
        let (id, secret) = self.newest();
        format!("{text}.{id}.{}", signature(secret, purpose, text))
    }

    fn verify<'t>(&self, purpose: Purpose, token: &'t str) -> Option<&'t str> {
        let (rest, mac) = token.rsplit_once('.')?;
        let (text, id) = rest.rsplit_once('.')?;
        self.has_signature(id, purpose, text, mac).then_some(text)
    }

    fn has_signature(&self, id: &str, purpose: Purpose, text: &str, mac: &str) -> bool {
        let secret = self.keys.iter().find(|(known, _)| known == id).map(|(_, secret)| secret);
        match (secret, URL_SAFE_NO_PAD.decode(mac)) {
            // `verify_slice` compares in constant time.
            (Some(secret), Ok(mac)) => hmac(secret, purpose, text).verify_slice(&mac).is_ok(),
            _ => false,
        }
    }

    fn newest(&self) -> (&str, &Secret<Vec<u8>>) {
        let (id, secret) =
            self.keys.last().expect("a shop has a signing key from its first start on");
        (id, secret)
    }
}

fn signature(secret: &Secret<Vec<u8>>, purpose: Purpose, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(hmac(secret, purpose, text).finalize().into_bytes())
}

fn hmac(secret: &Secret<Vec<u8>>, purpose: Purpose, text: &str) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose()).expect("HMAC takes keys of any length");
    mac.update(match purpose {
        Purpose::Cart => b"cart\n",
        Purpose::Cursor => b"cursor\n",
        Purpose::Order => b"order\n",
        Purpose::Handoff => b"handoff\n",
        Purpose::Signatures => b"signatures\n",
    });
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(secret: u8) -> Signer {
        Signer { keys: vec![("1".to_owned(), Secret::new(vec![secret; 32]))] }
    }

    #[test]
    fn a_token_is_worth_nothing_once_it_is_changed() {
        let (signer, cart) = (signer(1), CartId::from_u128(5));
        let token = signer.cart_token(cart);
        assert_eq!(signer.read_cart_token(&token), Some(cart));
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
            let changed = String::from_utf8(changed).expect("ASCII");
            // The last character of a base64 text has spare bits, which the decoder refuses.
            assert_eq!(signer.read_cart_token(&changed), None, "{at}");
        }
        assert_eq!(super::tests::signer(2).read_cart_token(&token), None);
        for text in ["", ".", "..", "a.b.c", "cart_x.1.", "\u{0}.1.AA"] {
            assert_eq!(signer.read_cart_token(text), None);
        }
    }

    #[test]
    fn a_handed_over_cart_cannot_be_kept_longer_or_turned_into_another() {
        let (signer, cart) = (signer(1), CartId::from_u128(5));
        let until = Timestamp::constant(1_000, 0);
        let token = signer.handoff_token(cart, until);
        assert_eq!(signer.read_handoff_token(&token), Some((cart, until)));
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(changed == token || signer.read_handoff_token(&changed).is_none(), "{at}");
        }
        // A token for one purpose is worthless for the other.
        assert_eq!(signer.read_cart_token(&token), None);
        assert_eq!(signer.read_handoff_token(&signer.cart_token(cart)), None);
        assert_eq!(super::tests::signer(2).read_handoff_token(&token), None);
        for text in ["", ".", "..", "...", "cart_x.1.1.AA", "\u{0}"] {
            assert_eq!(signer.read_handoff_token(text), None);
        }
    }

    #[test]
    fn a_cursor_fits_one_list_only() {
        let signer = signer(1);
        let cursor = signer.cursor("products?sort=price", "12|prod_x");
        assert_eq!(signer.read_cursor("products?sort=price", &cursor).as_deref(), Ok("12|prod_x"));
        assert!(signer.read_cursor("products?sort=title", &cursor).is_err());
        assert!(signer.read_cursor("products?sort=price", "1.AA.AA").is_err());
    }

    #[test]
    fn an_order_token_opens_one_order() {
        let (signer, tenant) = (signer(1), TenantId::DEFAULT);
        let token = signer.order_token(tenant, OrderId::from_u128(1));
        assert!(signer.opens_order(tenant, OrderId::from_u128(1), &token));
        assert!(!signer.opens_order(tenant, OrderId::from_u128(2), &token));
        assert!(!signer.opens_order(TenantId::from_u128(2), OrderId::from_u128(1), &token));
    }

    #[test]
    fn old_tokens_stay_good_when_a_key_is_added() {
        let old = signer(1);
        let token = old.cart_token(CartId::from_u128(5));
        let both =
            Signer { keys: vec![old.keys[0].clone(), ("2".to_owned(), Secret::new(vec![9; 32]))] };
        assert_eq!(both.read_cart_token(&token), Some(CartId::from_u128(5)));
        assert_ne!(both.cart_token(CartId::from_u128(5)), token);
        assert_eq!(both.signature_seed().expose(), old.signature_seed().expose());
    }
}
