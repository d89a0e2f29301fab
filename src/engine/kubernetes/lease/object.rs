//! What a Lease says: who holds it, since when, and for how long.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::FormatItem;
use time::macros::format_description;

use super::LeaseRequest;
use crate::engine::kubernetes::objects::ObjectKey;

/// MicroTime of Kubernetes.
const MICRO_TIME: &[FormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// A new Lease for who asks.
pub(super) fn lease(key: &ObjectKey, request: &LeaseRequest) -> Value {
    let now = micro_time();
    json!({
        "apiVersion": key.api_version,
        "kind": key.kind,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": {"app.kubernetes.io/managed-by": "gantline"},
        },
        "spec": {
            "holderIdentity": request.holder,
            "leaseDurationSeconds": request.duration.as_secs().max(1),
            "acquireTime": now,
            "renewTime": now,
        },
    })
}

/// Who holds it; empty when nobody does.
pub(super) fn holder_of(lease: &Value) -> String {
    let holder = lease["spec"]["holderIdentity"].as_str();
    holder.unwrap_or_default().to_owned()
}

/// The longer of what the holder promised and what we give.
pub(super) fn duration_of(lease: &Value, request: &LeaseRequest) -> Duration {
    let seconds = lease["spec"]["leaseDurationSeconds"].as_u64();
    let promised = Duration::from_secs(seconds.unwrap_or_default());
    match promised <= Duration::from_secs(1) {
        true => request.duration,
        false => promised.max(request.duration),
    }
}

/// Now, as a Lease tells time.
pub(super) fn micro_time() -> String {
    let now = OffsetDateTime::now_utc();
    now.format(MICRO_TIME).unwrap_or_default()
}
