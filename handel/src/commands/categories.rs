//! Categories by the names that files give them.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use handel_domain::{
    catalog::CategoryInput,
    id::CategoryId,
    text::{self, Slug},
};
use handel_engine::{CategoryNode, Context, Engine, Error};

/// What stands between the names of a path.
const BELOW: &str = " > ";
/// How much of a slug is kept where a number follows.
const STEM_MAX: usize = 90;

/// The categories of the shop by path, such as `Kitchen > Knives`. One that is missing is made.
pub(super) struct Categories {
    by_path: HashMap<String, CategoryId>,
    slugs: HashSet<String>,
}

impl Categories {
    /// Reads the whole tree.
    pub(super) async fn load(engine: &Engine, ctx: &Context) -> Result<Self, Error> {
        let mut categories = Self { by_path: HashMap::new(), slugs: HashSet::new() };
        categories.note_all(&engine.list_categories(ctx).await?, "");
        Ok(categories)
    }

    fn note_all(&mut self, nodes: &[CategoryNode], above: &str) {
        for CategoryNode { category, children } in nodes {
            let path = below(above, &category.name);
            self.slugs.insert(category.slug.to_string());
            // Of two with the same name, the first in the order of display is meant.
            self.by_path.entry(key(&path)).or_insert(category.id);
            self.note_all(children, &path);
        }
    }

    /// The category of a path, made together with those above it where it is missing.
    pub(super) async fn id(
        &mut self,
        engine: &Engine,
        ctx: &Context,
        path: &str,
    ) -> Result<Option<CategoryId>, Error> {
        let (mut here, mut above) = (None, String::new());
        for name in path.split('>').map(str::trim).filter(|name| !name.is_empty()) {
            let path = below(&above, name);
            let known = self.by_path.get(&key(&path)).copied();
            here = match known {
                Some(id) => Some(id),
                None => Some(self.make(engine, ctx, here, name, &path).await?),
            };
            above = path;
        }
        Ok(here)
    }

    async fn make(
        &mut self,
        engine: &Engine,
        ctx: &Context,
        parent_id: Option<CategoryId>,
        name: &str,
        path: &str,
    ) -> Result<CategoryId, Error> {
        let input = CategoryInput {
            parent_id,
            slug: free_slug(&self.slugs, name, path),
            name: name.to_owned(),
            description: String::new(),
            position: 0,
        };
        let category = engine.create_category(ctx, input).await?.reply;
        self.slugs.insert(category.slug.to_string());
        self.by_path.insert(key(path), category.id);
        Ok(category.id)
    }
}

/// The paths of all categories, by id.
pub(super) async fn paths(
    engine: &Engine,
    ctx: &Context,
) -> Result<HashMap<CategoryId, String>, Error> {
    let mut paths = HashMap::new();
    collect_paths(&engine.list_categories(ctx).await?, "", &mut paths);
    Ok(paths)
}

fn collect_paths(nodes: &[CategoryNode], above: &str, paths: &mut HashMap<CategoryId, String>) {
    for CategoryNode { category, children } in nodes {
        let path = below(above, &category.name);
        collect_paths(children, &path, paths);
        paths.insert(category.id, path);
    }
}

fn below(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}{BELOW}{name}") }
}

/// Names that differ in their capitals are one category.
fn key(path: &str) -> String {
    path.to_lowercase()
}

/// The name as a slug; if another category has that, the whole path; if that is taken too, with a number.
fn free_slug(taken: &HashSet<String>, name: &str, path: &str) -> Option<Slug> {
    let [name, path] = [name, path].map(text::slugify);
    let stem = [&path, &name].into_iter().find(|slug| !slug.is_empty());
    let stem: String = stem.map_or("category", String::as_str).chars().take(STEM_MAX).collect();
    let stem = stem.trim_end_matches('-').to_owned();
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    let candidates = [name, path, stem.clone()].into_iter().chain(numbered);
    let free = candidates.filter(|slug| !slug.is_empty()).find(|slug| !taken.contains(slug));
    free.and_then(|slug| slug.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_gets_the_shortest_slug_that_is_free() {
        let mut taken = HashSet::new();
        for expected in ["knives", "kitchen-knives", "kitchen-knives-2", "kitchen-knives-3"] {
            let slug = free_slug(&taken, "Knives", "Kitchen > Knives").unwrap().to_string();
            assert_eq!(slug, expected);
            taken.insert(slug);
        }
    }

    #[test]
    fn names_without_latin_letters_get_slugs_too() {
        let mut taken = HashSet::new();
        for expected in ["category", "category-2"] {
            let slug = free_slug(&taken, "包丁", "包丁").unwrap().to_string();
            assert_eq!(slug, expected);
            taken.insert(slug);
        }
    }
}
