-- +goose Up
create table outbox (
    id          bigint generated always as identity primary key,
    event_id    uuid not null default gen_random_uuid(),
    subject     text not null,
    payload     bytea not null,
    traceparent text not null,
    occurred_at timestamptz not null,
    sent_at     timestamptz
);

create index outbox_pending on outbox (id) where sent_at is null;
create index outbox_sent on outbox (sent_at) where sent_at is not null;

-- +goose Down
drop table outbox;
