//! The tree of categories.

use std::collections::{BTreeSet, HashMap};

use handel_domain::{
    Code, Refusal,
    catalog::{Category, CategoryInput, DEPTH_MAX},
    event::{CategoryEvent, Change, Event},
    id::{CategoryId, CategoryKind, ProductId, TenantId},
    text::Slug,
};
use handel_store::{Row, StoreError, Transaction, Value, statements, values};
use serde::{Deserialize, Serialize};

use super::relist::{RELIST_JOB, RelistJob};
use crate::{Context, Engine, Error, Once, Scope, jobs, journal};

statements! {
    LIST = "
        select id, parent_id, slug, name, description, position, version, created_at, updated_at
          from categories where tenant_id = $1 order by position, name, id limit 5000";
    GET = "
        select id, parent_id, slug, name, description, position, version, created_at, updated_at
          from categories where tenant_id = $1 and id = $2";
    PARENTS = "select id, parent_id from categories where tenant_id = $1";
    /// Whoever changes the tree locks it whole, so that no two changes make a loop that neither sees.
    LOCK_TREE for update = "select id, parent_id from categories where tenant_id = $1 order by id";
    ID_BY_SLUG = "select id from categories where tenant_id = $1 and slug = $2";
    IDS_BY_SLUG = "select id from categories where tenant_id = $1 and slug in list($2) order by id";
    UPSERT = "
        insert into categories (tenant_id, id, parent_id, slug, name, description, position, version, created_at,
                                updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            on conflict (tenant_id, id) do update
               set parent_id = excluded.parent_id, slug = excluded.slug, name = excluded.name,
                   description = excluded.description, position = excluded.position,
                   version = excluded.version, updated_at = excluded.updated_at";
    DELETE = "delete from categories where tenant_id = $1 and id = $2";
    CHILDREN = "select id from categories where tenant_id = $1 and parent_id = $2 limit 1";
    PRODUCTS_OF = "
        select product_id from product_categories
         where tenant_id = $1 and category_id = $2 and product_id > $3 order by product_id limit 200";
}

/// A category with those below it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CategoryNode {
    /// The category.
    pub category: Category,
    /// Those below it, in order.
    pub children: Vec<CategoryNode>,
}

