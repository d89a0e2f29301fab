//! Images of services: which one belongs to a source, and whether a registry has it.

mod wanted;

pub use wanted::{Images, Wanted, images, wanted};
