//! One deployment of a release at a time, and none that a dead one keeps from starting: a Lease that
//! its holder renews. Whoever finds one that is not renewed for its whole duration, by his own clock,
//! takes it over.

mod object;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use self::object::{duration_of, holder_of, lease, micro_time};
use super::objects::{ApplyMode, ObjectKey, Objects};
use crate::error::{Error, Result};

/// After how long without a renewal a lease is anybody's.
pub const DURATION: Duration = Duration::from_secs(10);
/// Renewals in the time of a duration.
const RENEWALS: u32 = 5;
/// Looks at someone else's lease in the time of a duration.
const LOOKS: u32 = 20;
/// How often a lease that a renewal under way still changes is given back anew.
const RETURNS: usize = 3;
/// How often a lease is renewed at most for one change: each renewal may have taken too long itself.
const ATTEMPTS: usize = 3;
/// Which lease, and for whom.
#[derive(Debug, Clone)]
pub struct LeaseRequest {
    /// The namespace.
    pub namespace: String,
    /// The release.
    pub release: String,
    /// Who asks, different for each run of the program: `kim@laptop 4711 2f9a01`.
    pub holder: String,
    /// After how long without a renewal it is anybody's: [`DURATION`], but in tests.
    pub duration: Duration,
}

/// A lease that is held. It is renewed until it is given back, or its last clone dropped.
#[derive(Clone)]
pub struct Lease {
    shared: Arc<Shared>,
    renewal: Arc<Renewal>,
}

/// The task that renews a lease; ends with its last holder.
struct Renewal(AbortHandle);

struct Shared {
    objects: Arc<dyn Objects>,
    key: ObjectKey,
    holder: String,
    duration: Duration,
    state: Mutex<State>,
}

struct State {
    /// The Lease as it was last written.
    object: Value,
    /// When that was.
    renewed: Moment,
    /// Whether another was seen to have taken it: it never comes back.
    is_lost: bool,
}

/// A point in time by both clocks: one stands still while the machine sleeps, the other can be set.
struct Moment {
    steady: Instant,
    wall: SystemTime,
}