impl Engine {
    /// The whole tree.
    pub async fn list_categories(&self, ctx: &Context) -> Result<Vec<CategoryNode>, Error> {
        let tenant_id = ctx.tenant_id;
        let categories = self
            .database()
            .read(async move |tx: &mut Transaction<'_>| {
                let rows = tx.rows(LIST.bind(values![tenant_id])).await?;
                Ok::<_, Error>(rows.iter().map(read).collect::<Result<Vec<_>, _>>()?)
            })
            .await?;
        let mut children =
            crate::group_by(categories.into_iter().map(|category| (category.parent_id, category)));
        Ok(nest(None, &mut children))
    }

    /// A category as staff see it. Who may change it may read it, too.
    pub async fn get_category(&self, ctx: &Context, id: CategoryId) -> Result<Category, Error> {
        if !ctx.allows(Scope::CatalogWrite) {
            ctx.require(Scope::CatalogRead)?;
        }
        let tenant_id = ctx.tenant_id;
        self.database()
            .read(async move |tx: &mut Transaction<'_>| get(tx, tenant_id, id).await)
            .await
    }

    /// Makes a category.
    pub async fn create_category(
        &self,
        ctx: &Context,
        input: CategoryInput,
    ) -> Result<Once<Category>, Error> {
        ctx.require(Scope::CatalogWrite)?;
        let (system, context) = (self.system().clone(), ctx.clone());
        self.write_once(ctx, async move |tx, now| {
            let id = system.mint::<CategoryKind>(now);
            let tree = Tree::lock(tx, context.tenant_id).await?;
            let ancestors = tree.ancestors_of(input.parent_id)?;
            let category = Category::create(id, input.clone(), &ancestors, now)?;
            check_slug(tx, context.tenant_id, &category).await?;
            let event = Event::Category(CategoryEvent { category_id: id, change: Change::Created });
            let [happened, outbox] =
                journal::record(&system, &context, &event, category.version, now);
            tx.run_all(vec![upsert(context.tenant_id, &category), happened, outbox]).await?;
            Ok(category)
        })
        .await
    }

    /// Replaces a category. Products in it follow it to its new place in the tree.
    pub async fn replace_category(
        &self,
        ctx: &Context,
        id: CategoryId,
        input: CategoryInput,
        expected_version: Option<i64>,
    ) -> Result<Once<Category>, Error> {
        ctx.require(Scope::CatalogWrite)?;
        let (system, context) = (self.system().clone(), ctx.clone());
        let once = self
            .write_once(ctx, async move |tx, now| {
                let tree = Tree::lock(tx, context.tenant_id).await?;
                let before = get(tx, context.tenant_id, id).await?;
                crate::check_version(before.version, expected_version)?;
                let ancestors = tree.ancestors_of(input.parent_id)?;
                let height = tree.height_of(id);
                let mut category = before.replace(input.clone(), &ancestors, height, now)?;
                category.version += 1;
                check_slug(tx, context.tenant_id, &category).await?;
                let event =
                    Event::Category(CategoryEvent { category_id: id, change: Change::Updated });
                let [happened, outbox] =
                    journal::record(&system, &context, &event, category.version, now);
                let relist = RelistJob { category_id: id };
                let job = jobs::enqueue(&system, context.tenant_id, RELIST_JOB, &relist, None, now);
                tx.run_all(vec![upsert(context.tenant_id, &category), happened, outbox, job])
                    .await?;
                Ok(category)
            })
            .await?;
        self.wake();
        Ok(once)
    }

    /// Deletes a category that has no categories below it and no products in it.
    pub async fn delete_category(&self, ctx: &Context, id: CategoryId) -> Result<Once<()>, Error> {
        ctx.require(Scope::CatalogWrite)?;
        let (system, context) = (self.system().clone(), ctx.clone());
        self.write_once(ctx, async move |tx, now| {
            let ctx = &context;
            let category = get(tx, ctx.tenant_id, id).await?;
            let nobody = ProductId::from_u128(0);
            let used = tx
                .rows_all(vec![
                    CHILDREN.bind(values![ctx.tenant_id, id]),
                    PRODUCTS_OF.bind(values![ctx.tenant_id, id, nobody]),
                ])
                .await?;
            if used.iter().any(|rows| !rows.is_empty()) {
                return Err(Refusal::new(
                    Code::StillInUse,
                    "the category still has products or categories; move them first",
                )
                .into());
            }
            let event = Event::Category(CategoryEvent { category_id: id, change: Change::Deleted });
            let [happened, outbox] =
                journal::record(&system, ctx, &event, category.version + 1, now);
            tx.run_all(vec![DELETE.bind(values![ctx.tenant_id, id]), happened, outbox]).await?;
            Ok(())
        })
        .await
    }
}

fn nest(
    parent: Option<CategoryId>,
    children: &mut HashMap<Option<CategoryId>, Vec<Category>>,
) -> Vec<CategoryNode> {
    let here = children.remove(&parent).unwrap_or_default();
    here.into_iter()
        .map(|category| CategoryNode { children: nest(Some(category.id), children), category })
        .collect()
}

async fn get(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: CategoryId,
) -> Result<Category, Error> {
    let row = tx.row(GET.bind(values![tenant_id, id])).await?;
    Ok(read(&row.ok_or_else(unknown)?)?)
}

fn unknown() -> Refusal {
    Refusal::new(Code::CategoryUnknown, "there is no such category")
}

/// The ids of categories by their slugs. Refused if none of them exists.
pub(super) async fn ids_by_slug(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    slugs: &[Slug],
) -> Result<Vec<CategoryId>, Error> {
    if slugs.is_empty() {
        return Ok(Vec::new());
    }
    let slugs: Vec<String> = slugs.iter().map(Slug::to_string).collect();
    let rows = tx.rows(IDS_BY_SLUG.bind(values![tenant_id, Value::from(slugs)])).await?;
    if rows.is_empty() {
        return Err(unknown().into());
    }
    Ok(rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?)
}

