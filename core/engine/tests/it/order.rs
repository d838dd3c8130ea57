//! Orders: packed, shipped, delivered, canceled, and looked at.

use handel_domain::{
    Code,
    id::{LineId, OrderId},
    order::{FulfillmentStatus, LineQuantity, Order, Status},
};
use handel_engine::{Caller, Context, Error, ListOrders, Parcel, Scope};
use handel_store::{StoreError, Transaction, statements, values};
use handel_testkit::{TestShop, both_databases, fixtures::sku, together};

use crate::{code, refusal};

statements! {
    INSERT_LOCATION = "
        insert into locations (tenant_id, id, code, name, priority)
        values ('ten_00000000000000000000000001', $1, $2, 'Another', 1)";
}

async fn ship(shop: &TestShop, id: OrderId, units: &[(LineId, i64)]) -> Result<Order, Error> {
    let units = units
        .iter()
        .map(|(line_id, quantity)| LineQuantity { line_id: *line_id, quantity: *quantity });
    let parcel = Parcel { units: units.collect(), ..Parcel::default() };
    shop.engine.ship_order(&shop.staff(), id, parcel, None).await.map(|once| once.reply)
}

async fn pack(shop: &TestShop, id: OrderId) -> Result<Order, Error> {
    shop.engine.pack_order(&shop.staff(), id, None).await.map(|once| once.reply)
}

async fn deliver(shop: &TestShop, id: OrderId) -> Result<Order, Error> {
    shop.engine.deliver_order(&shop.staff(), id, None).await.map(|once| once.reply)
}

