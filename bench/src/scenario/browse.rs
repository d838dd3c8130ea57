//! Shoppers who look and do not buy.

use http::Uri;
use serde::Deserialize;

use crate::{
    client::{Client, Failed},
    http::get,
    stats::Step,
};

/// One iteration in so many turns to the second page of its list.
const TURNS: usize = 4;

#[derive(Deserialize)]
struct Page {
    next_cursor: Option<String>,
}

/// A product list with a random filter and order, now and then its second page, and a product page.
pub async fn browse(client: &mut Client) -> Result<(), Failed> {
    let list = client.pick(client.world.lists.len());
    let list = client.world.lists[list].clone();
    let answer = client.must(Step::List, get(list.clone())).await?;
    if client.pick(TURNS) == 0 {
        let Ok(Page { next_cursor }) = answer.read() else {
            return Err(client.nonsense(Step::List, answer.status, "no list in the answer"));
        };
        if let Some(next) = next_cursor.and_then(|cursor| after(&list, &cursor)) {
            client.must(Step::List, get(next)).await?;
        }
    }
    let page = client.pick(client.world.pages.len());
    let page = client.world.pages[page].clone();
    client.must(Step::Product, get(page)).await.map(drop)
}

/// The address of the page that follows.
fn after(list: &Uri, cursor: &str) -> Option<Uri> {
    let sign = if list.query().is_some() { '&' } else { '?' };
    format!("{list}{sign}cursor={cursor}").parse().ok()
}

/// The lists that shoppers look at: each order and filter alone, and some together.
pub fn lists(categories: &[String]) -> Vec<Uri> {
    let fixed = [
        "",
        "sort=newest",
        "sort=price",
        "sort=-price",
        "sort=title",
        "in_stock=true",
        "price_min=2000&price_max=5000",
        "price_max=3000&sort=-price",
        "attr.material=oak",
        "attr.material=steel&sort=price",
        "attr.color=blue&in_stock=true",
        "q=lamp",
        "q=oak+chair&sort=price",
    ];
    let of_categories = categories.iter().flat_map(|slug| {
        [format!("category={slug}"), format!("category={slug}&sort=price&in_stock=true")]
    });
    let queries = fixed.into_iter().map(str::to_owned).chain(of_categories);
    let uri = |query: String| match query.as_str() {
        "" => "/api/v1/products".parse(),
        query => format!("/api/v1/products?{query}").parse(),
    };
    queries.filter_map(|query| uri(query).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters() {
        let next = |list: &str| after(&list.parse().unwrap(), "abc").unwrap().to_string();
        assert_eq!(next("/api/v1/products"), "/api/v1/products?cursor=abc");
        assert_eq!(next("/api/v1/products?sort=price"), "/api/v1/products?sort=price&cursor=abc");
    }

    #[test]
    fn every_list_has_an_address() {
        assert_eq!(lists(&[]).len(), 13);
        assert_eq!(lists(&["lamps".to_owned()]).len(), 15);
    }
}
