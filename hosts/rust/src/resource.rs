//! Resource: a capability of the guest. It reaches nothing that is not one of these.
//!
//! Grants belong to the instance and are opened by name. Exchanges and bodies belong to one context, in whose own table
//! alone they are found, so another context's number is BadResource by construction.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use crate::kv::{AnyStore, Rights, Store};
use crate::transport::{AnyTransport, HttpTransport, Transport};
use crate::{Body, Error};

/// What a guest may open, by name. Nothing unless you grant it.
#[derive(Clone, Default)]
pub struct Resources {
    pub(crate) grants: BTreeMap<String, Grant>,
    /// Of all origins that have none of their own: they share its connections.
    http: Option<Arc<HttpTransport>>,
}

#[derive(Clone)]
pub(crate) enum Grant {
    Kv(Arc<KvGrant>),
    Origin(Arc<OriginGrant>),
}

pub(crate) struct KvGrant {
    pub store: Arc<dyn AnyStore>,
    pub rights: Rights,
}

pub(crate) struct OriginGrant {
    /// At least one; the first resolves relative URLs.
    pub origins: Vec<Url>,
    pub transport: Arc<dyn AnyTransport>,
}

impl Resources {
    pub fn new() -> Self {
        Self::default()
    }

    /// Grants a KV namespace: a store, and what the guest may do with it.
    pub fn kv(mut self, name: impl Into<String>, store: impl Store, rights: Rights) -> Self {
        let grant = KvGrant { store: Arc::new(store), rights };
        self.grants.insert(name.into(), Grant::Kv(Arc::new(grant)));
        self
    }

    /// Grants HTTP origins such as `https://api.example.com`, redirects among them included.
    pub fn origin<I>(mut self, name: impl Into<String>, origins: I) -> Result<Self, Error>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let transport = self.http.get_or_insert_default().clone();
        self.grant_origin(name.into(), origins, transport)
    }

    /// The same, with something else that sends the requests.
    pub fn origin_by<I>(self, name: impl Into<String>, origins: I, transport: impl Transport) -> Result<Self, Error>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.grant_origin(name.into(), origins, Arc::new(transport))
    }

    fn grant_origin<I>(mut self, name: String, origins: I, transport: Arc<dyn AnyTransport>) -> Result<Self, Error>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let origins: Vec<Url> =
            origins.into_iter().map(|text| checked_origin(text.as_ref())).collect::<Result<_, _>>()?;
        if origins.is_empty() {
            return Err(Error::Origin(String::new()));
        }
        self.grants.insert(name, Grant::Origin(Arc::new(OriginGrant { origins, transport })));
        Ok(self)
    }
}

fn checked_origin(text: &str) -> Result<Url, Error> {
    let error = || Error::Origin(text.to_owned());
    let url = Url::parse(text).map_err(|_| error())?;
    let is_origin = url.origin().ascii_serialization() == text.strip_suffix('/').unwrap_or(text);
    if is_origin && matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(error()) }
}

/// One incoming request and its one response.
pub(crate) struct Exchange {
    /// None once it was taken.
    pub body: Option<Body>,
    pub answered: bool,
}

/// A fetched response whose body stays on the host; none once it was taken.
pub(crate) struct Fetched(pub Option<Box<http::Response<Body>>>);

/// What a number of the guest's stands for.
pub(crate) enum Resource {
    Kv(Arc<KvGrant>),
    Origin(Arc<OriginGrant>),
    Exchange(Exchange),
    Body(Fetched),
}
