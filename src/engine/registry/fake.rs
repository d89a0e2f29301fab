//! Images in memory that say something about themselves.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::labels::{ImageLabels, Labels};
use crate::error::{Error, Result};
use crate::model::image::Digest;

/// Labels by digest; a registry that is away when there are none at all.
#[derive(Default)]
pub struct FakeLabels {
    images: BTreeMap<Digest, Labels>,
    asked: Mutex<Vec<Digest>>,
}

impl FakeLabels {
    /// Has these images.
    pub fn of(images: impl IntoIterator<Item = (Digest, Labels)>) -> Self {
        Self {
            images: images.into_iter().collect(),
            ..Self::default()
        }
    }

    /// What it was asked for so far.
    pub fn asked(&self) -> Vec<Digest> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl ImageLabels for FakeLabels {
    async fn labels(&self, repository: &str, digest: &Digest) -> Result<Option<Labels>> {
        if self.images.is_empty() {
            return Err(Error::missing(format!("{repository} cannot be reached")));
        }
        self.asked.lock().unwrap().push(digest.clone());
        Ok(self.images.get(digest).cloned())
    }
}
