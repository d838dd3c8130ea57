-- News of orders for the programs that bought them.

-- A message that is to be sent, or was. It is due only while no earlier one of the same order and address waits;
-- while somebody sends it, it is due when they must be dead. Once it was written it never changes, so that all
-- sendings are equal.
create table webhook_deliveries (
    tenant_id text not null,
    id text not null,
    order_id text not null,
    sequence bigint not null,
    event_id text not null,
    event text not null,
    format text not null,
    url text not null,
    host text not null,
    status text not null check (status in ('waiting', 'delivered', 'dead', 'gone')),
    attempts bigint not null check (attempts >= 0),
    due_at timestamptz,
    lease_owner text,
    written_at timestamptz,
    headers jsonb,
    body bytea,
    last_status bigint,
    last_error text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, order_id) references orders (tenant_id, id),
    check (due_at is null or status = 'waiting')
);
create unique index webhook_deliveries_by_sequence on webhook_deliveries (tenant_id, order_id, url, sequence);
create index webhook_deliveries_by_due on webhook_deliveries (due_at) where due_at is not null;
create index webhook_deliveries_of_status on webhook_deliveries (status, tenant_id, id);
create index webhook_deliveries_by_end on webhook_deliveries (updated_at) where status <> 'waiting';
