//! URL: the absolute one of a request, in the one form that the URL standard has for it.
//!
//! Most are in that form already, and to see so is much cheaper than to parse them.

use http::{HeaderMap, Uri, header};
use url::Url;

pub(crate) fn url_of(uri: &Uri, headers: &HeaderMap) -> String {
    let host = || headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = uri.authority().map(|authority| authority.as_str()).or_else(host).unwrap_or("localhost");
    let scheme = uri.scheme_str().unwrap_or("http");
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let url = [scheme, "://", authority, path].concat();
    if scheme == "http" && is_normal_authority(authority) && is_normal_path(path) {
        return url;
    }
    match Url::parse(&url) {
        Ok(parsed) => parsed.into(),
        Err(_) => url,
    }
}

/// Whether this is a host, and perhaps a port, that the standard leaves as it is. May say no where it need not.
fn is_normal_authority(authority: &str) -> bool {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "1"));
    let number = |text: &str, max: u32| {
        let is_number = !text.is_empty() && text.len() < 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number && !(text.len() > 1 && text.starts_with('0')) && text.parse().is_ok_and(|number: u32| number <= max)
    };
    let is_address = || host.split('.').count() == 4 && host.split('.').all(|part| number(part, 255));
    // What ends in a number is an address, and "xn--" begins a name in another script.
    let is_name = || {
        let last = host.rsplit('.').next().unwrap_or_default();
        last.starts_with(|character: char| character.is_ascii_lowercase()) && !host.contains("--")
    };
    host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && !host.contains("..")
        && (is_name() || is_address())
        && number(port, 65_535)
        && port != "80"
}

/// Whether this is a path, and perhaps a query, without dots to resolve and without anything to encode.
fn is_normal_path(path: &str) -> bool {
    let is_normal = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~' | b'?' | b'=' | b'&' | b'%' | b',' | b':' | b'+')
    };
    path.starts_with('/') && path.bytes().all(is_normal) && !path.contains("/.") && !path.contains("%2")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_taken_as_it_is_is_normal(
            authority in "(localhost|[a-z0-9.-]{0,9}|([0-9]{1,3}\\.){3}[0-9]{1,3}|0x[0-9a-f]{1,2})(:[0-9]{0,5})?",
            path in "/[a-zA-Z0-9./%?&=_~+,:-]{0,20}",
        ) {
            if is_normal_authority(&authority) && is_normal_path(&path) {
                let url = format!("http://{authority}{path}");
                prop_assert_eq!(Url::parse(&url).map(String::from), Ok(url));
            }
        }
    }

    #[test]
    fn the_usual_is_taken_as_it_is_and_the_rest_is_not() {
        for authority in ["localhost:8787", "127.0.0.1:1", "api.example.com", "guest.test"] {
            assert!(is_normal_authority(authority), "{authority}");
        }
        for authority in
            ["LOCALHOST", "a:80", "a:080", "1.2.3", "a.0x1", "xn--a", "", "a b", "[::1]", "127.0.0.01", "a..b"]
        {
            assert!(!is_normal_authority(authority), "{authority}");
        }
        assert!(is_normal_path("/kv/a%C3%A9?limit=2&cursor="));
        for path in ["/a/../b", "/a/%2e%2E/b", "/a b", "/a|b?'", "/ü"] {
            assert!(!is_normal_path(path), "{path}");
        }
    }
}
