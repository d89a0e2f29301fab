-- +goose Up
create table inbox (
    consumer    text not null,
    message_id  text not null,
    received_at timestamptz not null default now(),
    primary key (consumer, message_id)
);

create index on inbox (received_at);

-- +goose Down
drop table inbox;
