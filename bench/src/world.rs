//! What the clients of a run share: where the shop is, what it sells, and the bodies that never change.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use handel_domain::id::VariantId;
use http::Uri;
use serde_json::json;

/// Something that is for sale.
#[derive(Clone, Debug)]
pub struct Article {
    /// What is bought.
    pub variant_id: VariantId,
    /// The product's name on the web.
    pub slug: String,
    /// How many this program put on the shelf; none if some lay there before.
    pub seeded: Option<i64>,
}

/// The part of a shop that is bought from, and what buyers say to it.
#[derive(Clone, Debug, Default)]
pub struct Goods {
    /// What is for sale.
    pub articles: Vec<Article>,
    /// Where product lists are.
    pub lists: Vec<Uri>,
    /// How parcels are sent.
    pub shipping_method: String,
}

/// Everything that a client needs, made once.
#[derive(Debug)]
pub struct World {
    /// The processes of the shop.
    pub addresses: Vec<SocketAddr>,
    /// Bodies that add one unit of an article to a cart.
    pub items: Vec<Bytes>,
    /// Product pages.
    pub pages: Vec<Uri>,
    /// Product lists.
    pub lists: Vec<Uri>,
    /// The body that pays.
    pub payment: Bytes,
    /// What no other run has, for keys.
    pub nonce: u64,
    /// What the choices of the clients follow from.
    pub seed: u64,
    shipping_method: String,
}

/// Fixed addresses, so that every request is computed the same.
pub mod path {
    use http::Uri;

    /// Carts.
    pub fn cart() -> Uri {
        Uri::from_static("/api/v1/cart")
    }

    /// Items of a cart.
    pub fn items() -> Uri {
        Uri::from_static("/api/v1/cart/items")
    }

    /// Checkouts.
    pub fn checkout() -> Uri {
        Uri::from_static("/api/v1/checkout")
    }
}

impl World {
    /// Makes what clients need of what is for sale. Only the first `articles_max` are bought.
    pub fn new(
        addresses: Vec<SocketAddr>,
        goods: &Goods,
        articles_max: usize,
        seed: u64,
    ) -> Result<Self> {
        let bought = &goods.articles[..articles_max.min(goods.articles.len())];
        let pages = goods.articles.iter().map(|article| page(&article.slug));
        Ok(Self {
            addresses,
            items: bought.iter().map(|article| item(article.variant_id)).collect(),
            pages: pages.collect::<Result<_>>()?,
            lists: goods.lists.clone(),
            payment: Bytes::from_static(br#"{"payment":{"token":"tok_ok"}}"#),
            nonce: rand::random(),
            seed,
            shipping_method: goods.shipping_method.clone(),
        })
    }

    /// What a buyer says: contact, address and shipping method.
    pub fn buyer(&self, client: usize) -> Bytes {
        buyer(client, Some(&self.shipping_method))
    }
}

/// What a buyer says; without a shipping method where none is known yet.
pub fn buyer(client: usize, shipping_method: Option<&str>) -> Bytes {
    let body = json!({
        "email": format!("buyer-{client}@example.com"),
        "shipping_address": {
            "name": format!("Buyer {client}"),
            "line1": "1 Harbor Street",
            "city": "Portland",
            "region": "OR",
            "postal_code": "97201",
            "country": "US",
        },
        "shipping_method": shipping_method,
    });
    Bytes::from(without_null(body).to_string())
}

fn without_null(mut body: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    body
}

/// The body that adds one unit. Every order of a run has one unit of one article, so that orders count units.
pub fn item(variant_id: VariantId) -> Bytes {
    Bytes::from(json!({ "variant_id": variant_id, "quantity": 1 }).to_string())
}

fn page(slug: &str) -> Result<Uri> {
    format!("/api/v1/products/{slug}").parse().with_context(|| format!("`{slug}` makes no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_without_a_shipping_method_says_nothing_of_it() {
        let body = |method| String::from_utf8(buyer(7, method).to_vec()).unwrap();
        assert!(!body(None).contains("shipping_method"));
        assert!(body(Some("standard")).contains(r#""shipping_method":"standard""#));
    }

    #[test]
    fn only_the_first_articles_are_bought_and_all_are_looked_at() {
        let article = |n| Article {
            variant_id: VariantId::from_u128(n),
            slug: format!("bench-{n}"),
            seeded: None,
        };
        let goods = Goods {
            articles: (1..=5).map(article).collect(),
            lists: Vec::new(),
            shipping_method: "standard".to_owned(),
        };
        let world = World::new(Vec::new(), &goods, 2, 1).unwrap();
        assert_eq!((world.items.len(), world.pages.len()), (2, 5));
        let world = World::new(Vec::new(), &goods, 100, 1).unwrap();
        assert_eq!(world.items.len(), 5);
    }
}
