//! The list of products with search, categories, filters and pages.

use askama::Template;
use axum::{extract::State, response::Response};
use handel_domain::{Code, Refusal, text::Slug};
use handel_engine::{CategoryNode, ListProducts, PriceFilter, ProductSort, ProductSummary};
use handel_kit::{Door, Problem};
use http::{StatusCode, Uri};

use super::product::initial;
use crate::{
    field::{Choice, Complaint},
    format::Format,
    page::{Frame, Link, Privacy, Shop, see, show},
    visit::{Fields, Visit},
    words::{ENGLISH, Words},
};

/// How many products a page has: whole rows of two, three and four.
const PAGE: u32 = 24;

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    w: &'static Words,
    frame: Frame,
    heading: String,
    description: String,
    /// The categories above, from the top.
    above: Vec<Link>,
    /// The categories to choose from.
    below: Vec<Link>,
    filter: Filter,
    complaints: Vec<Complaint>,
    cards: Vec<Card>,
    first: Option<String>,
    next: Option<String>,
}

/// The filters as they stand in their form.
struct Filter {
    query: String,
    category: String,
    min: String,
    max: String,
    currency: String,
    in_stock: bool,
    sorts: Vec<Choice>,
    /// Whether one is set, so that they should be seen.
    is_open: bool,
    /// The address without them.
    clear: String,
}

/// A product in the list.
struct Card {
    href: String,
    title: String,
    vendor: String,
    image: Option<String>,
    /// Stands where there is no picture.
    initial: String,
    price: String,
    is_from: bool,
    compare_at: Option<String>,
    in_stock: bool,
}

