-- The words by which staff find a product in any status; lists of shoppers have their own.
alter table products add column search_text text not null default '';
update products set search_text = lower(title);
