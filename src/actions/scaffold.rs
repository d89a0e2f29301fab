//! Growing a workspace: a new service, or a client of one service in another. Each is prepared
//! as a plan that can be shown, and then written all or nothing.

pub mod client;
pub mod container;
pub mod design;
mod manifest;
pub mod request;
pub mod service;
