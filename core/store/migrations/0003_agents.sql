-- The program that an order was bought through, as it introduced itself. Null where a shopper bought.

alter table orders add column origin jsonb;
