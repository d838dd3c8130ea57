//! The tree of categories: moved, never looped, and what stands in it moves along.

use handel_domain::{
    Code,
    catalog::{Category, CategoryInput},
    id::{CategoryId, ProductId},
};
use handel_engine::{CategoryNode, Error, ListProducts};
use handel_testkit::{
    TestShop, both_databases,
    fixtures::{product_input, slug, with_key},
    together,
};

use crate::{code, refusal};

fn input(name: &str, parent_id: Option<CategoryId>) -> CategoryInput {
    CategoryInput {
        parent_id,
        slug: Some(slug(name)),
        name: name.to_owned(),
        description: String::new(),
        position: 0,
    }
}

async fn create(shop: &TestShop, name: &str, parent: Option<&Category>) -> Category {
    let parent = parent.map(|parent| parent.id);
    let created = shop.engine.create_category(&shop.staff(), input(name, parent)).await;
    created.expect("it is valid").reply
}

async fn move_below(
    shop: &TestShop,
    category: &Category,
    parent: Option<&Category>,
) -> Result<Category, Error> {
    let input = CategoryInput {
        parent_id: parent.map(|parent| parent.id),
        ..input(category.slug.as_str(), None)
    };
    shop.engine
        .replace_category(&shop.staff(), category.id, input, None)
        .await
        .map(|once| once.reply)
}

async fn stands_in(shop: &TestShop, name: &str, category: &Category) -> ProductId {
    let mut input = product_input(name, 1_000);
    input.category_ids = vec![category.id];
    shop.create(input, 0).await.id
}

async fn products_in(shop: &TestShop, category: &Category) -> Vec<ProductId> {
    let list = ListProducts {
        categories: vec![category.slug.clone()],
        limit: 100,
        ..ListProducts::default()
    };
    let page = shop.engine.list_products(&shop.ctx(), list).await.expect("a page");
    let mut ids: Vec<_> = page.items.into_iter().map(|item| item.id).collect();
    ids.sort_unstable();
    ids
}

/// The tree as text, such as `a(b(c) d)`.
fn text(nodes: &[CategoryNode]) -> String {
    let nodes: Vec<_> = nodes
        .iter()
        .map(|node| match node.children.is_empty() {
            true => node.category.name.clone(),
            false => format!("{}({})", node.category.name, text(&node.children)),
        })
        .collect();
    nodes.join(" ")
}

async fn tree(shop: &TestShop) -> String {
    text(&shop.engine.list_categories(&shop.ctx()).await.expect("a tree"))
}

