//! Judges a route of the Gateway API: accepted by each Gateway that it names.

use serde_json::Value;

use super::finding::{Finding, Patience};
use super::judge::{Verdict, waiting};

/// A route, and which of the Gateways that it names exist.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteView {
    /// The object.
    pub object: Value,
    /// For each of its `parentRefs`, whether that Gateway exists; `None` when that cannot be known.
    pub gateways: Vec<Option<bool>>,
}

/// Waits until all parents accept the route and find what it refers to.
pub fn judge_route(view: &RouteView) -> Verdict {
    let parents = list(&view.object["spec"]["parentRefs"]);
    let generation = view.object["metadata"]["generation"].as_i64();
    let mut accepted = 0;
    let mut findings = Vec::new();
    for (at, parent) in parents.iter().enumerate() {
        let exists = view.gateways.get(at).copied().flatten();
        match trouble(view, parent, generation, exists) {
            Some(finding) => findings.push(finding),
            None => accepted += 1,
        }
    }
    if findings.is_empty() {
        return Verdict::Ready;
    }
    let count = parents.len();
    waiting(
        format!("accepted by {accepted} of {count} Gateways"),
        findings,
    )
}

fn trouble(
    view: &RouteView,
    parent: &Value,
    generation: Option<i64>,
    exists: Option<bool>,
) -> Option<Finding> {
    let name = parent["name"].as_str().unwrap_or("?");
    let title = match parent["namespace"].as_str() {
        Some(namespace) => format!("the Gateway `{name}` of the namespace `{namespace}`"),
        None => format!("the Gateway `{name}`"),
    };
    let key = |code: &str| format!("{code}/{name}");
    if exists == Some(false) {
        let message = format!("{title} does not exist");
        return Some(Finding::new(key("gateway"), Patience::Healing, message));
    }
    let statuses = list(&view.object["status"]["parents"]);
    let status = statuses.iter().find(|it| is_same(&it["parentRef"], parent));
    let conditions = status.map(|it| list(&it["conditions"])).unwrap_or_default();
    let current = |kind: &str| {
        conditions.iter().find(|it| {
            it["type"] == kind
                && (it["observedGeneration"].is_null()
                    || it["observedGeneration"].as_i64() >= generation)
        })
    };
    let Some(accepted) = current("Accepted") else {
        let message = format!("no controller has taken it up for {title}");
        return Some(Finding::new(key("not-seen"), Patience::Deadline, message));
    };
    let refusal = [Some(accepted), current("ResolvedRefs")]
        .into_iter()
        .flatten()
        .find(|it| it["status"] == "False")?;
    let reason = refusal["reason"].as_str().unwrap_or("?");
    let said = refusal["message"].as_str().unwrap_or_default();
    let message = match refusal["type"].as_str() {
        Some("Accepted") => format!("{title} refuses it: {reason}: {said}"),
        _ => format!("{title} does not find what it refers to: {reason}: {said}"),
    };
    Some(Finding::new(key("refused"), Patience::Healing, message))
}

/// A status names its parent as the route does; what is absent has a default.
fn is_same(left: &Value, right: &Value) -> bool {
    ["name", "namespace", "sectionName", "port"]
        .iter()
        .all(|member| left[*member] == right[*member] || right[*member].is_null())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn route(status: Value, exists: Option<bool>) -> Verdict {
        judge_route(&RouteView {
            object: json!({
                "metadata": {"generation": 2},
                "spec": {"parentRefs": [{"name": "web", "namespace": "edge"}]},
                "status": status,
            }),
            gateways: vec![exists],
        })
    }

    fn message(verdict: Verdict) -> (String, Patience) {
        let Verdict::Waiting { findings, .. } = verdict else {
            panic!("the route is ready");
        };
        (findings[0].message.clone(), findings[0].patience)
    }

    fn condition(kind: &str, status: &str, generation: i64) -> Value {
        json!({"type": kind, "status": status, "reason": "R", "message": "why", "observedGeneration": generation})
    }

    fn parents(conditions: &[Value]) -> Value {
        json!({"parents": [{
            "parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "web", "namespace": "edge"},
            "controllerName": "example.com/gateway",
            "conditions": conditions,
        }]})
    }

    #[test]
    fn a_route_is_ready_when_its_gateway_accepts_it_as_it_is_now() {
        let accepted = parents(&[
            condition("Accepted", "True", 2),
            condition("ResolvedRefs", "True", 2),
        ]);
        assert_eq!(route(accepted, Some(true)), Verdict::Ready);
        let of_earlier = parents(&[condition("Accepted", "True", 1)]);
        let (message, patience) = message(route(of_earlier, Some(true)));
        assert_eq!(
            message,
            "no controller has taken it up for the Gateway `web` of the namespace `edge`"
        );
        assert_eq!(patience, Patience::Deadline);
    }

    #[test]
    fn a_gateway_that_does_not_exist_or_refuses_is_named() {
        let (absent, _) = message(route(Value::Null, Some(false)));
        assert_eq!(
            absent,
            "the Gateway `web` of the namespace `edge` does not exist"
        );
        let refused = parents(&[condition("Accepted", "False", 2)]);
        let (refused, patience) = message(route(refused, None));
        assert_eq!(
            refused,
            "the Gateway `web` of the namespace `edge` refuses it: R: why"
        );
        assert_eq!(patience, Patience::Healing);
        let unresolved = parents(&[
            condition("Accepted", "True", 2),
            condition("ResolvedRefs", "False", 2),
        ]);
        let (unresolved, _) = message(route(unresolved, None));
        assert_eq!(
            unresolved,
            "the Gateway `web` of the namespace `edge` does not find what it refers to: R: why"
        );
    }
}
