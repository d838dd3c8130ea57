-- Promotions: their rules, the codes that they are found by, and which orders use them.

create table promotions (
    tenant_id text not null,
    id text not null,
    rules jsonb not null,
    automatic boolean not null,
    enabled boolean not null,
    channel_id text,
    ends_at timestamptz,
    usage_limit bigint check (usage_limit > 0),
    customer_limit bigint check (customer_limit > 0),
    used bigint not null check (used >= 0),
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id)
);
create index promotions_automatic on promotions (tenant_id, id) where automatic and enabled;

-- Codes are in capitals.
-- clustered
create table promotion_codes (
    tenant_id text not null,
    promotion_id text not null,
    code text not null,
    primary key (tenant_id, promotion_id, code),
    foreign key (tenant_id, promotion_id) references promotions (tenant_id, id) on delete cascade
);
create unique index promotion_codes_by_code on promotion_codes (tenant_id, code);

-- A row for each order that uses a promotion, until it is canceled.
-- clustered
create table promotion_uses (
    tenant_id text not null,
    promotion_id text not null,
    customer text not null,
    order_id text not null,
    primary key (tenant_id, promotion_id, customer, order_id),
    foreign key (tenant_id, promotion_id) references promotions (tenant_id, id),
    foreign key (tenant_id, order_id) references orders (tenant_id, id)
);

-- Another number whenever a promotion of the merchant changes, so that whoever remembers them knows.
-- clustered
create table promotion_editions (
    tenant_id text not null,
    edition bigint not null,
    primary key (tenant_id)
);

alter table orders add column discounts jsonb not null default '[]';