pub(super) async fn show_list(
    State(door): State<Door>,
    uri: Uri,
    visit: Visit,
) -> Result<Response, Problem> {
    let asked = Fields::of_query(&uri);
    let shop = Shop::of(&door, &visit).await?;
    let (list, mut complaints) = read(&asked, &shop.format);
    let tree = door.engine().list_categories(&visit.ctx).await?;
    let place = Place::find(&tree, list.categories.first())?;
    let page = match door.engine().list_products(&visit.ctx, list).await {
        Ok(page) => page,
        Err(error) if error.code() == Code::CursorInvalid => {
            return Ok(see(&address(&asked, None)));
        }
        Err(error) if error.code() == Code::InputInvalid => {
            complaints.push(Complaint::at("price-min", ENGLISH.price_range_wrong));
            let all = ListProducts { limit: PAGE, ..ListProducts::default() };
            door.engine().list_products(&visit.ctx, all).await?
        }
        Err(error) => return Err(error.into()),
    };
    let query = asked.get("q").trim().to_owned();
    let heading = match (query.is_empty(), &place.name) {
        (false, _) => ENGLISH.found_for(&query),
        (true, Some(name)) => name.clone(),
        (true, None) => ENGLISH.all_products.to_owned(),
    };
    let has_errors = !complaints.is_empty();
    let mut frame = shop.frame(&door, &*heading);
    frame.query.clone_from(&query);
    // Each further page has products that stand nowhere else, so it is found too.
    frame.is_private = !asked.are_empty(&["q", "min", "max", "in_stock", "sort"]);
    frame.canonical = Some(canonical(&door, &asked));
    frame.description = Some(description(&place, &frame.shop));
    let page = ListPage {
        w: &ENGLISH,
        frame,
        heading,
        description: place.description,
        above: place.above,
        below: place.below,
        filter: filter(&asked, &shop.format),
        complaints,
        cards: page.items.into_iter().map(|product| Card::new(product, &shop.format)).collect(),
        first: asked.some("cursor").map(|_| address(&asked, None)),
        next: page.next_cursor.map(|cursor| address(&asked, Some(&cursor))),
    };
    let status = if has_errors { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(show(&door, status, Privacy::Public, &page))
}

/// What was asked for. What cannot be understood is left out, and said.
fn read(asked: &Fields, format: &Format) -> (ListProducts, Vec<Complaint>) {
    let mut complaints = Vec::new();
    let mut amount = |name: &str, field: &str| {
        let text = asked.some(name)?;
        let amount = format.read(&text);
        if amount.is_none() {
            complaints.push(Complaint::at(field, ENGLISH.not_an_amount(&text)));
        }
        amount
    };
    let price = PriceFilter {
        min_minor: amount("min", "price-min"),
        max_minor: amount("max", "price-max"),
    };
    let category = asked.some("category").and_then(|slug| Slug::parse("/category", &slug).ok());
    let list = ListProducts {
        categories: category.into_iter().collect(),
        price,
        in_stock: !asked.are_empty(&["in_stock"]),
        query: asked.get("q").chars().take(200).collect(),
        sort: sort(asked.get("sort")),
        limit: PAGE,
        cursor: asked.some("cursor"),
        ..ListProducts::default()
    };
    (list, complaints)
}

fn sort(text: &str) -> ProductSort {
    match text {
        "price" => ProductSort::Price,
        "-price" => ProductSort::PriceDown,
        "title" => ProductSort::Title,
        _ => ProductSort::Newest,
    }
}

fn filter(asked: &Fields, format: &Format) -> Filter {
    let chosen = asked.get("sort");
    let sorts = [
        ("", ENGLISH.newest_first),
        ("price", ENGLISH.cheapest_first),
        ("-price", ENGLISH.dearest_first),
        ("title", ENGLISH.by_title),
    ];
    let sorts = sorts.map(|(value, label)| Choice::new(value, label).chosen(value == chosen));
    let category = asked.get("category").to_owned();
    Filter {
        query: asked.get("q").trim().to_owned(),
        clear: if category.is_empty() { "/".to_owned() } else { in_category(&category) },
        category,
        min: asked.get("min").to_owned(),
        max: asked.get("max").to_owned(),
        currency: format.currency().to_string(),
        in_stock: !asked.are_empty(&["in_stock"]),
        sorts: sorts.into(),
        is_open: !asked.are_empty(&["min", "max", "in_stock", "sort"]),
    }
}

/// The names that addresses of the list keep, in their order.
const KEPT: [&str; 6] = ["q", "category", "min", "max", "in_stock", "sort"];

/// The address of a page of the same list.
fn address(asked: &Fields, cursor: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in KEPT {
        if let Some(value) = asked.some(name) {
            query.append_pair(name, &value);
        }
    }
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    let query = query.finish();
    if query.is_empty() { "/".to_owned() } else { format!("/?{query}") }
}

/// The address of the list of a category.
pub(super) fn in_category(slug: &str) -> String {
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("category", slug).finish();
    format!("/?{query}")
}

fn canonical(door: &Door, asked: &Fields) -> String {
    let kept = asked.pairs().filter(|(name, _)| *name == "category");
    let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let path = address(&Fields::from_pairs(kept), asked.some("cursor").as_deref());
    format!("{}{path}", door.settings().public_url)
}

/// What search engines show below the title.
fn description(place: &Place, shop: &str) -> String {
    match &place.name {
        Some(_) if !place.description.is_empty() => place.description.clone(),
        Some(name) => ENGLISH.category_description(name, shop),
        None => ENGLISH.home_description(shop),
    }
}

/// Where in the tree of categories a list is.
struct Place {
    name: Option<String>,
    description: String,
    above: Vec<Link>,
    below: Vec<Link>,
}

impl Place {
    fn find(tree: &[CategoryNode], slug: Option<&Slug>) -> Result<Self, Refusal> {
        let Some(slug) = slug else {
            let below = links(tree);
            return Ok(Self { name: None, description: String::new(), above: Vec::new(), below });
        };
        let mut path = Vec::new();
        if !walk(tree, slug, &mut path) {
            return Err(Refusal::new(Code::CategoryUnknown, "there is no such category"));
        }
        let (here, above) = path.split_last().expect("the category itself is on its path");
        // Where nothing is below, one goes on beside it.
        let siblings = above.last().map_or(tree, |parent| &parent.children);
        let next = if here.children.is_empty() { siblings } else { &here.children };
        let marked = |node: &CategoryNode| Link {
            is_current: node.category.id == here.category.id,
            ..link(node)
        };
        Ok(Self {
            name: Some(here.category.name.clone()),
            description: here.category.description.clone(),
            above: above.iter().map(|node| link(node)).collect(),
            below: next.iter().map(marked).collect(),
        })
    }
}

/// Links to the lists of categories.
pub(crate) fn links(nodes: &[CategoryNode]) -> Vec<Link> {
    nodes.iter().map(link).collect()
}

fn link(node: &CategoryNode) -> Link {
    Link {
        href: in_category(node.category.slug.as_str()),
        text: node.category.name.clone(),
        is_current: false,
    }
}

fn walk<'t>(nodes: &'t [CategoryNode], slug: &Slug, path: &mut Vec<&'t CategoryNode>) -> bool {
    nodes.iter().any(|node| {
        path.push(node);
        let is_here = node.category.slug == *slug || walk(&node.children, slug, path);
        if !is_here {
            path.pop();
        }
        is_here
    })
}

impl Card {
    fn new(product: ProductSummary, format: &Format) -> Self {
        // Where prices are filtered, a product is shown with those that match.
        let lowest = product.matching_min_minor.unwrap_or(product.price_min_minor);
        let highest = product.matching_max_minor.unwrap_or(product.price_max_minor);
        Self {
            href: format!("/products/{}", product.slug),
            price: format.money(lowest),
            is_from: highest > lowest,
            initial: initial(&product.title),
            compare_at: product.compare_at_minor.map(|amount| format.money(amount)),
            title: product.title,
            vendor: product.vendor,
            image: product.image_url,
            in_stock: product.in_stock,
        }
    }
}
