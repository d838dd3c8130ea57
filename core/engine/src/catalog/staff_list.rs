//! The products of the shop as staff list them: in every status, filtered and searched.

use handel_domain::{
    Refusal,
    catalog::{Product, ProductStatus},
    id::{CategoryId, ProductId},
    refusal::FieldErrors,
};
use handel_store::{Transaction, Value, statements, values};

use super::{listing::search_patterns, sql};
use crate::{Context, Engine, Error, Page, Scope};

statements! {
    LIST = "
        select p.id from products p
         where p.tenant_id = $1 and p.id < $2 and ($3 = '' or p.status = $3) and ($4 = '' or p.vendor = $4)
           and ($5 = '' or p.search_text like $5 escape '\\') and ($6 = '' or p.search_text like $6 escape '\\')
           and ($7 = '' or p.search_text like $7 escape '\\')
           and ($8 = '' or exists (select 1 from product_categories c where c.tenant_id = p.tenant_id
                and c.product_id = p.id and c.category_id = $8))
         order by p.id desc limit $9";
}

/// Which products staff want to see.
#[derive(Clone, Debug, Default)]
pub struct StaffProductFilter {
    /// Only those in this status.
    pub status: Option<ProductStatus>,
    /// Only those of this vendor.
    pub vendor: Option<String>,
    /// Only those that stand in this category itself.
    pub category_id: Option<CategoryId>,
    /// Words that title, vendor, type, tags or SKUs hold; at most three count.
    pub query: String,
}

impl Engine {
    /// The products of the shop whatever their status, newest first.
    pub async fn list_staff_products(
        &self,
        ctx: &Context,
        filter: StaffProductFilter,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Page<Product>, Error> {
        ctx.require(Scope::CatalogRead)?;
        filter.check()?;
        let tenant_id = ctx.tenant_id;
        let list_id = format!("staff products {tenant_id} {filter:?}");
        let bind = move |after: String, limit: i64| {
            let mut bound = values![
                tenant_id,
                after,
                filter.status.map_or("", ProductStatus::as_str),
                filter.vendor.as_deref().unwrap_or_default(),
            ];
            bound.extend(search_patterns(&filter.query).map(Value::from));
            let category_id = filter.category_id.map(|id| id.to_string());
            bound.extend([Value::from(category_id.unwrap_or_default()), Value::from(limit)]);
            LIST.bind(bound)
        };
        let read = |row: &handel_store::Row| row.get::<ProductId>(0);
        let page = self.page(&list_id, cursor, limit, bind, read).await?;
        let ids = page.items;
        let wanted = ids.clone();
        let products = self
            .database()
            .read(async move |tx: &mut Transaction<'_>| {
                Ok::<_, Error>(sql::load(tx, tenant_id, wanted.clone()).await?)
            })
            .await?;
        let mut products: std::collections::HashMap<_, _> =
            products.into_iter().map(|product| (product.id, product)).collect();
        let items = ids.iter().filter_map(|id| products.remove(id)).collect();
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

impl StaffProductFilter {
    fn check(&self) -> Result<(), Refusal> {
        let mut errors = FieldErrors::default();
        let is_short = |text: &str| text.chars().count() <= 200;
        errors.check(is_short(&self.query), "/q", "must not be longer than 200 characters");
        let vendor = self.vendor.as_deref().unwrap_or_default();
        errors.check(is_short(vendor), "/vendor", "must not be longer than 200 characters");
        errors.finish()
    }
}