both_databases! {
    /// Goal: a category lists what stands in it and below it, also after it or one above it moved.
    async fn products_follow_their_category_through_the_tree(shop: TestShop) {
        let (home, kitchen) = (create(shop, "home", None).await, create(shop, "kitchen", None).await);
        let cups = create(shop, "cups", Some(&home)).await;
        let mugs = create(shop, "mugs", Some(&cups)).await;
        let (mug, cup) = (stands_in(shop, "MUG", &mugs).await, stands_in(shop, "CUP", &cups).await);
        let mut both = [mug, cup];
        both.sort_unstable();
        assert_eq!(tree(shop).await, "home(cups(mugs)) kitchen");
        assert_eq!((products_in(shop, &home).await, products_in(shop, &mugs).await), (both.to_vec(), vec![mug]));
        move_below(shop, &cups, Some(&kitchen)).await.expect("it moves");
        shop.settle().await;
        assert_eq!(tree(shop).await, "home kitchen(cups(mugs))");
        assert_eq!(products_in(shop, &home).await, []);
        assert_eq!((products_in(shop, &kitchen).await, products_in(shop, &cups).await), (both.to_vec(), both.to_vec()));
        move_below(shop, &mugs, None).await.expect("it moves");
        shop.settle().await;
        assert_eq!((products_in(shop, &kitchen).await, products_in(shop, &mugs).await), (vec![cup], vec![mug]));
        let unknown = ListProducts { categories: vec![slug("nowhere")], limit: 10, ..ListProducts::default() };
        assert_eq!(code(shop.engine.list_products(&shop.ctx(), unknown).await), Some(Code::CategoryUnknown));
    }

    /// Goal: a move that was acknowledged is carried out even if the process dies at once.
    async fn a_move_is_finished_after_a_crash(shop: TestShop) {
        let (home, kitchen) = (create(shop, "home", None).await, create(shop, "kitchen", None).await);
        let cups = create(shop, "cups", Some(&home)).await;
        let cup = stands_in(shop, "CUP", &cups).await;
        move_below(shop, &cups, Some(&kitchen)).await.expect("it moves");
        shop.restart().await;
        shop.settle_after(61).await;
        assert_eq!((products_in(shop, &home).await, products_in(shop, &kitchen).await), (vec![], vec![cup]));
    }

    /// Goal: no category ever stands below itself.
    async fn a_category_cannot_be_moved_below_itself(shop: TestShop) {
        let a = create(shop, "a", None).await;
        let b = create(shop, "b", Some(&a)).await;
        let c = create(shop, "c", Some(&b)).await;
        for below in [&a, &b, &c] {
            assert_eq!(code(move_below(shop, &a, Some(below)).await), Some(Code::CategoryLoop));
        }
        let nowhere = CategoryInput { parent_id: Some(CategoryId::from_u128(404)), ..input("a", None) };
        let moved = shop.engine.replace_category(&shop.staff(), a.id, nowhere, None).await;
        assert_eq!(code(moved), Some(Code::CategoryUnknown));
        assert_eq!(tree(shop).await, "a(b(c))");
        shop.settle().await;
    }

    /// Goal: two moves at once cannot make a loop that neither of them sees.
    async fn two_moves_at_once_make_no_loop(shop: TestShop) {
        for round in 0..10 {
            let (a, b) = (create(shop, &format!("a{round}"), None).await, create(shop, &format!("b{round}"), None).await);
            let moves = [(a.clone(), b.clone()), (b, a)].into_iter().map(|(category, parent)| {
                let shop = shop.clone();
                async move { move_below(&shop, &category, Some(&parent)).await }
            });
            let outcomes = together(moves).await;
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{}", tree(shop).await);
            assert!(outcomes.into_iter().filter(Result::is_err).all(|outcome| code(outcome) == Some(Code::CategoryLoop)));
        }
        shop.settle().await;
    }

    /// Goal: the tree has a depth, and a branch that is moved takes its own along.
    async fn the_tree_is_at_most_eight_deep(shop: TestShop) {
        let mut chain: Vec<Category> = Vec::new();
        for n in 0..8 {
            let parent = chain.last().cloned();
            chain.push(create(shop, &format!("c{n}"), parent.as_ref()).await);
        }
        let ninth = shop.engine.create_category(&shop.staff(), input("c8", chain.last().map(|last| last.id))).await;
        assert_eq!(code(ninth), Some(Code::CategoryLoop));
        let branch = create(shop, "x", None).await;
        create(shop, "y", Some(&branch)).await;
        assert_eq!(code(move_below(shop, &branch, Some(&chain[6])).await), Some(Code::CategoryLoop));
        move_below(shop, &branch, Some(&chain[5])).await.expect("eight in all");
        shop.settle().await;
    }

    /// Goal: nobody overwrites what they have not seen, and of many at once one wins.
    async fn a_change_of_an_old_version_is_refused(shop: TestShop) {
        let a = create(shop, "a", None).await;
        for round in 1..=10 {
            let outcomes = together((0..4).map(|n| {
                let (shop, id) = (shop.clone(), a.id);
                async move {
                    let input = CategoryInput { position: n, ..input("a", None) };
                    shop.engine.replace_category(&shop.staff(), id, input, Some(round)).await
                }
            }))
            .await;
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
            for outcome in outcomes.into_iter().filter(Result::is_err) {
                assert_eq!(refusal(outcome).details.version, Some(round + 1));
            }
        }
        shop.settle().await;
    }

    /// Goal: a slug is one category's, also where many take it at once.
    async fn a_slug_is_taken_once(shop: TestShop) {
        let a = create(shop, "a", None).await;
        assert_eq!(code(shop.engine.create_category(&shop.staff(), input("a", None)).await), Some(Code::CategorySlugTaken));
        let b = create(shop, "b", Some(&a)).await;
        let renamed = shop.engine.replace_category(&shop.staff(), b.id, input("a", None), None).await;
        assert_eq!(code(renamed), Some(Code::CategorySlugTaken));
        for round in 0..10 {
            let outcomes = together((0..4).map(|_| {
                let shop = shop.clone();
                async move { shop.engine.create_category(&shop.staff(), input(&format!("same-{round}"), None)).await }
            }))
            .await;
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
            assert!(outcomes.into_iter().filter(Result::is_err).all(|outcome| code(outcome) == Some(Code::CategorySlugTaken)));
        }
        shop.settle().await;
    }

    /// Goal: a category goes only when it is empty, and a repeated request is answered as the first.
    async fn a_category_that_is_used_stays(shop: TestShop) {
        let a = create(shop, "a", None).await;
        let b = create(shop, "b", Some(&a)).await;
        let mug = stands_in(shop, "MUG", &b).await;
        let ctx = with_key(shop.staff(), "delete", "b");
        for id in [a.id, b.id] {
            assert_eq!(code(shop.engine.delete_category(&ctx, id).await), Some(Code::StillInUse));
        }
        shop.engine.replace_product(&shop.staff(), mug, product_input("MUG", 1_000), None).await.expect("it moves out");
        assert_eq!(code(shop.engine.delete_category(&shop.ctx(), b.id).await), Some(Code::Unauthenticated));
        let (first, second) = (shop.engine.delete_category(&ctx, b.id).await, shop.engine.delete_category(&ctx, b.id).await);
        assert_eq!((first.expect("empty").replayed, second.expect("answered").replayed), (false, true));
        assert_eq!(code(shop.engine.delete_category(&shop.staff(), b.id).await), Some(Code::CategoryUnknown));
        assert_eq!(tree(shop).await, "a");
        shop.settle().await;
        assert_eq!(shop.events.names_of(&b.id.to_string()), ["category_created", "category_deleted"]);
    }
}
