-- The first schema. One text for both databases; the types are PostgreSQL's and are translated for
-- SQLite, where every table is strict. Times are microseconds UTC, money is in minor units.
-- A table of short rows is marked as clustered: SQLite then keeps it in the order of its primary key, in one
-- tree instead of two.

create table channels (
    tenant_id text not null,
    id text not null,
    code text not null,
    settings jsonb not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id)
);
create unique index channels_by_code on channels (tenant_id, code);

create table categories (
    tenant_id text not null,
    id text not null,
    parent_id text,
    slug text not null,
    name text not null,
    description text not null,
    position bigint not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, parent_id) references categories (tenant_id, id)
);
create unique index categories_by_slug on categories (tenant_id, slug);
create index categories_of_parent on categories (tenant_id, parent_id);

create table products (
    tenant_id text not null,
    id text not null,
    slug text not null,
    title text not null,
    description_html text not null,
    vendor text not null,
    product_type text not null,
    status text not null check (status in ('draft', 'active', 'archived')),
    tax_class text not null,
    tags jsonb not null,
    options jsonb not null,
    attributes jsonb not null,
    media jsonb not null,
    image_url text,
    seo jsonb not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id)
);
create unique index products_by_slug on products (tenant_id, slug);
create index products_by_update on products (tenant_id, updated_at, id);

-- clustered
create table product_categories (
    tenant_id text not null,
    product_id text not null,
    category_id text not null,
    primary key (tenant_id, product_id, category_id),
    foreign key (tenant_id, product_id) references products (tenant_id, id) on delete cascade,
    foreign key (tenant_id, category_id) references categories (tenant_id, id)
);
create index product_categories_by_category on product_categories (tenant_id, category_id);

-- clustered
create table product_attributes (
    tenant_id text not null,
    product_id text not null,
    name text not null,
    value text not null,
    primary key (tenant_id, product_id, name, value),
    foreign key (tenant_id, product_id) references products (tenant_id, id) on delete cascade
);

create table variants (
    tenant_id text not null,
    id text not null,
    product_id text not null,
    sku text not null,
    title text not null,
    option_values jsonb not null,
    barcode text,
    weight_grams bigint not null check (weight_grams >= 0),
    requires_shipping boolean not null,
    tracked boolean not null,
    backorder jsonb not null,
    position bigint not null,
    deleted boolean not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, product_id) references products (tenant_id, id)
);
create unique index variants_by_sku on variants (tenant_id, sku);
create index variants_of_product on variants (tenant_id, product_id, position);

-- clustered
create table prices (
    tenant_id text not null,
    variant_id text not null,
    currency text not null,
    amount_minor bigint not null check (amount_minor >= 0),
    compare_at_minor bigint check (compare_at_minor >= 0),
    primary key (tenant_id, variant_id, currency),
    foreign key (tenant_id, variant_id) references variants (tenant_id, id)
);

-- clustered
create table price_history (
    tenant_id text not null,
    variant_id text not null,
    currency text not null,
    changed_at timestamptz not null,
    amount_minor bigint,
    primary key (tenant_id, variant_id, currency, changed_at)
);

-- What product lists are read from: a row for each currency a product is priced in and each category
-- that it stands in or below; the empty category is the whole shop.
create table listings (
    tenant_id text not null,
    currency text not null,
    category_id text not null,
    product_id text not null,
    price_min_minor bigint not null,
    price_max_minor bigint not null,
    title_key text not null,
    search_text text not null,
    listed_at timestamptz not null,
    primary key (tenant_id, currency, category_id, product_id),
    foreign key (tenant_id, product_id) references products (tenant_id, id) on delete cascade
);
create index listings_by_time on listings (tenant_id, currency, category_id, listed_at, product_id);
create index listings_by_price on listings (tenant_id, currency, category_id, price_min_minor, product_id);
create index listings_by_title on listings (tenant_id, currency, category_id, title_key, product_id);
create index listings_of_product on listings (tenant_id, product_id);

-- clustered
create table locations (
    tenant_id text not null,
    id text not null,
    code text not null,
    name text not null,
    priority bigint not null,
    primary key (tenant_id, id)
);
create unique index locations_by_code on locations (tenant_id, code);

-- clustered
create table stock_levels (
    tenant_id text not null,
    variant_id text not null,
    location_id text not null,
    priority bigint not null,
    on_hand bigint not null check (on_hand >= 0),
    allocated bigint not null check (allocated >= 0),
    held bigint not null check (held >= 0),
    safety bigint not null check (safety >= 0),
    backorder_limit bigint check (backorder_limit >= 0),
    version bigint not null,
    updated_at timestamptz not null,
    primary key (tenant_id, variant_id, location_id),
    foreign key (tenant_id, variant_id) references variants (tenant_id, id),
    foreign key (tenant_id, location_id) references locations (tenant_id, id)
);

