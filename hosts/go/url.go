package proactor

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// URLs as guests know them: absolute, and with a host, a port and a path that are written in one way only. What is
// checked is what is sent, so that no two parsers can disagree about it.

var errNoURL = errors.New("no URL")

// parseURL reads an absolute URL, or one relative to a base.
func parseURL(text string, base *url.URL) (*url.URL, error) {
	target, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	target = base.ResolveReference(target)
	if target.Scheme != "http" && target.Scheme != "https" {
		return target, nil
	}
	port := target.Port()
	if number, err := strconv.ParseUint(port, 10, 16); port != "" && err != nil {
		return nil, err
	} else if isDefaultPort(target.Scheme, number) {
		port = ""
	} else if port != "" {
		port = strconv.FormatUint(number, 10)
	}
	host := strings.ToLower(target.Hostname())
	if host == "" || target.Opaque != "" {
		return nil, errNoURL
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if target.Host = host; port != "" {
		target.Host += ":" + port
	}
	if target.Path == "" {
		target.Path = "/"
	}
	target.RawQuery = escapeQuery(target.RawQuery)
	return target, nil
}

func isDefaultPort(scheme string, port uint64) bool {
	return scheme == "http" && port == 80 || scheme == "https" && port == 443
}

// escapeQuery escapes what a request line cannot carry.
func escapeQuery(query string) string {
	var builder strings.Builder
	for index := range len(query) {
		c := query[index]
		if c > ' ' && c < 0x7f && !strings.ContainsRune(`"'<>`, rune(c)) {
			builder.WriteByte(c)
		} else {
			const digits = "0123456789ABCDEF"
			builder.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return builder.String()
}

// originOf is scheme, host and port.
func originOf(target *url.URL) string { return target.Scheme + "://" + target.Host }

// urlOf is an incoming request's absolute URL. HTTP sends no fragment.
func urlOf(request *http.Request) string {
	scheme, host := "http://", cmp.Or(request.Host, request.URL.Host, "localhost")
	if request.TLS != nil || request.URL.Scheme == "https" {
		scheme = "https://"
	}
	return scheme + host + normalTarget(request.URL.RequestURI())
}

// normalTarget writes a request's path and query in one way only, as browsers and the other hosts do: a guest that routes
// by its path must not be led around its routes by dots.
func normalTarget(target string) string {
	if !strings.ContainsAny(target, "\\#") && !strings.Contains(target, "/.") && !strings.Contains(target, "%2") {
		return target
	}
	target, _, _ = strings.Cut(target, "#")
	path, query, hasQuery := strings.Cut(target, "?")
	segments := strings.Split(strings.TrimPrefix(strings.ReplaceAll(path, "\\", "/"), "/"), "/")
	var kept []string
	for index, segment := range segments {
		isLast := index == len(segments)-1
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		case ".":
		default:
			kept = append(kept, segment)
			continue
		}
		if isLast {
			kept = append(kept, "")
		}
	}
	path = "/" + strings.Join(kept, "/")
	if hasQuery {
		return path + "?" + query
	}
	return path
}

// encodeHead encodes a request's head: (method, URL), then its headers if they are wanted. net/http keeps the host apart.
func encodeHead(request *http.Request, wantsHeaders bool) []byte {
	var room [16]pair
	head := append(room[:0], pair{request.Method, urlOf(request)})
	if wantsHeaders {
		headers := room[1:1]
		if request.Host != "" {
			headers = append(headers, pair{"host", request.Host})
		}
		head = append(head, appendHeaders(headers, request.Header)...)
	}
	return encodePairs(head, nil)
}
