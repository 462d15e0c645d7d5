package proactor

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Headers of net/http, and the lists of pairs that guests have instead. A header's bytes are no UTF-8: as the fetch
// standard has it, each stands for the character of its number.

// checkHeaders makes what is sent of pairs, and refuses what HTTP does not allow.
func checkHeaders(pairs []pair) ([]pair, error) {
	for index, pair := range pairs {
		value, ok := utf8ToLatin1(strings.Trim(pair.value, " \t\r\n"))
		if !ok || !isToken(pair.name) || strings.ContainsAny(value, "\x00\r\n") {
			return nil, failed(StatusInvalid, "headers: %q is none", pair.name)
		}
		pairs[index].value = value
	}
	return pairs, nil
}

// addHeaders adds pairs that were checked.
func addHeaders(headers http.Header, pairs []pair) {
	for _, pair := range pairs {
		headers.Add(pair.name, pair.value)
	}
}

// headerPairs are headers in lower case, sorted by name, one for each name; cookies that are set stay apart.
func headerPairs(headers http.Header) []pair {
	return appendHeaders(make([]pair, 0, len(headers)), headers)
}

func appendHeaders(pairs []pair, headers http.Header) []pair {
	for name, values := range headers {
		name = lower(name)
		switch {
		case name == "set-cookie":
			for _, value := range values {
				pairs = append(pairs, pair{name, latin1ToUTF8(value)})
			}
		case name == "cookie":
			pairs = append(pairs, pair{name, latin1ToUTF8(strings.Join(values, "; "))})
		case len(values) > 0:
			pairs = append(pairs, pair{name, latin1ToUTF8(strings.Join(values, ", "))})
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return pairs
}

// lowerNames spares an allocation for each of the headers that most requests have.
var lowerNames = map[string]string{}

func init() {
	for _, name := range []string{
		"accept", "accept-encoding", "accept-language", "authorization", "cache-control", "connection", "content-length",
		"content-type", "cookie", "date", "host", "referer", "user-agent", "x-forwarded-for",
	} {
		lowerNames[http.CanonicalHeaderKey(name)] = name
	}
}

func lower(name string) string {
	if known, ok := lowerNames[name]; ok {
		return known
	}
	return strings.ToLower(name)
}

func isToken(text string) bool {
	for index := range len(text) {
		c := text[index]
		isAlphanumeric := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !isAlphanumeric && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return text != ""
}

func isASCII(text string) bool {
	for index := range len(text) {
		if text[index] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func latin1ToUTF8(text string) string {
	if isASCII(text) {
		return text
	}
	var builder strings.Builder
	for index := range len(text) {
		builder.WriteRune(rune(text[index]))
	}
	return builder.String()
}

func utf8ToLatin1(text string) (string, bool) {
	if isASCII(text) {
		return text, true
	}
	var builder strings.Builder
	for _, character := range text {
		if character > 0xff {
			return "", false
		}
		builder.WriteByte(byte(character))
	}
	return builder.String(), true
}
