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
    let bytes = authority.as_bytes();
    let colon = bytes.iter().position(|byte| *byte == b':').unwrap_or(bytes.len());
    let (host, port) = (&bytes[..colon], bytes.get(colon + 1..));
    port.is_none_or(|port| port != b"80" && is_number(port, 65_535)) && (is_name(host) || is_address(host))
}

/// What ends in a number is an address, and "xn--" begins a name in another script.
fn is_name(host: &[u8]) -> bool {
    let last = host.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    last.first().is_some_and(u8::is_ascii_lowercase)
        && host.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && !host.windows(2).any(|pair| pair == b".." || pair == b"--")
}

fn is_address(host: &[u8]) -> bool {
    let mut parts = 0;
    host.split(|byte| *byte == b'.').all(|part| {
        parts += 1;
        is_number(part, 255)
    }) && parts == 4
}

/// Whether these are the digits of a number, and no zero before it.
fn is_number(text: &[u8], max: u32) -> bool {
    let digits = !text.is_empty() && text.len() < 6 && text.iter().all(u8::is_ascii_digit);
    let value = || text.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    digits && (text.len() == 1 || text[0] != b'0') && value() <= max
}

/// Whether this is a path, and perhaps a query, without dots to resolve and without anything to encode.
fn is_normal_path(path: &str) -> bool {
    let mut before = 0;
    let is_normal = |byte: u8| {
        let pair = (std::mem::replace(&mut before, byte), byte);
        // Dots to resolve, as they are or encoded.
        !matches!(pair, (b'/', b'.') | (b'%', b'2'))
            && (byte.is_ascii_alphanumeric()
                || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~' | b'?' | b'=' | b'&' | b'%' | b',' | b':' | b'+'))
    };
    path.starts_with('/') && path.bytes().all(is_normal)
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
