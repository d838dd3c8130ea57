//! The tree of categories.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    id::CategoryId,
    refusal::{Code, FieldErrors, Refusal},
    text::{self, Slug},
};

/// How deep the tree may be.
pub const DEPTH_MAX: usize = 8;

/// A category of products.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Identity.
    pub id: CategoryId,
    /// The category above; none at the top.
    pub parent_id: Option<CategoryId>,
    /// The name on the web, unique in the shop.
    pub slug: Slug,
    /// What shoppers read.
    pub name: String,
    /// What the category is about.
    pub description: String,
    /// Sorts siblings; ties go by name.
    pub position: i64,
    /// Grows with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What a merchant sends to create or replace a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryInput {
    /// The category above.
    #[serde(default)]
    pub parent_id: Option<CategoryId>,
    /// The name on the web; made from the name if absent.
    #[serde(default)]
    pub slug: Option<Slug>,
    /// What shoppers read.
    pub name: String,
    /// What the category is about.
    #[serde(default)]
    pub description: String,
    /// Sorts siblings.
    #[serde(default)]
    pub position: i64,
}

impl Category {
    /// Makes a category from what a merchant sent; `ancestors` runs from the parent to the top.
    pub fn create(
        id: CategoryId,
        input: CategoryInput,
        ancestors: &[CategoryId],
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        check_place(id, ancestors, 1)?;
        let mut errors = FieldErrors::default();
        let name =
            errors.take(text::line("/name", &input.name, text::NAME_MAX)).unwrap_or_default();
        let description =
            errors.take(text::block("/description", &input.description, text::DESCRIPTION_MAX));
        let slug = match input.slug {
            Some(slug) => Some(slug),
            None => errors.take(Slug::parse("/slug", &text::slugify(&name))),
        };
        errors.finish()?;
        Ok(Self {
            id,
            parent_id: input.parent_id,
            slug: slug.expect("checked above"),
            name,
            description: description.unwrap_or_default(),
            position: input.position,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// Replaces everything that a merchant may change. `height` counts its own level and those below it,
    /// which move along.
    pub fn replace(
        self,
        input: CategoryInput,
        ancestors: &[CategoryId],
        height: usize,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        check_place(self.id, ancestors, height)?;
        let slug = input.slug.or_else(|| Some(self.slug.clone()));
        let next = Self::create(self.id, CategoryInput { slug, ..input }, ancestors, now)?;
        Ok(Self { version: self.version, created_at: self.created_at, ..next })
    }
}

/// Refuses a place below itself, and one where a branch of that height would reach too deep.
fn check_place(id: CategoryId, ancestors: &[CategoryId], height: usize) -> Result<(), Refusal> {
    if ancestors.contains(&id) {
        return Err(Refusal::new(Code::CategoryLoop, "a category cannot be moved below itself"));
    }
    if ancestors.len() + height > DEPTH_MAX {
        return Err(Refusal::new(
            Code::CategoryLoop,
            format!("categories go at most {DEPTH_MAX} levels deep"),
        ));
    }
    Ok(())
}