both_databases! {
    /// Goal: an order goes its way parcel by parcel, and stock leaves exactly when a parcel does.
    async fn an_order_ships_parcel_by_parcel(shop: TestShop) {
        let (mug, pot) = (shop.product("MUG", 1_000, 10).await, shop.product("POT", 2_000, 10).await);
        let order = shop.buy(&[("MUG", 3), ("POT", 1)]).await.order;
        let (mugs, pots) = (order.lines[0].id, order.lines[1].id);
        pack(shop, order.id).await.expect("it is paid");
        let stock = async |product| {
            let level = shop.stock(product).await;
            (level.on_hand, level.allocated)
        };
        assert_eq!(stock(&mug).await, (10, 3));
        let partly = ship(shop, order.id, &[(mugs, 2)]).await.expect("two are there");
        assert_eq!((partly.status, partly.fulfillment_status()), (Status::Packing, FulfillmentStatus::PartiallyShipped));
        assert_eq!((stock(&mug).await, stock(&pot).await), ((8, 1), (10, 1)));
        let too_many = refusal(ship(shop, order.id, &[(mugs, 2)]).await);
        assert_eq!(too_many.code, Code::QuantityExceeded);
        assert_eq!(code(ship(shop, order.id, &[(pots, 1), (mugs, 2)]).await), Some(Code::QuantityExceeded));
        for quantity in [0, -1, i64::MIN] {
            assert_eq!(code(ship(shop, order.id, &[(mugs, quantity)]).await), Some(Code::QuantityExceeded));
        }
        assert_eq!(code(ship(shop, order.id, &[(LineId::from_u128(9), 1)]).await), Some(Code::InputInvalid));
        assert_eq!((stock(&mug).await, stock(&pot).await), ((8, 1), (10, 1)), "what is refused moves nothing");
        let canceled = refusal(shop.cancel(order.id).await);
        assert_eq!(canceled.code, Code::TransitionRefused);
        assert_eq!(code(deliver(shop, order.id).await), Some(Code::TransitionRefused));
        let shipped = ship(shop, order.id, &[]).await.expect("the rest goes");
        assert_eq!((shipped.status, stock(&mug).await, stock(&pot).await), (Status::Shipped, (7, 0), (9, 0)));
        let delivered = deliver(shop, order.id).await.expect("it arrives");
        assert_eq!((delivered.status, delivered.fulfillment_status()), (Status::Delivered, FulfillmentStatus::Delivered));
        shop.settle().await;
        let names = shop.events.names_of(&order.id.to_string());
        let after_payment = ["order_packing", "order_partially_shipped", "order_shipped", "order_delivered"];
        assert!(names.ends_with(&after_payment), "{names:?}");
    }

    /// Goal: units of one line may go in one parcel list twice, from wherever they were promised.
    async fn a_line_that_lies_in_two_places_ships_from_both(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 2).await;
        let id = handel_domain::id::LocationId::from_u128(7);
        let inserted = shop.database().write(async move |tx: &mut Transaction<'_>| {
            tx.run(INSERT_LOCATION.bind(values![id, "second"])).await
        });
        inserted.await.map_err(|error: StoreError| error.to_string()).expect("a second location");
        let adjust = handel_engine::AdjustStock {
            variant: handel_engine::StockKey::Sku(sku("MUG")),
            location: Some("second".parse().expect("a slug")),
            delta: 2,
            reason: "delivered".to_owned(),
        };
        shop.engine.adjust_stock(&shop.staff(), adjust).await.expect("two more");
        let order = shop.buy(&[("MUG", 4)]).await.order;
        pack(shop, order.id).await.expect("it is paid");
        let line = order.lines[0].id;
        let shipped = ship(shop, order.id, &[(line, 1), (line, 2), (line, 1)]).await.expect("four are there");
        assert_eq!(shipped.status, Status::Shipped);
        let levels = shop.engine.get_stock(&shop.staff(), mug.variants[0].id).await.expect("stock");
        assert!(levels.iter().all(|view| (view.level.on_hand, view.level.allocated) == (0, 0)), "{levels:?}");
        shop.settle().await;
    }

    /// Goal: every step that the state machine does not draw is refused, and says what is allowed.
    async fn steps_that_are_not_drawn_are_refused(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let id = shop.submit(&cart, "tok_declined", "k").await.expect("placed").reply.order.id;
        let refused = async |allowed: &[Status], outcome: Result<Order, Error>| {
            let refused = refusal(outcome);
            assert_eq!((refused.code, refused.details.allowed.as_deref()), (Code::TransitionRefused, Some(allowed)));
        };
        let reserved = [Status::Paid, Status::Canceled];
        refused(&reserved, pack(shop, id).await).await;
        refused(&reserved, ship(shop, id, &[]).await).await;
        refused(&reserved, deliver(shop, id).await).await;
        let ctx = shop.owner_with_key(cart.view.cart.id, "k2", "b");
        let complete = handel_testkit::fixtures::completion_of(shop.order(id).await.order.checkout_id, "tok_ok");
        shop.engine.complete_checkout(&ctx, complete).await.expect("paid");
        let paid = [Status::Packing, Status::Canceled];
        refused(&paid, ship(shop, id, &[]).await).await;
        refused(&paid, deliver(shop, id).await).await;
        pack(shop, id).await.expect("it is paid");
        let packing = [Status::Shipped, Status::Canceled];
        refused(&packing, pack(shop, id).await).await;
        refused(&packing, deliver(shop, id).await).await;
        ship(shop, id, &[]).await.expect("it is packed");
        let shipped = [Status::Delivered];
        refused(&shipped, pack(shop, id).await).await;
        refused(&shipped, ship(shop, id, &[]).await).await;
        refused(&shipped, shop.cancel(id).await).await;
        deliver(shop, id).await.expect("it is shipped");
        for outcome in [pack(shop, id).await, ship(shop, id, &[]).await, deliver(shop, id).await, shop.cancel(id).await] {
            refused(&[], outcome).await;
        }
        assert_eq!(code(pack(shop, OrderId::from_u128(9)).await), Some(Code::OrderUnknown));
        shop.settle().await;
    }

    /// Goal: of many who do the same step at once, one does it; a version that is no longer stored is refused.
    async fn a_step_is_done_once(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let order = shop.buy(&[("MUG", 2)]).await.order;
        let version = shop.order(order.id).await.order.version;
        let stale = shop.engine.pack_order(&shop.staff(), order.id, Some(version - 1)).await;
        assert_eq!(refusal(stale).details.version, Some(version));
        shop.engine.pack_order(&shop.staff(), order.id, Some(version)).await.expect("nobody was faster");
        let shipped = together((0..8).map(|_| {
            let (shop, id) = (shop.clone(), order.id);
            async move { ship(&shop, id, &[]).await }
        }))
        .await;
        assert_eq!(shipped.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let level = shop.stock(&mug).await;
        assert_eq!((level.on_hand, level.allocated), (8, 0));
        let canceled = shop.engine.cancel_order(&shop.staff(), order.id, "late".to_owned(), Some(version)).await;
        assert_eq!(code(canceled), Some(Code::VersionConflict));
        shop.settle().await;
    }

    /// Goal: canceling before shipping frees the stock once, whether the order is being packed or not.
    async fn canceling_frees_the_stock_once(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 5).await;
        let (first, second) = (shop.buy(&[("MUG", 2)]).await.order, shop.buy(&[("MUG", 3)]).await.order);
        assert_eq!(code(shop.add(None, "MUG", 1).await), Some(Code::StockShort));
        pack(shop, second.id).await.expect("it is paid");
        let canceled = shop.cancel(second.id).await.expect("it has not shipped");
        assert_eq!((canceled.status, canceled.lines[0].canceled), (Status::Canceled, 3));
        assert_eq!(shop.stock(&mug).await.allocated, 2);
        shop.cancel(first.id).await.expect("it has not shipped");
        assert_eq!(shop.stock(&mug).await.allocated, 0);
        let blank = shop.engine.cancel_order(&shop.staff(), first.id, "  ".to_owned(), None).await;
        assert_eq!(code(blank), Some(Code::InputInvalid));
        shop.settle().await;
        assert_eq!(shop.events.names_of(&mug.variants[0].id.to_string()).last(), Some(&"back_in_stock"));
    }

    /// Goal: only those who hold the order's token, its cart or the scope see it; only staff change it.
    async fn an_order_is_its_buyers_and_the_staffs(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let (mine, other) = (shop.buy(&[("MUG", 1)]).await, shop.buy(&[("MUG", 1)]).await);
        let get = async |ctx: &Context, token: Option<&str>| {
            let token = token.map(str::to_owned);
            shop.engine.get_order(ctx, mine.order.id, token).await.map(|details| details.order.id)
        };
        let (nobody, stranger) = (shop.ctx(), shop.owner(other.order.cart_id));
        assert_eq!(get(&nobody, Some(&mine.order_token)).await.ok(), Some(mine.order.id));
        assert_eq!(get(&shop.owner(mine.order.cart_id), None).await.ok(), Some(mine.order.id));
        for (ctx, token) in [(&nobody, None), (&stranger, None), (&nobody, Some(other.order_token.as_str())), (&nobody, Some("1.AA"))] {
            assert_eq!(code(get(ctx, token).await), Some(Code::OrderUnknown));
        }
        let own = shop.engine.list_own_orders(&shop.owner(mine.order.cart_id)).await.expect("a list");
        assert_eq!(own.iter().map(|details| details.order.id).collect::<Vec<_>>(), [mine.order.id]);
        assert!(shop.engine.list_own_orders(&nobody).await.expect("a list").is_empty());
        let key = |scopes: Vec<Scope>| {
            let caller = Caller::ApiKey { id: handel_domain::id::ApiKeyId::from_u128(1), scopes };
            Context { caller, ..shop.ctx() }
        };
        let reader = key(vec![Scope::OrdersRead]);
        assert_eq!(get(&reader, None).await.ok(), Some(mine.order.id));
        assert_eq!(code(shop.engine.pack_order(&reader, mine.order.id, None).await), Some(Code::ScopeMissing));
        let writer = key(vec![Scope::OrdersWrite]);
        assert_eq!(code(shop.engine.list_orders(&writer, ListOrders { limit: 10, ..ListOrders::default() }).await), Some(Code::ScopeMissing));
        for outcome in [
            shop.engine.pack_order(&nobody, mine.order.id, None).await,
            shop.engine.ship_order(&nobody, mine.order.id, Parcel::default(), None).await,
            shop.engine.deliver_order(&nobody, mine.order.id, None).await,
            shop.engine.cancel_order(&nobody, mine.order.id, "x".to_owned(), None).await,
        ] {
            assert_eq!(code(outcome), Some(Code::Unauthenticated));
        }
        shop.settle().await;
    }

    /// Goal: staff find orders by status, buyer and number, page by page, each exactly once.
    async fn orders_are_listed_page_by_page(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        let mut ids = Vec::new();
        for n in 0..7 {
            shop.clock.advance(std::time::Duration::from_millis(2));
            let id = shop.buy(&[("MUG", 1)]).await.order.id;
            if n % 2 == 0 {
                shop.cancel(id).await.expect("it has not shipped");
            }
            ids.push(id);
        }
        ids.reverse();
        let list = async |list: ListOrders| {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let page = shop.engine.list_orders(&shop.staff(), ListOrders { cursor, limit: 3, ..list.clone() }).await;
                let page = page.expect("a page");
                assert!(page.items.len() <= 3);
                found.extend(page.items.into_iter().map(|order| order.id));
                cursor = page.next_cursor;
                if cursor.is_none() {
                    return found;
                }
            }
        };
        assert_eq!(list(ListOrders::default()).await, ids);
        let paid = list(ListOrders { status: Some(Status::Paid), ..ListOrders::default() }).await;
        assert_eq!(paid.len(), 3);
        let email = |text: &str| ListOrders { email: Some(text.parse().expect("an address")), ..ListOrders::default() };
        assert_eq!(list(email("ada@example.com")).await, ids);
        assert_eq!(list(email("eve@example.com")).await, []);
        assert_eq!(shop.engine.order_id_by_number(&shop.staff(), 1_001).await.ok(), ids.last().copied());
        assert_eq!(code(shop.engine.order_id_by_number(&shop.staff(), 999).await), Some(Code::OrderUnknown));
        let history = shop.engine.order_history(&shop.staff(), ids[0], None, 100).await.expect("a history");
        let mut actions: Vec<_> = history.items.iter().map(|entry| entry.action.as_str()).collect();
        actions.sort_unstable();
        assert_eq!(actions, ["inventory_reserved", "order_canceled", "order_paid", "order_placed", "payment_captured"]);
        assert!(history.items.iter().any(|entry| entry.actor == "operator"));
        shop.settle().await;
    }
}