impl Moment {
    fn now() -> Self {
        Self {
            steady: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// Whether both clocks say that less time passed since.
    fn is_within(&self, limit: Duration) -> bool {
        self.steady.elapsed() < limit && self.wall.elapsed().is_ok_and(|age| age < limit)
    }
}

impl Lease {
    /// Takes the lease. `waiting` is called once, with the name of a holder that may be dead and is
    /// being watched.
    ///
    /// # Errors
    /// When someone alive holds it, or the cluster refuses.
    pub async fn acquire(
        objects: Arc<dyn Objects>,
        request: &LeaseRequest,
        waiting: impl Fn(&str),
    ) -> Result<Self> {
        let key = ObjectKey::namespaced(
            "coordination.k8s.io/v1",
            "Lease",
            &request.namespace,
            &format!("gantline.{}", request.release),
        );
        let mut seen: Option<(Value, Instant)> = None;
        let (object, renewed) = loop {
            let began = Moment::now();
            let wanted = lease(&key, request);
            // Mostly nobody holds it: one request instead of two.
            if seen.is_none()
                && let Some(created) = objects.create(&key, &wanted).await?
            {
                break (created, began);
            }
            let Some(found) = objects.get(&key).await? else {
                seen = None;
                continue;
            };
            let holder = holder_of(&found);
            if holder == request.holder {
                break (found, began);
            }
            let version = found["metadata"]["resourceVersion"].clone();
            match &seen {
                _ if holder.is_empty() => {}
                None => {
                    waiting(&holder);
                    seen = Some((version, Instant::now()));
                    sleep(request.duration / LOOKS).await;
                    continue;
                }
                Some((before, _)) if *before != version => return Err(held(request, &found)),
                Some((_, since)) if since.elapsed() < duration_of(&found, request) => {
                    sleep(request.duration / LOOKS).await;
                    continue;
                }
                Some(_) => {}
            }
            let mut taken = found;
            taken["spec"] = wanted["spec"].clone();
            match objects.replace(&key, &taken, ApplyMode::Real).await? {
                Some(taken) => break (taken, began),
                // Someone else was quicker, or it was given back just now.
                None => seen = None,
            }
        };
        let shared = Arc::new(Shared {
            objects,
            key,
            holder: request.holder.clone(),
            duration: request.duration,
            state: Mutex::new(State {
                object,
                renewed,
                is_lost: false,
            }),
        });
        let renewing = Arc::clone(&shared);
        let renewal = tokio::spawn(async move { renewing.keep().await }).abort_handle();
        Ok(Self {
            shared,
            renewal: Arc::new(Renewal(renewal)),
        })
    }

    /// Makes sure that the lease is still held before something is changed, and for half of its
    /// duration from then on.
    ///
    /// # Errors
    /// When someone took it over, the cluster refuses, or takes too long to answer.
    pub async fn assure(&self) -> Result<()> {
        // Who waits for a renewal that is under way sees what came of it.
        let mut state = self.shared.state.lock().await;
        let half = self.shared.duration / 2;
        for _ in 0..ATTEMPTS {
            if state.is_lost {
                return Err(replaced());
            }
            if state.renewed.is_within(half) {
                return Ok(());
            }
            self.shared.renew(&mut state).await?;
        }
        match state.renewed.is_within(half) {
            true => Ok(()),
            false => Err(Error::failed("the deployment's lease cannot be held")
                .since(format!(
                    "the cluster takes longer than {} s to renew it",
                    half.as_secs_f32()
                ))
                .hint("Try again once the cluster answers faster")),
        }
    }

    /// Gives the lease back. What is left when this fails, or takes long, expires by itself.
    pub async fn give_back(self) {
        self.renewal.0.abort();
        let giving = self.shared.give_back();
        let _expires = timeout(self.shared.duration, giving).await;
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Shared {
    async fn give_back(&self) {
        for _ in 0..RETURNS {
            let stored = self.objects.get(&self.key).await.ok().flatten();
            let Some(own) = stored.filter(|it| holder_of(it) == self.holder) else {
                return;
            };
            // Nothing is lost when this fails: the lease expires.
            match self.objects.delete_seen(&self.key, &own).await {
                Ok(false) => {}
                Ok(true) | Err(_) => return,
            }
        }
    }

    async fn keep(&self) {
        loop {
            sleep(self.duration / RENEWALS).await;
            let mut state = self.state.lock().await;
            // The one who changes something asks again, and gets the error.
            let _ = self.renew(&mut state).await;
            if state.is_lost {
                return;
            }
        }
    }

    async fn renew(&self, state: &mut State) -> Result<()> {
        let mut object = state.object.clone();
        object["spec"]["renewTime"] = micro_time().into();
        let began = Moment::now();
        let renewing = self.objects.replace(&self.key, &object, ApplyMode::Real);
        if let Some(renewed) = renewing.await? {
            state.object = renewed;
            state.renewed = began;
            return Ok(());
        }
        // An answer may have got lost: then the stored one is newer, still ours, and to be renewed.
        match self.objects.get(&self.key).await? {
            Some(found) if holder_of(&found) == self.holder => {
                state.object = found;
                Ok(())
            }
            _ => {
                state.is_lost = true;
                Err(replaced())
            }
        }
    }
}

fn replaced() -> Error {
    Error::failed("another deployment took this one's place")
        .since("the lease could not be renewed in time")
        .hint("See what runs: `gantline history`")
}

fn held(request: &LeaseRequest, lease: &Value) -> Error {
    let since = lease["spec"]["acquireTime"].as_str().unwrap_or("?");
    Error::failed(format!(
        "another deployment of {} is under way",
        request.release
    ))
    .since(format!("{} began it at {since}", holder_of(lease)))
    .hint("Wait until it ends, then try again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kubernetes::fake::FakeCluster;

    /// A lease that nobody else wants.
    async fn held_by_one(cluster: &Arc<FakeCluster>) -> Lease {
        let request = LeaseRequest {
            namespace: "shop".to_owned(),
            release: "orders".to_owned(),
            holder: "one".to_owned(),
            duration: DURATION,
        };
        let objects = Arc::clone(cluster) as Arc<dyn Objects>;
        Lease::acquire(objects, &request, |_| {}).await.unwrap()
    }

    /// Writes the lease as another client does.
    async fn write(cluster: &FakeCluster, lease: &Lease, holder: &str) {
        let key = &lease.shared.key;
        let mut object = cluster.get(key).await.unwrap().unwrap();
        object["spec"]["holderIdentity"] = holder.into();
        let written = cluster.replace(key, &object, ApplyMode::Real).await;
        assert!(written.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_lease_that_a_renewal_found_taken_is_lost_at_once_and_for_good() {
        let cluster = Arc::new(FakeCluster::default());
        let lease = held_by_one(&cluster).await;
        write(&cluster, &lease, "another").await;
        let renewed = {
            let mut state = lease.shared.state.lock().await;
            lease.shared.renew(&mut state).await
        };
        assert!(renewed.is_err());
        let error = lease.assure().await.unwrap_err();
        assert_eq!(error.message(), replaced().message());
    }

    #[tokio::test]
    async fn time_that_passed_while_the_machine_slept_counts() {
        let cluster = Arc::new(FakeCluster::default());
        let lease = held_by_one(&cluster).await;
        write(&cluster, &lease, "another").await;
        assert!(lease.assure().await.is_ok());
        lease.shared.state.lock().await.renewed.wall -= DURATION;
        assert!(lease.assure().await.is_err());
    }

    #[tokio::test]
    async fn a_lease_whose_renewal_was_not_answered_is_renewed_again() {
        let cluster = Arc::new(FakeCluster::default());
        let lease = held_by_one(&cluster).await;
        write(&cluster, &lease, "one").await;
        lease.shared.state.lock().await.renewed.wall -= DURATION;
        lease.assure().await.unwrap();
        let state = lease.shared.state.lock().await;
        assert!(state.renewed.is_within(DURATION / 2));
    }

    #[tokio::test]
    async fn a_lease_that_another_takes_while_it_is_given_back_stays_the_others() {
        let cluster = Arc::new(FakeCluster::default());
        let lease = held_by_one(&cluster).await;
        let key = lease.shared.key.clone();
        let mut taken = cluster.get(&key).await.unwrap().unwrap();
        taken["spec"]["holderIdentity"] = "another".into();
        // The other's request comes between the look at the lease and its deletion.
        tokio::join!(lease.give_back(), async {
            assert!(
                cluster
                    .replace(&key, &taken, ApplyMode::Real)
                    .await
                    .unwrap()
                    .is_some()
            );
        });
        let left = cluster.get(&key).await.unwrap().unwrap();
        assert_eq!(holder_of(&left), "another");
    }
}
