-- name: Remember :execrows
insert into inbox (consumer, message_id)
values ($1, $2)
on conflict do nothing;

-- name: Forget :execrows
delete from inbox
where (consumer, message_id) in (
    select consumer, message_id from inbox
    where received_at < sqlc.arg('before')::timestamptz
    limit sqlc.arg('limit')
    for update skip locked
);