/// The parent of each category.
struct Tree(HashMap<CategoryId, Option<CategoryId>>);

impl Tree {
    async fn read(tx: &mut Transaction<'_>, tenant_id: TenantId) -> Result<Self, StoreError> {
        Self::from_rows(&tx.rows(PARENTS.bind(values![tenant_id])).await?)
    }

    async fn lock(tx: &mut Transaction<'_>, tenant_id: TenantId) -> Result<Self, StoreError> {
        Self::from_rows(&tx.rows(LOCK_TREE.bind(values![tenant_id])).await?)
    }

    fn from_rows(rows: &[Row]) -> Result<Self, StoreError> {
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, _>>().map(Self)
    }

    fn parent_of(&self, id: CategoryId) -> Result<Option<CategoryId>, Refusal> {
        self.0.get(&id).copied().ok_or_else(unknown)
    }

    /// The categories from `parent` up to the top.
    fn ancestors_of(&self, parent: Option<CategoryId>) -> Result<Vec<CategoryId>, Refusal> {
        let mut ancestors = Vec::new();
        let mut next = parent;
        while let Some(id) = next.filter(|_| ancestors.len() <= DEPTH_MAX) {
            ancestors.push(id);
            next = self.parent_of(id)?;
        }
        Ok(ancestors)
    }

    /// The levels of a category and those below it.
    fn levels_of(&self, id: CategoryId) -> Vec<Vec<CategoryId>> {
        let mut levels = vec![vec![id]];
        while levels.len() <= DEPTH_MAX {
            let above = &levels[levels.len() - 1];
            let is_below =
                |parent: &Option<CategoryId>| parent.is_some_and(|id| above.contains(&id));
            let below = self.0.iter().filter(|(_, parent)| is_below(parent)).map(|(id, _)| *id);
            let below: Vec<_> = below.collect();
            if below.is_empty() {
                break;
            }
            levels.push(below);
        }
        levels
    }

    fn height_of(&self, id: CategoryId) -> usize {
        self.levels_of(id).len()
    }
}

/// A category and all those below it.
pub(super) async fn below(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: CategoryId,
) -> Result<BTreeSet<CategoryId>, StoreError> {
    let tree = Tree::read(tx, tenant_id).await?;
    Ok(tree.levels_of(id).into_iter().flatten().collect())
}

/// Some categories and all those above them. Fails where one does not exist.
pub(super) async fn with_ancestors(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    categories: &[CategoryId],
) -> Result<BTreeSet<CategoryId>, Error> {
    let mut all = BTreeSet::new();
    if categories.is_empty() {
        return Ok(all);
    }
    let tree = Tree::read(tx, tenant_id).await?;
    for category in categories {
        let mut next = Some(*category);
        while let Some(id) = next {
            let parent = tree.parent_of(id)?;
            let is_new = all.insert(id);
            next = parent.filter(|_| is_new);
        }
    }
    Ok(all)
}

async fn check_slug(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    category: &Category,
) -> Result<(), Error> {
    let row = tx.row(ID_BY_SLUG.bind(values![tenant_id, &category.slug])).await?;
    match row.map(|row| row.get::<CategoryId>(0)).transpose()? {
        Some(id) if id != category.id => Err(Refusal::new(
            Code::CategorySlugTaken,
            format!("another category has the slug {}", category.slug),
        )
        .into()),
        _ => Ok(()),
    }
}

fn upsert(tenant_id: TenantId, category: &Category) -> handel_store::Bound {
    let parent: Value = category.parent_id.into();
    UPSERT.bind(vec![
        tenant_id.into(),
        category.id.into(),
        parent,
        (&category.slug).into(),
        (&category.name).into(),
        (&category.description).into(),
        category.position.into(),
        category.version.into(),
        category.created_at.into(),
        category.updated_at.into(),
    ])
}

pub(super) fn read(row: &Row) -> Result<Category, StoreError> {
    Ok(Category {
        id: row.get(0)?,
        parent_id: row.get(1)?,
        slug: row.get(2)?,
        name: row.get(3)?,
        description: row.get(4)?,
        position: row.get(5)?,
        version: row.get(6)?,
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
    })
}