-- clustered
create table stock_holds (
    tenant_id text not null,
    checkout_id text not null,
    variant_id text not null,
    location_id text not null,
    quantity bigint not null check (quantity > 0),
    expires_at timestamptz not null,
    primary key (tenant_id, checkout_id, variant_id, location_id),
    foreign key (tenant_id, variant_id, location_id) references stock_levels (tenant_id, variant_id, location_id)
);
create index stock_holds_of_level on stock_holds (tenant_id, variant_id, location_id);
create index stock_holds_by_expiry on stock_holds (expires_at);

-- clustered
create table stock_movements (
    tenant_id text not null,
    id text not null,
    variant_id text not null,
    location_id text not null,
    kind text not null check (kind in ('adjustment', 'allocation', 'release', 'shipment')),
    on_hand_delta bigint not null,
    allocated_delta bigint not null,
    order_id text,
    reason text,
    occurred_at timestamptz not null,
    primary key (tenant_id, variant_id, id)
);

create table carts (
    tenant_id text not null,
    id text not null,
    status text not null check (status in ('open', 'ordered')),
    document jsonb not null,
    version bigint not null,
    expires_at timestamptz not null,
    primary key (tenant_id, id)
);
create index carts_by_expiry on carts (expires_at);

create table checkouts (
    tenant_id text not null,
    id text not null,
    cart_id text not null,
    status text not null check (status in ('open', 'completed', 'canceled')),
    document jsonb not null,
    order_id text,
    version bigint not null,
    expires_at timestamptz not null,
    primary key (tenant_id, id)
);
create unique index checkouts_by_cart on checkouts (tenant_id, cart_id) where status <> 'canceled';
create index checkouts_by_expiry on checkouts (expires_at);

-- clustered
create table order_numbers (
    tenant_id text not null,
    next bigint not null,
    primary key (tenant_id)
);

create table orders (
    tenant_id text not null,
    id text not null,
    number bigint not null,
    channel_id text not null,
    checkout_id text not null,
    cart_id text not null,
    source text not null,
    status text not null
        check (status in ('created', 'reserved', 'paid', 'packing', 'shipped', 'delivered', 'canceled')),
    email text not null,
    shipping_address jsonb,
    billing_address jsonb,
    shipping_method jsonb,
    currency text not null,
    prices_include_tax boolean not null,
    subtotal_minor bigint not null,
    discount_minor bigint not null,
    shipping_subtotal_minor bigint not null,
    shipping_discount_minor bigint not null,
    shipping_tax_minor bigint not null,
    shipping_tax_rate_millionths bigint not null,
    shipping_total_minor bigint not null,
    tax_minor bigint not null,
    total_minor bigint not null,
    placed_at timestamptz not null,
    updated_at timestamptz not null,
    reservation_expires_at timestamptz not null,
    version bigint not null,
    event_sequence bigint not null,
    primary key (tenant_id, id),
    check (subtotal_minor >= 0 and discount_minor >= 0 and tax_minor >= 0 and total_minor >= 0),
    check (total_minor = subtotal_minor - discount_minor + shipping_subtotal_minor
        + case when prices_include_tax then 0 else tax_minor end)
);
create unique index orders_by_number on orders (tenant_id, number);
create unique index orders_by_checkout on orders (tenant_id, checkout_id) where status <> 'canceled';
create index orders_by_reservation on orders (reservation_expires_at) where status = 'reserved';
create index orders_by_status on orders (tenant_id, status, id);
create index orders_by_email on orders (tenant_id, email, id);

-- clustered
create table order_lines (
    tenant_id text not null,
    order_id text not null,
    id text not null,
    position bigint not null,
    product_id text not null,
    variant_id text not null,
    sku text not null,
    title text not null,
    variant_title text not null,
    image_url text,
    custom jsonb not null,
    unit_price_minor bigint not null check (unit_price_minor >= 0),
    subtotal_minor bigint not null,
    discount_minor bigint not null,
    tax_minor bigint not null,
    tax_rate_millionths bigint not null,
    total_minor bigint not null,
    tax_class text not null,
    weight_grams bigint not null,
    requires_shipping boolean not null,
    tracked boolean not null,
    ordered bigint not null check (ordered > 0),
    canceled bigint not null,
    shipped bigint not null,
    delivered bigint not null,
    primary key (tenant_id, order_id, id),
    foreign key (tenant_id, order_id) references orders (tenant_id, id),
    check (subtotal_minor = unit_price_minor * ordered),
    check (discount_minor >= 0 and discount_minor <= subtotal_minor and tax_minor >= 0 and total_minor >= 0),
    check (canceled >= 0 and shipped >= 0 and canceled + shipped <= ordered),
    check (delivered >= 0 and delivered <= shipped)
);

