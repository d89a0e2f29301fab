//! `deploy` and what belongs to it: releases go to a cluster, one for each service, as Helm leaves
//! them; each ends ready, or taken back with the cause.

mod definitions;
mod destroy;
mod first_replicas;
mod held;
mod hooks;
mod images;
mod kept;
mod leftovers;
mod open;
mod outcome;
mod past;
mod plan;
mod prepare;
mod release;
mod rollback;
mod run;
mod schema;
mod schema_words;
mod secrets;
mod site;

pub use destroy::{Destroyed, Destruction};
pub use images::MissingImages;
pub use open::{Opened, Opening, Releases, Scope};
pub use outcome::{Change, Outcome};
pub use past::{Past, Revision};
pub use plan::{Action, Changes, ObjectChange};
pub use release::AfterFailure;
pub use run::{DeployRequest, Deployment, DeploymentPlan, ReleasePlan, error_of, refusal_of};
pub use schema::{SchemaJudgement, Schemas};
pub use site::Site;

pub use crate::engine::kubernetes::objects::ObjectKey;

#[cfg(test)]
mod death_tests;
#[cfg(test)]
mod destroy_tests;
#[cfg(test)]
mod hand_over_tests;
#[cfg(test)]
mod interrupt_tests;
#[cfg(test)]
mod prepare_tests;
#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
