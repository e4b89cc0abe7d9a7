//! An object store with faults: fails before or after the call took effect, or in the middle of an answer. "It happened,
//! but you were told that it failed" is the fault that finds defects.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What is asked of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreCall {
    Put,
    /// Of an object, a part of it, or what is known of it.
    Get,
    Delete,
    List,
    Copy,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFault {
    None,
    /// Not done, and an error.
    FailBefore,
    /// Done, and an error all the same.
    FailAfter,
    /// An answer that breaks off half way; as `FailAfter` where there is nothing to break off.
    Cut,
}

type Decide = dyn Fn(StoreCall, u64) -> StoreFault + Send + Sync;

/// Wraps any store; `decide` is asked with the call and its number, from 0.
#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    decide: Arc<Decide>,
    calls: Arc<AtomicU64>,
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore")
            .field("inner", &self.inner)
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyStore({})", self.inner)
    }
}

impl FaultyStore {
    pub fn new(
        inner: Arc<dyn ObjectStore>,
        decide: impl Fn(StoreCall, u64) -> StoreFault + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner,
            decide: Arc::new(decide),
            calls: Arc::default(),
        }
    }

    /// `percent` of all calls meet a fault; the same seed, the same faults for the same order of calls.
    pub fn seeded(inner: Arc<dyn ObjectStore>, seed: u64, percent: u64) -> Self {
        Self::new(inner, move |_, number| {
            let draw = mix(seed ^ mix(number));
            if draw % 100 >= percent {
                return StoreFault::None;
            }
            match (draw >> 32) % 3 {
                0 => StoreFault::FailBefore,
                1 => StoreFault::FailAfter,
                _ => StoreFault::Cut,
            }
        })
    }

    fn next(&self, call: StoreCall) -> StoreFault {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        (self.decide)(call, number)
    }

    /// A call that is done or not, with nothing to break off.
    async fn whole<T>(
        &self,
        call: StoreCall,
        effect: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match self.next(call) {
            StoreFault::None => effect.await,
            StoreFault::FailBefore => Err(fault()),
            StoreFault::FailAfter | StoreFault::Cut => {
                effect.await?;
                Err(fault())
            }
        }
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let effect = self.inner.put_opts(location, payload, options);
        self.whole(StoreCall::Put, effect).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let effect = self.inner.put_multipart_opts(location, options);
        self.whole(StoreCall::Put, effect).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let head = options.head;
        let fault = self.next(StoreCall::Get);
        if fault == StoreFault::FailBefore {
            return Err(self::fault());
        }
        let answer = self.inner.get_opts(location, options).await?;
        match fault {
            StoreFault::FailAfter => Err(self::fault()),
            StoreFault::Cut if head => Err(self::fault()),
            StoreFault::Cut => cut(answer).await,
            _ => Ok(answer),
        }
    }

    /// One call each, so that parts of a file fail by themselves.
    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let mut parts = Vec::with_capacity(ranges.len());
        for range in ranges {
            let options = GetOptions {
                range: Some(range.clone().into()),
                ..GetOptions::default()
            };
            parts.push(self.get_opts(location, options).await?.bytes().await?);
        }
        Ok(parts)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let one = move |location: Path| {
            let store = store.clone();
            async move {
                let only = stream::once(std::future::ready(Ok(location))).boxed();
                let effect = async {
                    let deleted: Vec<_> = store.inner.delete_stream(only).try_collect().await?;
                    Ok(deleted)
                };
                store.whole(StoreCall::Delete, effect).await
            }
        };
        locations
            .and_then(one)
            .map_ok(|deleted| stream::iter(deleted.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let all = self.inner.list(prefix);
        let end = stream::once(std::future::ready(Err(fault())));
        match self.next(StoreCall::List) {
            StoreFault::None => all,
            StoreFault::FailBefore => end.boxed(),
            StoreFault::FailAfter => all.chain(end).boxed(),
            StoreFault::Cut => all.take(1).chain(end).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let effect = self.inner.list_with_delimiter(prefix);
        self.whole(StoreCall::List, effect).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let effect = self.inner.copy_opts(from, to, options);
        self.whole(StoreCall::Copy, effect).await
    }
}

/// Half of the bytes, then an error.
async fn cut(answer: GetResult) -> Result<GetResult> {
    let (meta, range, attributes) = (
        answer.meta.clone(),
        answer.range.clone(),
        answer.attributes.clone(),
    );
    let bytes = answer.bytes().await?;
    let half = bytes.slice(..bytes.len() / 2);
    let payload = stream::iter([Ok(half), Err(fault())]).boxed();
    Ok(GetResult {
        payload: GetResultPayload::Stream(payload),
        meta,
        range,
        attributes,
    })
}

fn fault() -> Error {
    Error::Generic {
        store: "FaultyStore",
        source: "failed as the test asked".into(),
    }
}

/// splitmix64.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
