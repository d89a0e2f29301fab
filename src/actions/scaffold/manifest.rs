//! service.yaml of a new service: what was decided, and nothing that can be derived.

use super::design::Design;
use crate::model::name::Name;
use crate::render::yaml::{flow_list, flow_map, scalar};

/// The text of a new service's manifest. `schema_line` is the comment that editors read.
pub fn text(design: &Design, schema_line: &str) -> String {
    let mut lines = vec![schema_line.to_owned(), format!("name: {}", design.name)];
    if let Some(owner) = &design.owner {
        lines.push(format!("owner: {}", scalar(owner)));
    }
    lines.push(format!("blueprint: {}", design.blueprint));
    let options = design.options.iter();
    let options = options.map(|(option, value)| (option.as_str(), value.as_str()));
    lines.push(format!("options: {}", flow_map(options)));
    if !design.uses.is_empty() {
        let uses = design.uses.iter();
        let uses = uses.map(|(role, name)| (role.as_str(), name.as_str()));
        lines.push(format!("uses: {}", flow_map(uses)));
    }
    if !design.needs.is_empty() {
        let needs = design.needs.iter().map(Name::as_str);
        lines.push(format!("needs: {}", flow_list(needs)));
    }
    if !design.publishes.is_empty() {
        let events = design.publishes.iter().map(Name::as_str);
        lines.push(format!("publishes: {}", flow_list(events)));
    }
    if !design.consumes.is_empty() {
        let events = design.consumes.iter();
        let events = events.map(|(event, provider)| (event.as_str(), provider.as_str()));
        lines.push(format!("consumes: {}", flow_map(events)));
    }
    lines.push("env: {LOG_LEVEL: info}".to_owned());
    lines.join("\n") + "\n"
}
