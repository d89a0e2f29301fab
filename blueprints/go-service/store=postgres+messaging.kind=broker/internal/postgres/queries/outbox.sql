-- name: Enqueue :exec
insert into outbox (subject, payload, traceparent, occurred_at)
values ($1, $2, $3, $4);

-- name: EndWhenIdle :exec
select set_config('idle_in_transaction_session_timeout', '30s', true);

-- name: BecomeLeader :one
select pg_try_advisory_xact_lock(hashtext('outbox'));

-- name: Pending :many
select id, event_id, subject, payload, traceparent, occurred_at from outbox
where sent_at is null
order by id
limit $1;

-- name: MarkSent :exec
update outbox set sent_at = now() where id = any(sqlc.arg('ids')::bigint[]);

-- name: Backlog :one
select count(*) as events,
       coalesce(extract(epoch from now() - min(occurred_at)), 0)::float8 as age_seconds
from outbox
where sent_at is null;

-- name: Forget :execrows
delete from outbox
where id in (
    select id from outbox
    where sent_at < sqlc.arg('before')::timestamptz
    limit sqlc.arg('limit')
    for update skip locked
);