-- clustered
create table stock_allocations (
    tenant_id text not null,
    order_id text not null,
    line_id text not null,
    variant_id text not null,
    location_id text not null,
    quantity bigint not null check (quantity >= 0),
    backordered bigint not null check (backordered >= 0),
    primary key (tenant_id, order_id, line_id, location_id),
    foreign key (tenant_id, order_id) references orders (tenant_id, id)
);

-- clustered
create table payments (
    tenant_id text not null,
    id text not null,
    order_id text not null,
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    captured_minor bigint not null check (captured_minor >= 0),
    refund_pending_minor bigint not null check (refund_pending_minor >= 0),
    refunded_minor bigint not null check (refunded_minor >= 0),
    version bigint not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, order_id) references orders (tenant_id, id),
    check (refund_pending_minor + refunded_minor <= captured_minor)
);
create unique index payments_by_order on payments (tenant_id, order_id);

-- clustered
create table payment_attempts (
    tenant_id text not null,
    id text not null,
    payment_id text not null,
    order_id text not null,
    provider text not null,
    reference text,
    status text not null
        check (status in ('pending', 'unknown', 'requires_action', 'processing', 'succeeded', 'failed')),
    amount_minor bigint not null check (amount_minor > 0),
    failure text,
    next_action jsonb,
    check_at timestamptz,
    checks bigint not null,
    created_at timestamptz not null,
    sent_at timestamptz not null,
    version bigint not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, payment_id) references payments (tenant_id, id)
);
create unique index payment_attempts_by_payment on payment_attempts (tenant_id, payment_id)
    where status in ('pending', 'unknown', 'requires_action', 'processing');
create index payment_attempts_of_order on payment_attempts (tenant_id, order_id, id);
create index payment_attempts_by_check on payment_attempts (check_at) where check_at is not null;

-- clustered
create table payment_operations (
    tenant_id text not null,
    id text not null,
    payment_id text not null,
    attempt_id text not null,
    kind text not null check (kind in ('capture', 'refund')),
    status text not null check (status in ('pending', 'succeeded', 'failed')),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    reference text,
    reason text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, payment_id, id),
    foreign key (tenant_id, payment_id) references payments (tenant_id, id)
);
create unique index payment_operations_by_attempt on payment_operations (tenant_id, attempt_id)
    where kind = 'capture';

-- clustered
create table webhook_events (
    tenant_id text not null,
    provider text not null,
    event_id text not null,
    attempt_id text,
    received_at timestamptz not null,
    primary key (tenant_id, provider, event_id)
);
create index webhook_events_by_time on webhook_events (received_at);

create table idempotency_keys (
    tenant_id text not null,
    scope text not null,
    key text not null,
    digest text not null,
    owner text not null,
    lease_until timestamptz not null,
    reply jsonb,
    expires_at timestamptz not null,
    primary key (tenant_id, scope, key)
);
create index idempotency_keys_by_expiry on idempotency_keys (expires_at);

-- What happened, and who did it. The ids sort as the events of a thing happened.
-- clustered
create table events (
    tenant_id text not null,
    aggregate text not null,
    id text not null,
    sequence bigint not null,
    name text not null,
    payload jsonb not null,
    actor text not null,
    request_id text,
    occurred_at timestamptz not null,
    primary key (tenant_id, aggregate, id)
);

-- The events that wait for their delivery, in the order in which they are delivered.
-- clustered
create table outbox (
    event_id text not null,
    tenant_id text not null,
    aggregate text not null,
    primary key (event_id, tenant_id)
);

create table jobs (
    tenant_id text not null,
    id text not null,
    kind text not null,
    payload jsonb not null,
    status text not null check (status in ('queued', 'done', 'dead')),
    dedupe_key text,
    run_at timestamptz not null,
    lease_until timestamptz,
    lease_owner text,
    attempts bigint not null,
    last_error text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id)
);
create index jobs_queued on jobs (run_at, id) where status = 'queued';
create unique index jobs_by_dedupe_key on jobs (tenant_id, dedupe_key) where status = 'queued';
create index jobs_of_status on jobs (status, updated_at);

-- clustered
create table leases (
    name text not null,
    owner text not null,
    expires_at timestamptz not null,
    primary key (name)
);

-- clustered
create table heartbeats (
    process_id text not null,
    seen_at timestamptz not null,
    primary key (process_id)
);

create table api_keys (
    tenant_id text not null,
    id text not null,
    prefix text not null,
    digest text not null,
    name text not null,
    scopes jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    primary key (tenant_id, id)
);
create unique index api_keys_by_prefix on api_keys (prefix);

create table signing_keys (
    id text not null,
    secret bytea not null,
    created_at timestamptz not null,
    primary key (id)
);
